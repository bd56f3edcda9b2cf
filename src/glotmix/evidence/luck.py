"""What noise does to a printed curve: one run per setting, each on the same few test items.

1. A quantity (a mean over languages, a ratio, a gap) has one value per setting. Its noise is that of a run: the luck of
   training, and of the items where the run is right.
2. Neighbours on the curve differ by noise and by little else: half the mean square of their steps is its variance (von
   Neumann 1941), from the first setting with other languages on. Of k settings it has about 2 (k - 1)^2 / (3 k - 4)
   degrees of freedom. A curve that really moves between neighbours makes it larger: verdicts get more careful.
3. At 7B three runs of one setting are added: the study's only replicates.
4. Counts of test items give a variance too (`glotmix.analysis`). The larger of the two holds.
5. Runs whose luck is alike between neighbours (nested data, say) would make it too small: nothing printed can tell.
6. A contrast of values has t intervals; what has a maximum in it is drawn (`glotmix.analysis.series` for two peaks).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata

from glotmix.analysis.interval import LEVEL, Interval, interval, slopes_of
from glotmix.analysis.noise import DRAWS, MANY, parts
from glotmix.analysis.questions.plateau import plateau_of
from glotmix.analysis.scores import Array, Scores, read_scores
from glotmix.evidence.check import MARGIN
from glotmix.evidence.series import Of, Series, series
from glotmix.evidence.tables import GUIDE, table

_REPLICATED = "Aya23-7B"
_SAME_SETTING = ("single", "latin", "non-latin")  # their runs at n = 0


@dataclass(frozen=True)
class Noise:
    """Of one run: the standard deviation of a quantity, its degrees of freedom, and where it is from."""

    deviation: float
    degrees: float
    source: str
    common: float = 0.0  # variance by the choice of items that all settings share


_by_runs: ContextVar[bool] = ContextVar("by runs", default=False)


@contextmanager
def by_runs() -> Iterator[None]:
    """The other way to measure noise, that of `glotmix.analysis`: items and the replicates, nothing from neighbours. It
    has two degrees of freedom at 7B, and at the other models an assumed luck of training."""
    token = _by_runs.set(True)
    try:
        yield
    finally:
        _by_runs.reset(token)


def noise(own: Series, of: Of) -> Noise:
    by_items, common = _by_items(own, of)
    if _by_runs.get():
        scores = _scores(own.model, own.task, (0, 1, 2))
        found = interval(scores, _places(scores, own), lambda means: float(np.diff(of(means))[0]))
        return Noise(found.standard_error / np.sqrt(2), found.degrees, found.basis, common)
    level = of(own.means)
    later = np.diff(level[1:])
    count = len(later) + 1
    degrees = 2 * (count - 1) ** 2 / (3 * count - 4)
    variance, source = float((later**2).mean() / 2), "neighbours"
    if own.model == _REPLICATED and own.design != "multi":
        runs = np.array([of(series(own.model, own.task, design).means)[0] for design in _SAME_SETTING])
        spare = len(runs) - 1
        variance = (variance * degrees + float(runs.var(ddof=1)) * spare) / (degrees + spare)
        degrees, source = degrees + spare, "neighbours and replicates"
    if by_items > variance:
        return Noise(float(np.sqrt(by_items)), MANY, "item counts", common)
    return Noise(float(np.sqrt(variance)), degrees, source, common)


def _by_items(own: Series, of: Of) -> tuple[float, float]:
    """Variance of one value by the choice of test items: its own part, half that of the difference of two settings, and
    the part that all settings have in common."""
    scores = _scores(own.model, own.task, (0,))
    places = _places(scores, own)
    whole = _of_items(scores, places[-1:], lambda means: float(of(means)[0]))
    part = _of_items(scores, places, lambda means: float(np.diff(of(means))[0])) / 2
    return part, max(0.0, whole - part)


def _of_items(scores: Scores, places: list[int], of: Callable[[Array], float]) -> float:
    return parts(scores, places, slopes_of(of, scores.means[places])).items


def _places(scores: Scores, own: Series) -> list[int]:
    found = [scores.place(f"{own.design}/n={n}") for n in (own.rows[-2], own.rows[-1])]
    return [place for place in found if place is not None]


def shown_plateau(own: Series, columns: Sequence[int], n: int) -> str:
    """What `glotmix analyze` finds of the same curve, with the study's replicates."""
    scores = next(read_scores(table(GUIDE).filter(model=own.model, task=own.task)))
    places = [index for index, setting in enumerate(scores.settings) if setting.design == own.design]
    found = plateau_of(scores, places, columns, MARGIN)
    shown = "no plateau" if found.shown is None else f"a plateau from {found.shown} on"
    return f"glotmix analyze shows {shown}; at or below {n} in {found.by(n):.0%} of its draws"


@cache
def _scores(model: str, task: str, seeds: tuple[int, ...]) -> Scores:
    own = table(GUIDE).filter(pl.col("seed").is_in(seeds), model=model, task=task)
    return next(read_scores(own))


def contrast(own: Series, of: Of, weights: Sequence[float] | Array) -> Interval:
    """A weighted sum over a series' settings."""
    return contrasts([(own, of, weights)])


def contrasts(terms: Sequence[tuple[Series, Of, Sequence[float] | Array]]) -> Interval:
    """A sum of contrasts of several series. In a level, whose weights do not add up to 0, is the luck of the test items
    that all settings of a model and task share."""
    found = [(float(of(own.means) @ np.asarray(weights)), noise(own, of), weights) for own, of, weights in terms]
    variances = [each.deviation**2 * float((np.asarray(weights) ** 2).sum()) for _, each, weights in found]
    levels: dict[tuple[str, str], float] = defaultdict(float)
    for own, _, weights in terms:
        levels[own.model, own.task] += float(np.sum(weights))
    common = {(own.model, own.task): each.common for (own, _, _), (_, each, _) in zip(terms, found, strict=True)}
    variance = sum(variances) + sum(weight**2 * common[key] for key, weight in levels.items())
    degrees = variance**2 / sum(part**2 / each.degrees for part, (_, each, _) in zip(variances, found, strict=True))
    return _interval(sum(value for value, _, _ in found), float(np.sqrt(variance)), degrees, found[0][1].source)


def _interval(estimate: float, error: float, degrees: float, source: str) -> Interval:
    half = float(stdtrit(degrees, (1 + LEVEL) / 2)) * error
    return Interval(estimate, estimate - half, estimate + half, error, degrees, 0, "", source, "settings")


def later(own: Series) -> Array:
    """The mean over all n > 0 less the first setting."""
    count = len(own.rows) - 1
    return np.array([-1.0, *([1 / count] * count)])


def step(own: Series, start: int, end: int) -> Array:
    """One setting less another."""
    weights = np.zeros(len(own.rows))
    weights[start], weights[end] = -1, 1
    return weights


def drawn(own: Series, of: Of, flat: bool = False) -> Array:
    """(draws, settings): values as they might have come out, or, `flat`, were they all the same."""
    found = noise(own, of)
    random = np.random.default_rng(crc32(f"{own.model}/{own.task}/{own.design}".encode()))
    wider = np.sqrt(found.degrees / random.chisquare(found.degrees, (DRAWS, 1)))
    values = np.zeros(len(own.rows)) if flat else of(own.means)
    return np.asarray(values + found.deviation * wider * random.standard_normal((DRAWS, len(own.rows))))


def trend(values: Array) -> tuple[float, float]:
    """Spearman's correlation of values with their order, and its two-sided p over orders: all of up to 8 values, drawn
    ones of more. It needs no noise model, only runs that are as likely in one order as in another."""
    ranks = rankdata(values.round(12)) - (len(values) + 1) / 2
    random = np.random.default_rng(0)
    count = len(values)
    every = count <= 8
    mixed = ranks[_orders(count)] if every else random.permuted(np.tile(ranks, (DRAWS, 1)), axis=1)
    line = np.arange(count) - (count - 1) / 2
    found, others = float(ranks @ line), mixed @ line
    extreme = int((np.abs(others) >= abs(found) - 1e-9).sum())
    share = extreme / len(others) if every else (extreme + 1) / (len(others) + 1)
    return found / float(np.sqrt((ranks**2).sum() * (line**2).sum())), share


@cache
def _orders(count: int) -> NDArray[np.int64]:
    return np.array(list(permutations(range(count))))
