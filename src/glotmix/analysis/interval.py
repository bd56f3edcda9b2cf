"""Intervals that respect how a study is made: items crossed with languages, runs crossed with items, few seeds.

1. Of a smooth function of the means (`interval`): estimate +- t * sqrt(items + seeds), with the variances of `noise.py`
   to first order, and degrees of freedom by Satterthwaite (1946), not below the smallest of the parts'. For items this
   is the value that a cluster bootstrap converges to, without its random noise.
2. Of a function with a maximum, a rank or a fit in it (`from_draws`): the middle 95 % of what it is in `noise.draws`.
3. Of a share of answers (`bounded`), or of counted successes (`wilson`): Wilson's score interval.

Runs of different settings are independent: a seed number shared by two settings does not pair them. How often intervals
cover the truth is what `benchmarks/calibration.py` measures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from glotmix.analysis.noise import ASSUMED, MANY, Parts, parts
from glotmix.analysis.scores import Array, Scores

LEVEL = 0.95
POWER = 0.80
_NO_VARIATION = 1e-18  # variance below which float rounding is all there is


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; NaN where it is not defined, `note` says why.

    `n` of what is `counted` are behind it; `basis` says how the interval was made.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees: float
    n: int
    note: str
    basis: str = ""
    counted: str = "test items"

    def p(self, null: float = 0.0) -> float:
        """Two-sided, of the estimate being `null`: below 5 % where `null` is outside the interval."""
        error = self._error(towards=null)
        if not error > 0:
            return np.nan
        return float(2 * stdtr(self.degrees, -abs(self.estimate - null) / error))

    def within(self, margin: float) -> bool:
        """Whether it is equivalent to 0: two one-sided tests at 5 % (Schuirmann 1987) put it inside +- margin."""
        sides = ((self.estimate + margin, -np.inf), (margin - self.estimate, np.inf))
        return all(room > float(stdtrit(self.degrees, LEVEL)) * self._error(towards) for room, towards in sides)

    def _error(self, towards: float) -> float:
        """Standard error on the side of a value: the interval of a skewed estimate has two."""
        reach = self.estimate - self.low if towards < self.estimate else self.high - self.estimate
        return reach / _quantile(self.degrees, LEVEL) if reach > 0 else self.standard_error

    @property
    def detectable(self) -> float:
        """The true difference that a study of this size would tell from zero with 80 % power."""
        return self.detectable_among(1)

    def detectable_among(self, comparisons: int) -> float:
        """The same where each of several comparisons has its share of 5 %, as in the first step of Holm's."""
        needed = _quantile(self.degrees, 1 - (1 - LEVEL) / comparisons)
        return (needed + float(stdtrit(self.degrees, POWER))) * self.standard_error


def undefined(reason: str, n: int = 0, estimate: float = np.nan) -> Interval:
    """No interval, and why."""
    return Interval(estimate, np.nan, np.nan, np.nan, np.nan, n, f"cannot tell: {reason}")


def interval(scores: Scores, settings: Sequence[int], of: Callable[[Array], float]) -> Interval:
    """The interval of `of`, a smooth function of the (settings, languages) means of the chosen settings."""
    means = scores.means[list(settings)]
    slopes = slopes_of(of, means)
    found, note = parts(scores, settings, slopes), _borrowed(scores, settings)
    if np.isnan(found.items):
        return undefined(_why(scores), found.n, of(means))
    luck = max(0.0, found.between - found.chance)
    if found.items < _NO_VARIATION and (luck < _NO_VARIATION or not scores.replicated):
        if found.n < 2:
            return undefined("nothing varies, and no n_items tells how much it could", found.n, of(means))
        found = found._replace(items=_exact_limit(slopes, found.n), item_degrees=found.n - 1)
        note = "; ".join(filter(None, (note, f"no variation in {found.n} items: exact limit")))
    error, degrees = float(np.sqrt(found.items + luck)), _degrees(found, found.items + luck)
    half = _quantile(degrees, LEVEL) * error
    return Interval(of(means), of(means) - half, of(means) + half, error, degrees, found.n, note, found.basis)


def _degrees(found: Parts, variance: float) -> float:
    """Satterthwaite's. Of the runs' variance its expected square counts: one that came out small promises too much."""
    between = found.between**2 * (1 + 2 / found.run_degrees)
    spread = found.items**2 / found.item_degrees + between / found.run_degrees
    least = min(found.item_degrees, found.run_degrees)
    return max(variance**2 / spread, least) if spread > 0 else least


def _why(scores: Scores) -> str:
    if scores.sampling is None:
        return "an interval needs two test items"
    return "no n_items, no stderr and no second seed tell how much a mean varies"


def from_draws(estimate: float, drawn: Array, n: int, *, basis: str, counted: str = "test items") -> Interval:
    """The middle 95 % of (draws,) values, moved to where the estimate is their median (bias-corrected percentiles:
    Efron & Tibshirani 1993, section 14.3): the largest of noisy numbers is too large, and once more in the draws.
    Draws that are NaN are left out, and told from 0.1 % on.
    """
    known = drawn[~np.isnan(drawn)]
    if len(known) < max(2, len(drawn) / 2) or np.isnan(estimate):
        return undefined("it has no value in most resamples", n, estimate)
    below = (np.mean(known < estimate) + np.mean(known <= estimate)) / 2
    shift = 2 * ndtri(np.clip(below, 1 / len(known), 1 - 1 / len(known)))
    normal = _quantile(MANY, LEVEL)
    low, high = np.quantile(known, ndtr([shift - normal, shift + normal]))
    lost = 1 - len(known) / len(drawn)
    note = f"no value in {lost:.1%} of resamples" if lost >= 0.001 else ""
    error = float(high - low) / 2 / normal
    return Interval(float(estimate), float(low), float(high), error, MANY, n, note, basis, counted)


def wilson(successes: int, n: int, counted: str) -> Interval:
    """Wilson's score interval (1927) for a share of `n` independent trials."""
    if n == 0:
        return undefined(f"no {counted}")
    share = successes / n
    plain = Interval(share, np.nan, np.nan, float(np.sqrt(share * (1 - share) / n)), MANY, n, "", "Wilson", counted)
    return bounded(plain)


def exponential(logarithm: Interval) -> Interval:
    """Of a quantity whose logarithm was estimated. Its standard error follows to first order."""
    estimate, low, high = (float(np.exp(x)) for x in (logarithm.estimate, logarithm.low, logarithm.high))
    return replace(logarithm, estimate=estimate, low=low, high=high, standard_error=estimate * logarithm.standard_error)


def bounded(plain: Interval) -> Interval:
    """Wilson's score interval for a mean between 0 and 1, on the number of independent answers that the standard error
    amounts to (as in clustered surveys: Dean & Pagano 2015), or on the number of items where no answer differs."""
    p, quantile = plain.estimate, _quantile(plain.degrees, LEVEL)
    answers = p * (1 - p) / plain.standard_error**2 if plain.standard_error > 0 and 0 < p < 1 else plain.n
    if not answers:
        return undefined("all answers are alike, and no n_items tells how many there are", 0, p)
    share = quantile**2 / answers
    centre = (p + share / 2) / (1 + share)
    half = float(np.sqrt(share * p * (1 - p) + share**2 / 4)) / (1 + share)
    low, high = np.clip([centre - half, centre + half], 0, 1)
    return replace(plain, low=float(low), high=float(high))


def _quantile(degrees: float, level: float) -> float:
    return float(stdtrit(degrees, (1 + level) / 2))


def slopes_of(of: Callable[[Array], float], means: Array, step: float = 1e-5) -> Array:
    """Derivative of the estimate by every mean: (settings, languages), by central differences."""
    slopes = np.zeros_like(means)
    for place in np.ndindex(*means.shape):
        shift = np.zeros_like(means)
        shift[place] = step
        slopes[place] = (of(means + shift) - of(means - shift)) / (2 * step)
    return slopes


def _borrowed(scores: Scores, settings: Sequence[int]) -> str:
    """A note where a setting borrows seed noise, or has none."""
    if not scores.replicated:
        return ASSUMED
    names = [setting.name for setting in scores.settings]
    single = [names[index] for index in settings if index not in scores.replicated]
    lenders = [names[index] for index in scores.replicated]
    return f"one seed at {_few(single)}: seed noise taken from {_few(lenders)}" if single else ""


def _few(names: Sequence[str]) -> str:
    """At most three by name."""
    return " and ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _exact_limit(slopes: Array, n: int) -> float:
    """A variance where no item sets the estimate apart from what it is: at 95 % fewer than `share` of all items would
    (exact binomial limit for 0 of n), and each moves the estimate by at most the slopes of one sign."""
    share = 1 - ((1 - LEVEL) / 2) ** (1 / n)
    half = share * float(max(slopes.clip(min=0).sum(), -slopes.clip(max=0).sum()))
    return float(half / _quantile(n - 1, LEVEL)) ** 2
