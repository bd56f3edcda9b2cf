"""How many rows per language until 95 % of what they can give is there, and for which task is it how many times more?

1. The curve is fitted by  y(n) = start + gain (1 - exp(-n / tau)),  by weighted least squares (`curves.saturating`).
   95 % of the gain is there at  n = tau ln 20.
2. The form matters. Hill's, start + gain n / (n + h), fits some real curves better, but comes near its ceiling so
   slowly (95 % at 19 h) that it names sizes nobody has tried three times as often. The note gives what it would say.
3. The interval is of all n that a test does not rule out (`curves.fitting`). The middle of fits to draws covers less:
   84 % where the gain is small.
4. Refused: below four sizes (three parameters); without a size 0, from which a gain is counted; where the fit explains
   no more than it does in noise alone (5 % level; tau means nothing on a flat line, hence by draws and not by a table:
   Davies 1987, Biometrika 74:33); where the curve falls; and where the fit asks for the most rows that the grid has: a
   curve that still rises has no ceiling in sight, and only "more than" can be said.
5. The ratio of two tasks of one model takes them as independent: they share runs at most in part, and no test items. On
   the logarithmic scale the distances of the limits add up as squares, each on its own side (Zou & Donner 2008,
   Statistics in Medicine 27:1693).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import polars as pl
from scipy.special import ndtri

from glotmix.analysis.answer import answer
from glotmix.analysis.curves import MOST_SIZES, Curve, curves, fitting, hill, saturating
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, POWER, Interval, exponential, undefined
from glotmix.analysis.noise import MANY
from glotmix.analysis.scores import Scores

NAME, RATIO = "saturation of", "saturation ratio of"
_LEAST_SIZES = 4
_EDGE = 1 + 1e-9


@dataclass(frozen=True)
class Saturation:
    curve: Curve
    found: Interval

    @property
    def told(self) -> bool:
        return not np.isnan(self.found.estimate)


def saturation(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Rows per language with 95 % of the fitted gain of each curve, and the ratio of tasks."""
    return answer([of_saturations], results, declared)


def of_saturations(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for model in dict.fromkeys(scores.model for scores in tables):
        found = [saturation_of(curve) for scores in tables if scores.model == model for curve in curves(scores)]
        yield from map(_level, found)
        for one, other in combinations(found, 2):
            same = (one.curve.design, one.curve.group) == (other.curve.design, other.curve.group)
            if same and (one.told or other.told):
                yield _compared(one, other)


def saturation_of(curve: Curve) -> Saturation:
    """The rows of one curve."""
    if reason := _refused(curve):
        return Saturation(curve, undefined(reason, curve.told.n))
    fit = saturating(curve.rows, curve.y[None], curve.weights)
    chance = saturating(curve.rows, curve.noise, curve.weights)
    p = float((chance.explained >= fit.explained).mean())
    if p >= 1 - LEVEL:
        return Saturation(curve, undefined(f"the curve is not told from a flat line (p = {p:.2f})", curve.told.n))
    if fit.gain[0] < 0:
        return Saturation(curve, undefined("the curve falls with more rows", curve.told.n))
    return _of_fits(curve, float(fit.saturation[0]))


def _refused(curve: Curve) -> str:
    if curve.untold:
        return curve.untold
    if len(curve.rows) < _LEAST_SIZES:
        return f"{len(curve.rows)} sizes; a curve with a start, a gain and a ceiling needs {_LEAST_SIZES}"
    return "" if curve.rows[0] == 0 else "no setting with 0 rows per language to count the gain from"


def _of_fits(curve: Curve, estimate: float) -> Saturation:
    low, high = fitting(curve.rows, curve.y, curve.noise, curve.weights)
    basis = f"n not ruled out by resampled {curve.told.basis}"
    found = Interval(estimate, low, high, np.nan, MANY, curve.told.n, "", basis)
    first, last, most = curve.rows[1], curve.rows[-1], MOST_SIZES * curve.rows[-1]
    if estimate * _EDGE >= most:
        note = f"cannot tell: the curve still rises at {last:.0f} rows; more than {found.low:.0f} are needed"
        return Saturation(curve, replace(found, estimate=np.nan, high=np.inf, note=note))
    notes = []
    if found.low <= first * _EDGE:
        notes.append(f"{first:.0f} is the smallest size, so it may be fewer")
        found = replace(found, low=0.0)
    if found.high * _EDGE >= most:
        notes.append("no upper limit: a curve that still rises at the largest size is not ruled out")
        found = replace(found, high=np.inf)
    if estimate > last:
        notes.append(f"beyond the largest size, {last:.0f}: by the form of the curve alone")
    other = float(hill(curve.rows, curve.y[None], curve.weights).saturation[0])
    notes.append(f"{other:.0f} by Hill's form of the curve" if other * _EDGE < most else "no ceiling by Hill's form")
    return Saturation(curve, replace(found, note="; ".join(notes)))


def _level(one: Saturation) -> Finding:
    curve = one.curve
    definition = f"n with 95 % of the gain, of the curve start + gain (1 - exp(-n / tau)) fitted to {curve.definition}"
    where = (curve.scores.model, curve.scores.task, curve.design)
    return Finding(f"{NAME} {curve.group}", *where, definition, one.found, unit="rows", null=None, note=curve.note)


def _compared(one: Saturation, other: Saturation) -> Finding:
    """Rows of the first task per row of the second."""
    curve, tasks = one.curve, f"{one.curve.scores.task} / {other.curve.scores.task}"
    definition = f"rows with 95 % of the gain ({NAME} {curve.group}) at the first task, divided by those at the second"
    found, p = _ratio(one, other)
    where = (curve.scores.model, tasks, curve.design)
    notes = dict.fromkeys(filter(None, (curve.note, other.curve.note)))
    return Finding(
        f"{RATIO} {curve.group}", *where, definition, found, unit="factor", null=1.0, note="; ".join(notes), p=p
    )


def _ratio(one: Saturation, other: Saturation) -> tuple[Interval, float]:
    if not (one.told and other.told):
        unknown = other if one.told else one
        reason = unknown.found.note.removeprefix("cannot tell: ")
        return undefined(f"{unknown.curve.scores.task}: {reason}", unknown.found.n), np.nan
    top, bottom = one.found, other.found
    with np.errstate(divide="ignore"):
        numbers = np.log([[each.low, each.estimate, each.high] for each in (top, bottom)])
    (down, up), (less, more) = np.abs(numbers[:, [0, 2]] - numbers[:, [1]])
    estimate = float(numbers[0, 1] - numbers[1, 1])
    low, high = estimate - float(np.hypot(down, more)), estimate + float(np.hypot(up, less))
    logarithm = Interval(estimate, low, high, np.nan, MANY, min(top.n, bottom.n), "", top.basis)
    found = exponential(logarithm)
    return replace(found, note=_smallest_seen(found.low, found.high)), logarithm.p()


def _smallest_seen(low: float, high: float) -> str:
    if low == 0 or high == np.inf:
        return "a task's rows have no limit on one side, nor has the factor"
    normal = float(ndtri((1 + LEVEL) / 2))
    error = float(np.log(high / low)) / 2 / normal
    return f"a factor of {np.exp((normal + ndtri(POWER)) * error):.2f} is the smallest seen in 4 of 5 studies like this"
