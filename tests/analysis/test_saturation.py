"""Rows needed for 95 % of the gain: the fit is the best one, and what the sizes cannot tell is refused."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from glotmix.analysis.curves import hill, saturating
from glotmix.analysis.questions.saturation import saturation, saturation_of
from made_curves import curve, means, saturated

pytestmark = pytest.mark.usefixtures("without_luck")

ROWS = np.array([0, 100, 200, 400, 800, 1600, 3200])
EVEN = np.ones(len(ROWS))


def levels(saturation_at, start=0.3, gain=0.3, rows=ROWS):
    return dict(zip(map(int, rows), saturated(rows, start, gain, saturation_at), strict=True))


def seen(table):
    return saturation(table).filter(pl.col("name") == "saturation of seen languages").row(0, named=True)


@given(st.floats(0, 0.5), st.floats(0.01, 0.5), st.floats(150, 20_000), st.booleans())
def test_a_curve_without_noise_is_found_again(start, gain, at, falls):
    gain = -gain if falls else gain
    fit = saturating(ROWS.astype(float), saturated(ROWS, start, gain, at)[None], EVEN)
    assert fit.saturation[0] == pytest.approx(at, rel=0.03)
    assert fit.gain[0] == pytest.approx(gain, rel=0.03)
    assert fit.left[0] < 1e-4 * gain**2


@pytest.mark.parametrize(
    ("own", "form"),
    [
        (saturating, lambda n, start, gain, at: start + gain * (1 - 20 ** (-n / at))),
        (hill, lambda n, start, gain, at: start + gain * n / (n + at / 19)),
    ],
)
def test_every_fit_is_as_good_as_that_of_nonlinear_least_squares(own, form):
    random, spread = np.random.default_rng(0), np.array([1, 1, 2, 2, 1, 0.5, 1]) * 0.01
    values = saturated(ROWS, 0.3, 0.3, 700) + spread * random.standard_normal((20, len(ROWS)))
    fit, weights = own(ROWS.astype(float), values, spread**-2), spread**-2 / (spread**-2).sum()
    for at, y in enumerate(values):
        best, _ = curve_fit(form, ROWS, y, p0=(0.3, 0.3, 700), sigma=spread, maxfev=10_000)
        assert fit.left[at] <= ((y - form(ROWS, *best)) ** 2 @ weights) * 1.05
        assert fit.saturation[at] == pytest.approx(best[2], rel=0.1)


def test_rows_come_with_an_interval_and_what_another_form_would_say():
    found = seen(means(levels(600), stderr=0.005))
    assert (found["unit"], found["conclusion"], found["p"]) == ("rows", "", None)
    assert found["low"] < 600 < found["high"] and found["estimate"] == pytest.approx(600, rel=0.03)
    assert "by Hill's form" in found["note"] and found["basis"].startswith("n not ruled out by resampled")


@pytest.mark.parametrize(("gain", "at"), [(0.3, 700), (0.05, 160)])
def test_the_interval_covers_the_truth(gain, at, made=120):
    """Curves with independent noise, so that draws are quickly made; a small gain is there at the second size."""
    random, sd = np.random.default_rng(1), 0.012
    noise, covered = sd * random.standard_normal((400, len(ROWS))), []
    for _ in range(made):
        y = saturated(ROWS, 0.3, gain, at) + sd * random.standard_normal(7)
        found = saturation_of(curve(ROWS, y, noise)).found
        if found.low < found.high:
            covered.append(found.low <= at <= found.high)
    assert len(covered) > made / 2 and 0.9 <= np.mean(covered) <= 0.99


def test_a_flat_curve_has_no_saturation_and_is_seldom_given_one(made=200):
    assert "not told from a flat line" in seen(means(dict.fromkeys(levels(1), 0.4), stderr=0.01))["note"]
    random = np.random.default_rng(2)
    noise = 0.01 * random.standard_normal((400, len(ROWS)))
    flat = [curve(ROWS, 0.4 + 0.01 * random.standard_normal(7), noise) for _ in range(made)]
    given_one = sum("not told from a flat line" not in saturation_of(one).found.note for one in flat)
    assert 2 <= given_one <= 18


def test_a_curve_that_rises_on_gives_a_lower_limit_only():
    found = seen(means({int(n): 0.2 + n / 10_000 for n in ROWS}, stderr=0.004))
    assert (found["estimate"], found["high"]) == (None, None)
    assert found["low"] > 3200
    assert f"still rises at 3200 rows; more than {found['low']:.0f} are needed" in found["note"]


def test_a_curve_that_is_there_at_the_smallest_size_gives_an_upper_limit_only():
    found = seen(means({int(n): 0.6 if n else 0.2 for n in ROWS}, stderr=0.004))
    assert (found["estimate"], found["low"]) == (100, 0)
    assert "100 is the smallest size, so it may be fewer" in found["note"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (means(levels(600, gain=-0.2)), "the curve falls with more rows"),
        (means(levels(200, rows=ROWS[:3])), "3 sizes; a curve with a start, a gain and a ceiling needs 4"),
        (means(levels(600, rows=ROWS[1:])), "no setting with 0 rows per language"),
        (means(levels(600), stderr=None), "no n_items"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(table, reason):
    found = seen(table)
    assert reason in found["note"] and found["estimate"] is None and found["low"] is None


def ratios(one, other, **noise):
    tables = [means(levels(at), task=task, **noise) for task, at in (("math", one), ("rating", other))]
    found = saturation(pl.concat(tables)).filter(pl.col("name") == "saturation ratio of seen languages")
    return found.row(0, named=True) if len(found) else None


def test_tasks_are_compared_by_a_factor():
    found = ratios(2600, 200, stderr=0.004)
    assert (found["task"], found["unit"], found["conclusion"]) == ("math / rating", "factor", "higher")
    assert found["estimate"] == pytest.approx(13, rel=0.05) and 1 < found["low"] < 13 < found["high"]
    back = ratios(200, 2600, stderr=0.004)
    assert back["estimate"] == pytest.approx(1 / 13, rel=0.05) and back["conclusion"] == "lower"


def test_tasks_that_need_the_same_are_not_told_apart_and_the_smallest_factor_seen_is_given():
    found = ratios(600, 600, stderr=0.01)
    assert found["conclusion"] == "cannot tell" and found["low"] < 1 < found["high"] and found["p"] > 0.05
    assert "is the smallest seen in 4 of 5 studies like this" in found["note"]


def test_a_task_without_a_limit_leaves_the_factor_without_one():
    found = ratios(600, 10, stderr=0.004)  # there at the smallest size already
    assert found["high"] is None and found["low"] > 1


def test_a_factor_without_a_limit_on_the_side_of_1_is_not_told_from_1():
    found = ratios(3000, 24_000, stderr=0.004)  # the second may rise on for ever, the first may not
    assert found["low"] == 0 and found["high"] < 1 and found["conclusion"] == "lower"
    found = ratios(24_000, 3000, stderr=0.004)
    assert found["high"] is None and found["low"] > 1 and found["conclusion"] == "higher"
    found = ratios(30_000, 26_000, stderr=0.004)
    assert found["estimate"] > 1 and found["low"] == 0
    assert (found["conclusion"], found["p"]) == ("cannot tell", 1.0)


def test_a_ratio_to_a_task_without_saturation_says_which_and_why():
    tables = means(levels(600), task="math"), means(dict.fromkeys(levels(1), 0.4), stderr=0.01, task="rating")
    found = saturation(pl.concat(tables)).filter(pl.col("unit") == "factor")
    assert len(found) == 3 and all("cannot tell: rating: the curve is not told" in note for note in found["note"])
