"""The printed tables are tables of means that `glotmix analyze` reads, with nothing changed but what is told."""

import csv

import numpy as np
import pytest

from glotmix import evidence
from glotmix.analysis.scores import read_scores
from glotmix.errors import UserError
from glotmix.evidence import tables


@pytest.fixture(scope="module")
def scores():
    return {(one.model, one.task): one for one in read_scores(evidence.table("post-trainers-guide"))}


def test_every_printed_score_is_in_the_table_of_means():
    table = evidence.table("post-trainers-guide")
    names = ("model", "task", "run", "language", "value")
    means = {(model, task, run, tag): value for model, task, run, tag, value in table.select(names).iter_rows()}
    with (tables._FOLDER / "post_trainers_guide_scores.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["eval_language"] != "Avg."]
    assert len(rows) == len(means) == 1728
    designs = {"en+es+fr+ja+zh": "single", "en+es+fr": "latin", "en+ja+zh": "non-latin"}
    for row in rows:
        model, task, tag = row["model"], row["task"], row["eval_language"]
        design = "multi" if row["setting"] == "multi" else designs[row["train_languages"]]
        run = f"{model}/{task}/{design}/n={row['samples_per_non_english_language']}"
        scale = 5 if task == "IF" else 1
        assert means[model, task, run, tag] == pytest.approx(float(row["value"]) / scale)


def test_three_series_that_start_alike_are_three_seeds_of_one_setting(scores):
    small = scores["Aya23-7B", "MR"]
    start = small.place("single/n=0")
    assert small.seeds[start] == 3
    assert small.replicated == (start,)
    english = small.languages.index("en")
    assert sorted(small.values[start][:, english, 0]) == [0.44, 0.47, 0.50]  # tables 19, 20, 18
    assert not scores["Aya23-35B", "MR"].replicated


def test_settings_have_the_baseline_and_languages_they_were_trained_with(scores):
    small = scores["Aya23-7B", "SM"]
    latin = small.settings[small.place("latin/n=400")]
    assert (latin.baseline, latin.train_languages, latin.total_rows) == ("single/n=0", ("en", "es", "fr"), 10_800)
    multi = small.settings[small.place("multi/n=7000")]
    assert (multi.baseline, multi.total_rows, multi.train_tasks) == ("multi/n=0", 99_000, ("IF", "MR", "SM"))


def test_standard_errors_are_bounds_or_from_the_replicates(scores):
    rating = scores["Aya23-35B", "IF"]
    mean = rating.means[0, 0] * 5
    assert rating.sampling[0, 0] == pytest.approx((5 - mean) * (mean - 1) / 25 / 200)
    share = scores["Aya23-35B", "MR"]
    assert share.sampling[0, 0] == pytest.approx(share.means[0, 0] * (1 - share.means[0, 0]) / 250)
    overlap = scores["Aya23-7B", "SM"]
    runs = overlap.values[overlap.place("single/n=0")][:, :, 0]
    assert overlap.sampling[0, 0] == pytest.approx(np.var(runs, axis=0, ddof=1).mean() / 0.5)


@pytest.mark.parametrize(("study", "said"), [("nobody", "use one of"), ("english-not-all", "printed no scores")])
def test_a_table_that_is_not_there_is_refused(study, said):
    with pytest.raises(UserError, match=said):
        evidence.table(study)
