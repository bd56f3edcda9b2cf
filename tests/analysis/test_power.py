"""The smallest effect: textbook figures where the textbook applies, and 80 % of simulated studies that see it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from glotmix.analysis.power import Assumptions, smallest_effect
from glotmix.analysis.quantities import SEEN_GAIN, measure, quantities
from glotmix.analysis.simulate import Study, Truth

ROLES = {"es": "seen", "fr": "seen", "ja": "seen"}
ITEMS, STUDIES = 120, 300  # simulated, each a made-up study


@pytest.mark.parametrize(("correlation", "points"), [(0.0, 12.3), (0.5, 8.7), (0.7, 6.7)])
def test_one_language_of_250_items_at_40_percent(correlation, points):
    given = Assumptions(item_correlation=correlation, seed_correlation=0.7, seed_deviation=0)
    assert 100 * smallest_effect(250, 1, 1, 1, given) == pytest.approx(points, abs=0.05)


@given(st.integers(20, 1000), st.integers(1, 8), st.integers(2, 8))
def test_more_of_anything_never_makes_the_smallest_effect_larger(items, languages, seeds):
    effect = smallest_effect(items, languages, seeds, seeds)
    for more in ((items + 1, languages, seeds, seeds), (items, languages + 1, seeds, seeds)):
        assert smallest_effect(*more) <= effect * 1.01  # fewer degrees of freedom where seeds weigh more
    assert smallest_effect(items, languages, seeds + 1, seeds + 1) < effect


def test_what_seeds_and_languages_cannot_average_out_stays():
    assert smallest_effect(250, 1, 10_000, 10_000) > 0.03  # what the settings do to an item
    assert smallest_effect(10**9, 100, 1, 1) == pytest.approx(
        2.8016 * 0.015 * np.sqrt(2 * 1.01), rel=1e-3
    )  # a run's level


def test_assumptions_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="at least item_correlation"):
        Assumptions(item_correlation=0.6, seed_correlation=0.5)
    with pytest.raises(ValueError, match="below 1"):
        Assumptions(seed_correlation=1)


def truth(effect: float, seeds: int, baseline_seeds: int, items: int, run: float) -> Truth:
    levels = {0: dict.fromkeys(ROLES, 0.4 - effect / 2), 100: dict.fromkeys(ROLES, 0.4 + effect / 2)}
    counts = {0: baseline_seeds, 100: seeds}
    return Truth(levels, ROLES, counts, items, item=1.5, item_by_setting=0.5, run=run, run_by_language=run)


def assumed(run: float) -> Assumptions:
    """What the simulated studies are like: correlations read off a large one, a run's luck brought to score units."""
    large = truth(0, 2, 2, 6000, run)
    before, after = Study((large,)).scores(0)[0].values

    def correlation(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean([np.corrcoef(one[tag], other[tag])[0, 1] for tag in range(len(ROLES))]))

    return Assumptions(
        score=0.4,
        item_correlation=correlation(before[0], after[0]),
        seed_correlation=(correlation(*before) + correlation(*after)) / 2,
        language_correlation=1.0,  # translations share what a setting does to an item
        seed_deviation=run * float(norm.pdf(norm.ppf(0.4))) / large.spread,
    )


@pytest.mark.parametrize(
    ("seeds", "baseline_seeds", "run"),
    [
        pytest.param(1, 1, 0.073, id="one seed, whose luck is what its intervals assume"),
        pytest.param(2, 2, 0.05, id="two seeds, whose standard error varies most"),
        pytest.param(3, 1, 0.05, id="a baseline of one seed borrows"),
    ],
)
def test_of_studies_simulated_at_the_smallest_effect_four_of_five_see_it(seeds, baseline_seeds, run):
    effect = smallest_effect(ITEMS, len(ROLES), seeds, baseline_seeds, assumed(run))
    study, seen = Study((truth(effect, seeds, baseline_seeds, ITEMS, run),)), 0
    for seed in range(STUDIES):
        (scores,) = study.scores(seed)
        gain = next(quantity for quantity in quantities(scores, 1) if quantity.name == SEEN_GAIN)
        seen += measure(scores, gain).low > 0
    low, high = binom.interval(0.99, STUDIES, 0.8)
    assert low <= seen <= high
