"""Settings that differ in rows per language alone, and what can be said of the highest of their noisy scores.

1. A series is the settings of one design that train on the same tasks and languages, with the baseline that they share
   at n = 0. Two series are compared at every n that both have.
2. The highest of several noisy scores is too high, the more so the more there are and the closer they lie. Resamples
   repeat that error around the estimate, so their middle 95 % misses the truth (3 times in 10 where a flat series is
   held against a steep one). Instead: with e the errors that draws show, and i* the setting that is truly best,

       e(i*)  <=  highest estimate - highest truth  <=  max e(i) over all i,

   and i* is unknown, so the worst of all contenders counts: settings within three standard errors of the highest. This
   is inference for the best of several (Hsu 1984, Annals of Statistics 12:1136) with moments selected as by Andrews &
   Soares (2010, Econometrica 78:119). It covers 95 % where the peaks are clear, and more where they are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from glotmix.analysis.interval import LEVEL, Interval, interval, undefined
from glotmix.analysis.noise import ASSUMED, MANY, based_on
from glotmix.analysis.scores import Array, Scores
from glotmix.errors import UserError

_CONTENDER = 3.0  # standard errors behind the highest
_MEDIAN = 0.6745  # of the absolute value, in standard errors: draws have the tails that few seeds give
UNTOLD = "no n_items, no stderr and no second seed tell how much a mean varies"
ALIKE = "no answer differs from the others, so resamples do not tell how much a mean varies"


@dataclass(frozen=True)
class Series:
    """`places`: index in the table's settings, by rows per language, ascending."""

    name: str
    tasks: tuple[str, ...]
    languages: tuple[str, ...]  # trained on, the anchor too
    places: Mapping[int, int]

    @property
    def trained(self) -> dict[int, int]:
        """Without n = 0."""
        return {n: place for n, place in self.places.items() if n}

    def matched(self, other: "Series") -> list[int]:
        """The rows per language that both have, in runs of their own."""
        return [n for n, place in self.places.items() if other.places.get(n, place) != place]


def series_of(scores: Scores) -> list[Series]:
    """In the table's order; without those that another has in full (designs share runs)."""
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for index, own in enumerate(scores.settings):
        if own.rows_per_language and not own.control_of:
            found.setdefault((own.design, own.train_tasks, own.train_languages), []).append(index)
    made = [made for key, indices in found.items() if (made := _series(scores, *key, indices))]
    return [
        one
        for at, one in enumerate(made)
        if not any(_has(scores, other, one, at < to) for to, other in enumerate(made))
    ]


def _series(
    scores: Scores, design: str, tasks: tuple[str, ...], languages: tuple[str, ...], indices: Sequence[int]
) -> Series | None:
    """None where rows per language are not all that varies."""
    rows = [scores.settings[index].rows_per_language for index in indices]
    if len(set(rows)) < len(rows):
        return None
    baselines = {scores.baseline(index) for index in indices}
    zero = baselines.pop() if len(baselines) == 1 else None
    if zero is not None and scores.settings[zero].rows_per_language == 0:
        rows, indices = [0, *rows], [zero, *indices]
    name = "/".join(filter(None, (design, "+".join(languages))))
    return Series(name, tasks, languages, dict(sorted(zip(rows, indices, strict=True))))


def _has(scores: Scores, whole: Series, part: Series, earlier: bool) -> bool:
    """Whether `whole` makes `part` superfluous; of two equal ones the earlier stays."""
    if whole is part or (whole.tasks, whole.languages) != (part.tasks, part.languages):
        return False
    one, other = (
        {(n, scores.settings[place].anchor_rows) for n, place in own.trained.items()} for own in (part, whole)
    )
    return one < other or (one == other and not earlier)


def series_named(scores: Scores, name: str) -> Series | None:
    """The setting of this name, or the series whose settings' names begin with it; controls are named in full.

    Raises:
        UserError: settings of several series begin with it.
    """
    place = scores.place(name)
    if place is not None:
        return Series(name, (), (), {scores.settings[place].rows_per_language: place})
    begins = tuple(
        index
        for index, own in enumerate(scores.settings)
        if own.name.startswith((f"{name}/", f"{name} ")) and not own.control_of
    )
    places: dict[int, int] = {}
    for index in begins:
        own = scores.settings[index]
        if (twin := places.setdefault(own.rows_per_language, index)) != index:
            pair = f"{scores.settings[twin].name!r} and {own.name!r}"
            raise UserError(f"{name!r} has {pair} at n = {own.rows_per_language}; name one series more closely")
    return Series(name, (), (), dict(sorted(places.items()))) if places else None


@dataclass(frozen=True)
class Levels:
    """Mean scores over some languages: (settings,) as found, and by how much draws differ: (draws, settings)."""

    found: Array
    errors: Array
    n: int
    basis: str
    remark: str = ""  # what the errors assume

    def best(self, places: Sequence[int]) -> int:
        return max(places, key=lambda place: self.found[place])

    def contenders(self, places: Sequence[int]) -> list[int]:
        """The settings that may be the best."""
        best = self.best(places)
        apart = np.median(np.abs(self.errors - self.errors[:, [best]]), axis=0) / _MEDIAN
        return [place for place in places if self.found[best] - self.found[place] <= _CONTENDER * apart[place]]


def levels_of(scores: Scores, drawn: Array, columns: Sequence[int]) -> Levels:
    found = scores.means[:, columns].mean(axis=1)
    counts = scores.items[list(columns)]
    n = 0 if np.isnan(counts).any() else int(counts.min())
    basis = f"resampled {based_on('items', scores)}, any contender the best"
    remark = "" if scores.replicated else ASSUMED
    return Levels(found, drawn[:, :, columns].mean(axis=2) - found, n, basis, remark)


def mean_difference(scores: Scores, pairs: Sequence[tuple[int, int]], columns: Sequence[int]) -> Interval:
    """Of the mean over some languages, between two settings of a pair; averaged over the pairs."""

    def of(means: Array) -> float:
        level = means[:, columns].mean(axis=1)
        return float(level[: len(pairs)].mean() - level[len(pairs) :].mean())

    ones, others = zip(*pairs, strict=True)
    return interval(scores, [*ones, *others], of)


def best_against_best(levels: Levels, ones: Sequence[int], others: Sequence[int]) -> tuple[Interval, float]:
    """Highest level of some settings minus that of others, and the p value of no difference. See 2. of this module."""
    estimate = float(levels.found[list(ones)].max() - levels.found[list(others)].max())
    if np.isnan(levels.errors).any():
        return undefined(UNTOLD, levels.n, estimate), np.nan
    if not levels.errors.any():
        return undefined(ALIKE, levels.n, estimate), np.nan
    one, other = (levels.errors[:, levels.contenders(places)] for places in (ones, others))
    above, below = one.max(axis=1)[:, None] - other, other.max(axis=1)[:, None] - one  # (draws, contenders)
    outer = (1 + LEVEL) / 2
    low = estimate - float(np.quantile(above, outer, axis=0).max())
    high = estimate + float(np.quantile(below, outer, axis=0).max())
    tail = min((above >= estimate).mean(axis=0).max(), (below >= -estimate).mean(axis=0).max())
    lifted = (max(0.0, float(part.max(axis=1).mean())) for part in (one, other))
    note = "chance lifts the higher of noisy scores, here by {:.3f} and {:.3f}: the interval allows for it".format(
        *lifted
    )
    error = (high - low) / (2 * float(ndtri(outer)))
    said = "; ".join(filter(None, (levels.remark, note)))
    found = Interval(estimate, low, high, error, MANY, levels.n, said, levels.basis)
    return found, float(min(1, 2 * max(tail, 1 / len(above))))
