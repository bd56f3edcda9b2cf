"""Any text at all, for any task and language, is scored: a known verdict, in bounded time, never an exception.

`benchmarks/fuzz.py` does the same with many more outputs, and with megabytes in every language.
"""

import math
import time
from functools import partial
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glotmix.analysis.table import VERDICTS
from glotmix.errors import UserError
from glotmix.task import NAMES, Score, Verdict, get_task
from hostile import LANGUAGES, MONSTERS, REFERENCES, outputs, references

SECONDS = 2  # of processor time, for a megabyte
some_task = st.sampled_from(NAMES)
some_language = st.sampled_from(LANGUAGES)


def assert_sound(score: Score) -> None:
    assert score.verdict in VERDICTS
    assert 0 <= score.value <= 1
    assert (score.verdict == "correct") == (score.value == 1)
    assert score.rule
    assert all(math.isfinite(value) and value >= 0 for value in score.metrics.values())
    assert len(score.parsed) <= 100_000  # it goes into the results table


def test_tasks_give_the_verdicts_of_the_results_table() -> None:
    assert set(get_args(Verdict)) == set(VERDICTS)


@settings(deadline=2_000, max_examples=300)  # milliseconds; loading the language identifier takes 400 of them, once
@given(st.data(), some_task, some_language, st.booleans())
@example(None, "math", "de", True).via("a lone surrogate before a number")
def test_any_output_gets_a_score(data: st.DataObject | None, task: str, language: str, finished: bool) -> None:
    output = data.draw(outputs(task)) if data else "\ud800 9"
    assert_sound(get_task(task).score(output, REFERENCES[task], language=language, finished=finished))


@settings(deadline=2_000)
@given(st.data(), some_task, some_language, st.booleans())
def test_a_reference_scored_against_itself_is_correct(
    data: st.DataObject, task: str, language: str, finished: bool
) -> None:
    reference = data.draw(references[task])
    score = get_task(task).score(reference, reference, language=language, finished=finished)
    assert (score.value, score.verdict) == (1, "correct")


@pytest.mark.parametrize("length", [20_000, 1_000_000])
@pytest.mark.parametrize("task", NAMES)
def test_a_monster_is_scored_in_bounded_time(task: str, length: int) -> None:
    for number, monster in enumerate(MONSTERS):
        language = LANGUAGES[number % len(LANGUAGES)]
        score = partial(get_task(task).score, reference=REFERENCES[task], language=language)
        score("")  # loads what the language needs, once
        started = time.process_time()
        assert_sound(score(monster[:length]))
        assert time.process_time() - started < SECONDS, (language, monster[:40])


def test_an_unknown_task_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'math'"):
        get_task("maths")
