"""Curves: what a group of languages scores, over rows per language, with draws of what it might have been.

1. A curve is of one family (`families.py`) in which rows per language are all that varies, its baseline included: y(n),
   the mean of a(l, s) over a group of languages at the setting s with n rows of each language.
2. `drawn` are 10,000 curves as they might have come out (`noise.draws`): other test items, other seeds. Their
   differences from y are the noise of the curve, the movement that its points share included.
3. `saturating` fits y(n) = start + gain (1 - exp(-n / tau)) to many curves at once. The only parameter that is not
   linear is searched on a grid, the others follow by weighted least squares (variable projection; Golub & Pereyra
   1973). The grid is of the rows at which 95 % of the gain is there, tau ln 20, from the smallest size to ten times the
   largest, on which the form is all but a straight line.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from glotmix.analysis.families import Family, families
from glotmix.analysis.interval import LEVEL, Interval, interval
from glotmix.analysis.noise import ASSUMED, draws
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Array, Scores
from glotmix.analysis.series import ALIKE, UNTOLD

Of = Callable[[Array], Array]  # (..., languages) means to (...)

GROUPS = {"seen languages": ("seen",), "unseen languages": ("unseen",), "non-anchor languages": ("seen", "unseen")}
MOST_SIZES = 10  # the largest size, times this, is the most rows a fit may ask for
_LEAST_SETTINGS = 3
_FEW = 0.01  # of draws
_GRID = 200
_STEP, _FEW_DRAWS = 4, 1000  # of the grid and of draws, where a test is inverted
_LEAST_NOISE = 0.1  # of the noisiest column: draws of a score near 0 vary less than the truth may
_NORMAL_QUARTILE = 0.6745


@dataclass(frozen=True)
class Curve:
    """`y` has one value per setting, `drawn` is (draws, settings); settings are ordered by rows per language."""

    scores: Scores
    design: str
    baseline: str
    group: str
    formula: str
    settings: tuple[int, ...]
    of: Of
    drawn: Array

    @cached_property
    def y(self) -> Array:
        return self.of(self.scores.means[list(self.settings)])

    @cached_property
    def rows(self) -> Array:
        return np.array([self.scores.settings[index].rows_per_language for index in self.settings], float)

    @property
    def noise(self) -> Array:
        """(draws, settings)"""
        return self.drawn - self.y

    @property
    def untold(self) -> str:
        """Why nobody can tell how much its points vary; empty if one can."""
        if np.isnan(self.told.standard_error):
            return self.told.note.removeprefix("cannot tell: ")
        if np.isnan(self.drawn).any():
            return UNTOLD
        return "" if self.noise.any() else ALIKE

    @property
    def definition(self) -> str:
        sizes = " ".join(f"{rows:.0f}" for rows in self.rows)
        return f"y(n) = {self.formula} at n rows per language ({sizes})"

    def difference(self, one: int, other: int) -> Interval:
        """y at one place of the curve minus y at the other."""
        pair = [self.settings[one], self.settings[other]]
        return interval(self.scores, pair, lambda means: float(self.of(means[0]) - self.of(means[1])))

    @cached_property
    def told(self) -> Interval:
        """An interval of the last step, for what it tells of items and basis."""
        return self.difference(-1, -2)

    @property
    def note(self) -> str:
        assumed = "" if self.scores.replicated else ASSUMED
        return "; ".join(filter(None, (assumed, self.scores.note)))

    @cached_property
    def weights(self) -> Array:
        """One per setting: the inverse of the variance that is its own, not shared with the others."""
        own = self.noise - self.noise.mean(axis=1, keepdims=True)
        spread = typical(own)
        weights: Array = (spread.max() / spread) ** 2
        return weights


def typical(noise: Array) -> Array:
    """(columns,): the standard deviation of each column of draws, by quartiles, as few seeds give draws long tails; no
    less than a tenth of the largest."""
    spread = np.median(np.abs(noise), axis=0) / _NORMAL_QUARTILE
    found: Array = np.maximum(spread, max(spread.max() * _LEAST_NOISE, np.finfo(float).tiny))
    return found


class Fit(NamedTuple):
    """Of (curves, settings) values: one entry per curve, `fitted` is (curves, settings)."""

    gain: Array
    saturation: Array  # rows with 95 % of the gain
    fitted: Array
    explained: Array  # weighted sum of squares that the curve explains beyond a flat line
    left: Array  # weighted sum of squares around the curve


def saturating(rows: Array, values: Array, weights: Array) -> Fit:
    """The best curve y(n) = start + gain (1 - 20 ** (-n / saturation)) of each row of `values`."""
    grid = _saturations(rows)
    return _best(grid, 1 - 20 ** (-rows / grid[:, None]), values, weights / weights.sum())


def fitting(rows: Array, y: Array, noise: Array, weights: Array) -> tuple[float, float]:
    """The least and the most rows with 95 % of the gain that y does not rule out: were they the truth, noise would make
    another curve fit y better by as much, or more, in over 5 % of studies (inversion of a test)."""
    grid, weights = _saturations(rows), weights / weights.sum()
    units = _units(1 - 20 ** (-rows / grid[:, None]), weights)
    seen, chance = (y * weights) @ units.T, (noise[:_FEW_DRAWS] * weights) @ units.T
    alike = (units * weights) @ units.T  # of a curve's shape with another's
    best = int(np.abs(seen).argmax())

    def beyond(at: int) -> float:
        """How far the curve at this place is past what noise makes of it."""
        by_noise = _better(seen[at] * alike[at] + chance, at)
        return float(_better(seen[None], at)[0] - np.quantile(by_noise, LEVEL))

    low, high = (_crossing(places, beyond) for places in (range(best, -1, -1), range(best, len(grid))))
    low, high = np.exp(np.interp([low, high], np.arange(len(grid)), np.log(grid)))
    return float(low), float(high)


def _crossing(places: Sequence[int], beyond: Callable[[int], float]) -> float:
    """Where it rises above 0, outwards from the first place; the last place if it does not."""
    before, depth = places[0], beyond(places[0])
    for at in (*places[_STEP:-1:_STEP], places[-1]):
        if (height := beyond(at)) > 0:
            return float(np.interp(0, [depth, height], [before, at]))
        before, depth = at, height
    return float(before)


def _better(along: Array, at: int) -> Array:
    """By how much the best curve fits better than that at one place of the grid; its root, which rises in line."""
    found: Array = np.sqrt((along**2).max(axis=1) - along[:, at] ** 2)
    return found


def hill(rows: Array, values: Array, weights: Array) -> Fit:
    """The best curve y(n) = start + gain n / (n + saturation / 19) of each row of `values`."""
    grid = _saturations(rows)
    return _best(grid, rows / (rows + grid[:, None] / 19), values, weights / weights.sum())


def _saturations(rows: Array) -> Array:
    grid: Array = np.geomspace(rows[rows > 0].min(), MOST_SIZES * rows.max(), _GRID)
    return grid


def _best(grid: Array, shapes: Array, values: Array, weights: Array) -> Fit:
    """`shapes` (grid, settings) are what a gain of 1 looks like; `weights` add up to 1."""
    centred, flat = shapes - (shapes @ weights)[:, None], values - (values @ weights)[:, None]
    power = np.sqrt(centred**2 @ weights)  # (grid,)
    along = (flat * weights) @ _units(shapes, weights).T  # (curves, grid)
    best = np.abs(along).argmax(axis=1)
    most = along[np.arange(len(values)), best]
    gain = most / power[best]
    bent = gain[:, None] * centred[best]
    return Fit(gain, grid[best], values - flat + bent, most**2, (flat - bent) ** 2 @ weights)


def _units(shapes: Array, weights: Array) -> Array:
    """(grid, settings): around 0, with a weighted sum of squares of 1."""
    centred = shapes - (shapes @ weights)[:, None]
    units: Array = centred / np.sqrt(centred**2 @ weights)[:, None]
    return units


def curves(scores: Scores) -> Iterator[Curve]:
    """One for each curved family and group of languages, if it has three settings or more."""
    for family, places in _shaped(scores):
        roles = language_groups(scores, scores.settings[places[-1]])
        for group, wanted in GROUPS.items():
            columns = [at for at, tag in enumerate(scores.languages) if roles[tag] in wanted]
            if columns:
                yield curve_of(scores, places, columns, group, family)


def relative_curves(scores: Scores) -> Iterator[Curve]:
    """R(n), performance relative to the anchor, for each curved family."""
    others, anchors = scores.columns("seen") + scores.columns("unseen"), scores.columns("anchor")
    if others and anchors:
        tags = [" ".join(scores.languages[at] for at in columns) for columns in (anchors, others)]
        formula = "R(s) = mean of a(l, s) / a({}, s) over the other languages ({})".format(*tags)
        for family, places in _shaped(scores):
            yield _curve(scores, places, "relative to anchor", formula, partial(_relative, others, anchors), family)


def curve_of(
    scores: Scores,
    settings: Sequence[int],
    columns: Sequence[int],
    group: str = "given languages",
    family: Family | None = None,
) -> Curve:
    """The mean over some languages (`columns`) at some settings."""
    tags = " ".join(scores.languages[column] for column in columns)
    formula = f"mean of a(l, s) over the {group} ({tags})"
    return _curve(scores, settings, group, formula, partial(_mean, list(columns)), family)


def _shaped(scores: Scores) -> Iterator[tuple[Family, list[int]]]:
    """Families with a curve, and their settings: the baseline too, even where it is of another design."""
    for family in families([scores]):
        names = {setting.name for setting in family.mixtures} | {family.baseline}
        places = [index for index, setting in enumerate(scores.settings) if setting.name in names]
        if family.curved and len(places) >= _LEAST_SETTINGS:
            yield family, places


def _curve(
    scores: Scores, settings: Sequence[int], group: str, formula: str, of: Of, family: Family | None = None
) -> Curve:
    places = sorted(settings, key=lambda index: scores.settings[index].rows_per_language)
    drawn = of(draws(scores)[:, places])
    design, baseline = (family.design, family.baseline) if family else ("", "")
    return Curve(scores, design, baseline, group, formula, tuple(places), of, _defined(drawn))


def _defined(drawn: Array) -> Array:
    """Without draws that have no value at some setting, if they are few."""
    undefined = np.isnan(drawn).any(axis=1)
    return drawn[~undefined] if undefined.mean() < _FEW else drawn


def _mean(columns: list[int], means: Array) -> Array:
    level: Array = means[..., columns].mean(axis=-1)
    return level


def _relative(others: list[int], anchors: list[int], means: Array) -> Array:
    """NaN where the anchor scores nothing."""
    own, anchor = _mean(others, means), _mean(anchors, means)
    return np.divide(own, anchor, out=np.full_like(own, np.nan), where=anchor > 0)
