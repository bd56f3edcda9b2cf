"""The pooled regression: study 2's terms, refused by name where the table cannot tell them, with errors that hold."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.stats
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from glotmix.analysis import regression
from glotmix.analysis.answer import answer
from glotmix.analysis.clustered import slopes, untold
from glotmix.analysis.questions.pooled import family_of, of_regression
from mixture_study import BILINGUAL, CORE, mixture_study

QWEN = {f"Qwen/Qwen3-{size}B-Base": int(size * 1e9) for size in (0.6, 1.7, 8)}
MODELS = QWEN | {f"google/gemma-3-{size}b-pt": int(size * 1e9) for size in (1, 4)}
TERMS = ("log10 parameters", "family qwen3", "task math", "target in training", "sqrt(L / Lmax)")
TRUE = dict(zip(TERMS, (0.1, 0.05, -0.1, 0.09, 0.05), strict=True))


def level(model: str, task: str, mixture: tuple[str, ...], target: str) -> float:
    size, languages = np.log10(MODELS[model] / 1e9), np.sqrt(len(mixture) / 10)
    values = (size, "Qwen" in model, task == "math", target in mixture, languages)
    return 0.4 + sum(slope * value for slope, value in zip(TRUE.values(), values, strict=True))


STUDY = mixture_study(level, models=MODELS, tasks=("api_calls", "math"))
FOUND = regression(STUDY)


def of(term: str, found: pl.DataFrame = FOUND) -> dict[str, object]:
    (only,) = found.filter(name=f"pooled regression: {term}").iter_rows(named=True)
    return only


def by_hand(table: pl.DataFrame) -> pl.DataFrame:
    means = table.group_by("model", "parameters", "task", "setting", "train_languages", "seed", "language").agg(
        pl.col("value").mean()
    )
    languages = pl.col("train_languages").list.len()
    return means.with_columns(
        size=pl.col("parameters").log10(),
        qwen=pl.col("model").str.contains("Qwen").cast(float),
        math=(pl.col("task") == "math").cast(float),
        seen=pl.col("language").is_in("train_languages").cast(float),
        languages=(languages / languages.max()).sqrt(),
    )


def test_the_slopes_are_those_of_least_squares_and_the_note_has_the_interval_of_independent_rows():
    fitted = smf.ols("value ~ size + qwen + math + seen + languages", by_hand(STUDY).to_pandas()).fit()
    plain = fitted.conf_int()
    for term, name in zip(TERMS, ("size", "qwen", "math", "seen", "languages"), strict=True):
        own = of(term)
        assert own["estimate"] == pytest.approx(fitted.params[name])
        assert f"rows taken as independent: {plain[0][name]:.3f} to {plain[1][name]:.3f}" in own["note"]
        assert own["low"] < plain[0][name] and own["high"] > plain[1][name]
        assert own["n"] == 5 * 2 * 22 * 6


def test_the_truth_is_inside():
    for term, true in TRUE.items():
        assert of(term)["low"] < true < of(term)["high"]


def test_what_differs_only_between_models_has_as_many_points_as_models():
    """Five models, less the mean, size and family: t with 2 degrees, on the five means."""
    means = by_hand(STUDY).group_by("model", "size", "qwen").agg(pl.col("value").mean())
    fitted = smf.ols("value ~ size + qwen", means.to_pandas()).fit()
    for term, name in (("log10 parameters", "size"), ("family qwen3", "qwen")):
        own = of(term)
        assert own["estimate"] == pytest.approx(fitted.params[name])
        assert own["low"] <= fitted.conf_int()[0][name] + 1e-9
        assert own["high"] >= fitted.conf_int()[1][name] - 1e-9


def test_r2_out_of_sample_is_that_of_scikit_learn_when_whole_models_are_left_out():
    rows = by_hand(STUDY).sort("model")
    terms, score = rows.select("size", "qwen", "math", "seen", "languages").to_numpy(), rows["value"].to_numpy()
    guess = cross_val_predict(LinearRegression(), terms, score, groups=rows["model"].to_list(), cv=LeaveOneGroupOut())
    known = 1 - ((score - guess) ** 2).sum() / ((score - score.mean()) ** 2).sum()
    own = of("R2, whole models left out")
    assert own["estimate"] == pytest.approx(known)
    assert own["n"] == 5 and own["low"] is None and "5 models are too few" in own["note"]
    settings = of("R2, whole settings left out")
    assert settings["low"] < settings["estimate"] < settings["high"]


def test_two_tasks_alike_in_truth_differ_by_their_items_which_rows_and_clusters_do_not_show():
    """The test items of a task are drawn once: independent rows make a finding of their luck."""
    naive, honest = [], []
    for seed in range(20):
        study = mixture_study(
            lambda *_: 0.5, models={"lab-1m": 10**6}, tasks=("api", "math"), mixtures=(*BILINGUAL, CORE), seed=seed
        )
        own = of("task math", regression(study))
        plain = own["note"].split("independent: ")[1].split(";")[0].split(" to ")
        naive.append(not float(plain[0]) <= 0 <= float(plain[1]))
        honest.append(own["conclusion"] in ("higher", "lower"))
    assert np.mean(naive) > 0.4
    assert np.mean(honest) <= 0.15


def no_items(weights: np.ndarray) -> tuple[float, int]:
    return 0.0, 1


def test_slopes_that_differ_by_model_are_covered_with_five_models_and_not_with_independent_rows():
    """Each of five models has its own effect of a term, 0 on average."""
    random, rows = np.random.default_rng(0), 5 * 20
    clusters = {"settings": np.tile(np.arange(20), 5), "models": np.repeat(np.arange(5), 20)}
    naive, honest = [], []
    for _ in range(200):
        term = np.tile(random.permutation(np.repeat([0.0, 1.0], 10)), 5)
        score = random.normal(0, 1, 5)[clusters["models"]] * term + random.normal(0, 0.5, rows)
        (found,) = slopes(score, {"term": term}, clusters, no_items).values()
        honest.append(found.low <= 0 <= found.high)
        low, high = found.note.split(";")[0].removeprefix("rows taken as independent: ").split(" to ")
        naive.append(float(low) <= 0 <= float(high))
    assert np.mean(honest) > 0.92
    assert np.mean(naive) < 0.75


def test_errors_are_the_widest_of_one_way_and_two_way_clustering_as_statsmodels_has_them():
    random = np.random.default_rng(3)
    clusters = {"settings": np.tile(np.arange(12), 6), "models": np.repeat(np.arange(6), 12)}
    term = random.normal(size=72)
    score = term * random.normal(0, 1, 6)[clusters["models"]] + random.normal(0, 1, 12)[clusters["settings"]]
    (found,) = slopes(score, {"term": term}, clusters, no_items).values()
    fitted = sm.OLS(score, sm.add_constant(term)).fit()
    halves = []
    for groups, degrees in (
        (clusters["settings"], 11),
        (clusters["models"], 5),
        (np.stack([*clusters.values()], axis=1), 5),
    ):
        error = fitted.get_robustcov_results("cluster", groups=groups).bse[1]
        halves.append(error * scipy.stats.t.ppf(0.975, degrees))
    assert found.high - found.estimate == pytest.approx(max(halves))


def test_terms_that_cannot_be_told_are_refused_by_name():
    size, task, free = np.array([0.0, 1, 0, 1]), np.array([0.0, 2, 0, 2]), np.array([0.0, 0, 1, 1])
    assert untold({"size": size, "task": task, "free": free, "same": np.ones(4)}) == {
        "same": "it is the same in all rows",
        "size": "it always goes with task",
        "task": "it always goes with size",
    }


def test_a_model_per_task_leaves_neither_to_be_told_but_the_rest_is():
    small, large = "lab-1m", "lab-2m"
    parts = [
        mixture_study(lambda *_: 0.5, models={model: size * 10**6}, tasks=(task,))
        for model, size, task in ((small, 1, "api"), (large, 2, "math"))
    ]
    found = regression(pl.concat(parts))
    assert "cannot tell: it always goes with task math" in of("log10 parameters", found)["note"]
    assert "cannot tell: it always goes with log10 parameters" in of("task math", found)["note"]
    assert of("target in training", found)["low"] is not None


def test_two_sizes_are_too_few_for_a_size_term():
    found = regression(STUDY.filter(pl.col("model").is_in(list(QWEN)[:2])))
    assert of("log10 parameters", found)["low"] is None
    assert "2 models" in of("log10 parameters", found)["note"]
    assert of("target in training", found)["low"] is not None


def test_models_of_unknown_size_are_told():
    found = regression(STUDY.with_columns(parameters=pl.lit(None, pl.Int64)))
    assert "parameters are not told for every model" in of("log10 parameters", found)["note"]


def test_the_model_before_training_is_a_term_of_its_own():
    base = mixture_study(lambda *_: 0.3, models=MODELS, tasks=("api_calls", "math"), mixtures=[("en",)]).with_columns(
        setting=pl.lit("base"), train_languages=pl.lit([], pl.List(pl.String)), total_rows=pl.lit(0, pl.Int64)
    )
    found = regression(pl.concat([STUDY, base]))
    assert of("pretrained only", found)["estimate"] < -0.05
    assert "pooled regression: pretrained only" not in FOUND["name"].to_list()


def test_a_small_study_is_refused_and_adds_nothing_to_the_findings():
    small = mixture_study(lambda *_: 0.5, models={"lab-1m": 10**6}, mixtures=BILINGUAL[:3])
    assert regression(small)["note"].to_list() == ["cannot tell: 3 settings are fewer than 5"]
    assert len(answer([of_regression], small)) == 0
    unknown = STUDY.with_columns(train_languages=pl.lit(None, pl.List(pl.String)))
    assert "train_languages are not told at mix/" in regression(unknown)["note"][0]


@pytest.mark.parametrize(
    ("names", "families"),
    [
        (["Qwen/Qwen3-0.6B-Base", "Qwen3-8B", "google/gemma-3-1b-pt"], ["qwen3", "qwen3", "gemma-3"]),
        (["meta/Llama-3.2-1B", "meta/Llama-3.2-3B-Instruct", "lab-1m"], ["llama-3.2", "llama-3.2", "lab"]),
        (["XLMR", "TULRv6Large"], ["", ""]),
    ],
)
def test_a_family_is_what_stands_before_the_size(names, families):
    assert [family_of(pl.Series(names))[name] for name in names] == families


LITMUS = ("task", "model", "setting", "train_languages", "total_rows", "language", "value")


def litmus(folder: Path, *names: str) -> pl.DataFrame:
    """Real runs as a table of means: their training rows per language, and their scores on every language."""
    records = []
    for name in names:
        for run, one in enumerate(json.loads((folder / "litmus_sumeval" / "train" / f"{name}.json").read_text())):
            rows = {tag: count for tag, count in one["train_config"].items() if count}
            what = (*name.split("_"), f"mixture {run}", list(rows), sum(rows.values()))
            records += [(*what, tag, score) for tag, score in one["eval_results"].items()]
    same = {"seed": 0, "rows_per_language": 1, "role": "seen", "baseline": ""}
    return pl.DataFrame(records, LITMUS, orient="row").with_columns(pl.lit(of).alias(name) for name, of in same.items())


def test_real_mixtures_tell_that_the_target_in_training_helps_seven_times_less_surely_than_rows_do(data_folder):
    found = of("target in training", regression(litmus(data_folder, "UDPOS_XLMR")))
    assert found["n"] == 400 * 30
    assert found["conclusion"] == "higher"
    assert 0.03 < found["low"] < 0.074 < found["high"] < 0.12
    naive = found["note"].split("independent: ")[1].split(" to ")
    assert found["high"] - found["low"] > 5 * (float(naive[1]) - float(naive[0]))


def test_a_fit_to_one_real_model_does_not_predict_another(data_folder):
    found = regression(litmus(data_folder, "XNLI_XLMR", "XNLI_TULRv6Large"))
    assert "parameters are not told" in of("log10 parameters", found)["note"]
    left_out = of("R2, whole models left out", found)
    assert left_out["estimate"] < 0
    assert "2 models are too few" in left_out["note"]
