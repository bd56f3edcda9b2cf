"""The noise of a curve without replicates, the trend test and the coefficients, against independent computations."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from glotmix.evidence import luck
from glotmix.evidence.correlations import p_value, readings, spearman
from glotmix.evidence.series import Series, gap, mean, relative, series


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_spearman_is_scipys_with_ties(rng):
    seen, unseen = rng.integers(0, 5, (50, 8)) / 10, rng.integers(0, 5, (50, 8)) / 10
    expected = [stats.spearmanr(*pair).statistic for pair in zip(seen, unseen, strict=True)]
    assert spearman(seen, unseen) == pytest.approx(expected)


def test_p_of_a_printed_coefficient_is_scipys():
    first, second = [1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 6, 5, 8, 7]
    found = stats.spearmanr(first, second)
    assert p_value(found.statistic, 8) == pytest.approx(found.pvalue)


def test_trend_p_is_exact_over_all_orders():
    values = np.array([0.1, 0.3, 0.2, 0.5, 0.6])
    rho, p = luck.trend(values)
    line = np.arange(5)
    expected = stats.spearmanr(values, line).statistic
    others = [stats.spearmanr(values[list(order)], line).statistic for order in permutations(range(5))]
    assert rho == pytest.approx(expected)
    assert p == pytest.approx(np.mean(np.abs(others) >= expected - 1e-9))


def test_trend_keeps_its_level(rng):
    found = [luck.trend(rng.normal(size=8))[1] < 0.05 for _ in range(300)]
    assert np.mean(found) < 0.09


def of_made_up(values):
    """A series whose quantity is `values`, whatever its means."""
    own = Series("Llama3.1-8B", "MR", "single")
    return own, lambda means: values if means.shape[-2:] == own.means.shape else np.zeros(means.shape[:-1])


def test_noise_of_neighbours_is_that_of_runs_where_nothing_moves(monkeypatch, rng):
    monkeypatch.setattr(luck, "_by_items", lambda own, of: 0.0)
    variances, covered = [], 0
    for _ in range(2000):
        own, of = of_made_up(rng.normal(0.5, 0.02, 8))
        variances.append(luck.noise(own, of).deviation ** 2)
        found = luck.contrast(own, of, luck.later(own))
        covered += found.low <= 0 <= found.high
    assert np.mean(variances) == pytest.approx(0.02**2, rel=0.05)
    assert 0.93 <= covered / 2000 <= 0.97


def test_the_larger_of_runs_and_items_is_the_noise(monkeypatch):
    own, of = of_made_up(np.array([0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]))
    monkeypatch.setattr(luck, "_by_items", lambda own, of: 0.03**2)
    assert luck.noise(own, of) == luck.Noise(pytest.approx(0.03), 1e6, "item counts")


def test_replicates_are_pooled_with_neighbours_at_7b():
    own = series("Aya23-7B", "MR")
    level = relative(own.means)
    runs = [relative(series("Aya23-7B", "MR", design).means)[0] for design in ("single", "latin", "non-latin")]
    neighbours = (np.diff(level[1:]) ** 2).mean() / 2
    spare = 2 * 36 / 17
    expected = (neighbours * spare + np.var(runs, ddof=1) * 2) / (spare + 2)
    assert luck.noise(own, relative).deviation == pytest.approx(np.sqrt(expected))


def test_rounding_of_a_mean_reaches_half_a_digit_and_of_a_gap_both_halves():
    own = series("Aya23-7B", "MR")
    level = own.recomputed(lambda means: mean([1, 2, 3, 4])(means)[..., 0])
    assert level.possible == (pytest.approx(level.value - 0.005), pytest.approx(level.value + 0.005))
    apart = own.recomputed(lambda means: gap(means)[..., 3])
    assert apart.possible == (pytest.approx(apart.value - 0.01), pytest.approx(apart.value + 0.01))
    assert apart.possible[0] < apart.likely[0] < apart.value < apart.likely[1] < apart.possible[1]


def test_rounding_of_a_step_reaches_both_halves_of_both_settings():
    own = series("Aya23-7B", "MR")
    step = own.recomputed(lambda means: mean([1, 2])(means)[..., 3] - mean([1, 2])(means)[..., 0])
    assert step.possible == (pytest.approx(step.value - 0.01), pytest.approx(step.value + 0.01))


def test_a_reading_has_the_points_it_names():
    found = readings("Aya23-7B", "IF")
    points = {name: number for name, (_, number) in found.items()}
    assert points == {
        "8 settings": 8,
        "with script mixes": 24,
        "with multi-task": 24,
        "multi-task alone": 16,
        "all series": 40,
        "seen with English": 8,
        "every pair of languages": 96,
    }
