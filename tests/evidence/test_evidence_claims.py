"""What the checks find, each against a computation of its own, and that verdicts follow the numbers."""

import csv
from collections import defaultdict

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from glotmix.evidence import english as study2
from glotmix.evidence import guide as study1
from glotmix.evidence.check import FOLLOWS, NOT, UNDISCLOSED, VERDICTS
from glotmix.evidence.series import series
from glotmix.evidence.tables import _FOLDER


@pytest.fixture(scope="module")
def rows():
    """R(n) of every single-task series with four languages, by hand."""
    with (_FOLDER / "post_trainers_guide_scores.csv").open() as file:
        cells = [row for row in csv.DictReader(file) if row["setting"] == "single" and row["eval_language"] != "Avg."]
    scores = defaultdict(dict)
    for row in cells:
        if row["train_languages"] == "en+es+fr+ja+zh":
            n = int(row["samples_per_non_english_language"])
            scores[row["model"], row["task"], n][row["eval_language"]] = float(row["value"])
    ratio = defaultdict(dict)
    for (model, task, n), by_language in scores.items():
        others = [value for tag, value in by_language.items() if tag != "en"]
        ratio[model, task][n] = sum(others) / len(others) / by_language["en"]
    return ratio


@pytest.mark.parametrize(
    ("name", "model", "task"),
    [("R1 IF", "Aya23-7B", "IF"), ("R1 SM", "Aya23-7B", "SM"), ("R1 MR", "Aya23-7B", "MR"),
     ("R2 IF", "Llama3.1-8B", "IF"), ("R2 SM", "Llama3.1-8B", "SM"), ("R2 MR", "Llama3.1-8B", "MR")],
)  # fmt: skip
def test_the_gap_closed_is_that_of_the_table(guide, rows, name, model, task):
    ratio = rows[model, task]
    expected = 100 * (max(ratio.values()) - ratio[0])
    assert float(guide[f"{name} number"]["recomputed"].split(";")[0].removeprefix("of the table ")) == pytest.approx(
        expected, abs=0.006
    )


def test_every_claim_of_the_facts_page_is_checked(guide):
    named = {name.split()[0] for name in guide}
    assert {f"R{number}" for number in range(1, 12)} <= named
    assert {f"Fig{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 11, 12)} <= named
    assert sum(name.startswith("R5") and name.endswith("number") for name in guide) == 9
    assert sum(name.startswith("average") for name in guide) == 21


def test_every_check_has_a_verdict_a_number_and_a_reason(found):
    for row in found.values():
        assert row["verdict"] in VERDICTS
        assert row["recomputed"]
        assert row["reason"]
        assert row["quantity"]
    assert {row["verdict"] for row in found.values()} == set(VERDICTS)


def test_another_printed_number_has_another_verdict():
    own = series("Aya23-7B", "IF")
    assert study1._closed(own, "6.8", "Fig2").verdict == FOLLOWS
    assert study1._closed(own, "8.6", "Fig2").verdict == NOT
    maths = series("Aya23-7B", "MR")
    assert study1._closed(maths, "22.7", "Fig2").verdict == UNDISCLOSED
    assert study1._closed(maths, "25.2", "Fig2").verdict == FOLLOWS
    assert study1._closed(maths, "35.0", "Fig2").verdict == NOT


def test_verdicts_of_numbers_that_were_recomputed_by_hand(guide):
    verdicts = {name: row["verdict"] for name, row in guide.items()}
    for name in ("R11 MR single number", "R11 MR latin number", "R11 MR non-latin number", "R7 MR loss number"):
        assert verdicts[name] == FOLLOWS
    assert verdicts["design samples"] == NOT  # 15,000 + 12 x 7,000
    assert verdicts["R9 MR level single"] == UNDISCLOSED  # 65.3 in table 17
    assert verdicts["R5 MR Llama3.1-8B number"] == NOT


@pytest.mark.parametrize(
    ("setting", "wins", "cells"),
    [("EN", 30, 40), ("Non-EN direct exposure", 35, 40), ("Non-EN cross-lingual transfer", 119, 160)],
)
def test_win_rates_are_wilsons_of_the_designs_cells(english, setting, wins, cells):
    low, high = (100 * bound for bound in proportion_confint(wins, cells, method="wilson"))
    row = english[f"win rate {setting}"]
    assert row["recomputed"] == f"{100 * wins / cells:.1f} [{low:.1f}, {high:.1f}]"
    assert row["verdict"] == FOLLOWS


def test_a_number_that_the_lowest_point_gives_is_found_in_the_figure(guide):
    row = guide["R2 IF number"]  # 12.2 from n = 0, 12.3 from n = 100
    assert (row["verdict"], "plotted points from the lowest gives 12.3" in row["reason"]) == (FOLLOWS, True)


def test_another_count_is_not_the_printed_interval():
    found = study2.wilson(34, 40, "cells")
    assert study2._same_interval(["87.5", "73.9", "94.5"], found, 40).verdict == NOT


def test_gains_off_the_grid_of_items_do_not_follow():
    assert study2._on_grid("9.27", round(9.27 * 399 / 50) * 50 / 399, 399).verdict == FOLLOWS
    assert study2._on_grid("9.20", round(9.20 * 399 / 50) * 50 / 399, 399).verdict == NOT


def test_smallest_differences_are_those_of_two_proportions():
    assert study2._detectable(250) == pytest.approx(12.5, abs=0.05)
    assert study2._detectable(399) == pytest.approx(9.9, abs=0.05)


def test_coverage_from_one_to_ten_languages(english):
    assert float(english["coverage"]["recomputed"]) == pytest.approx(0.053 * (1 - np.sqrt(0.1)), abs=0.0005)


def test_claims_without_accuracies_depend_on_undisclosed_data(english):
    assert all(english[name]["verdict"] == UNDISCLOSED for name in study2._NEEDS)
