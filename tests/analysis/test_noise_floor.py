"""The noise floor: pooled deviations by hand and by simulation, and what falls below."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint

from glotmix.analysis.questions.noise_floor import BELOW, FLOOR, ITEMS, LUCK, NOISE, noise_floor
from glotmix.analysis.simulate import Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
LEVEL = dict(zip(ROLES, (0.5, 0.5, 0.5, 0.5), strict=True))
TRUTH = Truth({0: LEVEL, 100: LEVEL, 200: LEVEL}, ROLES, {0: 3, 100: 1, 200: 2}, items=100, run=0.2)


def rows(study: pl.DataFrame, name: str) -> list[dict]:
    of = pl.col("name").is_in([name]) | pl.col("name").str.starts_with(f"{name}:")
    return noise_floor(study).filter(of).to_dicts()


def test_the_deviation_is_pooled_over_settings_with_several_seeds():
    study = simulate(TRUTH, 0)
    runs = study.filter(role="seen").group_by("setting", "seed").agg(pl.col("value").mean())
    pooled = (
        sum(float(((own["value"] - own["value"].mean()) ** 2).sum()) for _, own in runs.group_by("setting")) / 3
    )  # degrees: 3 - 1 and 2 - 1
    seen = next(row for row in rows(study, NOISE) if "seen" in row["definition"])
    limits = [np.sqrt(pooled * 3 / chi2.ppf(level, 3)) for level in (0.975, 0.025)]
    assert [seen["estimate"], seen["low"], seen["high"]] == pytest.approx([np.sqrt(pooled), *limits])
    floor = next(row for row in rows(study, FLOOR) if "seen" in row["definition"])
    assert floor["estimate"] == pytest.approx(1.96 * np.sqrt(2) * seen["estimate"], rel=1e-4)
    assert floor["note"] == f"with the upper limit of sd: {1.96 * np.sqrt(2) * limits[1]:.3f}"
    assert (seen["n"], seen["counted"]) == (5, "runs")


def test_one_language_is_the_root_mean_square_of_all():
    study = simulate(TRUTH, 0)
    runs = study.group_by("setting", "seed", "language").agg(pl.col("value").mean())
    squares = [
        float(((own["value"] - own["value"].mean()) ** 2).sum()) for _, own in runs.group_by("setting", "language")
    ]
    single = next(row for row in rows(study, NOISE) if "one language" in row["definition"])
    assert single["estimate"] == pytest.approx(np.sqrt(sum(squares) / 3 / 4))


def test_luck_and_items_are_told_apart():
    """Probit luck of 0.2 at 50 % where the spread is sqrt(2): 0.2 phi(0) / sqrt(2) in every language."""
    luck, items = [], []
    lucky = replace(TRUTH, seeds={0: 8, 100: 8, 200: 8}, items=50, run=0.2)
    for seed in range(10):
        found = noise_floor(simulate(lucky, seed))
        luck.append(found.filter(pl.col("name").str.starts_with(f"{LUCK}:"))["estimate"][0] ** 2)
        items.append(found.filter(pl.col("name").str.starts_with(f"{ITEMS}:"))["estimate"][0])
    assert np.sqrt(np.mean(luck)) == pytest.approx(0.2 * 0.3989 / np.sqrt(2), rel=0.15)
    assert np.mean(items) == pytest.approx(0.5 / np.sqrt(50), rel=0.05)  # one language: shares of answers


def test_intervals_of_the_deviation_cover():
    big = simulate(replace(TRUTH, seeds={0: 1500, 100: 1, 200: 1}), 999)
    truth = rows(big, NOISE)[0]["estimate"]
    covered = 0
    for seed in range(60):
        study = simulate(replace(TRUTH, seeds={0: 3, 100: 3, 200: 1}), seed)
        found = rows(study, NOISE)[0]
        covered += found["low"] <= truth <= found["high"]
    assert 0.88 <= covered / 60 <= 0.99


@pytest.mark.parametrize("level", [0.25, 0.1])
def test_the_interval_of_what_test_items_do_covers(level):
    """One language, no luck: p (1 - p) / n in truth. Chi-squared is for normal answers, and covered 47 to 100 %."""
    own = Truth({0: {"es": level}}, {"es": "seen"}, {0: 2}, items=100, item=1.0)
    covered = []
    for seed in range(100):
        found = rows(simulate(own, seed), ITEMS)[0]
        covered.append(found["low"] <= np.sqrt(level * (1 - level) / 100) <= found["high"])
    assert 0.9 <= np.mean(covered) <= 0.98


def test_equal_settings_fall_below_the_floor_and_far_ones_do_not():
    same = rows(simulate(replace(TRUTH, seeds=dict.fromkeys(TRUTH.seeds, 6)), 1), BELOW)[0]
    assert same["n"] == 6 and same["estimate"] >= 0.5
    far = replace(TRUTH, seeds=dict.fromkeys(TRUTH.seeds, 6), run=0.02)
    far = replace(far, accuracy={0: LEVEL, 100: dict.fromkeys(LEVEL, 0.95), 200: dict.fromkeys(LEVEL, 0.05)})
    found = rows(simulate(far, 1), BELOW)[0]
    theirs = proportion_confint(0, 6, method="wilson")
    assert (found["estimate"], found["low"], found["high"]) == pytest.approx((0, *theirs), abs=1e-5)
    assert found["note"] == "0% are below the floor, 0% with the upper limit of sd"


def test_without_replicates_there_is_one_finding_that_says_so():
    found = noise_floor(simulate(TRUTH, 0).filter(seed=0))
    assert len(found) == 1 and found["estimate"][0] is None
    assert found["note"][0].startswith("cannot tell: no setting has two seeds, so a difference of two runs may be luck")


def test_a_table_of_means_has_a_floor():
    cells = ["model", "task", "setting", "baseline", "seed", "language", "role", "rows_per_language", "train_languages"]
    study = simulate(TRUTH, 0)
    found = noise_floor(study.group_by(cells).agg(pl.col("value").mean()))
    assert found.filter(pl.col("name").str.starts_with(f"{NOISE}:"))["estimate"].to_list() == pytest.approx(
        [row["estimate"] for row in rows(study, NOISE)]
    )
    assert not len(found.filter(pl.col("name").str.starts_with(f"{ITEMS}:")))
