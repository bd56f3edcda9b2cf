import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.intake import Batch, checked
from glotmix.pool.sources import gsm8k, mcot_math, mgsm, msvamp
from glotmix.pool.sources.math_prompts import ask, asks, final_line
from glotmix.pool.sources.math_rows import announced_number, announced_numbers, plain_number
from glotmix.task import get_task

MGSM_TAGS = ["bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"]
STYLED_TAGS = [*MGSM_TAGS, "ar", "ko", "pt"]
GSM8K = {"question": "What is 1 + 1,079?", "answer": "1 + 1,079 = <<1+1079=1080>>1,080.\n#### 1,080"}


def taken(batches: Iterable[Batch]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows, and rejected records by reason."""
    read = list(checked(batches))
    rejected = pl.concat(batch.rejected for batch in read)
    return pl.concat(batch.rows for batch in read), dict(rejected["reason"].value_counts().rows())


def counts(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(language, split): n for language, split, n in rows.group_by("language", "split").len().rows()}


def question(row: dict[str, Any]) -> str:
    text: str = row["messages"][0]["content"]
    return text


def answers(rows: pl.DataFrame) -> list[str]:
    return rows["messages"].list.last().struct.field("content").to_list()


def write_json(path: Path, *records: Any, array: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("[" + ",\n".join(lines) + "]" if array else "\n".join(lines), encoding="utf-8")
    return path


def write_parquet(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(records, infer_schema_length=None).write_parquet(path)


def assert_scored_as_correct(rows: pl.DataFrame) -> None:
    score = get_task("math").score
    for row in rows.iter_rows(named=True):
        for output in (row["messages"][-1]["content"], row["reference"]):
            assert score(output, row["reference"], language=row["language"]).verdict == "correct", row["row_id"]


def test_every_row_of_gsm8k_is_taken(data_folder: Path) -> None:
    rows, rejected = taken(gsm8k.read(str(data_folder / "gsm8k")))
    assert counts(rows) == {("en", "train"): 7473, ("en", "test"): 1319}
    assert rejected == {}
    assert rows["row_id"].n_unique() == len(rows)
    for split, first in (("train", "gsm8k-train-0001"), ("test", "gsm8k-test-0001")):
        lines = (data_folder / "gsm8k" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
        found = rows.filter(split=split).sort("item_id").to_dicts()
        assert found[0]["item_id"] == first
        for row, line in zip(found, lines, strict=True):
            original = json.loads(line)
            solution, _, number = original["answer"].partition("\n####")
            assert question(row) == f"Question:\n{original['question'].strip()}\nAnswer:\nLet's think step by step."
            assert row["reference"] == str(int(number.replace(",", "")))
            answer = row["messages"][1]["content"]
            assert answer.endswith(f"\nThe answer is {row['reference']}.")
            assert len(answer.splitlines()) == len(solution.strip().splitlines()) + 1
            assert "<<" not in answer
    assert_scored_as_correct(rows)


def test_gsm8k_test_never_becomes_training_rows(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "gsm8k" / "test.jsonl"
    renamed = tmp_path / "extra.jsonl"
    renamed.write_bytes(source.read_bytes())
    part = write_json(tmp_path / "test-part2.jsonl", GSM8K)
    for path, split in (
        (source, "train"),
        (source, "validation"),
        (renamed, None),
        (renamed, "train"),
        (part, "train"),
    ):
        with pytest.raises(UserError, match="must not become training rows"):
            taken(gsm8k.read(str(path), split))
    for path in (source, part):
        assert taken(gsm8k.read(str(path)))[0]["split"].unique().to_list() == ["test"]
    assert counts(taken(gsm8k.read(str(renamed), "test"))[0]) == {("en", "test"): 1319}


def test_gsm8k_of_the_hub_gives_the_same_rows_and_leaves_socratic_alone(tmp_path: Path) -> None:
    records = [GSM8K | {"question": f"Question {number}?"} for number in range(3)]
    lines, _ = taken(gsm8k.read(str(write_json(tmp_path / "gsm8k.jsonl", *records))))
    for config in ("main", "socratic"):
        write_parquet(tmp_path / "hub" / config / "train-00000-of-00001.parquet", records)
        write_parquet(tmp_path / "hub" / config / "test-00000-of-00001.parquet", [GSM8K])
    rows, rejected = taken(gsm8k.read(str(tmp_path / "hub")))
    assert counts(rows) == {("en", "train"): 3, ("en", "test"): 1}
    assert rejected == {}
    assert rows.filter(split="train").sort("row_id").equals(lines.sort("row_id"))


def test_gsm8k_records_that_are_none_are_rejected_with_their_reason(tmp_path: Path) -> None:
    bad = {
        "no question and answer text": {"question": 5, "answer": None},
        "no ####": GSM8K | {"answer": "It is 5."},
        "empty question": GSM8K | {"question": " \n"},
        "empty solution": GSM8K | {"answer": "#### 5"},
        "answer is not a number": GSM8K | {"answer": "It is five.\n#### five"},
        "duplicate question": GSM8K | {"question": " What  is 1 + 1,079?"},
    }
    rows, rejected = taken(gsm8k.read(str(write_json(tmp_path / "a.jsonl", GSM8K, *bad.values()))))
    assert rows["item_id"].to_list() == ["gsm8k-train-0001"]
    assert rejected == dict.fromkeys(bad, 1)
    with pytest.raises(UserError, match="split 'dev'"):
        taken(gsm8k.read(str(tmp_path / "a.jsonl"), "dev"))


def test_every_row_of_mgsm_is_taken_and_lines_up_in_11_languages(data_folder: Path) -> None:
    rows, rejected = taken(mgsm.read(str(data_folder / "mgsm")))
    assert counts(rows) == {(tag, "test"): 250 for tag in MGSM_TAGS}
    assert rejected == {}
    by_item = rows.group_by("item_id").agg(pl.len(), pl.col("reference").n_unique())
    assert by_item.select("len", "reference").unique().rows() == [(11, 1)]
    assert set(rows.filter(language="en")["origin"]) == {"native"}
    assert set(rows.filter(pl.col("language") != "en")["origin"]) == {"human-translated"}
    assert_scored_as_correct(rows)


def test_mgsm_exemplars_are_training_rows_where_asked_for(data_folder: Path) -> None:
    rows, rejected = taken(mgsm.read(str(data_folder / "mgsm" / "exemplars.json")))
    assert counts(rows) == {(tag, "train"): 8 for tag in MGSM_TAGS}
    assert rejected == {}
    french = rows.filter(language="fr", item_id="mgsm-exemplar-1").to_dicts()[0]
    assert question(french).startswith("Question:\nRoger a 5 balles de tennis.")
    assert french["messages"][1]["content"].startswith("Roger a commencé avec 5 balles.")
    assert french["messages"][1]["content"].endswith("5 + 6 = 11. La réponse est 11.")
    assert_scored_as_correct(rows)


def test_mgsm_of_the_hub_gives_the_same_rows(data_folder: Path, tmp_path: Path) -> None:
    exemplars = json.loads((data_folder / "mgsm" / "exemplars.json").read_text(encoding="utf-8"))
    for tag in ("bn", "ja"):
        lines = (data_folder / "mgsm" / f"mgsm_{tag}.tsv").read_text(encoding="utf-8").splitlines()
        test = [line.split("\t") for line in lines]
        pairs = zip(exemplars["MGSM_EXEMPLARS"][tag].values(), exemplars["EXEMPLAR_NUMBER_ANSWERS"], strict=True)
        records = {
            "test": [{"question": q, "answer": None, "answer_number": int(n.replace(",", ""))} for q, n in test],
            "train": [{"question": pair["q"], "answer": pair["a"], "answer_number": n} for pair, n in pairs],
        }
        for split, found in records.items():
            write_parquet(tmp_path / tag / f"{split}-00000-of-00001.parquet", found)
    rows, rejected = taken(mgsm.read(str(tmp_path)))
    assert rejected == {}
    local = [
        taken(mgsm.read(str(data_folder / "mgsm" / name)))[0]
        for name in ("mgsm_bn.tsv", "mgsm_ja.tsv", "exemplars.json")
    ]
    expected = pl.concat(local).filter(pl.col("language").is_in(["bn", "ja"]))
    assert rows.sort("row_id").equals(expected.sort("row_id"))


def test_an_exemplar_without_a_final_sentence_is_given_one(tmp_path: Path) -> None:
    record = {"question": "রজারের 5টি বল আছে?", "answer": "5 + 6 = 11।", "answer_number": 11, "equation_solution": ""}
    write_parquet(tmp_path / "bn" / "train-0.parquet", [record])
    rows, _ = taken(mgsm.read(str(tmp_path)))
    assert answers(rows) == ["5 + 6 = 11।\nউত্তর হল 11।"]


def test_mgsm_keeps_line_numbers_as_item_ids_past_a_bad_line(tmp_path: Path) -> None:
    text = '\ufeff"Quoted" 1?\t1,000\r\nno number\nthree\tcolumns\t3\nq\tfive\n\t6\nQ 7?\t7\r\n'
    (tmp_path / "mgsm_sw.tsv").write_text(text, encoding="utf-8", newline="")
    rows, rejected = taken(mgsm.read(str(tmp_path / "mgsm_sw.tsv")))
    assert rejected == {"wrong column count": 2, "answer is not a number": 1, "empty question": 1}
    assert rows.select("item_id", "reference").rows() == [("mgsm-001", "1000"), ("mgsm-006", "7")]
    assert question(rows.to_dicts()[0]) == 'Question:\n"Quoted" 1?\nAnswer:\nHebu fikiria hatua kwa hatua.'
    assert answers(rows)[1] == "Jibu ni 7."


@pytest.mark.parametrize("name", ["mgsm_swahili.tsv", "mgsm_.tsv", "mgsm_en_test.tsv", "sw.tsv"])
def test_an_mgsm_file_must_tell_its_language(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("q\t1\n")
    with pytest.raises(UserError):
        taken(mgsm.read(str(tmp_path / name)))


MCOT = {"question": "Natalia sold 48 clips?", "answer": "48 + 24 = 72\nThe answer is: 72"}
MCOT_ES = {"question": "¿Natalia vendió 48?", "answer": "48 + 24 = 72. La respuesta es 72."}


@pytest.mark.parametrize("kind", ["array", "lines", "parquet"])
def test_mcot_math_with_numbers_shares_items_and_without_does_not(tmp_path: Path, kind: str) -> None:
    def ids(*records: dict[str, str]) -> list[tuple[str, str, str]]:
        if kind == "parquet":
            write_parquet(tmp_path / "mcot.parquet", list(records))
        path = tmp_path / "mcot.parquet" if kind == "parquet" else tmp_path / "mcot_math.json"
        if kind != "parquet":
            write_json(path, *records, array=kind == "array")
        rows, rejected = taken(mcot_math.read(str(path)))
        assert rejected == {}
        assert counts(rows) == {("en", "train"): 1, ("es", "train"): 1}
        return rows.select("item_id", "row_id", "reference").rows()

    assert ids(MCOT | {"lang-id": "en-123"}, MCOT_ES | {"lang-id": "es-123"}) == [
        ("mcot-math-123", "mcot-math-123:en", "72"),
        ("mcot-math-123", "mcot-math-123:es", "72"),
    ]
    assert ids(MCOT | {"lang": "en"}, MCOT_ES | {"lang": "es"}) == [
        ("mcot-math-en-1-1", "mcot-math-en-1-1:en", "72"),
        ("mcot-math-es-1-2", "mcot-math-es-1-2:es", "72"),
    ]


def test_mcot_math_rows_are_kept_word_for_word_with_their_origin(tmp_path: Path) -> None:
    path = write_json(tmp_path / "mcot.json", MCOT | {"lang": "en"}, MCOT_ES | {"lang": "es"}, array=True)
    rows = taken(mcot_math.read(str(path)))[0]
    assert answers(rows) == [MCOT["answer"], MCOT_ES["answer"]]
    assert rows.select("origin", "licence").rows() == [
        ("native", "Apache-2.0"),
        ("machine-translated:unknown", "Apache-2.0"),
    ]


def test_of_both_layouts_of_mcot_math_on_the_hub_the_parallel_one_is_read(tmp_path: Path) -> None:
    write_json(tmp_path / "mcot_math.json", MCOT | {"lang": "en"}, array=True)
    write_json(tmp_path / "view.json", MCOT | {"lang": "en"}, array=True)
    assert taken(mcot_math.read(str(tmp_path)))[0]["item_id"].to_list() == ["mcot-math-en-1-1"]
    write_json(tmp_path / "lang-id" / "mcot-math.json", MCOT | {"lang-id": "en-7"}, array=True)
    assert taken(mcot_math.read(str(tmp_path)))[0]["item_id"].to_list() == ["mcot-math-7"]


def test_mcot_math_records_that_are_none_are_rejected_with_their_reason(tmp_path: Path) -> None:
    records = [
        MCOT | {"lang": "en"},
        MCOT,
        MCOT | {"lang-id": "123"},
        MCOT | {"lang": "xx"},
        MCOT | {"lang": "en", "question": " "},
        MCOT | {"lang": "en", "answer": ""},
        MCOT | {"lang": "en", "answer": "The answer is B"},
        MCOT | {"lang": "en", "answer": "Therefore x = 4."},
    ]
    rows, rejected = taken(mcot_math.read(str(write_json(tmp_path / "mcot.jsonl", *records))))
    assert len(rows) == 1
    assert rejected == {
        "no lang, and no lang-id such as en-123": 2,
        "unknown language": 1,
        "empty question": 1,
        "empty answer": 1,
        "answer announces no number": 2,
    }


@pytest.mark.parametrize(
    ("language", "answer", "number"),
    [
        ("en", "#### 110\nThe answer is: 110", "110"),
        ("en", r"The answer is $\boxed{1,234}$.", "1234"),
        ("en", r"The answer is \frac{3}{4}.", "0.75"),
        ("bn", "উত্তর হল 57500।", "57500"),
        ("bn", "উত্তর ৫৭।", "57"),
        ("th", "คำตอบคือ 65,000", "65000"),
        ("ja", "答えは 2 です。", "2"),
        ("zh", "答案是：12。", "12"),
        ("ru", "Ответ: 57 500.", "57500"),
        ("de", "Die Antwort ist 1.234,50 €.", "1234.5"),
        ("fr", "La réponse est 18,5.", "18.5"),
        ("es", "La respuesta es -3/4.", "-0.75"),
        ("sw", "Jibu ni $18.", "18"),
        ("te", "సమాధానం 18.", "18"),
        ("en", r"The answer is \sqrt{3}", None),
        ("en", "The answer is 5x", None),
        ("en", "The answer is 3 and 5", None),
        ("en", "The answer is (2, 3)", None),
        ("ru", "соответственно 5", None),
        ("en", "The answer is 5. So the answer to our problem, then, would be 7", None),
        ("en", "", None),
    ],
)
def test_the_number_an_answer_announces_is_read_or_refused(language: str, answer: str, number: str | None) -> None:
    assert announced_number(answer, language) == number
    if number is not None:
        assert get_task("math").score(answer, number, language=language).verdict == "correct"


@given(st.sampled_from(STYLED_TAGS), st.integers(-(10**9), 10**9), st.text(max_size=60))
@example("en", 7, "The answer is 5.")
def test_a_final_line_announces_its_number_after_any_solution(language: str, number: int, solution: str) -> None:
    answer = f"{solution}\n{final_line(language, str(number))}"
    assert announced_number(answer, language) == str(number)
    assert get_task("math").score(answer, str(number), language=language).verdict == "correct"


@given(
    st.lists(
        st.tuples(st.sampled_from(["The answer is 4.", "Jibu ni 3", "x", "", None]), st.sampled_from(["en", "sw"]))
    )
)
def test_numbers_stay_with_their_rows(found: list[tuple[str | None, str]]) -> None:
    read = announced_numbers(
        pl.Series([answer for answer, _ in found], dtype=pl.String),
        pl.Series([tag for _, tag in found], dtype=pl.String),
    )
    expected = {"The answer is 4.": "4", "Jibu ni 3": "3"}
    assert read.to_list() == [expected.get(answer or "") for answer, _ in found]


def test_whole_columns_are_asked_as_single_questions_are() -> None:
    tags = [*STYLED_TAGS, "yo"]
    frame = pl.DataFrame({"language": tags, "question": [f" q {tag}\n" for tag in tags]})
    found = frame.select(asks(pl.col("language"), pl.col("question")).alias("asked"))["asked"].to_list()
    assert found == [ask(tag, f"q {tag}") for tag in tags]
    assert found[-1] == "Question:\nq yo\nAnswer:"
    assert len({ask(tag, "q") for tag in tags}) == len(tags)


def test_a_language_without_a_sentence_for_it_gets_the_number_alone() -> None:
    assert final_line("bn", "5") == "উত্তর হল 5।"
    assert final_line("yo", "5") == "5"


def test_all_math_sources_ask_in_the_same_way(tmp_path: Path) -> None:
    asked, number = "How many clips?", "The answer is 8."
    (tmp_path / "mgsm_en.tsv").write_text(f"{asked}\t8\n")
    prompts_found = {
        question(taken(batches)[0].to_dicts()[0])
        for batches in (
            gsm8k.read(str(write_json(tmp_path / "g.jsonl", {"question": asked, "answer": "5 + 3 = 8\n#### 8"}))),
            mgsm.read(str(tmp_path / "mgsm_en.tsv")),
            mcot_math.read(str(write_json(tmp_path / "m.jsonl", {"question": asked, "answer": number, "lang": "en"}))),
            msvamp.read(str(write_json(tmp_path / "test_en.json", {"question": asked, "answer": "8.0"}, array=True))),
        )
    }
    assert prompts_found == {f"Question:\n{asked}\nAnswer:\nLet's think step by step."}


def test_msvamp_files_per_language_and_the_hub_layout_give_the_same_rows(tmp_path: Path) -> None:
    spanish = [f"¿Cuántos niños, {number}?" for number in range(3)]
    english = [f"how many kids , {number} ?" for number in range(3)]
    for tag, questions in (("es", spanish), ("en", english)):
        records = [{"query": q, "question": text, "answer": "8.0"} for q, text in zip(english, questions, strict=True)]
        write_json(tmp_path / "files" / f"test_{tag}.json", *records, array=True)
        write_parquet(
            tmp_path / "hub" / tag / "test-00000-of-00001.parquet",
            [{"m_query": text, "response": "8.0", "query": q} for q, text in zip(english, questions, strict=True)],
        )
    write_json(tmp_path / "names" / "test_Spanish.json", *[{"question": q, "answer": "8.0"} for q in spanish])
    rows, rejected = taken(msvamp.read(str(tmp_path / "files")))
    assert rejected == {}
    assert counts(rows) == {("es", "test"): 3, ("en", "test"): 3}
    assert rows["item_id"].unique().sort().to_list() == ["msvamp-0001", "msvamp-0002", "msvamp-0003"]
    assert set(rows["reference"]) == {"8"}
    assert question(rows.filter(language="es").to_dicts()[0]) == ask("es", spanish[0])
    assert taken(msvamp.read(str(tmp_path / "hub")))[0].sort("row_id").equals(rows.sort("row_id"))
    assert taken(msvamp.read(str(tmp_path / "names")))[0].equals(rows.filter(language="es"))
    assert_scored_as_correct(rows)


def test_an_msvamp_file_must_tell_its_language_and_bad_records_are_rejected(tmp_path: Path) -> None:
    records = [{"question": "q", "answer": "8.0"}, {"question": "q"}, {"question": "q", "answer": "eight"}]
    path = write_json(tmp_path / "test_sw.jsonl", *records)
    rows, rejected = taken(msvamp.read(str(path)))
    assert len(rows) == 1
    assert rejected == {"no question and answer": 1, "answer is not a number": 1}
    with pytest.raises(UserError, match="must tell MSVAMP's language"):
        taken(msvamp.read(str(path.rename(tmp_path / "data.jsonl"))))


@given(st.integers(-(10**15), 10**15))
def test_plain_numbers_lose_commas_and_idle_zeros_only(number: int) -> None:
    assert plain_number(f" {number:,}.0 ") == str(number)
