"""Chat sources on files of the documented shape."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.intake import Record, Unusable, checked
from glotmix.pool.sources import aya, sharegpt
from glotmix.task import get_task


def imported(batches: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All sound rows and all rejections, as an import has them."""
    found = list(checked(batches))
    return pl.concat(batch.rows for batch in found), pl.concat(batch.rejected for batch in found)


def reasons(rejected: pl.DataFrame) -> dict[str, int]:
    return dict(Counter(rejected["reason"]))


def turns(*texts: str, first: int = 0) -> list[dict[str, str]]:
    speakers = ("human", "gpt")
    return [{"from": speakers[(place + first) % 2], "value": text} for place, text in enumerate(texts)]


def chat(*texts: str, **more: Any) -> dict[str, Any]:
    return {"id": f"c{len(texts)}", "conversations": turns(*texts), **more}


def write(path: Path, *records: Any, lines: bool = False) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(json.dumps(record) for record in records) if lines else json.dumps(records)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("lines", [True, False])
def test_a_conversation_gives_its_first_exchange(tmp_path: Path, lines: bool) -> None:
    place = write(tmp_path / "chats.json", chat("Hi ", "Hello!", "More?", "No."), lines=lines)
    rows, rejected = imported(sharegpt.read(place, language="en"))
    assert rejected.is_empty()
    (row,) = rows.to_dicts()
    assert row["messages"] == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    assert (row["row_id"], row["item_id"], row["reference"]) == ("sharegpt-c4:en", "sharegpt-c4", "Hello!")
    assert (row["task"], row["split"], row["origin"]) == ("instructions", "train", "generated")
    assert get_task("instructions").score("Hello!", row["reference"], language="en").verdict == "correct"


def test_a_system_message_is_kept_and_ids_may_be_missing(tmp_path: Path) -> None:
    record = chat("Hi", "Hello!")
    record["conversations"].insert(0, {"from": "system", "value": "Be kind."})
    del record["id"]
    rows, _ = imported(sharegpt.read(write(tmp_path / "de" / "talk.json", record), language="de"))
    assert [message["role"] for message in rows["messages"][0]] == ["system", "user", "assistant"]
    assert rows["item_id"].to_list() == ["sharegpt-talk-1"]


def test_the_language_is_the_option_else_the_record_else_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "fr" / "a.json", chat("Salut", "Bonjour"), chat("Hola", "Hola", "q", "r", language="es"))
    assert imported(sharegpt.read(str(tmp_path)))[0]["language"].to_list() == ["fr", "es"]
    assert imported(sharegpt.read(str(tmp_path), language="de"))[0]["language"].to_list() == ["de", "de"]
    place = write(tmp_path / "b.json", chat("Hi", "Hello!"))
    with pytest.raises(UserError, match="no language; give the option language"):
        imported(sharegpt.read(place))


CHAT_PAGE = '<div class="markdown prose w-full"><p>Sure.</p></div>'
SPOILT = {
    "turns do not alternate": [
        {"id": "1", "conversations": turns("Hello!", "Hi", "Bye", first=1)},
        {"id": "2", "conversations": [*turns("Hi", "Hello!"), *turns("Again", first=1)]},
    ],
    "no exchange": [chat("Hi"), {"id": "3", "conversations": []}],
    "empty turn": [chat("Hi", " \n"), chat("Hi", "Hello!", "", "What?")],
    "HTML debris": [chat("Hi", CHAT_PAGE), chat("Code?", "```pythonCopy code\nprint(1)```")],
    "a turn without known speaker and text": [
        {"id": "4", "conversations": [{"from": "narrator", "value": "x"}]},
        {"id": "5", "conversations": [{"from": "human"}, "text"]},
        {"id": "6", "conversations": [{"from": ["human"], "value": "x"}]},
    ],
    "no conversations": [{"id": "7", "items": []}, {"id": "8", "conversations": "Hi"}],
}


def test_spoilt_conversations_are_rejected_with_their_reason(tmp_path: Path) -> None:
    spoilt = [record for records in SPOILT.values() for record in records]
    place = write(tmp_path / "chats.jsonl", chat("Hi", "Hello!", "Bye", "Bye!"), *spoilt, lines=True)
    rows, rejected = imported(sharegpt.read(place, language="en"))
    assert len(rows) == 1
    assert reasons(rejected) == {reason: len(records) for reason, records in SPOILT.items()}


def test_html_that_the_user_asks_about_is_no_debris(tmp_path: Path) -> None:
    question = 'Why does <div class="box"><span>x</span></div> overflow? How do I copy code?'
    rows, _ = imported(sharegpt.read(write(tmp_path / "a.json", chat(question, "```html\n<div>x</div>\n```")), "en"))
    assert rows["messages"][0][0]["content"] == question


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["conversations", "from", "value", "id", "inputs", "targets"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["conversations", "id", "language", "inputs", "script"]), JSON_VALUES))
def test_any_record_is_a_row_or_unusable(value: dict[str, Any]) -> None:
    file = sharegpt.DataFile("chats.json", "chats.json", "json")
    for parse in (lambda record: sharegpt._parse(file, "", record), lambda record: aya._parse("dolly", record)):
        try:
            (row,) = parse(Record(1, value))
        except Unusable:
            continue
        assert all(isinstance(row[column], str) for column in ("row_id", "language"))


def prompt(
    language: str, script: str, source_id: int | None, target: str | None = "Yes.", **more: Any
) -> dict[str, Any]:
    facts = {"id": 7, "inputs": f"Question {source_id}?", "targets": target, "language": language, "script": script}
    return facts | ({} if source_id is None else {"source_id": source_id}) | more


def write_suite(folder: Path, **subsets: list[dict[str, Any]]) -> str:
    for subset, records in subsets.items():
        (folder / subset).mkdir(parents=True)
        pl.DataFrame(records).write_parquet(folder / subset / "test-00000-of-00001.parquet")
    return str(folder)


def test_translations_of_a_dolly_prompt_share_their_item(tmp_path: Path) -> None:
    machine = [
        prompt(language, script, number)
        for number in (11, 12)
        for language, script in (("eng", "Latn"), ("arb", "Arab"), ("zho", "Hans"), ("zho", "Hant"), ("swh", "Latn"))
    ]
    place = write_suite(
        tmp_path, dolly_machine_translated=machine, aya_human_annotated=[prompt("tel", "Telu", None, id=3)]
    )
    rows, _ = imported(aya.read(place))
    assert rows["row_id"].to_list() == [
        f"aya-dolly-{number}:{tag}" for number in (11, 12) for tag in ("en", "ar", "zh", "zh-Hant", "sw")
    ]
    assert dict(rows.group_by("origin").len().iter_rows()) == {"native": 2, "machine-translated:NLLB": 8}
    assert set(rows["split"]) == {"test"}
    rows, _ = imported(aya.read(place, subset="aya_human_annotated"))
    assert rows.select("row_id", "origin").rows() == [("aya-annotated-3:te", "native")]
    with pytest.raises(UserError, match="subset 'dolly': Aya's evaluation suite has dolly_machine"):
        imported(aya.read(place, subset="dolly"))


def test_human_edited_prompts_take_the_place_of_machine_translated_ones(tmp_path: Path) -> None:
    place = write_suite(
        tmp_path,
        dolly_machine_translated=[prompt("fra", "Latn", 11)],
        dolly_human_edited=[prompt("fra", "Latn", 11, "Oui."), prompt("spa", "Latn", 12, None)],
    )
    machine, _ = imported(aya.read(place))
    human, rejected = imported(aya.read(place, subset="dolly_human_edited"))
    assert machine["row_id"].to_list() == ["aya-dolly-11:fr"]
    assert human["row_id"].to_list() == ["aya-dolly-11:fr", "aya-dolly-12:es"]
    assert set(human["origin"]) == {"human-translated"}
    assert rejected.is_empty()


def test_a_prompt_without_an_answer_ends_with_its_question(tmp_path: Path) -> None:
    records = [prompt("spa", "Latn", 1, target) for target in (None, "None", " ")]
    rows, _ = imported(aya.read(write(tmp_path / "suite.json", *records), subset="dolly_human_edited"))
    assert rows["messages"].to_list() == [[{"role": "user", "content": "Question 1?"}]] * 3
    assert rows["reference"].to_list() == [None] * 3


@pytest.mark.parametrize(
    ("language", "script", "tag"),
    [
        ("ary", "Arab", "ary"), ("srp", "Cyrl", "sr"), ("srp", "Latn", "sr-Latn"), ("kas", "Deva", "ks-Deva"),
        ("jpn", "Jpan", "ja"), ("kor", "Hang", "ko"), ("pes", "Arab", "fa"), ("zsm", "Latn", "ms"),
    ],
)  # fmt: skip
def test_an_iso_code_and_script_become_the_usual_tag(language: str, script: str, tag: str) -> None:
    assert aya._tag(language, script) == tag


def test_a_language_nobody_knows_is_rejected(tmp_path: Path) -> None:
    records = [prompt("eng", "Latn", 1), prompt("!?", "Latn", 2), prompt("xxx", "Latn", 3), {"inputs": "x"}]
    _, rejected = imported(aya.read(write(tmp_path / "suite.json", *records)))
    assert reasons(rejected) == {"unknown language": 2, "no inputs, language and script": 1}


def test_a_single_file_of_another_subset_is_refused(tmp_path: Path) -> None:
    place = write_suite(tmp_path, dolly_human_edited=[prompt("fra", "Latn", 11)])
    with pytest.raises(UserError, match="not in subset 'dolly_machine_translated' but in 'dolly_human_edited'"):
        imported(aya.read(place))
