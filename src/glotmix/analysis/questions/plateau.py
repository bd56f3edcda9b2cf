"""From how many rows per language on do more rows make no difference that matters?

1. n is on the plateau if y(n) and y(m) differ by less than the margin at every larger size m, and so at every size
   after n:  |y(m) - y(n)| < margin  for all m > n.
2. "Not different" must be shown, not presumed: two one-sided tests at 5 % for each pair (Schuirmann 1987,
   J. Pharmacokin. Biopharm. 15:657). That *all* larger sizes are equivalent is claimed only if every test says so,
   which needs no adjustment (intersection-union: Berger 1982, Technometrics 24:295); sizes are tried from the last but
   one downwards and the first failure ends it, so that the chance of naming too small a plateau stays at 5 % (fixed
   sequence: Maurer, Hothorn & Lehmacher 1995).
3. The estimate is the smallest size shown. It is the small end of what is safe to say: the true plateau may begin
   earlier. Its interval is the range of sizes at which 95 % of draws have their plateau, by 1. without tests.
4. Not reached: the last step rises, or falls, by more than the margin (one-sided test at 5 %). All else cannot be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import stdtr

from glotmix.analysis.answer import answer
from glotmix.analysis.curves import Curve, curve_of, curves
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, undefined
from glotmix.analysis.noise import MANY
from glotmix.analysis.scores import Array, Scores

NAME = "plateau of"


@dataclass(frozen=True)
class Plateau:
    """`shown` is the smallest size that is equivalent to all larger ones, None if no size is; `last_step` how the last
    size differs from the one before; `probability` the share of draws whose plateau begins at or below each size."""

    rows: tuple[int, ...]
    shown: int | None
    last_step: Interval
    probability: tuple[float, ...]
    found: Interval

    def by(self, rows: int) -> float:
        """The probability that the plateau begins at `rows` per language or below."""
        return max((own for size, own in zip(self.rows, self.probability, strict=True) if size <= rows), default=0.0)


def plateau(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The plateau of each curve over rows per language, within `declared.margin`."""
    return answer([of_plateaus], results, declared)


def plateau_of(scores: Scores, settings: Sequence[int], columns: Sequence[int], margin: float) -> Plateau:
    """Of the mean over some languages, over settings that differ in rows per language alone."""
    return _plateau(curve_of(scores, settings, columns), margin)


def of_plateaus(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        for curve in curves(scores):
            yield Finding(
                f"{NAME} {curve.group}",
                scores.model,
                scores.task,
                curve.design,
                f"smallest n equivalent to every larger n within {100 * declared.margin:g} points; {curve.definition}",
                _plateau(curve, declared.margin).found,
                unit="rows",
                null=None,
                note=curve.note,
            )


def _plateau(curve: Curve, margin: float) -> Plateau:
    begins = _begins(curve.drawn, margin)
    probability = np.cumsum(np.bincount(begins, minlength=len(curve.rows))) / len(begins)
    place, rows = _shown(curve, margin), tuple(int(size) for size in curve.rows)
    if curve.untold:
        found = undefined(curve.untold, curve.told.n)
    elif place is None:
        found = _not_shown(curve, margin)
    else:
        found = _found(curve, place, begins, float(probability[place]))
    return Plateau(
        rows, None if place is None else rows[place], curve.told, tuple(float(share) for share in probability), found
    )


def _shown(curve: Curve, margin: float) -> int | None:
    """The place of the smallest size shown, from the last but one downwards."""
    last, shown = len(curve.rows) - 1, None
    for place in range(last - 1, -1, -1):
        if not all(curve.difference(later, place).within(margin) for later in range(last, place, -1)):
            break
        shown = place
    return shown


def _begins(drawn: Array, margin: float) -> Array:
    """(draws,): the place from which on every size is within the margin of all larger ones, the last if no other."""
    levels = drawn[:, ::-1]
    highest, lowest = (each.accumulate(levels, axis=1) for each in (np.maximum, np.minimum))
    outside = np.maximum(highest - levels, levels - lowest)[:, ::-1] >= margin
    places = np.arange(1, drawn.shape[1] + 1)
    begins: Array = np.where(outside, places, 0).max(axis=1)
    return begins


def _found(curve: Curve, place: int, begins: Array, probability: float) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = (curve.rows[int(at)] for at in np.quantile(begins, [tail, 1 - tail], method="nearest"))
    note = f"{probability:.0%} of resamples have their plateau at or below {curve.rows[place]:.0f}"
    estimate, told = float(curve.rows[place]), curve.told
    basis = f"two one-sided tests; range by resampled {told.basis}"
    return Interval(estimate, float(min(low, estimate)), float(high), np.nan, MANY, told.n, note, basis)


def _not_shown(curve: Curve, margin: float) -> Interval:
    step, last, before = curve.told, f"{curve.rows[-1]:.0f}", f"{curve.rows[-2]:.0f}"
    beyond = abs(step.estimate) - margin
    if step.standard_error > 0 and stdtr(step.degrees, -beyond / step.standard_error) < 1 - LEVEL:
        way = "rises" if step.estimate > 0 else "falls"
        note = f"not reached: the last step, {before} to {last} rows, still {way} by more than the margin"
        basis = f"one-sided test, {step.basis}"
        return Interval(np.nan, float(curve.rows[-1]), np.inf, np.nan, MANY, step.n, note, basis)
    told = (
        f"{before} and {last} rows are not shown to be equivalent within {100 * margin:g} points, nor to differ by more"
    )
    seen = (
        f"{100 * step.detectable:.1f} points are the smallest difference between them seen in 4 of 5 studies like this"
    )
    return undefined(f"{told}; {seen}", step.n)
