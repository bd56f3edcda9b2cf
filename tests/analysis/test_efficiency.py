"""Transfer efficiency: Fieller's interval by its definition, by coverage, and where it is refused."""

from dataclasses import replace

import numpy as np
import pytest

from glotmix.analysis import transfer
from glotmix.analysis.answer import answer
from glotmix.analysis.quantities import measure, quantities
from glotmix.analysis.questions.efficiency import efficiency, of_efficiency
from glotmix.analysis.ratio import fieller
from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "ar": "unseen", "pt": "unseen"}
TRUTH = Truth(
    {
        0: dict(zip(ROLES, (0.8, 0.3, 0.2, 0.2, 0.3), strict=True)),
        100: dict(zip(ROLES, (0.8, 0.6, 0.5, 0.3, 0.4), strict=True)),
    },
    ROLES,
    {0: 3, 100: 3},
    items=80,
    item_by_setting=0.7,
    run=0.1,
)


def test_it_is_the_ratio_of_the_gains_of_the_transfer_table():
    study = simulate(TRUTH, 0)
    gains = dict(transfer(study)["name", "estimate"].rows())
    found = efficiency(study).row(0, named=True)
    assert found["estimate"] == pytest.approx(gains["gain of unseen languages"] / gains["gain of seen languages"])
    assert (found["setting"], found["compared_with"], found["unit"], found["conclusion"]) == (
        "n=100",
        "n=0",
        "ratio",
        "",
    )
    assert found["low"] < found["estimate"] < found["high"]


def test_limits_are_where_the_difference_is_just_told_from_zero():
    """Fieller's limits by definition: a - theta b is 1.96 standard errors from 0."""
    a, b, own, other, shared = 0.1, 0.3, 0.002, 0.003, 0.001
    for theta in fieller((a, b), (own, other, shared), 1e6):
        error = np.sqrt(own - 2 * theta * shared + theta**2 * other)
        assert abs(a - theta * b) / error == pytest.approx(1.96, abs=1e-3)


def test_a_denominator_near_zero_has_no_limits():
    assert np.isnan(fieller((0.1, 0.1), (0.002, 0.003, 0.001), 1e6)).all()


def test_intervals_cover_the_true_ratio():
    covered = bounded = 0
    for seed in range(100):
        found = efficiency(simulate(TRUTH, seed)).row(0, named=True)
        if found["low"] is not None:
            bounded += 1
            covered += found["low"] <= 1 / 3 <= found["high"]
    assert bounded > 95
    assert covered / bounded >= 0.9


def test_no_seen_gain_no_ratio():
    flat = replace(TRUTH, accuracy=dict.fromkeys((0, 100), TRUTH.accuracy[0]))
    found = [efficiency(simulate(flat, seed)).row(0, named=True) for seed in range(30)]
    refused = [row for row in found if row["low"] is None]
    assert len(refused) >= 26  # 95 % of them
    assert all(row["note"].startswith("cannot tell: the seen gain cannot be told from 0") for row in refused)


def test_the_note_says_on_which_side_of_one_it_is():
    assert "unseen languages gain less than seen ones" in efficiency(simulate(TRUTH, 0))["note"][0]
    equal = replace(
        TRUTH, accuracy={0: TRUTH.accuracy[0], 100: {tag: x + 0.25 for tag, x in TRUTH.accuracy[0].items()}}
    )
    equal.accuracy[100]["en"] = 0.8
    assert "1 is inside" in efficiency(simulate(replace(equal, run=0.0), 0))["note"][0]


def test_over_all_settings_it_is_the_ratio_of_mean_gains_and_closer_told_than_at_one():
    levels = {**TRUTH.accuracy, 400: TRUTH.accuracy[100], 900: TRUTH.accuracy[100]}
    study = simulate(replace(TRUTH, accuracy=levels, seeds=dict.fromkeys(levels, 3), run=0.0), 0)
    gains = transfer(study)
    unseen, seen = (gains.filter(name=f"gain of {group} languages")["estimate"].mean() for group in ("unseen", "seen"))
    *single, average = efficiency(study).iter_rows(named=True)
    assert average["estimate"] == pytest.approx(unseen / seen)
    assert average["definition"].count("mean over s = n=100 n=400 n=900") == 2
    assert average["high"] - average["low"] < min(row["high"] - row["low"] for row in single)
    assert answer([of_efficiency], study)["name"].to_list() == [average["name"]]


def test_the_baseline_that_all_settings_share_counts_once():
    """Settings that differ from it in nothing but their own chance: n of them have its luck in all their gains."""
    scores = next(read_scores(simulate(replace(TRUTH, run=0.3), 0)))
    gain = next(own for own in quantities(scores, 1) if own.name == "gain of seen languages")
    assert measure(scores, gain, gain, gain).standard_error == pytest.approx(measure(scores, gain).standard_error)
