"""Any table by a mapping: real data whole, every kind of file, and the refusals."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.intake import checked
from glotmix.pool.row import ROW_SCHEMA
from glotmix.pool.sources import table

MAPPING = {
    "task": "instructions",
    "language": "{lang}",
    "item_id": "{id}",
    "prompt": "{question}",
    "answer": "{answer}",
    "split": "train",
    "source": "mine",
    "licence": "CC0-1.0",
    "origin": "native",
}
RECORDS = [
    {"id": 1, "lang": "en", "question": "One?", "answer": "1", "part": "dev"},
    {"id": 2, "lang": "fr", "question": "Deux ?", "answer": "2", "part": "train"},
]
SIB200 = {
    "arb_Arab": "ar", "ben_Beng": "bn", "deu_Latn": "de", "eng_Latn": "en", "fra_Latn": "fr", "jpn_Jpan": "ja",
    "kor_Hang": "ko", "por_Latn": "pt", "rus_Cyrl": "ru", "spa_Latn": "es", "swh_Latn": "sw", "tha_Thai": "th",
    "zho_Hans": "zh",
}  # fmt: skip


def mapping_file(folder: Path, **changes: Any) -> str:
    """The mapping with some keys changed, those of value None left out."""
    path = folder / "mapping.yaml"
    keys = {key: value for key, value in (MAPPING | changes).items() if value is not None}
    path.write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    return str(path)


def data_file(path: Path, records: list[dict[str, Any]] = RECORDS) -> str:
    """The records in the format that the name tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(records)
    match path.suffix:
        case ".parquet":
            frame.write_parquet(path)
        case ".csv" | ".tsv":
            frame.write_csv(path, separator="," if path.suffix == ".csv" else "\t")
        case ".json":
            path.write_text(json.dumps(records), encoding="utf-8")
        case _:
            path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def imported(place: str, mapping: str, split: str = "") -> tuple[pl.DataFrame, pl.DataFrame]:
    """All sound rows and all rejections, as an import has them."""
    found = list(checked(table.read(place, mapping=mapping, split=split)))
    return pl.concat(batch.rows for batch in found), pl.concat(batch.rejected for batch in found)


def refusal(place: str, mapping: str) -> str:
    with pytest.raises(UserError) as refused:
        imported(place, mapping)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_every_row_of_sib200_is_taken_in_13_languages(data_folder: Path, tmp_path: Path) -> None:
    mapping = mapping_file(
        tmp_path, language="{@file}", item_id="{index_id}", prompt="Topic?\n{text}", answer="{category}",
        split="{split}", source="sib200", values={"language": SIB200, "split": {"dev": "validation"}},
    )  # fmt: skip
    rows, rejected = imported(str(data_folder / "sib200_flores"), mapping)
    assert rejected.is_empty()
    sizes = {"train": 701, "validation": 99, "test": 204}
    assert Counter(rows.select("language", "split").iter_rows()) == {
        (tag, split): size for tag in SIB200.values() for split, size in sizes.items()
    }
    items = rows.group_by("item_id").agg(pl.col("language").n_unique(), pl.col("reference").n_unique())
    assert set(items.select("language", "reference").iter_rows()) == {(13, 1)}
    originals = [json.loads(line) for line in (data_folder / "sib200_flores/tha_Thai.jsonl").open(encoding="utf-8")]
    for row, original in zip(rows.filter(language="th").iter_rows(named=True), originals, strict=True):
        assert row["row_id"] == f"sib200-{original['index_id']}:th"
        assert row["messages"] == [
            {"role": "user", "content": f"Topic?\n{original['text']}"},
            {"role": "assistant", "content": original["category"]},
        ]


def test_every_section_of_the_open_source_guides_is_taken(data_folder: Path, tmp_path: Path) -> None:
    mapping = mapping_file(
        tmp_path, task="summarization", language="{lang}", item_id="{slug}-{section_index}", prompt="{text}",
        answer="{heading}", source="guides", values={"language": {"zh-hans": "zh"}},
    )  # fmt: skip
    files = sorted((data_folder / "opensource_guide").glob("sections_*.jsonl"))
    found = [imported(str(file), mapping) for file in files]
    assert all(rejected.is_empty() for _, rejected in found)
    counts = Counter(pl.concat(rows for rows, _ in found)["language"])
    assert counts == {
        "ar": 117, "bn": 23, "de": 117, "en": 157, "es": 127, "fr": 118, "ja": 131, "ko": 146, "pt": 131, "ru": 124,
        "sw": 116, "zh": 127,
    }  # fmt: skip
    folder = str(data_folder / "opensource_guide")
    assert "item_id: no column 'section_index' in" in refusal(folder, mapping)  # articles.jsonl is another table


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.ndjson"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    rows, rejected = imported(data_file(tmp_path / name), mapping_file(tmp_path))
    assert rejected.is_empty()
    assert rows.schema == ROW_SCHEMA
    assert rows.to_dicts() == [
        {
            "row_id": f"mine-{record['id']}:{record['lang']}", "item_id": f"mine-{record['id']}",
            "task": "instructions", "language": record["lang"], "split": "train",
            "messages": [
                {"role": "user", "content": record["question"]}, {"role": "assistant", "content": record["answer"]},
            ],
            "reference": record["answer"], "source": "mine", "licence": "CC0-1.0", "origin": "native",
            "answer_language": None,
        }
        for record in RECORDS
    ]  # fmt: skip


def test_constants_columns_and_the_layout_may_be_mixed(tmp_path: Path) -> None:
    data_file(tmp_path / "data" / "french" / "dev-00000.jsonl", [{"a": "x", "b": 1.5, "who": "NLLB"}])
    mapping = mapping_file(
        tmp_path, language="{@config}", item_id="{@file}-{@line}", prompt="{{{a}}} {b}", answer="{a}{a}",
        reference="{b}", split=None, origin="machine-translated:{who}", values={"language": {"french": "fr"}},
    )  # fmt: skip
    (row,) = imported(str(tmp_path / "data"), mapping)[0].to_dicts()
    assert (row["row_id"], row["split"], row["origin"]) == (
        "mine-dev-00000-1:fr", "validation", "machine-translated:NLLB",
    )  # fmt: skip
    assert [message["content"] for message in row["messages"]] == ["{x} 1.5", "xx"]
    assert row["reference"] == "1.5"


def test_a_column_may_hold_the_whole_conversation(tmp_path: Path) -> None:
    talk = [{"role": role, "content": role[0]} for role in ("system", "user", "assistant", "user", "assistant")]
    records = [RECORDS[0] | {"talk": talk}, RECORDS[1] | {"talk": talk[:2]}]
    mapping = mapping_file(tmp_path, prompt=None, answer=None, messages="{talk}")
    for name in ("a.jsonl", "a.parquet", "a.json"):
        rows, rejected = imported(data_file(tmp_path / name, records), mapping)
        assert rows["messages"].to_list() == [talk]
        assert rows["reference"].to_list() == ["a"]
        assert rejected["reason"].to_list() == ["empty answer"]


def test_a_conversation_with_half_a_message_is_set_aside(tmp_path: Path) -> None:
    sound = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    halves: list[Any] = [None, {"role": "user"}, {"content": "no role"}, {"role": "user", "content": None}]
    halves.append({"role": "narrator", "content": "once"})
    records = [{"id": n, "lang": "en", "talk": [first, *sound]} for n, first in enumerate(halves)]
    place = data_file(tmp_path / "a.jsonl", [*records, {"id": 9, "lang": "en", "talk": sound}])
    mapping = mapping_file(tmp_path, prompt=None, answer=None, messages="{talk}")
    read = list(checked(table.read(place, mapping=mapping)))
    assert pl.concat(batch.rows for batch in read)["item_id"].to_list() == ["mine-9"]
    assert pl.concat(batch.rejected for batch in read)["reason"].to_list() == ["broken message"] * len(halves)


def test_test_rows_need_no_answer_but_a_reference(tmp_path: Path) -> None:
    place = data_file(tmp_path / "a.jsonl")
    rows, _ = imported(place, mapping_file(tmp_path, answer=None, reference="{answer}", split="test"))
    assert rows["messages"][0].to_list() == [{"role": "user", "content": "One?"}]
    assert rows["reference"].to_list() == ["1", "2"]
    message = refusal(place, mapping_file(tmp_path, answer=None, reference="{answer}", split="train"))
    assert "no record gives a row (line 1: empty answer)" in message


def test_open_ended_test_rows_need_neither(tmp_path: Path) -> None:
    place = data_file(tmp_path / "a.jsonl")
    rows, _ = imported(place, mapping_file(tmp_path, answer=None, split="test"))
    assert rows["messages"][0].to_list() == [{"role": "user", "content": "One?"}]
    assert rows["reference"].to_list() == [None, None]
    assert "line 1: empty answer" in refusal(place, mapping_file(tmp_path, answer=None, split="train"))


def test_a_column_may_tell_in_which_language_the_answer_is_wanted(tmp_path: Path) -> None:
    records = [record | {"wanted": wanted} for record, wanted in zip(RECORDS, ["english", ""], strict=True)]
    mapping = mapping_file(tmp_path, answer_language="{wanted}", values={"answer_language": {"english": "en"}})
    rows, _ = imported(data_file(tmp_path / "a.jsonl", records), mapping)
    assert rows["answer_language"].to_list() == ["en", None]
    _, rejected = imported(data_file(tmp_path / "a.jsonl", records), mapping_file(tmp_path, answer_language="{wanted}"))
    assert rejected["reason"].to_list() == ["unknown answer language"]


def test_the_option_split_goes_before_the_mapping_and_the_layout(tmp_path: Path) -> None:
    place = data_file(tmp_path / "dev.jsonl")
    for split, mapped, expected in (("test", "train", "test"), ("", "train", "train"), ("", None, "validation")):
        rows, _ = imported(place, mapping_file(tmp_path, split=mapped), split)
        assert set(rows["split"]) == {expected}
    message = refusal(data_file(tmp_path / "a.jsonl"), mapping_file(tmp_path, split=None))
    assert message.endswith(
        f"a.jsonl: nothing tells its split; add split to {tmp_path}/mapping.yaml, like split: train"
    )


def test_a_row_that_lacks_a_column_is_rejected_and_its_neighbours_kept(tmp_path: Path) -> None:
    spoilt = {
        "no id": {"id": None},
        "empty question": {"question": None},
        "empty answer": {"answer": " "},
        "unknown language": {"lang": "english"},
        "a field of another type": {"question": ["One?"]},
    }
    lines = [RECORDS[0], *(RECORDS[1] | change for change in spoilt.values()), RECORDS[1]]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*map(json.dumps, lines), '{"id": ']))
    rows, rejected = imported(str(path), mapping_file(tmp_path))
    assert rows["item_id"].to_list() == ["mine-1", "mine-2"]
    assert dict(rejected.select("line", "reason").iter_rows()) == {
        **dict(enumerate(spoilt, start=2)), 8: "broken JSON",
    }  # fmt: skip
    raw = dict(rejected.select("line", "raw").iter_rows())
    assert json.loads(raw[6]) == lines[5]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"promt": "{question}"}, "promt: unknown key; did you mean 'prompt'?"),
        ({"task": None}, "task: Field required"),
        ({"language": True}, "language: YAML reads yes, no, on and off as true and false"),
        ({"prompt": {"question": None}}, "prompt: YAML reads {...} as a mapping; put it in quotes"),
        ({"prompt": "{question.__class__}"}, "prompt: no column 'question.__class__' in"),
        ({"prompt": "{question[0]}"}, "prompt: no column 'question[0]' in"),
        ({"prompt": "{0}"}, "prompt: no column '0' in"),
        ({"prompt": "{question!r}"}, "prompt: a placeholder is a column's name in braces"),
        ({"prompt": "{question:>9999}"}, "prompt: a placeholder is a column's name in braces"),
        ({"prompt": "{}"}, "prompt: a placeholder is a column's name in braces"),
        ({"prompt": "{question"}, "prompt: "),
        ({"prompt": "{@lines}"}, "prompt: unknown placeholder {@lines}; of the layout there are @line, @file"),
        ({"answer": "{anwser}"}, "answer: no column 'anwser' in"),
        ({"prompt": None}, "give exactly one of prompt and messages"),
        ({"messages": "{talk}"}, "give exactly one of prompt and messages"),
        ({"prompt": None, "messages": "{talk}"}, "messages holds the answer already; leave answer out"),
        ({"prompt": None, "answer": None, "messages": "talk"}, "messages: messages is one column"),
        ({"answer": None, "task": "math"}, "give an answer, or for test rows a reference"),
        ({"values": {"lang": {"english": "en"}}}, "values.lang: "),
        ({"values": {"language": ["en"]}}, "values.language: "),
        ({"prompt": ""}, "prompt: empty; name a column"),
        ({"source": ""}, "source: empty; name a column"),
        ({"reference": "{reason}"}, "reference: a column named 'reason' can't be read"),
    ],
)
def test_a_mapping_that_is_wrong_is_one_clear_line(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    mapping = mapping_file(tmp_path, **changes)
    assert refusal(data_file(tmp_path / "a.jsonl"), mapping).startswith(f"{mapping}: {line}")


def test_a_missing_mapping_is_one_clear_line(tmp_path: Path) -> None:
    place = data_file(tmp_path / "a.jsonl")
    assert refusal(place, "").startswith("table needs the option mapping")
    assert refusal(place, str(tmp_path / "no.yaml")).endswith("no.yaml: no mapping there; mend the path, or write one")
    (tmp_path / "list.yaml").write_text("- a\n")
    assert "a mapping is a mapping of keys such as task, language, item_id; got list" in refusal(
        place, str(tmp_path / "list.yaml")
    )


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "not a table; give JSONL" in refusal(str(tmp_path / "notes.txt"), mapping_file(tmp_path))
    (tmp_path / "empty.jsonl").write_text("")
    assert "no record gives a row (it is empty)" in refusal(str(tmp_path / "empty.jsonl"), mapping_file(tmp_path))
    data_file(tmp_path / "lists.parquet", [record | {"question": ["a"]} for record in RECORDS])
    assert "of another type" in refusal(str(tmp_path / "lists.parquet"), mapping_file(tmp_path))


PLAIN = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)


@given(before=PLAIN, value=PLAIN, after=PLAIN)
def test_a_value_is_put_in_as_it_is_whatever_it_holds(before: str, value: str, after: str) -> None:
    spec = table.TableMapping(**MAPPING | {"prompt": f"{escaped(before)}{{q}}{escaped(after)}"})
    file = table.DataFile("a.jsonl", "a.jsonl", "jsonl")
    frame = pl.DataFrame({"line": [1], "q": [value], "lang": ["en"], "id": ["1"], "answer": ["x"]})
    rows = table._rows(spec, file, "train", frame)
    assert rows["messages"][0][0]["content"] == before + value + after


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
