"""One answer alone, rated from 1 to 5, as in Shimabucoro et al. (2025): `value` is the rating divided by 5.

So ratios between languages are ratios of ratings, and the worst answer has 0.2, not 0. A rating of 5 is `correct`.
An answer that is empty or in another language than asked for is rated 1 without asking the judge.
"""

import math
from collections.abc import Sequence

from glotmix.judge.case import Case
from glotmix.judge.prompt import Conversation, fill, read_verdict
from glotmix.language import Language
from glotmix.task import Score, Verdict

PROMPT = "rating-1"
WORST, BEST = 1, 5


def conversations(case: Case) -> list[Conversation]:
    """What the judge is asked: one thing, or nothing."""
    if case.fault:
        return []
    return [fill(PROMPT, Language.get(case.language).name, {"question": case.question, "answer": case.answer.text})]


def score(case: Case, replies: Sequence[str | None], judge: str = "the judge") -> Score:
    """The score that the replies to `conversations(case)` mean; None is a call that failed. Metrics name the `judge`.

    >>> from glotmix.judge.case import Answer
    >>> asked = Case("Name a fruit.", "en", Answer("An apple is a fruit."))
    >>> score(asked, ["Short but right.\\nRating: [[4]]"]).value, score(asked, ["I can't say."]).verdict
    (0.8, 'unjudged')
    """
    if case.fault:
        return _score(case, WORST, case.fault, "rated 1 without a judge", judge)
    reply = read_verdict(replies[0] or "", "12345")
    if reply is None:
        why = "the call failed" if replies[0] is None else "no rating to be read in the reply"
        return Score(math.nan, "unjudged", "", {}, why, case.detected)
    rating = int(reply)
    verdict: Verdict = "correct" if rating == BEST else "wrong" if case.answer.finished else "truncated"
    return _score(case, rating, verdict, "the rating that ends the judge's reply", judge)


def _score(case: Case, rating: int, verdict: Verdict, rule: str, judge: str) -> Score:
    return Score(rating / BEST, verdict, str(rating), {f"rating by {judge} ({PROMPT})": rating}, rule, case.detected)
