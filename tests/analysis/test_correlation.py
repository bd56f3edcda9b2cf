"""Correlation of seen and unseen: the coefficients are scipy's, intervals hold, and shared luck is no finding."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from glotmix.analysis.noise import MANY
from glotmix.analysis.questions.correlation import LINEAR, RANK, around, correlated, correlation, permutation_p
from glotmix.analysis.simulate import Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "ar": "unseen", "pt": "unseen"}
LEVELS = {0: (0.8, 0.3, 0.1, 0.2, 0.3), 100: (0.8, 0.5, 0.3, 0.25, 0.4), 200: (0.8, 0.6, 0.5, 0.3, 0.45)}
LEVELS |= {400: (0.8, 0.75, 0.6, 0.45, 0.5), 800: (0.8, 0.8, 0.75, 0.55, 0.6)}
RISING = Truth(
    {rows: dict(zip(ROLES, level, strict=True)) for rows, level in LEVELS.items()}, ROLES, dict.fromkeys(LEVELS, 2)
)
FLAT = replace(
    RISING, accuracy={rows: dict(zip(ROLES, (0.8, 0.5, 0.4, 0.3, 0.4), strict=True)) for rows in LEVELS}, run=0.2
)


def means_of(study: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    by_role = study.group_by("rows_per_language", "role").agg(pl.col("value").mean()).sort("rows_per_language")
    seen, unseen = (by_role.filter(role=role)["value"].to_numpy() for role in ("seen", "unseen"))
    return seen, unseen


@pytest.mark.parametrize("seed", range(3))
def test_coefficients_and_permutation_p_are_those_of_scipy(seed):
    study = simulate(FLAT, seed)
    seen, unseen = means_of(study)
    found = {row["name"]: row for row in correlation(study).iter_rows(named=True)}
    for name, theirs in ((RANK, stats.spearmanr), (LINEAR, stats.pearsonr)):
        assert found[name]["estimate"] == pytest.approx(theirs(seen, unseen).statistic)
        exact = stats.permutation_test(
            (seen,),
            lambda one, theirs=theirs: abs(theirs(one, unseen).statistic),
            permutation_type="pairings",
            alternative="greater",
        )
        assert f"permutation p {exact.pvalue:.3f} (all orders)" in found[name]["note"]


def test_intervals_are_those_of_the_papers():
    """Fisher's is scipy's; Bonett & Wright's for r = 0.6 and n = 20 by hand: artanh(0.6) -+ 1.96 sqrt(1.18 / 17)."""
    random = np.random.default_rng(0)
    one = random.normal(size=12)
    other = one + random.normal(size=12)
    theirs = stats.pearsonr(one, other).confidence_interval()
    found = around(float(correlated(one, other)), 12, ranks=False)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    found = around(0.6, 20, ranks=True)
    assert (found.low, found.high) == pytest.approx(
        (np.tanh(0.693147 - 0.516391), np.tanh(0.693147 + 0.516391)), abs=1e-4
    )
    assert found.degrees == MANY and found.counted == "settings"


def test_full_agreement_of_ranks_has_an_interval_with_a_width():
    """By hand: half a swap short of 1 is 0.9 for 4 settings and 0.988 for 8."""
    for n, kept in ((4, 0.9), (8, 1 - 6 / 504)):
        found = around(1.0, n, ranks=True)
        low = np.tanh(np.arctanh(kept) - 1.96 * np.sqrt((1 + kept**2 / 2) / (n - 3)))
        assert found.high == 1 and found.low == pytest.approx(low, abs=1e-3)


@pytest.mark.parametrize("ranks", [False, True])
def test_intervals_of_eight_points_cover(ranks):
    random, truth, covered = np.random.default_rng(1), 0.6, 0
    target = 6 / np.pi * np.arcsin(truth / 2) if ranks else truth  # Spearman's of a normal pair
    for _ in range(500):
        one, other = random.multivariate_normal([0, 0], [[1, truth], [truth, 1]], size=8).T
        if ranks:
            one, other = stats.rankdata(one), stats.rankdata(other)
        found = around(float(correlated(one, other)), 8, ranks)
        covered += found.low <= target <= found.high
    assert 0.92 <= covered / 500 <= 0.985


@pytest.mark.parametrize("seeds", [dict.fromkeys(LEVELS, 2), {**dict.fromkeys(LEVELS, 1), 0: 3}])
def test_shared_luck_is_not_a_finding_where_a_permutation_calls_it_one(monkeypatch, seeds):
    """Settings that do not differ: seen and unseen correlate by luck alone, of which two seeds tell little."""
    monkeypatch.setattr("glotmix.analysis.noise.DRAWS", 1000)
    ours = permutations = 0
    for seed in range(60):
        found = correlation(simulate(replace(FLAT, items=60, seeds=seeds), seed)).row(1, named=True)
        ours += found["p"] < 0.05
        permutations += float(found["note"].split("permutation p ")[1].split()[0]) < 0.05
    assert ours <= 5
    assert permutations > 9


def test_assumed_luck_is_no_evidence_that_seen_and_unseen_go_apart(monkeypatch):
    """Runs of one seed without any luck correlate less than the luck assumed for them makes."""
    monkeypatch.setattr("glotmix.analysis.noise.DRAWS", 1000)
    still = replace(FLAT, run=0.0, seeds=dict.fromkeys(LEVELS, 1), items=200)
    found = [correlation(simulate(still, seed)).row(1, named=True) for seed in range(20)]
    assert sum(row["conclusion"] == "lower" for row in found) <= 1
    for row in found:
        assert row["p"] >= float(row["note"].split("permutation p ")[1].split()[0]) - 5e-4


def test_what_rises_together_is_not_told_from_noise_by_the_coefficient_alone():
    found = correlation(simulate(RISING, 0)).row(1, named=True)
    assert found["estimate"] > 0.9
    assert "noise alone gives" in found["note"]


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (pl.col("rows_per_language") < 400, "a correlation needs 4 settings, the series has 3"),
        (pl.col("role") != "unseen", "no language is unseen at every setting"),
    ],
)
def test_refusals(kept, why):
    found = correlation(simulate(RISING, 0).filter(kept))
    assert found["name"].to_list() == [RANK, LINEAR]
    assert all(note.startswith(f"cannot tell: {why}") for note in found["note"])
    assert found["low"].null_count() == 2


def test_a_setting_alone_is_not_asked():
    assert not len(correlation(simulate(RISING, 0).filter(pl.col("rows_per_language") < 200)))


def test_a_table_of_means_without_counts_has_the_permutation_p():
    study = simulate(RISING, 0).filter(seed=0)
    cells = ["model", "task", "setting", "baseline", "seed", "language", "role", "rows_per_language", "train_languages"]
    found = correlation(study.group_by(cells).agg(pl.col("value").mean())).row(1, named=True)
    seen, unseen = means_of(study)
    assert found["p"] == pytest.approx(permutation_p(seen, unseen))
    assert "noise not known" in found["note"]


def test_several_series_are_asked_apart_and_together():
    one, other = (simulate(RISING, seed) for seed in (0, 1))
    renamed = [
        study.with_columns(
            pl.format(f"{name}/{{}}", "setting").alias("setting"),
            pl.when(pl.col("baseline") == "").then(pl.lit("")).otherwise(pl.lit(f"{name}/n=0")).alias("baseline"),
        )
        for name, study in (("a", one), ("b", other))
    ]
    found = correlation(pl.concat(renamed))
    assert found["setting"].to_list() == ["a", "a", "b", "b", "", ""]
    assert found["n"].to_list() == [5, 5, 5, 5, 10, 10]
    assert found["estimate"][0] == pytest.approx(correlation(one)["estimate"][0])
