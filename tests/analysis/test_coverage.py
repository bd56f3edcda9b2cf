"""Bilingual settings against the anchor alone: study 2's counts to the digit, and what its cells share."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.analysis import coverage
from glotmix.analysis.questions.coverage import _weighted_median
from glotmix.analysis.table import MEANS_SCHEMA
from mixture_study import BILINGUAL, CORE, TESTED, mixture_study

MODELS = {f"lab-{size}m": size * 10**6 for size in (1, 2, 4, 8, 16)}
IN, ABSENT, ANCHOR = "target in training", "target absent", "anchor"


def of(found: pl.DataFrame, name: str, task: str = "") -> dict[str, object]:
    (only,) = found.filter(name=name, task=task).iter_rows(named=True)
    return only


def means(gain: dict[str, list[float]], models: list[str], tasks: list[str], n_items: int | None = 250) -> pl.DataFrame:
    """A table of means whose cells of each group gain what `gain` lists, in turn."""
    queues = {group: iter(values) for group, values in gain.items()}
    records = []
    for model in models:
        for task in tasks:
            for mixture in BILINGUAL:
                for tag in TESTED:
                    group = ANCHOR if tag == "en" else IN if tag in mixture else ABSENT
                    value = 0.5 + (next(queues[group]) if len(mixture) > 1 else 0)
                    role = "anchor" if tag == "en" else "seen" if tag in CORE else "unseen"
                    records.append((model, task, "+".join(mixture), list(mixture), tag, role, value))
    names = ("model", "task", "setting", "train_languages", "language", "role", "value")
    table = pl.DataFrame(records, names, orient="row").with_columns(
        baseline=pl.when(pl.col("setting") == "en").then(pl.lit("")).otherwise(pl.lit("en")),
        rows_per_language=pl.when(pl.col("setting") == "en").then(0).otherwise(100),
        seed=pl.lit(0),
        n_items=pl.lit(n_items),
    )
    return table.cast({name: dtype for name, dtype in MEANS_SCHEMA.items() if name in table.columns})


def signs(wins: int, n: int, loss: float = -0.01) -> list[float]:
    return list(np.random.default_rng(wins).permutation([0.02] * wins + [loss] * (n - wins)))


PRINTED = {IN: (35, 40, 87.5, 73.9, 94.5), ANCHOR: (30, 40, 75.0, 59.8, 85.8), ABSENT: (119, 160, 74.4, 67.1, 80.5)}


def test_the_win_rates_that_study_2_prints_follow_to_the_digit():
    found = coverage(means({group: signs(*own[:2]) for group, own in PRINTED.items()}, [*MODELS], ["api", "math"]))
    for group, (wins, n, *printed) in PRINTED.items():
        own = of(found, f"bilingual wins counted, {group}")
        assert own["n"] == n
        assert f"{wins} wins and 0 ties in {n} cells" in own["note"]
        assert [round(100 * own[column], 1) for column in ("estimate", "low", "high")] == printed
        assert own["conclusion"] == ""  # its cells are not independent: nothing follows from it


def test_a_tie_is_no_win_and_half_a_win_rate_and_the_median_is_numpys():
    gains = [0.1] * 9 + [0.0] * 4 + [-0.1] * 7
    found = coverage(means({IN: signs(1, 20), ANCHOR: signs(1, 20), ABSENT: gains * 4}, [*MODELS], ["math"]))
    assert of(found, f"bilingual wins counted, {ABSENT}", "math")["estimate"] == 9 / 20
    assert of(found, f"bilingual win rate, {ABSENT}", "math")["estimate"] == pytest.approx(11 / 20)
    assert "36 wins and 16 ties in 80 cells" in of(found, f"bilingual win rate, {ABSENT}", "math")["note"]
    assert of(found, f"median bilingual gain, {ABSENT}", "math")["estimate"] == 0.0


def test_where_nobody_tells_how_much_a_mean_varies_only_the_counts_are_given():
    found = coverage(means({g: signs(*own[:2]) for g, own in PRINTED.items()}, [*MODELS], ["api", "math"], None))
    for name in ("bilingual win rate", "median bilingual gain"):
        own = of(found, f"{name}, {IN}")
        assert own["low"] is None and own["note"].startswith("cannot tell: no n_items")
    assert of(found, f"bilingual wins counted, {IN}")["low"] is not None


def null(seed: int, models: dict[str, int]) -> pl.DataFrame:
    return coverage(mixture_study(lambda *_: 0.5, models=models, mixtures=BILINGUAL, items=50, seed=seed))


def test_with_no_gain_anywhere_independent_cells_win_far_too_often_and_the_win_rate_does_not():
    """All cells share one baseline run: if it is unlucky, they win together."""
    wilson, honest, median = [], [], []
    for seed in range(40):
        found = null(seed, {"lab-1m": 10**6})
        own = of(found, f"bilingual wins counted, {ABSENT}", "math")
        wilson.append(not own["low"] <= 0.5 <= own["high"])
        honest.append(of(found, f"bilingual win rate, {ABSENT}", "math")["p"] < 0.05)
        median.append(of(found, f"median bilingual gain, {ABSENT}", "math")["p"] < 0.05)
    assert np.mean(wilson) > 0.15
    assert np.mean(honest) <= 0.1
    assert np.mean(median) <= 0.15


def test_models_that_disagree_leave_the_win_rate_open():
    """Three models win all their cells, two lose all: as independent cells that is well above half."""
    winners = dict(zip(MODELS, (1, 1, 1, 0, 0), strict=True))
    study = mixture_study(
        lambda model, task, mixture, target: 0.5 + (len(mixture) > 1) * (0.2 if winners[model] else -0.2),
        models=MODELS,
        mixtures=BILINGUAL,
    )
    found = coverage(study)
    counted = of(found, f"bilingual wins counted, {ABSENT}", "math")
    assert counted["low"] > 0.45
    rate = of(found, f"bilingual win rate, {ABSENT}", "math")
    assert rate["low"] < 0.25 and rate["high"] > 0.85
    assert rate["basis"] == "items and seeds, models as clusters"
    median = of(found, f"median bilingual gain, {ABSENT}", "math")
    assert median["low"] < 0 < median["high"]
    four = coverage(study.filter(pl.col("model") != "lab-16m"))
    assert of(four, f"bilingual win rate, {ABSENT}", "math")["basis"] == "items and seeds, these models"


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=9))
def test_a_weighted_median_is_that_of_the_values_written_out(pairs):
    values, weights = np.array(pairs, float).T
    if weights.sum():
        expected = np.median(np.repeat(values, weights.astype(int)))
        assert _weighted_median(values[None], weights[None])[0] == expected


def test_a_table_without_bilingual_settings_gives_nothing():
    assert len(coverage(mixture_study(lambda *_: 0.5, models={"lab-1m": 1}, mixtures=[("en",), CORE]))) == 0


def test_controls_are_no_bilingual_settings():
    study = mixture_study(lambda *_: 0.5, models={"lab-1m": 1}, mixtures=BILINGUAL)
    control = pl.when(pl.col("setting") == "mix/en+sw").then(["mix/en+ja"]).otherwise(pl.lit([], pl.List(pl.String)))
    assert of(coverage(study), f"bilingual wins counted, {IN}", "math")["n"] == 4
    assert of(coverage(study.with_columns(control_of=control)), f"bilingual wins counted, {IN}", "math")["n"] == 3


def level(model: str, task: str, mixture: tuple[str, ...], target: str) -> float:
    return 0.4 + 0.2 * (target in mixture) + 0.01 * len(mixture)


@pytest.mark.usefixtures("without_luck")
def test_zero_shot_is_paired_by_item_with_the_bilingual_setting_that_has_the_target():
    study = mixture_study(level, models={"lab-1m": 1})
    found = coverage(study).filter(name="zero-shot minus direct")
    # each of the core is withheld at 4, 6 and 9 languages; Telugu is never trained on directly
    assert len(found) == 15
    setting, direct = "mix/en+es+bn+sw", "mix/en+ja"
    (only,) = found.filter(setting=setting, compared_with=direct).iter_rows(named=True)
    by_item = [
        study.filter(language="ja", setting=name).sort("item_id")["value"].to_numpy() for name in (setting, direct)
    ]
    gain = by_item[0] - by_item[1]
    assert only["estimate"] == pytest.approx(gain.mean())
    half = 2.0010 * gain.std(ddof=1) / np.sqrt(60)  # t of 59 degrees
    assert (only["high"] - only["low"]) / 2 == pytest.approx(half, rel=1e-3)


def test_the_anchor_withheld_is_compared_with_the_mean_of_all_bilingual_settings():
    study = mixture_study(level, models={"lab-1m": 1})
    found = coverage(study).filter(
        pl.col("name") == "zero-shot minus direct", pl.col("definition").str.contains(r"a\(en")
    )
    assert len(found) == 3
    scores = study.filter(language="en").group_by("setting").agg(pl.col("value").mean())
    mean = dict(scores.iter_rows())
    direct = np.mean([mean["mix/" + "+".join(mixture)] for mixture in BILINGUAL[1:]])
    for setting, estimate in found["setting", "estimate"].rows():
        assert estimate == pytest.approx(mean[setting] - direct)


def shares(found: pl.DataFrame) -> dict[str, tuple[float, int]]:
    own = found.filter(pl.col("name").str.contains("direct,"))
    return {name: (estimate, n) for name, estimate, n in own["name", "estimate", "n"].rows()}


def test_a_study_too_small_to_see_anything_is_never_significantly_worse_and_never_equivalent():
    """A true loss of 4 points with 60 items."""
    two = {"lab-1m": 10**6, "lab-2m": 2 * 10**6}
    found = coverage(mixture_study(lambda m, t, mixture, target: 0.5 + 0.04 * (target in mixture), models=two))
    not_worse, n = shares(found)["zero-shot not significantly worse than direct, low-resource target, 9 languages"]
    equal, _ = shares(found)["zero-shot equivalent to direct, low-resource target, 9 languages"]
    assert n == 4  # bn and sw, two models
    assert not_worse >= 0.75
    assert equal == 0
    note = found.filter(pl.col("name").str.contains("equivalent"))["note"][0]
    assert "a loss of 0.02 would have been seen in 0 of" in note


@pytest.mark.usefixtures("without_luck")
@pytest.mark.parametrize(("loss", "equivalent", "not_worse"), [(0.0, 1.0, 1.0), (0.1, 0.0, 0.0)])
def test_a_large_study_tells_equivalence_and_loss_apart(loss, equivalent, not_worse):
    exact = pl.col("language").is_in("train_languages").cast(pl.Float64) * loss + 0.5
    study = mixture_study(level, models={"lab-1m": 1}, items=1).with_columns(value=exact, n_items=pl.lit(100_000))
    found = shares(coverage(study.drop("item_id", "verdict")))
    which = "direct, high-resource target, 9 languages"
    assert found[f"zero-shot equivalent to {which}"] == (equivalent, 2)
    assert found[f"zero-shot not significantly worse than {which}"] == (not_worse, 2)


def test_a_table_without_an_anchor_has_no_bilingual_settings():
    study = mixture_study(level, models={"lab-1m": 1}, mixtures=[*BILINGUAL, CORE[:3]])
    assert len(coverage(study)) > 0
    nobody = study.with_columns(role=pl.lit("seen"), baseline=pl.lit(""))
    assert len(coverage(nobody)) == 0
