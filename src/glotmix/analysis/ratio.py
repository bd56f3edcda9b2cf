"""The interval of a ratio of two differences: Fieller's (1954), which a small denominator makes wide and then endless.

A ratio theta of two estimates a / b with variances V_a, V_b and covariance C is every value that a - theta b does not
tell from 0: (a - theta b)^2 <= t^2 (V_a - 2 theta C + theta^2 V_b). These theta lie between two limits only where b
itself can be told from 0; elsewhere there is no interval, and this module says so. C follows from the variance of
a + b, so that items and runs that move both together are counted once.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import stdtrit

from glotmix.analysis.interval import LEVEL, Interval, interval, undefined
from glotmix.analysis.scores import Array, Scores

Of = Callable[[Array], float]


def ratio(scores: Scores, settings: Sequence[int], top: Of, bottom: Of, named: str) -> Interval:
    """`top` / `bottom`, smooth functions of the (settings, languages) means of the settings; `named` is the bottom."""
    a, b = interval(scores, settings, top), interval(scores, settings, bottom)
    both = interval(scores, settings, lambda means: top(means) + bottom(means))
    if np.isnan(a.standard_error) or np.isnan(b.standard_error):
        return undefined((a if np.isnan(a.standard_error) else b).note.removeprefix("cannot tell: "), b.n)
    own, other = a.standard_error**2, b.standard_error**2
    most = a.standard_error * b.standard_error
    shared = float(np.clip((both.standard_error**2 - own - other) / 2, -most, most))
    degrees = min(a.degrees, b.degrees)
    low, high = fieller((a.estimate, b.estimate), (own, other, shared), degrees)
    if np.isnan(low):
        return undefined(f"the {named} cannot be told from 0, so its ratio has no bounds", b.n, _divided(a, b))
    value = a.estimate / b.estimate
    error = float(np.sqrt(max(0.0, own - 2 * value * shared + value**2 * other))) / abs(b.estimate)
    return Interval(value, low, high, error, degrees, b.n, b.note, b.basis)


def fieller(
    estimates: tuple[float, float], variances: tuple[float, float, float], degrees: float
) -> tuple[float, float]:
    """Limits of the first estimate over the second, from their variances and covariance; NaN where there are none."""
    (a, b), (own, other, shared) = estimates, variances
    square = float(stdtrit(degrees, (1 + LEVEL) / 2)) ** 2
    bounded = b**2 - square * other
    if bounded <= 0:
        return np.nan, np.nan
    centre = a * b - square * shared
    half = float(np.sqrt(max(0.0, centre**2 - (a**2 - square * own) * bounded)))
    return (centre - half) / bounded, (centre + half) / bounded


def _divided(a: Interval, b: Interval) -> float:
    return a.estimate / b.estimate if b.estimate else np.nan
