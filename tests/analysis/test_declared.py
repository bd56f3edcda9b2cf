"""What is concluded: families, equivalence, and what could have been seen."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from glotmix.analysis.declared import Declared, Finding, concluded
from glotmix.analysis.interval import Interval, undefined


def found(estimate: float, error: float = 0.01, degrees: float = 20, name: str = "gain", **known) -> Finding:
    half = stats.t.ppf(0.975, degrees) * error
    own = Interval(estimate, estimate - half, estimate + half, error, degrees, 100, "")
    return Finding(name, "m", "t", f"s{estimate}", "", own, **known)


def p(estimate: float, error: float, degrees: float) -> float:
    return float(2 * stats.t.sf(abs(estimate) / error, degrees))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(-0.06, 0.06), min_size=1, max_size=8))
def test_a_family_is_adjusted_together_and_others_are_not_in_it(estimates):
    family = [found(each) for each in estimates]
    table = concluded([*family, found(0.03, name="other"), found(0.5, name="gain", null=None)], Declared())
    plain = [p(each, 0.01, 20) for each in estimates]
    assert table["p"][: len(family)].to_list() == pytest.approx(plain)
    other = concluded(family, Declared(control="benjamini-hochberg"))
    for adjusted, method in ((table["adjusted_p"][: len(family)], "holm"), (other["adjusted_p"], "fdr_bh")):
        assert adjusted.to_list() == pytest.approx(multipletests(plain, method=method)[1].tolist())
    assert table["adjusted_p"][len(family)] == pytest.approx(p(0.03, 0.01, 20))
    assert table.row(-1, named=True)["conclusion"] == ""


def test_control_is_what_was_declared():
    family = [found(each) for each in (0.024, 0.026, 0.028, 0.03)]
    said = {
        control: concluded(family, Declared(control=control))["conclusion"].to_list()
        for control in ("holm", "benjamini-hochberg", "none")
    }
    assert said["none"] == said["benjamini-hochberg"] == ["higher"] * 4
    assert (
        said["holm"] == ["higher"] * 4
        and concluded([found(0.024)] * 3 + [found(0.0)] * 9, Declared())["conclusion"].to_list().count("higher") == 0
    )


def test_no_difference_needs_both_one_sided_tests_inside_the_margin():
    reach = 0.02 - stats.t.ppf(0.95, 20) * 0.005
    inside, outside = found(reach - 1e-6, 0.005), found(reach + 1e-6, 0.005)
    table = concluded([inside, outside, found(0.0, 0.001, unit="ratio")], Declared(margin=0.02))
    assert table["conclusion"].to_list() == ["no difference", "cannot tell", "cannot tell"]


def test_what_could_have_been_seen_counts_the_comparisons_of_its_family():
    """Bonferroni, to which the first step of Holm comes down; for one comparison, the power that statsmodels gives."""
    alone, among = (
        concluded([found(0)], Declared()),
        concluded([found(0), *[found(0.001 * k) for k in range(1, 5)]], Declared()),
    )
    visible = TTestPower().solve_power(nobs=21, alpha=0.05, power=0.8) * np.sqrt(21) * 0.01
    assert alone["detectable"][0] == pytest.approx(visible, rel=0.01)
    assert among["detectable"][0] == pytest.approx(0.01 * (stats.t.ppf(1 - 0.005, 20) + stats.t.ppf(0.8, 20)))
    assert "among 5 comparisons" in among["note"][0] and "among" not in alone["note"][0]
    assert concluded([found(0), found(1)], Declared(control="none"))["detectable"][0] == alone["detectable"][0]


def test_a_refusal_is_no_comparison_and_cannot_tell():
    refused = Finding("gain", "m", "t", "x", "", undefined("no anchor"))
    table = concluded([found(0.024), refused], Declared())
    assert table["adjusted_p"].to_list() == [pytest.approx(p(0.024, 0.01, 20)), None]
    assert table["conclusion"].to_list() == ["higher", "cannot tell"]
    assert table["note"][1] == "cannot tell: no anchor"


def test_a_p_value_of_its_own_decides():
    table = concluded([found(0.5, p=0.2), found(0.0, 0.5, name="other", p=0.001, null=0.1)], Declared())
    assert table["conclusion"].to_list() == ["cannot tell", "lower"]
    assert isinstance(table, pl.DataFrame)
