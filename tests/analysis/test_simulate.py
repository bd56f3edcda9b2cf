"""Made-up studies are what they say: expected accuracies, verdicts, and the same arrays by both ways."""

from dataclasses import replace

import numpy as np
import pytest

from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Study, Truth, saturating
from glotmix.analysis.table import VERDICTS, check_results

ROLES = {"en": "anchor", "pt": "unseen", "es": "seen"}
LEVELS = {0: (0.8, 0.2, 0.3), 100: (0.75, 0.4, 0.7)}
TRUTH = Truth(
    {rows: dict(zip(ROLES, level, strict=True)) for rows, level in LEVELS.items()},
    ROLES,
    {0: 2, 100: 1},
    run=0.2,
    unreadable={100: {"malformed": 0.2, "wrong_language": 0.1}},
)
BOTH = Study(
    (
        replace(TRUTH, design="multi", train_tasks=("math", "api_calls")),
        replace(TRUTH, design="single"),
        replace(TRUTH, model="b", parameters=10),
    )
)


@pytest.mark.parametrize("translated", [True, False])
def test_arrays_are_what_reading_the_table_gives(translated):
    study = Study(tuple(replace(truth, translated=translated, items=12) for truth in BOTH.truths))
    check_results(study.table(5))
    for read, made in zip(read_scores(study.table(5)), study.scores(5), strict=True):
        assert (read.model, read.settings, read.languages) == (made.model, made.settings, made.languages)
        assert np.array_equal(read.used, made.used)
        for one, other in zip((*read.values, *read.verdicts), (*made.values, *made.verdicts), strict=True):
            assert np.array_equal(one, other)


def test_shares_of_right_answers_and_of_verdicts_are_those_asked_for():
    truth = replace(TRUTH, items=400)
    tables = [Study((truth,)).scores(seed)[0] for seed in range(150)]
    means = np.mean([scores.means for scores in tables], axis=0)
    order = [list(ROLES).index(tag) for tag in tables[0].languages]
    expected = np.array([LEVELS[0], np.array(LEVELS[100]) * 0.7])[:, order]
    assert means == pytest.approx(expected, abs=0.015)
    kinds = np.concatenate([scores.verdicts[1].ravel() for scores in tables])
    assert np.mean(kinds == VERDICTS.index("malformed")) == pytest.approx(0.2, abs=0.005)
    assert np.mean(kinds == VERDICTS.index("wrong_language")) == pytest.approx(0.1, abs=0.005)
    (exact,) = Study((truth,)).expected()
    assert exact.means == pytest.approx(expected, abs=0.0015)


def test_tables_of_one_task_share_their_items_and_others_do_not():
    hard = replace(TRUTH, item=3.0, unreadable={})
    one, same, other = Study(
        (replace(hard, model="a"), replace(hard, model="b"), replace(hard, model="c", task="other"))
    ).scores(0)
    alike = np.corrcoef([scores.values[0].mean(axis=(0, 1)) for scores in (one, same, other)])
    assert alike[0, 1] > 0.6
    assert abs(alike[0, 2]) < 0.3


def test_a_saturating_curve_has_gone_63_percent_of_its_way_at_its_scale():
    assert saturating(0, 0.2, 0.8, 50) == pytest.approx(0.2)
    assert saturating(50, 0.2, 0.8, 50) == pytest.approx(0.2 + 0.6 * (1 - np.exp(-1)))
    assert saturating(10**6, 0.2, 0.8, 50) == pytest.approx(0.8)
