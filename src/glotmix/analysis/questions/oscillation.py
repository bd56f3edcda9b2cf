"""Does a curve go up and down more than noise alone would make it?

1. The curve is fitted by a monotone saturating one (`curves.saturating`). Cochran's (1954) Q is the sum of the squared
   departures from it, each in units of its noise:  Q = sum of w(n) (y(n) - f(n))^2,  w(n) = 1 / noise(n)^2.
2. What Q is where the truth is the fitted curve: noise, as in the draws of the curve, is laid around the fit and fitted
   again.
   p is twice the share of these that are as rough, as a 95 % interval leaves 2.5 % at either end. (A chi-squared table
   would not do: points share test items.)
3. The roughness r is the root mean square departure of the true curve. Were it r, with departures in the proportions
   of those seen, then those of a study would be  (r / seen) departures + noise;  the estimate and its limits are the r
   at which what is seen is the median, the 2.5 % and the 97.5 % point of that. A curve that is smoother than noise
   makes most gets the upper limit of one at the median, lest it seem more certain.
4. Refused below four sizes: three points lie on such a curve. With one seed at every setting the luck of runs is
   assumed; then "rougher than noise" may be more luck than that, and the note says so.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy.special import ndtri

from glotmix.analysis.answer import answer
from glotmix.analysis.curves import Curve, curves, saturating
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, POWER, Interval, undefined
from glotmix.analysis.noise import MANY
from glotmix.analysis.scores import Array, Scores

NAME = "oscillation of"
_LEAST_SIZES = 4
_GRID = 40
_REACH = 3.0  # the most roughness looked at, in units of what is seen or noise makes


def oscillation(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The roughness of each curve over rows per language, beyond noise."""
    return answer([of_oscillations], results, declared)


def of_oscillations(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        for curve in curves(scores):
            found, p = oscillation_of(curve)
            yield Finding(
                f"{NAME} {curve.group}",
                scores.model,
                scores.task,
                curve.design,
                "root mean square departure of the true curve from one start + gain (1 - exp(-n / tau)) fitted to "
                f"{curve.definition}",
                found,
                note=curve.note,
                p=p,
            )


def oscillation_of(curve: Curve) -> tuple[Interval, float]:
    """The roughness of one curve, and the p value of there being none."""
    if curve.untold:
        return undefined(curve.untold, curve.told.n), np.nan
    if len(curve.rows) < _LEAST_SIZES:
        reason = f"{len(curve.rows)} sizes; {_LEAST_SIZES} show whether a curve is rough"
        return undefined(reason, curve.told.n), np.nan
    fit = saturating(curve.rows, curve.y[None], curve.weights)
    smooth = fit.fitted + curve.noise
    alone = saturating(curve.rows, smooth, curve.weights)
    p = 2 * float((1 + (alone.left >= fit.left).sum()) / (1 + len(smooth)))
    return _roughness(curve, (curve.y[None] - fit.fitted)[0], smooth - alone.fitted), min(1.0, p)


def _roughness(curve: Curve, seen: Array, alone: Array) -> Interval:
    """`seen` are the departures of the curve, (settings,), `alone` those that noise makes, (draws, settings)."""
    root = float(np.sqrt((seen**2).mean()))
    if root == 0:
        return undefined("no point departs from the fitted curve", curve.told.n, 0.0)
    tail, grid = (1 - LEVEL) / 2, np.linspace(0, 1, _GRID)
    least, middle, most = np.sqrt(np.quantile((alone**2).mean(axis=1), [tail, 0.5, 1 - tail]))
    roughness = grid * _REACH * max(root, most)  # (grid,)
    lower, mid, upper, power = _quantiles(alone, seen / root, roughness, [tail, 0.5, 1 - tail, 1 - POWER])

    def at(quantiles: Array, value: float) -> float:
        """The roughness at which this quantile is that value."""
        return float(np.interp(value, quantiles, roughness))

    low, estimate, high = at(upper, root), at(mid, root), at(lower, max(root, middle))
    visible = at(power, most)
    note = f"departures of {root:.4f} are seen; noise alone makes {least:.4f} to {most:.4f} (95 %)"
    error = visible / float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))
    return Interval(estimate, low, high, error, MANY, curve.told.n, note, f"resampled {curve.told.basis}")


def _quantiles(alone: Array, pattern: Array, roughness: Array, levels: list[float]) -> Array:
    """(levels, grid): of the root mean square departure, were the true one of this pattern and roughness."""
    constant, slope = (alone**2).mean(axis=1), 2 * (alone * pattern).mean(axis=1)
    squares = constant[:, None] + slope[:, None] * roughness + roughness**2
    found: Array = np.sqrt(np.quantile(np.maximum(squares, 0), levels, axis=0))
    return np.maximum.accumulate(found, axis=1)
