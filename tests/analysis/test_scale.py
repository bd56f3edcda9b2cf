"""Scale: a trend needs three sizes, models share test items, and what size does not explain widens the interval."""

import re

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.stats import multivariate_normal, t

from glotmix.analysis import noise, scale
from glotmix.analysis.answer import answer
from glotmix.analysis.quantities import measure
from glotmix.analysis.questions.scale import Point, _covariance, _heterogeneity, _quantities, _trend, of_sizes
from glotmix.analysis.scores import read_scores
from glotmix.harness.results import import_results
from made_runs import Made, made

MIXED = ("en", "es", "fr", "ja", "zh")
SIZES = {"tiny": 10**8, "small": 10**9, "big": 10**10}


def models(gains: dict[str, float], parameters=SIZES, **more) -> pl.DataFrame:
    own = [
        [
            Made("n=0", 0.3, model=model, parameters=parameters[model]),
            Made("n=100", 0.3 + gain, 100, MIXED, "n=0", model=model, parameters=parameters[model]),
        ]
        for model, gain in gains.items()
    ]
    return made([each for pair in own for each in pair], **more)


def one(found: pl.DataFrame, name: str) -> dict:
    return found.filter((pl.col("name") == name) & (pl.col("setting") == "n=100")).row(0, named=True)


def test_gains_that_rise_with_size_have_their_slope_per_tenfold_parameters():
    found = one(
        scale(models({"tiny": 0.1, "small": 0.3, "big": 0.5}, items=2000)), "scale trend of gain of seen languages"
    )
    assert found["low"] < 0.2 < found["high"] and found["estimate"] == pytest.approx(0.2, abs=0.02)
    assert (found["n"], found["counted"], found["model"], found["compared_with"]) == (3, "models", "", "n=0")
    assert "tiny (100,000,000), small (1,000,000,000), big (10,000,000,000)" in found["definition"]


def by_item(study: pl.DataFrame, model: str) -> np.ndarray:
    """(items,): gain of the seen languages on each item."""
    own = study.filter((pl.col("model") == model) & (pl.col("role") == "seen"))
    means = (
        own.group_by("item_id", "setting").agg(pl.col("value").mean()).pivot("setting", index="item_id", values="value")
    )
    return (means["n=100"] - means["n=0"]).to_numpy()[means["item_id"].arg_sort()]


def points(study: pl.DataFrame, name: str) -> list[Point]:
    found = []
    for scores in read_scores(study):
        asked = next(q for q in _quantities(scores, scores.place("n=100")) if q.name == name)
        found.append(Point(scores, (asked,), measure(scores, asked)))
    return found


@pytest.mark.usefixtures("without_luck")
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_models_share_the_items_they_answered(seed):
    study = models({"tiny": 0.1, "small": 0.3, "big": 0.5}, items=60, seed=seed)
    expected = np.cov([by_item(study, model) for model in ("big", "small", "tiny")]) / 60
    assert np.allclose(_covariance(points(study, "gain of seen languages")), expected, rtol=1e-5)


def test_items_that_differ_or_are_not_known_make_models_independent():
    study = models({"tiny": 0.1, "small": 0.3, "big": 0.5}, items=60)
    other = study.filter((pl.col("model") != "tiny") | (pl.col("item_id") != "item-0"))
    found = _covariance(points(other, "gain of seen languages"))
    assert np.array_equal(found, np.diag(found.diagonal())) and (found.diagonal() > 0).all()
    for told, alone in ((study, False), (other, True)):
        assert all(basis.endswith(", models as independent") == alone for basis in scale(told)["basis"])


def test_models_with_the_same_answers_have_no_trend():
    study = pl.concat([models({model: 0.3}, items=60, seed=1) for model in SIZES])
    for name in ("gain of seen languages", "relative to anchor"):
        found = one(scale(study), f"scale trend of {name}")
        assert found["estimate"] == pytest.approx(0, abs=1e-6) and found["low"] < 0 < found["high"]


@pytest.mark.usefixtures("without_luck")
def test_a_difference_of_two_models_is_paired_by_item_and_called_no_trend():
    study = models({"small": 0.1, "big": 0.4}, items=60)
    found = one(scale(study), "difference between sizes of gain of seen languages")
    apart = by_item(study, "big") - by_item(study, "small")
    half = t.ppf(0.975, 59) * apart.std(ddof=1) / np.sqrt(60)
    assert [found[name] for name in ("estimate", "low", "high")] == pytest.approx(
        [apart.mean(), apart.mean() - half, apart.mean() + half], abs=1e-6
    )
    assert "two models are no trend" in found["note"]


DESIGN = np.column_stack([np.ones(5), np.arange(5) - 2.0])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_heterogeneity_is_the_highest_restricted_likelihood(seed, tau):
    """Of the contrasts that the regression leaves: their ordinary likelihood, on a grid."""
    random = np.random.default_rng(seed)
    root = random.normal(0, 0.05, (5, 5))
    covariance = root @ root.T + np.eye(5) * 0.001
    y = random.multivariate_normal(np.zeros(5), covariance + np.eye(5) * tau**2)
    free = null_space(DESIGN.T)

    def likelihood(variance):
        return multivariate_normal(cov=free.T @ (covariance + np.eye(5) * variance) @ free).logpdf(free.T @ y)

    best = max(likelihood(each**2) for each in np.linspace(0, 1.5, 300))
    assert likelihood(_heterogeneity(DESIGN, y, covariance)) >= best - 1e-3


def test_without_heterogeneity_the_trend_is_weighted_least_squares():
    sizes, y, variance = np.array([8.0, 9, 10, 11]), np.array([0.1, 0.2, 0.31, 0.4]), np.array([1, 2, 1, 4]) * 1e-3
    fitted = sm.WLS(y, sm.add_constant(sizes), weights=1 / variance).fit(cov_type="fixed scale")
    found = _trend(sizes, y, np.diag(variance))
    assert (found.estimate, found.standard_error) == pytest.approx((fitted.params[1], fitted.bse[1]))
    assert found.high - found.estimate == pytest.approx(t.ppf(0.975, 2) * fitted.bse[1])


@pytest.mark.parametrize(("tau", "shared"), [(0.0, 0.03), (0.03, 0.0), (0.1, 0.03)])
def test_trends_cover_the_truth(tau, shared):
    random, sizes = np.random.default_rng(0), np.array([8.8, 9.2, 9.6, 9.9, 10.5])
    covariance = np.diag([0.02, 0.02, 0.03, 0.02, 0.02]) ** 2 + shared**2
    covered = 0
    for _ in range(200):
        y = 0.1 * sizes + random.multivariate_normal(np.zeros(5), covariance) + random.normal(0, tau, 5)
        found = _trend(sizes, y, covariance)
        covered += found.low <= 0.1 <= found.high
    assert covered >= 0.93 * 200


def test_models_without_parameters_are_refused_or_left_out_and_told():
    untold = scale(models({"small": 0.1, "big": 0.4}, dict.fromkeys(SIZES)))
    assert untold["note"].to_list() == [
        "cannot tell: no parameters told for big small; add them in the column 'parameters'"
    ]
    some = one(
        scale(models({"tiny": 0.1, "small": 0.1, "big": 0.4}, {**SIZES, "tiny": None})),
        "difference between sizes of gain of seen languages",
    )
    assert "left out tiny: no parameters told" in some["note"]
    assert scale(models({"small": 0.1})).is_empty()
    assert scale(models({"small": 0.1, "big": 0.4}, dict.fromkeys(SIZES, 10**9))).is_empty()


def _parameters(run: str) -> int:
    number, unit = re.search(r"(\d+\.?\d*)(b1|b7|b|m)", run.lower()).groups()
    size = float(number) + {"b1": 0.1, "b7": 0.7}.get(unit, 0)
    return round(size * (1e6 if unit == "m" else 1e9))


@pytest.mark.usefixtures("without_luck")
def test_published_scores_rise_with_size_and_of_relative_performance_nobody_can_tell(data_folder, tmp_path):
    folder = [data_folder / "lm_eval_results" / "raw_mgsm_direct"]
    runs = import_results(folder).read["run"].unique().sort().to_list()
    told = pl.DataFrame({"run": runs, "parameters": [_parameters(run) for run in runs]})
    told.write_csv(tmp_path / "runs.csv")
    found = scale(import_results(folder, runs=tmp_path / "runs.csv").table)
    by_name = {row["name"]: row for row in found.iter_rows(named=True)}
    score, relative = (
        by_name["scale trend of score of all but the anchor"],
        by_name["scale trend of relative to anchor"],
    )
    assert (score["n"], score["conclusion"]) == (33, "higher")
    assert (relative["n"], relative["conclusion"]) == (29, "cannot tell")
    assert "left out" in relative["note"] and "may differ in more than size" in score["note"]


def test_over_all_settings_two_models_differ_by_the_mean_of_their_differences_paired_by_item():
    parts = [
        models({"small": 0.1, "big": 0.4}, items=60, seed=seed).with_columns(
            pl.col("setting").str.replace("n=100", f"n={rows}"),
            pl.col("rows_per_language").replace(100, rows),
        )
        for seed, rows in ((0, 100), (1, 400))
    ]
    study = pl.concat([parts[0], parts[1].filter(pl.col("setting") != "n=0")])
    seen = study.filter(role="seen").group_by("model", "setting", "item_id").agg(pl.col("value").mean())
    cells = {key: part.sort("item_id")["value"].to_numpy() for key, part in seen.group_by("model", "setting")}
    gains = [(cells[model, "n=100"] + cells[model, "n=400"]) / 2 - cells[model, "n=0"] for model in ("big", "small")]
    name = pl.col("name") == "difference between sizes of gain of seen languages over all settings"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "RUN_LUCK", 0.0)
        (found,) = answer([of_sizes], study).filter(name).iter_rows(named=True)
    apart = gains[0] - gains[1]
    half = t.ppf(0.975, 59) * apart.std(ddof=1) / np.sqrt(60)
    expected = [apart.mean(), apart.mean() - half, apart.mean() + half]
    assert [found[name] for name in ("estimate", "low", "high")] == pytest.approx(expected, abs=1e-5)
    assert (found["setting"], found["compared_with"]) == ("", "n=0")


def test_models_are_compared_over_the_settings_that_all_of_them_have():
    study = models({"tiny": 0.1, "small": 0.3, "big": 0.5})
    more = study.filter(pl.col("setting") == "n=100", pl.col("model") != "tiny").with_columns(
        setting=pl.lit("n=400"), rows_per_language=pl.lit(400, pl.Int64)
    )
    found = answer([of_sizes], pl.concat([study, more]))
    assert all("mean over s = n=100; models tiny" in text for text in found["definition"])
