"""The noise of a curve without replicates, the trend test and the coefficients, against independent computations."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from glotmix.evidence import differences, luck
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, Recomputed
from glotmix.evidence.correlations import _p_as_printed, p_value, readings, spearman
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
    monkeypatch.setattr(luck, "_by_items", lambda own, of: (0.0, 0.0))
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
    monkeypatch.setattr(luck, "_by_items", lambda own, of: (0.03**2, 0.0))
    assert luck.noise(own, of) == luck.Noise(pytest.approx(0.03), 1e6, "item counts")


def test_a_level_has_the_luck_of_items_that_all_settings_share_and_a_difference_does_not():
    """Against the items' variance of all settings at once."""
    own = series("Aya23-35B", "IF")
    scores = luck._scores("Aya23-35B", "IF", (0,))
    places = [scores.place(f"single/n={n}") for n in own.rows]
    whole = luck._of_items(scores, places, lambda means: float(gap(means).mean()))
    level = luck.contrast(own, gap, np.full(8, 1 / 8))
    assert level.standard_error == pytest.approx(np.sqrt(whole), rel=0.02)
    kept, common = luck._by_items(own, gap)
    assert luck.contrast(own, gap, luck.step(own, 0, 7)).standard_error == pytest.approx(np.sqrt(2 * kept))
    assert common > 0.1 * kept


def test_the_other_noise_holds_only_inside():
    own = series("Aya23-7B", "MR")
    before = luck.noise(own, relative)
    with luck.by_runs():
        other = luck.noise(own, relative)
    assert luck.noise(own, relative) == before
    assert "neighbours" in before.source
    assert "neighbours" not in other.source
    assert other.degrees < before.degrees


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


def test_where_a_figure_plots_the_means_they_count_and_not_what_rounding_leaves():
    found, _ = readings("Aya23-35B", "SM")["8 settings"]
    low, high = found.likely
    assert found.value == pytest.approx(0.595, abs=0.001)  # scipy, of the points of Fig 3
    assert high - low < 0.05  # 0.86 by the rounding of table 10


@pytest.mark.parametrize(
    ("printed", "points", "verdict"),
    [("<0.05", 16, FOLLOWS), (">0.05", 8, FOLLOWS), (">0.05", 16, NOT), ("<0.05", 8, UNCLEAR), ("<0.05", 5, NOT)],
)
def test_a_p_is_that_of_the_points_that_give_the_coefficient(printed, points, verdict):
    given = {"one": (Recomputed.exact(0.67), points)}  # 0.67 of 8: 0.069 two-sided, 0.034 one-sided
    assert _p_as_printed("0.67", printed, given).verdict == verdict


def test_a_p_over_points_nobody_knows_is_told_only_where_all_agree():
    both = {"one": (Recomputed.exact(0.1), 8), "other": (Recomputed.exact(0.2), 24)}
    assert _p_as_printed("0.90", "<0.05", both).verdict == FOLLOWS
    assert _p_as_printed("0.50", "<0.05", both).verdict == UNCLEAR
    assert _p_as_printed("0.10", "<0.05", both).verdict == NOT


def test_the_p_of_a_trend_is_one_that_tables_rounding_alike_do_not_exceed():
    own = series("Llama3.1-8B", "SM")
    _, p = differences._trend(gap(own.means), gap(own.roundings[:1000]))
    others = [luck.trend(gap(table))[1] for table in own.roundings[:100]]
    assert luck.trend(gap(own.means))[1] < np.median(others)
    assert np.mean(np.array(others) <= p) >= 0.9


def test_the_interval_of_two_peaks_covers_where_one_curve_is_flat_and_the_other_is_steep(monkeypatch, rng):
    """Resamples of the difference of two maxima cover 7 in 10 here."""
    flat, steep = np.full(8, 0.5), np.linspace(0.3, 0.5, 8)
    truth, covered = flat.max() - steep.max(), 0
    own, other = series("Aya23-7B", "MR"), series("Aya23-7B", "MR", "latin")
    for _ in range(150):
        values = {one: level + rng.normal(0, 0.03, 8) for one, level in ((own, flat), (other, steep))}
        errors = {one: rng.normal(0, 0.03, (1000, 8)) for one in values}
        monkeypatch.setattr(differences, "drawn", lambda one, of, v=values, e=errors: v[one] + e[one])
        by_means = {id(one.means): found for one, found in values.items()}
        found = differences._best(own, other, lambda means, by=by_means: by[id(means)])
        covered += found.low <= truth <= found.high
    assert covered / 150 > 0.9
