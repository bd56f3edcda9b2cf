"""Intervals cover the truth as often as they say; the usual ones, on the same data, do not.

`benchmarks/` has the large version; here 400 studies per case, so 95 % is met between 92 % and 98 %.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from glotmix.analysis.declared import Declared, Finding, concluded
from glotmix.analysis.interval import bounded, interval
from glotmix.analysis.quantities import GAP_CLOSED, SEEN_GAIN, UNSEEN_GAIN, measure, quantities
from glotmix.analysis.scores import Scores
from glotmix.analysis.simulate import Study, Truth

ROLES = {"en": "anchor", "es": "seen", "fr": "seen", "ja": "seen", "zh": "seen", "ar": "unseen", "pt": "unseen"}
TRUTH = Truth(
    {
        0: dict(zip(ROLES, (0.9, 0.3, 0.35, 0.1, 0.1, 0.15, 0.25), strict=True)),
        100: dict(zip(ROLES, (0.88, 0.8, 0.75, 0.3, 0.35, 0.2, 0.4), strict=True)),
    },
    ROLES,
    {0: 3, 100: 3},
    items=80,
)
STUDIES = 400


def naive(scores: Scores) -> tuple[float, float]:
    """Gain of the seen languages, every translation of an item an independent pair, runs averaged and forgotten."""
    before, after = (value.mean(axis=0)[scores.columns("seen")] for value in scores.values)
    pairs = (after - before).ravel()
    half = 1.96 * pairs.std(ddof=1) / np.sqrt(len(pairs))
    return pairs.mean() - half, pairs.mean() + half


@pytest.mark.parametrize(
    ("truth", "naive_covers_less_than"),
    [
        pytest.param(replace(TRUTH, item_by_setting=1.0), 0.85, id="settings that favour some items"),
        pytest.param(replace(TRUTH, run=0.25, run_by_language=0.1), 0.75, id="seed noise"),
        pytest.param(
            replace(TRUTH, run=0.25, run_by_language=0.1, seeds={0: 2, 100: 2}), 0.65, id="seed noise, two seeds"
        ),
    ],
)
def test_intervals_cover_the_truth_where_naive_ones_do_not(truth, naive_covers_less_than):
    means = np.array([[truth.accuracy[rows][tag] for tag in ROLES] for rows in (100, 0)])
    covered = dict.fromkeys((SEEN_GAIN, UNSEEN_GAIN, GAP_CLOSED, "accuracy", "naive"), 0)
    study = Study((truth,))
    for seed in range(STUDIES):
        (scores,) = study.scores(seed)
        order = [list(ROLES).index(tag) for tag in scores.languages]
        for quantity in quantities(scores, 1):
            if quantity.name in covered:
                found = measure(scores, quantity)
                covered[quantity.name] += found.low <= quantity.of(means[:, order]) <= found.high
        cell = bounded(interval(scores, [1], lambda means: float(means[0, 1])))
        covered["accuracy"] += cell.low <= means[0, order[1]] <= cell.high
        low, high = naive(scores)
        covered["naive"] += low <= means[0, 1:5].mean() - means[1, 1:5].mean() <= high
    shares = {name: count / STUDIES for name, count in covered.items()}
    assert shares.pop("naive") < naive_covers_less_than
    assert all(0.92 <= share <= 0.985 for share in shares.values()), shares


def seen_gains(scores: Scores) -> list[Finding]:
    asked = [one for at in range(1, len(scores.settings)) for one in quantities(scores, at) if one.name == SEEN_GAIN]
    return [Finding(SEEN_GAIN, "", "", str(one.setting), "", measure(scores, one)) for one in asked]


def test_of_settings_that_do_not_differ_fewer_than_one_study_in_twenty_has_a_finding():
    """The family of three gains together; stars for each alone, on the same studies, are false more often."""
    rows = (0, 100, 200, 400)
    equal = replace(TRUTH, accuracy=dict.fromkeys(rows, TRUTH.accuracy[0]), seeds=dict.fromkeys(rows, 2), run=0.2)
    study, false, stars = Study((equal,)), 0, 0
    for seed in range(STUDIES):
        found = concluded(seen_gains(study.scores(seed)[0]), Declared())
        false += found["conclusion"].is_in(["higher", "lower"]).any()
        stars += (found["p"] < 0.05).any()
    assert false <= binom.ppf(0.999, STUDIES, 0.05)
    assert stars > 1.5 * false


def test_no_difference_is_said_of_one_as_large_as_the_margin_in_less_than_one_study_in_twenty():
    higher = {tag: level + 0.02 for tag, level in TRUTH.accuracy[0].items()}
    edge = replace(TRUTH, accuracy={0: TRUTH.accuracy[0], 100: higher}, items=1000, run=0.02)
    same = replace(edge, accuracy={0: TRUTH.accuracy[0], 100: TRUTH.accuracy[0]})
    said = {"edge": 0, "same": 0}
    for name, truth in (("edge", edge), ("same", same)):
        study = Study((truth,))
        for seed in range(STUDIES // 2):
            (gain,) = seen_gains(study.scores(seed)[0])
            said[name] += gain.found.within(0.02)
    assert said["edge"] <= binom.ppf(0.999, STUDIES // 2, 0.05)
    assert said["same"] > 0.5 * STUDIES // 2
