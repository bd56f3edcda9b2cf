"""Interference: task rows are equal or told not to be, and nothing is guessed where a table does not tell the tasks."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.analysis import Declared, interference, noise
from glotmix.analysis.answer import answer
from glotmix.analysis.questions.interference import of_interference
from glotmix.evidence.tables import table
from made_runs import Made, made


@pytest.fixture(autouse=True, scope="module")
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "DRAWS", 2000)
        yield


MIXED = ("en", "es", "fr", "ja", "zh")
BOTH = ("math", "sum")


def of_kind(kind: str, tasks: tuple[str, ...], levels: dict[int, float], **more) -> list[Made]:
    base = Made(f"{kind}/n=0", levels[0], tasks=tasks, seeds=2, **more)
    rest = {n: level for n, level in levels.items() if n}
    return [base, *(replace(base, setting=f"{kind}/n={n}", accuracy=at, rows=n, languages=MIXED,
                            baseline=base.setting, seeds=1) for n, at in rest.items())]  # fmt: skip


SINGLE = of_kind("single", ("math",), {0: 0.2, 100: 0.4, 400: 0.6})
MULTI = of_kind("multi", BOTH, {0: 0.2, 100: 0.3, 200: 0.4, 400: 0.5, 800: 0.7}, anchor_rows=500)


def level(study: pl.DataFrame, setting: str, role: str) -> float:
    own = study.filter((pl.col("setting") == setting) & (pl.col("role") == role))
    return own.group_by("language").agg(pl.col("value").mean())["value"].mean()


def test_runs_are_matched_by_rows_and_every_group_of_languages_is_asked_for():
    study = made([*SINGLE, *MULTI])
    found = interference(study)
    seen = found.filter(pl.col("name") == "interference in seen languages")
    assert seen["setting", "compared_with"].rows() == [(f"single/n={n}", f"multi/n={n}") for n in (0, 100, 400)]
    expected = [level(study, f"single/n={n}", "seen") - level(study, f"multi/n={n}", "seen") for n in (0, 100, 400)]
    assert seen["estimate"].to_list() == pytest.approx(expected)
    over_all = found.filter(pl.col("name") == "interference in seen languages over all rows")
    assert over_all["estimate"].to_list() == pytest.approx([np.mean(expected[1:])])
    assert [
        name for name in found["name"].unique(maintain_order=True) if " over" not in name and " at " not in name
    ] == [
        "interference in seen languages",
        "interference in unseen languages",
        "interference in all but the anchor",
        "interference in the anchor",
        "rows saved by multi-task training",
    ]


def test_the_best_of_each_may_be_at_different_rows():
    study = made([*SINGLE, *MULTI])
    found = interference(study).filter(pl.col("name") == "interference in unseen languages at the best")
    best = [max(level(study, own.setting, "unseen") for own in kind) for kind in (SINGLE, MULTI)]
    assert found["estimate"].to_list() == pytest.approx([best[0] - best[1]])
    assert "(n = 800 of 5)" in found["definition"][0]


def test_seen_and_unseen_are_as_the_runs_train_wherever_their_baseline_stands():
    two = [replace(own, languages=("en", "es") if own.rows else ("en",)) for own in (*SINGLE, *MULTI)]
    last = {"single/n=0": "z/n=0", "multi/n=0": "zz/n=0"}
    moved = [
        replace(own, setting=last.get(own.setting, own.setting), baseline=last.get(own.baseline, "")) for own in two
    ]
    found = interference(made(moved))
    told = dict(found["name", "definition"].rows())
    assert "over es, mean" in told["interference in seen languages over all rows"]
    assert "over fr ja zh ko pt, mean" in told["interference in unseen languages over all rows"]


def test_unequal_anchor_rows_are_told():
    notes = interference(made([*SINGLE, *MULTI]))["note"]
    assert all("anchor rows of the task differ, 1000 against 500: not interference alone" in note for note in notes)
    equal = interference(made([*SINGLE, *(replace(own, anchor_rows=1000) for own in MULTI)]))["note"]
    assert not any("anchor rows" in note for note in equal)


def test_where_no_setting_has_a_second_seed_everything_drawn_says_so():
    found = interference(made([replace(own, seeds=1) for own in (*SINGLE, *MULTI)]))
    assert all("the luck of a run is assumed" in note for note in found["note"])
    assert not any("the luck of a run is assumed" in note for note in interference(made([*SINGLE, *MULTI]))["note"])


def test_interference_that_is_there_is_found_and_none_is_not():
    worse = interference(made([*SINGLE, *MULTI], items=400, seed=2))
    found = dict(worse["name", "conclusion"].rows())
    assert found["interference in seen languages over all rows"] == "higher"
    same = [replace(own, accuracy={"n=0": 0.2, "n=100": 0.4}.get(own.setting[6:], 0.6)) for own in MULTI]
    none = interference(made([*SINGLE, *same], items=400, seed=2))
    assert "higher" not in none["conclusion"].to_list()


def rows_saved(study: pl.DataFrame, margin: float = 0.02) -> dict:
    found = interference(study, Declared(margin=margin))
    return found.filter(pl.col("name").str.starts_with("rows saved")).row(0, named=True)


def test_rows_saved_count_rows_of_the_task_until_multi_task_runs_arrive():
    """Every item is right in a share of languages that is the level: single at its best with 1000 + 4 * 400 rows."""
    exact = made([*SINGLE, *MULTI], items=40).with_columns(
        value=pl.col("setting").replace_strict({own.setting: own.accuracy for own in (*SINGLE, *MULTI)})
    )
    near = pl.when(pl.col("setting") == "multi/n=800").then(0.59).otherwise("value")
    found = rows_saved(exact)
    assert found["estimate"] == 2600 - (500 + 4 * 800)
    assert "shown from 3700 rows on" in found["note"]
    assert rows_saved(exact.with_columns(value=near))["estimate"] == -1100
    assert rows_saved(exact.with_columns(value=near), margin=0.005)["estimate"] is None
    assert "0% of resamples" in rows_saved(exact.with_columns(value=near), margin=0.005)["note"]
    assert rows_saved(exact, margin=0.11)["estimate"] == 2600 - (500 + 4 * 400)
    untold = exact.with_columns(anchor_rows=pl.lit(None, pl.Int64))
    assert "the anchor's rows are not told" in rows_saved(untold)["note"]


def test_arrivals_that_noise_can_make_are_not_shown():
    found = rows_saved(made([replace(own, accuracy=0.5) for own in (*SINGLE, *MULTI)], items=30))
    assert found["estimate"] is not None and "not shown at any number of rows" in found["note"]


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 100))
def test_swapping_the_answers_of_single_and_multi_runs_turns_every_sign(seed):
    multi = of_kind("multi", BOTH, {0: 0.2, 100: 0.3, 400: 0.5})
    study = made([*SINGLE, *multi], items=30, seed=seed)
    kind = pl.col("setting").str.split("/").list
    swapped = study.with_columns(
        train_tasks=pl.when(kind.first() == "single").then(pl.lit(list(BOTH))).otherwise(pl.lit(["math"]))
    )
    linear = ~pl.col("name").str.contains("at the best|rows saved")
    one, other = (interference(each).filter(linear) for each in (study, swapped))
    assert np.allclose(one["estimate"], -other["estimate"]) and np.allclose(one["low"], -other["high"])


def test_no_tasks_told_or_one_kind_of_run_gives_nothing():
    study = made([*SINGLE, *MULTI])
    assert interference(study.drop("train_tasks")).is_empty()
    assert interference(made(SINGLE)).is_empty()
    other = [replace(own, languages=("en", "es") if own.rows else ("en",)) for own in MULTI]
    assert interference(made([*SINGLE, *other])).is_empty()


def test_study_1_loses_8_points_on_math_by_its_own_rule_and_more_where_runs_match():
    guide = table("post-trainers-guide").filter(pl.col("task") == "MR")
    found = interference(guide).filter(pl.col("model") == "Aya23-7B")
    beside = found.filter(pl.col("name").str.starts_with("interference in all but the anchor"))
    best = beside.filter(pl.col("name").str.ends_with("at the best")).row(0, named=True)
    assert 100 * best["estimate"] == pytest.approx(38.43 - 30.00, abs=0.011)
    assert best["conclusion"] == "cannot tell"  # from three seeds at one setting
    over_all = beside.filter(pl.col("name").str.ends_with("over all rows")).row(0, named=True)
    assert over_all["conclusion"] == "higher" and over_all["low"] > 0
    assert beside.filter(pl.col("setting").str.contains("="))["setting"].to_list() == [
        f"single/n={n}" for n in (0, 100, 1000, 2000, 5000)
    ]


def test_a_baseline_that_both_share_is_no_pair():
    shared = [replace(own, baseline="single/n=0") for own in MULTI if own.rows]
    found = interference(made([*SINGLE, *shared])).filter(pl.col("name") == "interference in seen languages")
    assert found["setting"].to_list() == ["single/n=100", "single/n=400"]


def test_findings_have_what_is_over_all_rows_and_where_there_is_one_n_that_one():
    found = answer([of_interference], made([*SINGLE, *MULTI]))
    assert not found["name"].is_in([f"interference in {name} languages" for name in ("seen", "unseen")]).any()
    single, multi = (own[:2] for own in (SINGLE, MULTI))
    one = answer([of_interference], made([*single, *multi])).filter(pl.col("name").str.contains("seen.*over all rows"))
    assert one["setting", "compared_with"].rows() == [("single/n=100", "multi/n=100")] * 2
