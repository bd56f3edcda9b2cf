"""How much of what the seen languages gain do the unseen ones gain?

Transfer efficiency of a setting s against its baseline:

    E(s) = gain of the unseen languages / gain of the seen languages        (gains as in `quantities.py`)

1 means that languages without a row gain as much as those with rows, 0 that they gain nothing, below 0 that they lose.
Both gains come from the same runs and items; the interval is Fieller's (1954, JRSS B 16: 175-185) from their joint
covariance. Where the seen gain cannot be told from 0, any ratio is possible, and there is no interval.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import Interval, undefined
from glotmix.analysis.quantities import SEEN_GAIN, UNSEEN_GAIN, Quantity, quantities
from glotmix.analysis.ratio import ratio
from glotmix.analysis.scores import Scores

EFFICIENCY = "transfer efficiency"


def efficiency(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """What unseen languages gain per gain of seen ones, at each setting."""
    return answer([of_efficiency], results, declared)


def of_efficiency(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        for index, setting in enumerate(scores.settings):
            gains = {each.name: each for each in quantities(scores, index)}
            if SEEN_GAIN not in gains:
                continue
            seen, unseen = gains[SEEN_GAIN], gains[UNSEEN_GAIN]
            assert seen.other
            found = _divided(scores, unseen, seen)
            yield Finding(
                EFFICIENCY,
                scores.model,
                scores.task,
                setting.name,
                f"({unseen.definition}) / ({seen.definition})",
                found,
                compared_with=seen.other.name,
                unit="ratio",
                null=None,
                note="; ".join(filter(None, (_against_one(found), scores.note))),
            )


def _divided(scores: Scores, unseen: Quantity, seen: Quantity) -> Interval:
    if absent := unseen.absent or seen.absent:
        return undefined(absent)
    return ratio(scores, seen.settings, unseen.of, seen.of, "seen gain")


def _against_one(found: Interval) -> str:
    if found.low > 1:
        return "unseen languages gain more than seen ones"
    if found.high < 1:
        return "unseen languages gain less than seen ones"
    return "1 is inside: cannot tell unseen from seen gain" if found.low <= 1 <= found.high else ""
