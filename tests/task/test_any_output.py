"""Any text at all, for any task and language, is scored: a known verdict, in bounded time, never an exception."""

import json
import time
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glotmix.analysis.table import VERDICTS
from glotmix.errors import UserError
from glotmix.task import NAMES, Verdict, get_task

VARIED = "".join(chr(0x4E00 + i * i % 19_997) for i in range(100_000))
LANGUAGES = ("en", "es", "fr", "ja", "zh", "ar", "ko", "pt", "de", "ru", "bn", "sw", "th", "te", "yo", "zh-Hant")
CALL = '{"name": "order", "arguments": {"item": "egg", "count": 3}}'
REFERENCES = {"math": "18", "summarization": "A dog ran home", "instructions": "apple, egg", "api_calls": CALL}
PIECES = [
    "\0", "\u200f", "\u202e", "\ufeff", "{", "}", "[", '"', "```", "\\boxed{", "####", "The answer is ", "答えは",
    "উত্তর হল ", "Answer:", "9" * 5_000, "1e999999999", "1.234", "1,8", "１８", "๑๘", "½", "-", "/", "=", " ", "\n",
    "{" * 3_000, CALL, "NaN", "\ud800",
]  # fmt: skip
anything = st.one_of(st.text(), st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join))
strings = st.text(min_size=1).filter(str.strip)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
calls = st.fixed_dictionaries({"name": st.text(), "arguments": st.dictionaries(st.text(), values, max_size=4)})
references = {
    "math": st.integers(-(10**30), 10**30).map(str) | st.decimals(-1000, 1000, places=2).map(str),
    "summarization": strings,
    "instructions": strings,
    "api_calls": calls.map(json.dumps),
}


def test_tasks_give_the_verdicts_of_the_results_table() -> None:
    assert set(get_args(Verdict)) == set(VERDICTS)


@settings(deadline=2_000)  # milliseconds; loading the language identifier takes 400 of them, once
@given(st.sampled_from(NAMES), anything, st.sampled_from(LANGUAGES), st.booleans())
@example("math", "\ud800 9", "de", True)
def test_any_output_gets_a_score(task: str, output: str, language: str, finished: bool) -> None:
    score = get_task(task).score(output, REFERENCES[task], language=language, finished=finished)
    assert score.verdict in VERDICTS
    assert 0 <= score.value <= 1
    assert (score.verdict == "correct") == (score.value == 1)
    assert score.rule
    assert all(0 <= value <= 1 for value in score.metrics.values())


@settings(deadline=2_000)
@given(st.data(), st.sampled_from(NAMES), st.sampled_from(LANGUAGES), st.booleans())
def test_a_reference_scored_against_itself_is_correct(
    data: st.DataObject, task: str, language: str, finished: bool
) -> None:
    reference = data.draw(references[task])
    score = get_task(task).score(reference, reference, language=language, finished=finished)
    assert (score.value, score.verdict) == (1, "correct")


@pytest.mark.parametrize("task", NAMES)
@pytest.mark.parametrize("unit", [VARIED, "a", "\0", "é ", "答え", "{", '{"a":', "9", ", ", "``` "])
def test_a_megabyte_is_scored_within_two_seconds(task: str, unit: str) -> None:
    started = time.process_time()
    score = get_task(task).score(unit * (1_000_000 // len(unit)), REFERENCES[task], language="bn")
    assert score.value < 0.1
    assert len(score.parsed) <= 100_000  # it goes into the results table
    assert time.process_time() - started < 2


def test_an_unknown_task_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'math'"):
        get_task("maths")
