"""Rules give verdicts from numbers: each verdict has numbers that bring it about."""

import numpy as np
import pytest
from scipy import stats

from glotmix.analysis.interval import Interval
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, UNDISCLOSED, Recomputed
from glotmix.evidence.rules import (
    alike,
    beyond_noise,
    differs,
    exceeds,
    likeliest,
    needs,
    only,
    resolves,
    same,
    steady,
    unharmed,
)


def between(low, high):
    half = (high - low) / 2
    return Interval((low + high) / 2, low, high, half / 1.96, 1e6, 0, "")


def rounded(value, likely=0.0, possible=0.0):
    return Recomputed(value, (value - likely, value + likely), (value - possible, value + possible))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (rounded(22.74), FOLLOWS),
        (rounded(22.65), FOLLOWS),
        (rounded(22.76), NOT),
        (rounded(22.9, likely=0.2), FOLLOWS),
        (rounded(22.9, likely=0.1, possible=0.2), UNCLEAR),
        (rounded(22.9, likely=0.1, possible=0.14), NOT),
    ],
)
def test_a_number_is_compared_within_its_last_digit_and_the_rounding_of_the_table(found, verdict):
    assert same("22.7", only(found), scale=100).verdict == verdict


def test_what_only_undisclosed_data_give_depends_on_them():
    hidden = {"of the plotted points": rounded(22.68)}
    assert same("22.7", only(rounded(25.2)), hidden).verdict == UNDISCLOSED
    assert same("22.7", only(rounded(22.7)), hidden).verdict == FOLLOWS
    assert same("22.7", only(rounded(25.2)), {"of the plotted points": rounded(23.5)}).verdict == NOT


def test_the_reading_that_gives_the_number_is_named():
    found = same("0.5", {"8 settings": rounded(0.8), "all": rounded(0.52)})
    assert (found.verdict, "the reading all" in found.reason) == (FOLLOWS, True)


def test_agreement_by_rounding_alone_needs_a_rounding_within_the_margin():
    wide = rounded(0.56, likely=0.2, possible=0.3)
    assert same("0.39", only(wide)).verdict == UNCLEAR
    assert same("0.56", only(wide)).verdict == FOLLOWS
    assert same("0.57", only(rounded(0.56, likely=0.01))).verdict == FOLLOWS
    assert same("14.7", only(rounded(14.2, likely=1.5)), scale=100).verdict == FOLLOWS
    assert same("14.7", only(rounded(14.2, likely=2.5)), scale=100).verdict == UNCLEAR


def test_the_p_behind_a_verdict_is_that_of_its_test():
    assert differs(between(0.01, 0.1)).p == pytest.approx(between(0.01, 0.1).p())
    found = between(-0.01, 0.01)  # standard error 0.0051
    beyond = stats.norm.sf(0.02 / found.standard_error)
    assert alike([found]).p == pytest.approx(beyond, rel=0.01)
    assert unharmed(found).p == pytest.approx(beyond, rel=0.01)
    assert alike([between(0.02, 0.1)]).p == pytest.approx(between(0.02, 0.1).p())
    assert alike([between(-0.01, 0.06), between(-0.05, 0.06)]).p > 0.5
    assert beyond_noise(0.9, np.linspace(0, 1, 101)).p == pytest.approx(11 / 101)


def test_a_bound_needs_a_number_above_it():
    assert exceeds(40, rounded(40.6)).verdict == FOLLOWS
    assert exceeds(60, rounded(54), rounded(62)).verdict == UNDISCLOSED
    assert exceeds(60, rounded(54, likely=1, possible=7)).verdict == UNCLEAR
    assert exceeds(60, rounded(54)).verdict == NOT


def test_a_difference_needs_an_interval_off_zero():
    verdicts = [differs(found).verdict for found in (between(0.01, 0.1), between(-0.1, -0.01), between(-0.01, 0.1))]
    assert verdicts == [FOLLOWS, NOT, UNCLEAR]


def test_equality_must_be_shown():
    assert alike([between(-0.01, 0.01)]).verdict == FOLLOWS
    assert alike([between(-0.1, 0.1)]).verdict == UNCLEAR
    assert alike([between(0.01, 0.1)]).verdict == NOT
    assert alike([between(-0.01, 0.01), between(-0.1, 0.1)]).verdict == UNCLEAR


def test_one_of_many_differences_may_be_off_zero_by_chance():
    just = between(0.001, 0.1)
    assert alike([just]).verdict == NOT
    assert alike([just, between(-0.05, 0.05)]).verdict == UNCLEAR
    assert alike([just], family=3).verdict == UNCLEAR


def test_no_loss_is_shown_on_one_side():
    verdicts = [unharmed(found).verdict for found in (between(-0.01, 0.2), between(-0.2, -0.01), between(-0.1, 0.1))]
    assert verdicts == [FOLLOWS, NOT, UNCLEAR]


def test_constancy_fails_by_a_trend_or_a_spread_and_holds_by_small_changes():
    small, wide = [between(-0.01, 0.01)], [between(-0.1, 0.1)]
    assert steady(0.9, 0.01, 0.02, 0.5, wide).verdict == NOT
    assert steady(0.1, 0.80, 0.20, 0.01, wide).verdict == NOT
    assert steady(0.1, 0.80, 0.02, 0.5, small).verdict == FOLLOWS
    assert steady(0.1, 0.80, 0.02, 0.5, wide).verdict == UNCLEAR


def test_what_noise_alone_makes_is_not_told():
    alone = np.linspace(0, 1, 1001)
    assert beyond_noise(0.96, alone).verdict == FOLLOWS
    assert beyond_noise(0.94, alone).verdict == UNCLEAR
    assert likeliest("n = 400", 0.97, between(0.01, 0.1)).verdict == FOLLOWS
    assert likeliest("n = 400", 0.40, between(-0.1, 0.1)).verdict == UNCLEAR
    assert likeliest("n = 400", 0.00, between(-0.2, -0.1)).verdict == NOT
    assert resolves(9.9, 9.3, "one").verdict == UNCLEAR
    assert resolves(9.9, 12.0, "one").verdict == FOLLOWS


def test_a_table_that_was_not_disclosed_is_looked_for():
    assert needs("english-not-all", "accuracies").verdict == UNDISCLOSED
    assert needs("english-not-all", "win_rates").verdict == UNCLEAR


def test_no_interval_is_no_verdict():
    assert differs(Interval(0.1, np.nan, np.nan, np.nan, np.nan, 0, "cannot tell: why")).verdict == UNCLEAR
