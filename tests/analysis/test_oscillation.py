"""Oscillation: rough means rougher than noise, which the points of a curve share."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from glotmix.analysis import noise
from glotmix.analysis.curves import curves, saturating
from glotmix.analysis.questions.oscillation import oscillation, oscillation_of
from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Truth, simulate
from made_curves import ROLES, curve, means, saturated

pytestmark = pytest.mark.usefixtures("without_luck")

ROWS = np.array([0, 100, 200, 400, 800, 1600, 3200, 6400])
SMOOTH = saturated(ROWS, 0.3, 0.3, 1500)
ZIGZAG = np.array([0, 1, -1, 1, -1, 1, -1, 0])


def seen(y, stderr, rows=ROWS):
    table = means(dict(zip(map(int, rows), y, strict=True)), stderr)
    return oscillation(table).filter(pl.col("name") == "oscillation of seen languages").row(0, named=True)


@cache
def independent(sd, count=1000, seed=0):
    return sd * np.random.default_rng(seed).standard_normal((count, len(ROWS)))


def roughness(y):
    fit = saturating(ROWS.astype(float), y[None], np.ones(len(y)))
    return float(np.sqrt(((y - fit.fitted) ** 2).mean()))


def test_a_zigzag_is_rougher_than_noise_by_what_it_is():
    y = SMOOTH + 0.03 * ZIGZAG
    found = seen(y, 0.005)
    assert found["conclusion"] == "higher" and found["adjusted_p"] < 0.05 and found["unit"] == "score"
    assert found["low"] < roughness(y) < found["high"]
    assert found["estimate"] == pytest.approx(roughness(y), abs=0.003)
    assert f"departures of {roughness(y):.4f} are seen; noise alone makes 0.00" in found["note"]


def test_a_smooth_curve_is_not_and_with_little_noise_there_is_no_difference():
    sure, unsure = seen(SMOOTH, 0.002), seen(SMOOTH + 0.01 * ZIGZAG, 0.04)
    assert (sure["conclusion"], unsure["conclusion"]) == ("no difference", "cannot tell")
    assert sure["low"] == 0 and 0 < sure["high"] < 0.02


def test_a_curve_smoother_than_noise_is_not_taken_for_proof():
    assert seen(SMOOTH, 0.04)["high"] > 0.01


def test_for_independent_points_the_p_value_is_that_of_cochrans_q():
    """Twice the upper tail of chi squared with one degree of freedom per point beyond the three parameters."""
    random = np.random.default_rng(3)
    for _ in range(10):
        one = curve(ROWS, SMOOTH + 0.005 * random.standard_normal(8), independent(0.005, 4000))
        fit = saturating(one.rows, one.y[None], np.ones(8))
        q = ((one.y - fit.fitted) ** 2).sum() / 0.005**2
        assert oscillation_of(one)[1] == pytest.approx(min(1, 2 * chi2.sf(q, len(ROWS) - 3)), abs=0.06)


def test_what_all_points_share_is_no_roughness():
    apart = independent(0.005)
    shared = apart + np.random.default_rng(1).standard_normal((len(apart), 1)) * 0.2
    y = SMOOTH + 0.02 * ZIGZAG
    ps = [oscillation_of(curve(ROWS, y, noise))[1] for noise in (shared, apart)]
    assert ps[0] == pytest.approx(ps[1], abs=0.01)


def test_points_weigh_by_the_noise_that_is_their_own():
    own = independent(0.005, 4000) * np.array([1, 1, 1, 1, 1, 1, 1, 3])
    shared = np.random.default_rng(1).standard_normal((len(own), 1)) * 0.2
    weights = curve(ROWS, SMOOTH, own + shared).weights
    assert weights[0] / weights[7] == pytest.approx(9, rel=0.3)  # the mean of all points has a part of the last one's


@pytest.mark.parametrize("rough", [0.0, 0.012, 0.03])
def test_the_interval_covers_the_true_roughness(rough, made=200):
    random, truth = np.random.default_rng(5), SMOOTH + rough * ZIGZAG
    covered, false = 0, 0
    for _ in range(made):
        found, p = oscillation_of(curve(ROWS, truth + 0.012 * random.standard_normal(8), independent(0.012, 400)))
        covered += found.low <= roughness(truth) + 1e-9 and roughness(truth) <= found.high
        false += p < 0.05
    assert covered / made >= 0.92
    assert rough > 0 or false / made <= 0.05


def test_what_it_calls_visible_is_seen_in_four_of_five_studies(made=200):
    random = np.random.default_rng(6)
    visible = oscillation_of(curve(ROWS, SMOOTH + 0.01 * ZIGZAG, independent(0.01)))[0].detectable
    truth = SMOOTH + ZIGZAG * visible / roughness(SMOOTH + ZIGZAG * 0.03) * 0.03
    studies = [curve(ROWS, truth + 0.01 * random.standard_normal(8), independent(0.01, 400)) for _ in range(made)]
    assert 0.7 < np.mean([oscillation_of(one)[1] < 0.05 for one in studies]) < 0.9


def test_the_luck_of_runs_is_no_roughness_where_seeds_show_it(monkeypatch):
    """Replicated baselines lend their noise; with one seed everywhere the note says what is missing."""
    monkeypatch.setattr(noise, "DRAWS", 400)
    accuracy = {int(n): dict(zip(ROLES, (0.8, y, y, y), strict=True)) for n, y in zip(ROWS, SMOOTH, strict=True)}
    truth = Truth(accuracy, ROLES, dict.fromkeys(accuracy, 2), items=150, run=0.2)
    rough = {True: 0, False: 0}
    for seed in range(25):
        study = simulate(truth, seed)
        for replicated in rough:
            one = next(curves(next(read_scores(study if replicated else study.filter(pl.col("seed") == 0)))))
            rough[replicated] += oscillation_of(one)[1] < 0.05
            assert ("the luck of a run is assumed" in one.note) != replicated
    assert rough[True] <= 3
    assert rough[False] > 8


@pytest.mark.parametrize(("sizes", "stderr", "reason"), [(3, 0.01, "3 sizes; 4 show whether"), (8, None, "no n_items")])
def test_what_cannot_be_told_is_refused_with_the_reason(sizes, stderr, reason):
    found = seen(SMOOTH[:sizes], stderr, ROWS[:sizes])
    assert reason in found["note"] and found["low"] is None and found["conclusion"] == "cannot tell"
