"""Two answers to one question, compared in both orders, since judges favour a place.

1. Each order gives 1 if the answer is preferred, 0 if the other one is, 0.5 for a tie; `value` is their mean.
2. An answer that is empty or in another language than asked for loses against one that is not, and equal answers tie,
   without asking the judge.
3. `correct` means at least as good as the other: a value of 0.5 or more.
"""

import math
from collections.abc import Sequence

from glotmix.judge.case import Case
from glotmix.judge.prompt import Conversation, fill, read_verdict
from glotmix.language import Language
from glotmix.task import Score, Verdict
from glotmix.task.score import tidy

PROMPT = "pairwise-1"
PREFERRED = ({"A": 1.0, "B": 0.0, "C": 0.5}, {"A": 0.0, "B": 1.0, "C": 0.5})  # by order: own answer first, or second


def conversations(case: Case) -> list[Conversation]:
    """What the judge is asked: the pair in both orders, or nothing."""
    if _settled(case) is not None:
        return []
    own, other = case.answer.text, case.other.text
    language = Language.get(case.language).name
    return [
        fill(PROMPT, language, {"question": case.question, "first": first, "second": second})
        for first, second in ((own, other), (other, own))
    ]


def score(case: Case, replies: Sequence[str | None], judge: str = "the judge") -> Score:
    """The score that the replies to `conversations(case)` mean; None is a call that failed. Metrics name the `judge`.

    >>> from glotmix.judge.case import Answer
    >>> pair = Case("Name a fruit.", "en", Answer("An apple is one."), Answer("Fruit is sweet."))
    >>> score(pair, ["Verdict: [[A]]", "Verdict: [[B]]"]).value, score(pair, ["[[A]]", "[[A]]"]).value
    (1.0, 0.5)
    """
    if (settled := _settled(case)) is not None:
        return _score(case, settled, {}, "settled without a judge")
    verdicts = [read_verdict(reply or "", "ABC") for reply in replies]
    if None in verdicts:
        why = "a call failed" if None in replies else "no verdict to be read in a reply"
        return Score(math.nan, "unjudged", "", {}, why, case.detected)
    first, second = (by_verdict[verdict or ""] for by_verdict, verdict in zip(PREFERRED, verdicts, strict=True))
    inconsistent = {f"inconsistency of {judge} ({PROMPT})": float(first != second)}
    return _score(case, (first + second) / 2, inconsistent, "mean over both orders")


def _settled(case: Case) -> float | None:
    """The value of a pair that needs no judge."""
    if case.fault or case.fault_of_other:
        return (1 + bool(case.fault_of_other) - bool(case.fault)) / 2
    return 0.5 if tidy(case.answer.text) == tidy(case.other.text) else None


def _score(case: Case, value: float, metrics: dict[str, float], rule: str) -> Score:
    """Lengths in characters go with it: they compare within a language, not between scripts."""
    lengths = {"characters": len(case.answer.text), "characters of the other answer": len(case.other.text)}
    return Score(value, _verdict(case, value), f"{value:g}", {**lengths, **metrics}, rule, case.detected)


def _verdict(case: Case, value: float) -> Verdict:
    if case.fault:
        return case.fault
    return "correct" if value >= 0.5 else "wrong" if case.answer.finished else "truncated"
