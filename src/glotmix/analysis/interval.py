"""Intervals that respect how a study is made: items crossed with languages, runs crossed with items, few seeds.

An estimate is a smooth function f of the means per setting and language. To first order, item i in the run of seed s
adds u[s, i] = sum over languages of df/dmean * (score - mean) to it, so all languages of an item, and all settings,
move together. Then

1. items: variance over items of the sum over settings of the mean over seeds of u, divided by the number of items. This
   is the value that a cluster bootstrap over items converges to, without its random noise;
2. seeds: within a setting, variance between the seeds' means of u divided by the number of seeds. Each seed's mean
   carries item-by-seed noise that 1. has counted already, so the residual of the two-way table u[s, i] is taken off
   (crossed random effects; Cameron, Gelbach & Miller 2011 for the same inclusion and exclusion in two-way clustering);
3. the interval is estimate +- t * sqrt(items + seeds), degrees of freedom by Satterthwaite (1946), not below the
   smallest of the parts'.

Runs of different settings are independent: a seed number shared by two settings does not pair them. In studies
simulated by `simulate.py`, 91 to 99 % of intervals cover the truth with three seeds, 90 % with two and much seed noise.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from glotmix.analysis.scores import Array, Mask, Scores

LEVEL = 0.95
POWER = 0.80
_NO_VARIATION = 1e-18  # variance below which float rounding is all there is


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; `n` test items. NaN where it is not defined; `note` says why."""

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees: float
    n: int
    note: str

    @property
    def detectable(self) -> float:
        """The true difference that a study of this size would tell from zero with 80 % power."""
        return (_quantile(self.degrees, LEVEL) + float(stdtrit(self.degrees, POWER))) * self.standard_error


def undefined(reason: str, n: int = 0, estimate: float = np.nan) -> Interval:
    """No interval, and why."""
    return Interval(estimate, np.nan, np.nan, np.nan, np.nan, n, f"cannot tell: {reason}")


def interval(scores: Scores, settings: Sequence[int], of: Callable[[Array], float]) -> Interval:
    """The interval of `of`, a smooth function of the (settings, languages) means of the chosen settings."""
    means = scores.means[list(settings)]
    slopes = _slopes(of, means)
    items = scores.used[(slopes != 0).any(axis=0)].any(axis=0)
    n = int(items.sum())
    if n < 2:
        return undefined("an interval needs two test items", n, of(means))
    own = [_influence(scores, index, slope, items) for index, slope in zip(settings, slopes, strict=True)]
    item_variance = float(np.var(sum(table.mean(axis=0) for table in own), ddof=1)) * n
    terms, note = _seed_terms(scores, settings, slopes, items)
    variance = item_variance + sum(max(0.0, term.between - term.residual) for term in terms)
    if variance < _NO_VARIATION:
        return _nothing_varies(of(means), slopes, n, note)
    spread = item_variance**2 / (n - 1) + sum(term.between**2 / term.degrees for term in terms)
    degrees = max(variance**2 / spread, min([n - 1, *(term.degrees for term in terms)]))
    return _symmetric(of(means), float(np.sqrt(variance)), degrees, n, note)


def exponential(logarithm: Interval) -> Interval:
    """Of a quantity whose logarithm was estimated. Its standard error follows to first order."""
    estimate, low, high = (float(np.exp(x)) for x in (logarithm.estimate, logarithm.low, logarithm.high))
    return replace(logarithm, estimate=estimate, low=low, high=high, standard_error=estimate * logarithm.standard_error)


def bounded(plain: Interval) -> Interval:
    """Wilson's score interval for a mean between 0 and 1, on the number of independent answers that the standard error
    amounts to (as in clustered surveys: Dean & Pagano 2015), or on the number of items where no answer differs."""
    p, quantile = plain.estimate, _quantile(plain.degrees, LEVEL)
    answers = p * (1 - p) / plain.standard_error**2 if plain.standard_error > 0 and 0 < p < 1 else plain.n
    share = quantile**2 / answers
    centre = (p + share / 2) / (1 + share)
    half = float(np.sqrt(share * p * (1 - p) + share**2 / 4)) / (1 + share)
    low, high = np.clip([centre - half, centre + half], 0, 1)
    return replace(plain, low=float(low), high=float(high))


def _quantile(degrees: float, level: float) -> float:
    return float(stdtrit(degrees, (1 + level) / 2))


def _symmetric(estimate: float, error: float, degrees: float, n: int, note: str) -> Interval:
    half = _quantile(degrees, LEVEL) * error
    return Interval(estimate, estimate - half, estimate + half, error, degrees, n, note)


def _slopes(of: Callable[[Array], float], means: Array, step: float = 1e-5) -> Array:
    """Derivative of the estimate by every mean: (settings, languages), by central differences."""
    slopes = np.zeros_like(means)
    for place in np.ndindex(*means.shape):
        shift = np.zeros_like(means)
        shift[place] = step
        slopes[place] = (of(means + shift) - of(means - shift)) / (2 * step)
    return slopes


def _influence(scores: Scores, setting: int, slope: Array, items: Mask) -> Array:
    """u[s, i] / n: what item i in the run of seed s adds to the estimate, (seeds, items)."""
    centred = (scores.values[setting] - scores.means[setting][:, None]) * scores.used  # (seeds, languages, items)
    weighted: Array = np.einsum("l,sli->si", slope / scores.used.sum(axis=1), centred[:, :, items])
    return weighted


def _scale(scores: Scores, setting: int, lender: int) -> Array:
    """Noise at a setting per noise at its lender, by language: sqrt(p (1 - p)), as shares of answers have it."""
    own, lent = (np.sqrt(scores.means[index] * (1 - scores.means[index])) for index in (setting, lender))
    scale: Array = np.divide(own, lent, out=np.zeros_like(own), where=lent > 0)
    return scale


class _SeedTerm(NamedTuple):
    """Variance of the estimate between seeds, and the part of it that the items' variance includes."""

    between: float
    residual: float
    degrees: int


def _seed_terms(scores: Scores, settings: Sequence[int], slopes: Array, items: Mask) -> tuple[list[_SeedTerm], str]:
    """One term per group of settings that seed noise was measured on, and a note where a setting borrows it."""
    terms: dict[tuple[int, ...], list[_SeedTerm]] = defaultdict(list)
    for setting, slope in zip(settings, slopes, strict=True):
        source = (setting,) if setting in scores.replicated else scores.replicated
        if source:
            tables = [_influence(scores, index, slope * _scale(scores, setting, index), items) for index in source]
            terms[source].append(_seed_term(tables, seeds=len(scores.values[setting])))
    summed = [  # terms of one source rise and fall together: they share its degrees of freedom
        _SeedTerm(sum(term.between for term in group), sum(term.residual for term in group), group[0].degrees)
        for group in terms.values()
    ]
    return summed, _borrowed(scores, settings)


def _seed_term(tables: list[Array], seeds: int) -> _SeedTerm:
    """Two-way analysis of variance pooled over (seeds, items) tables, for a mean over `seeds` seeds."""
    n = tables[0].shape[1]
    degrees = sum(len(table) - 1 for table in tables)
    between = sum(float(np.var(table.sum(axis=1)) * len(table)) for table in tables) / degrees
    rests = [table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean() for table in tables]
    residual = sum(float((rest**2).sum()) for rest in rests) / (degrees * (n - 1)) * n
    return _SeedTerm(between / seeds, residual / seeds, degrees)


def _borrowed(scores: Scores, settings: Sequence[int]) -> str:
    single = " and ".join(scores.settings[index].name for index in settings if index not in scores.replicated)
    if not single:
        return ""
    names = [scores.settings[index].name for index in scores.replicated]
    lenders = " and ".join(names) if len(names) <= 3 else f"the {len(names)} settings with several seeds"
    return f"one seed at {single}: " + (f"seed noise taken from {lenders}" if lenders else "seed noise not measured")


def _nothing_varies(estimate: float, slopes: Array, n: int, note: str) -> Interval:
    """No item sets the estimate apart from what it is: at 95 % fewer than `share` of all items would (exact binomial
    limit for 0 of n), and each moves the estimate by at most the slopes of one sign."""
    share = 1 - ((1 - LEVEL) / 2) ** (1 / n)
    half = share * float(max(slopes.clip(min=0).sum(), -slopes.clip(max=0).sum()))
    joined = "; ".join(filter(None, (note, f"no variation in {n} items: exact limit")))
    return Interval(estimate, estimate - half, estimate + half, half / _quantile(n - 1, LEVEL), n - 1, n, joined)
