"""Rows whose answer is wanted in another language, and rows that only a judge can score."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glotmix.errors import UserError
from glotmix.generate.backend import Output
from glotmix.mixture import Mixture, MixtureSpec, build_mixture
from glotmix.pool import ROW_SCHEMA, open_pool
from glotmix.pool.checks import check_pool
from glotmix.pool.checks.finding import Examined
from glotmix.pool.checks.language import language
from glotmix.pool.checks.script import script
from glotmix.pool.row import unsound
from glotmix.pool.write import add_to_pool
from glotmix.spec import StudySpec
from glotmix.study.evaluate import evaluate, read_rows
from glotmix.study.inputs import FromPool
from glotmix.study.job import EvaluationStep, Job
from glotmix.study.store import Store
from small_pool import row, write_pool
from small_study import SPEC

ENGLISH = "Roger started with five balls, and two cans of three balls each are six balls. The answer is 7."
JAPANESE = "ロジャーは最初に五個のボールを持っていました。そして缶が二つあります。答えは7です。"
ASKED = "ロジャーは五個のテニスボールを持っています。今いくつのボールがありますか。"


def reason(**changes: Any) -> str | None:
    rows = pl.DataFrame([row("a", "q") | changes], schema=ROW_SCHEMA)
    found: str | None = unsound(rows)[0]
    return found


def test_an_answer_language_is_a_known_tag_or_none() -> None:
    assert reason(answer_language="sw") is None
    assert reason(answer_language=None) is None
    for wrong in ("english", "", "xx-Nope"):
        assert reason(answer_language=wrong) == "unknown answer language"


ASKS, SYSTEM = {"role": "user", "content": "Why?"}, {"role": "system", "content": "Be kind."}


def test_only_a_test_row_of_instructions_may_end_with_its_question_and_have_no_reference() -> None:
    facts: dict[str, Any] = {"task": "instructions", "split": "test", "messages": [ASKS], "reference": None}
    assert reason(**facts) is None
    assert reason(**facts | {"reference": " "}) is None
    assert reason(**facts | {"messages": [SYSTEM, ASKS]}) is None
    for unfit in (
        {"split": "train"},
        {"split": "validation"},
        {"task": "math"},
        {"task": "summarization"},
        {"task": "api_calls"},
        {"messages": [ASKS, SYSTEM]},
        {"messages": [ASKS, {"role": "assistant", "content": " "}]},
        {"messages": [ASKS, {"role": "user", "content": " "}]},
    ):
        assert reason(**facts | unfit) == "empty answer", unfit


def test_a_pool_from_before_the_column_opens_and_grows(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, [row("a", "q a"), row("b", "q b")])
    file = tmp_path / "math/en/train.parquet"
    pl.read_parquet(file).drop("answer_language").write_parquet(file)
    taken = pool.take("math", "en", "train", ["b", "a"])
    assert taken.schema == ROW_SCHEMA
    assert taken["answer_language"].to_list() == [None, None]
    assert check_pool(pool).findings["check"].to_list() == []
    add_to_pool(tmp_path, pl.DataFrame([row("c", "q c", answer_language="sw")], schema=ROW_SCHEMA))
    grown = open_pool(str(tmp_path)).take("math", "en", "train", ["a", "c"])
    assert grown["answer_language"].to_list() == [None, "sw"]


def test_a_mixture_from_before_the_column_is_read(tmp_path: Path) -> None:
    pool = write_pool(tmp_path / "pool", [row("a", "q a"), row("b", "q b")])
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 2}}), pool)
    mixture.write(tmp_path / "mixture")
    file = tmp_path / "mixture/rows.parquet"
    pl.read_parquet(file).drop("answer_language").write_parquet(file)
    assert Mixture.read(tmp_path / "mixture").rows.equals(mixture.rows)


class Parrot:
    """A backend that says the same to everybody."""

    def __init__(self, text: str) -> None:
        self.text = text

    def generate(self, conversations: Any, **_: Any) -> list[Output]:
        return [Output(self.text, 9, True) for _ in conversations]


def verdicts(folder: Path, text: str, rows: pl.DataFrame) -> list[str]:
    store = Store(folder)
    with store.writing("rows", "r") as out:
        rows.write_parquet(out / "rows.parquet")
    spec = StudySpec.model_validate(SPEC)
    facts = dict.fromkeys(("run", "model", "mixture", "validation", "anchor", "train"), "x")
    step = EvaluationStep(key="e", task="math", language="ja", rows="r", max_new_tokens=9)
    job = Job(
        **facts, store=str(folder), seed=0, steps=1, order=spec.order, recipe=spec.recipe,
        evaluation=spec.evaluation, evaluations=(step,),
    )  # fmt: skip
    evaluate(job, step, Parrot(text), lambda done, total: None)
    return pl.read_parquet(store.folder("evaluate", "e") / "results.parquet")["verdict"].to_list()


def test_an_answer_is_scored_in_the_language_it_is_wanted_in(tmp_path: Path) -> None:
    wrong = ENGLISH.replace("7.", "8.")
    facts: dict[str, Any] = {"language": "ja", "split": "test"}
    rows = pl.DataFrame([row("a", "q", **facts), row("b", "q", **facts, answer_language="en")], schema=ROW_SCHEMA)
    assert verdicts(tmp_path / "one", wrong, rows) == ["wrong_language", "wrong"]
    wrong = JAPANESE.replace("7", "8")
    assert verdicts(tmp_path / "two", wrong, rows) == ["wrong", "wrong_language"]
    assert read_rows(Store(tmp_path / "two"), "r").equals(rows)


def test_rows_of_a_store_from_before_the_column_are_scored(tmp_path: Path) -> None:
    rows = pl.DataFrame([row("a", "q", language="ja", split="test")], schema=ROW_SCHEMA).drop("answer_language")
    assert verdicts(tmp_path, JAPANESE, rows) == ["correct"]


def test_checks_look_at_an_answer_in_the_language_it_is_wanted_in(tmp_path: Path) -> None:
    def found(answer: str, wanted: str | None) -> list[tuple[str, int]]:
        folder = tmp_path / f"{len(answer)}-{wanted}"
        rows = [row(f"i{n}", f"{n}. {ASKED}", answer, language="ja", answer_language=wanted) for n in range(5)]
        examined = Examined(write_pool(folder, rows), (), lambda cell: None)
        return [(each.check, len(each.rows)) for check in (language, script) for each in check(examined)]

    assert found(ENGLISH, "en") == [("language", 0), ("script", 0)]
    assert found(ENGLISH, None) == [("language", 5), ("script", 5)]
    assert found(JAPANESE, None) == [("language", 0), ("script", 0)]
    assert found(JAPANESE, "en") == [("language", 5), ("script", 0)]


def open_ended(tmp_path: Path, *rows: dict[str, Any]) -> FromPool:
    facts: dict[str, Any] = {"task": "instructions", "split": "test", "language": "en"}
    prompt = row("open-1", "Why?", None, **facts) | {"reference": None}
    pool = write_pool(tmp_path, [prompt, *rows])
    spec = SPEC | {"tasks": ["instructions"], "evaluation": {"items_per_language": 1 + len(rows)}}
    languages = {"anchor": "en", "train": ["es"], "evaluate": ["en"]}
    return FromPool(StudySpec.model_validate(spec | {"languages": languages}), pool)


def test_open_ended_rows_are_refused_where_nobody_judges_them(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        open_ended(tmp_path).test("instructions", "en")
    line = str(refused.value)
    assert line.startswith("evaluation.judge: ")
    assert "without a reference" in line
    assert "\n" not in line


def test_open_ended_rows_spoil_no_check(tmp_path: Path) -> None:
    pool = open_ended(tmp_path).source
    assert check_pool(pool).findings["check"].to_list() == []  # type: ignore[arg-type]
