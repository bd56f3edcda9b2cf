"""How much of what the seen languages gain do the unseen ones gain?

Transfer efficiency of a setting s against its baseline:

    E(s) = gain of the unseen languages / gain of the seen languages        (gains as in `quantities.py`)

1 means that languages without a row gain as much as those with rows, 0 that they gain nothing, below 0 that they lose.
Both gains come from the same runs and items; the interval is Fieller's (1954, JRSS B 16: 175-185) from their joint
covariance. Where the seen gain cannot be told from 0, any ratio is possible, and there is no interval. Gains averaged
over all settings with one baseline can be told from 0 more often: their ratio is the first thing to look at.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.families import averaged
from glotmix.analysis.interval import Interval, undefined
from glotmix.analysis.quantities import SEEN_GAIN, UNSEEN_GAIN, Quantity, mean_of, quantities, told_of
from glotmix.analysis.ratio import ratio
from glotmix.analysis.scores import Scores

EFFICIENCY = "transfer efficiency"
AVERAGE = "transfer efficiency over all settings"


def efficiency(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """What unseen languages gain per gain of seen ones, at each setting and over all that share a baseline."""
    return answer([_of_each, of_efficiency], results, declared)


def of_efficiency(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Over all settings that share a baseline."""
    for scores in tables:
        for family, places in averaged(scores):
            yield from _efficiency(scores, AVERAGE, family.design, places)


def _of_each(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        for index, own in enumerate(scores.settings):
            yield from _efficiency(scores, EFFICIENCY, own.name, [index])


def _efficiency(scores: Scores, name: str, where: str, places: Sequence[int]) -> Iterator[Finding]:
    """Nothing for a baseline."""
    gains = [(own[UNSEEN_GAIN], own[SEEN_GAIN]) for place in places if SEEN_GAIN in (own := _named(scores, place))]
    known = [pair for pair in gains if not any(gain.absent for gain in pair)]
    if not gains:
        return
    unseen, seen = zip(*(known or gains[:1]), strict=True)
    found = _divided(scores, unseen, seen) if known else undefined(unseen[0].absent or seen[0].absent)
    definition = " / ".join(
        f"({told_of(scores, side) if len(places) > 1 else side[0].definition})" for side in (unseen, seen)
    )
    note = "; ".join(filter(None, (_against_one(found), scores.note)))
    baseline = seen[0].other.name if seen[0].other else ""
    yield Finding(name, scores.model, scores.task, where, definition, found, baseline, "ratio", None, note)


def _named(scores: Scores, place: int) -> dict[str, Quantity]:
    return {each.name: each for each in quantities(scores, place)}


def _divided(scores: Scores, unseen: Sequence[Quantity], seen: Sequence[Quantity]) -> Interval:
    (settings, top), (_, bottom) = (mean_of(side, len(scores.languages)) for side in (unseen, seen))
    return ratio(scores, settings, top, bottom, "seen gain")


def _against_one(found: Interval) -> str:
    if found.low > 1:
        return "unseen languages gain more than seen ones"
    if found.high < 1:
        return "unseen languages gain less than seen ones"
    return "1 is inside: cannot tell unseen from seen gain" if found.low <= 1 <= found.high else ""
