"""The smallest effect a study can detect, before it is run: from its size and stated assumptions.

The effect is the gain of the mean of L languages over the baseline on the same n items, with S seeds of the setting and
B of the baseline. With v = score * (1 - score), the variance of an answer, and c as in `Assumptions`, the variance of
the gain adds up

1. v / n * 2 * (c_seed - c_item) * (1 + (L - 1) * c_language) / L: what the settings do to an item. Further seeds do not
   average it out, further languages as far as its translations differ (design effect of Kish, 1965);
2. v / n * (1 - c_seed) / L * (1/S + 1/B): chance in the answers of single runs. For one language and one seed each, 1.
   and 2. come to the 2 * v * (1 - c_item) / n of a textbook's paired comparison;
3. sigma^2 * (1 + 1/L) * (1/S + 1/B): a run's luck. One part moves all languages of the run, so further languages do
   not help; another of the same size is each language's own.

The smallest effect is the true gain that 80 % of such studies find: the interval of `interval.py` is above 0. Few seeds
leave that interval's own width to chance: what both sides measure together of a run's variance is its truth times
chi-squared / (S + B - 2), cut at 0 where it is less than 2. accounts for, and the degrees of freedom (Satterthwaite
1946) move with it. So power is the mean over these studies; a t test with the expected standard error (Cohen 1988,
chapter 2) is too kind. Further settings with several seeds measure it better, and find a little more. With one seed on
both sides nobody measured 3.: it is taken as known, here as in the intervals (`noise.py`, 4.).

Measured, 1,200 studies a case drawn as in `simulate.py` at their smallest effect (1, 2, 3 or 5 seeds on both sides, or
3 and 1; 1 or 4 languages, 100 or 250 items, sigma 0.5 to 3 points, as assumed with one seed): 79 to 83 % find it. Where
luck is larger than assumed and nobody measured it, intervals find what is not there (`benchmarks/calibration.py`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, stdtrit

from glotmix.analysis.interval import LEVEL, POWER
from glotmix.analysis.noise import ITEM_CORRELATION, LANGUAGE_CORRELATION, MANY, RUN_LUCK, SEED_CORRELATION
from glotmix.analysis.scores import Array

_LEVELS = (np.arange(64) + 0.5) / 64  # probabilities whose quantiles stand for a distribution


@dataclass(frozen=True)
class Assumptions:
    """What the smallest effect rests on, in score units; correlations are over items. All but the score is what
    `noise.py` measured. At 40 % an answer's variance is within 4 % of the largest there is."""

    score: float = 0.40  # of setting and baseline: halfway between them
    item_correlation: float = ITEM_CORRELATION  # c_item: a run of the setting and one of the baseline
    seed_correlation: float = SEED_CORRELATION  # c_seed: two runs of one setting
    language_correlation: float = LANGUAGE_CORRELATION  # c_language: what the settings do to an item, in two languages
    seed_deviation: float = RUN_LUCK  # sigma: of a run in all its languages, and again in each

    def __post_init__(self) -> None:
        if not self.item_correlation <= self.seed_correlation < 1:
            raise ValueError(
                "seed_correlation must be at least item_correlation (runs of one setting are more alike) and below 1"
            )


def smallest_effect(
    items: int, languages: int, seeds: int, baseline_seeds: int, assumptions: Assumptions = Assumptions()
) -> float:
    """The smallest true gain (score units, 0 to 1) detected with 80 % power at 95 %, two-sided.

    Args:
        items: test items, the same in every language.
        languages: over whose mean the gain is taken.
        seeds: of the setting; `baseline_seeds` those of its baseline.
    """
    given = assumptions
    answer = given.score * (1 - given.score) / items
    design_effect = (1 + (languages - 1) * given.language_correlation) / languages
    shared = answer * 2 * (given.seed_correlation - given.item_correlation) * design_effect
    chance = answer * (1 - given.seed_correlation) / languages
    run = chance + given.seed_deviation**2 * (1 + 1 / languages)
    error = float(np.sqrt(shared + run / seeds + run / baseline_seeds))
    needed = _needed(shared, chance, run, seeds, baseline_seeds)
    return float(brentq(lambda gain: ndtr((gain - needed) / error).mean() - POWER, 0, 100 * error))


def _needed(shared: float, chance: float, run: float, *seeds: int) -> Array:
    """The least estimate whose interval is above 0, in equally likely studies: each measures another variance of runs.

    The variances: `shared` is 1. of the module's docstring, `chance` is 2. of one run, `run` is 2. and 3. of one run.
    """
    weight, degrees = sum(1 / count for count in seeds), sum(seeds) - len(seeds)
    if not degrees:
        return _above_zero(np.array([shared + run * weight]), MANY)
    measured = run * gammaincinv(degrees / 2, _LEVELS) / (degrees / 2)
    variance = shared + weight * np.maximum(chance, measured)
    spread = (weight * measured) ** 2 * (1 + 2 / degrees) / degrees
    return _above_zero(variance, np.clip(variance**2 / spread, degrees, MANY))


def _above_zero(variance: Array, degrees: Array | float) -> Array:
    least: Array = stdtrit(degrees, (1 + LEVEL) / 2) * np.sqrt(variance)
    return least
