"""A plateau is named only where every larger size is shown to be equivalent."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.weightstats import ttost_paired

from glotmix.analysis import noise
from glotmix.analysis.declared import Declared
from glotmix.analysis.questions.plateau import _begins, plateau, plateau_of
from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Truth, simulate
from made_curves import means

pytestmark = pytest.mark.usefixtures("without_luck")

RISING = {0: 0.30, 100: 0.40, 200: 0.500, 400: 0.510, 800: 0.505}
ROLES = {"en": "anchor", "es": "seen", "fr": "seen"}


def one(levels, stderr=0.001, margin=0.02):
    return plateau(means(levels, stderr), Declared(margin=margin)).row(0, named=True)


def study(levels, items, seed):
    accuracy = {n: dict.fromkeys(ROLES, level) for n, level in levels.items()}
    return next(read_scores(simulate(Truth(accuracy, ROLES, dict.fromkeys(levels, 1), items), seed)))


def test_the_plateau_is_the_smallest_size_that_all_larger_ones_are_equivalent_to():
    found = one(RISING)
    assert (found["name"], found["unit"]) == ("plateau of seen languages", "rows")
    assert (found["estimate"], found["low"], found["high"]) == (200, 200, 200)
    assert "100% of resamples have their plateau at or below 200" in found["note"]
    assert found["basis"].startswith("two one-sided tests")


def test_there_is_one_for_seen_unseen_and_all_but_the_anchor():
    found = plateau(means(RISING), Declared(margin=0.02))
    assert found["name"].to_list() == [f"plateau of {group} languages" for group in ("seen", "unseen", "non-anchor")]
    assert found["estimate"].to_list() == [200, 200, 200]
    assert "(es fr pt) at n rows per language (0 100 200 400 800)" in found["definition"][2]


def test_a_flat_curve_has_its_plateau_at_the_baseline():
    assert one(dict.fromkeys(RISING, 0.4))["estimate"] == 0


def test_the_margin_decides():
    assert one(RISING, margin=0.008)["estimate"] == 400
    assert one(RISING, margin=0.15)["estimate"] == 100


@pytest.mark.parametrize(("last", "way"), [(0.60, "rises"), (0.40, "falls")])
def test_a_curve_that_still_moves_has_no_plateau_and_it_lies_beyond(last, way):
    found = one({**RISING, 800: last})
    assert (found["estimate"], found["low"], found["high"]) == (None, 800, None)
    assert f"not reached: the last step, 400 to 800 rows, still {way} by more than the margin" in found["note"]


def test_where_noise_is_as_large_as_the_margin_it_cannot_tell_and_says_what_could_have_been_seen():
    found = one(RISING, stderr=0.03)
    assert found["estimate"] is None and found["low"] is None
    assert found["note"].startswith("cannot tell: 400 and 800 rows are not shown to be equivalent within 2 points")
    visible = float(found["note"].split("; ")[1].split()[0])
    assert visible > 2


def test_no_noise_known_no_plateau():
    assert "no n_items" in one(RISING, stderr=None)["note"]


def test_two_settings_are_no_curve():
    assert len(plateau(means({0: 0.3, 100: 0.4}))) == 0


@pytest.mark.parametrize("margin", [0.03, 0.05, 0.07, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_equivalence_is_that_of_paired_tests_over_items(margin, seed, monkeypatch):
    monkeypatch.setattr(noise, "DRAWS", 50)
    scores = study({0: 0.3, 100: 0.5, 200: 0.52, 400: 0.52}, 300, seed)
    answers = [value[0][scores.columns("seen")].mean(axis=0) for value in scores.values]
    found = plateau_of(scores, [0, 1, 2, 3], scores.columns("seen"), margin)
    expected = None
    for place in (2, 1, 0):
        pairs = [(answers[later], answers[place]) for later in range(place + 1, 4)]
        if any(ttost_paired(*pair, -margin, margin)[0] >= 0.05 for pair in pairs):
            break
        expected = (0, 100, 200, 400)[place]
    assert found.shown == expected


@given(arrays(float, (3, 5), elements=st.floats(0, 1)), st.floats(0.01, 0.5))
def test_where_a_draw_has_its_plateau_is_what_a_search_finds(drawn, margin):
    def search(levels):
        for first in range(len(levels)):
            if all(abs(later - levels[at]) < margin for at in range(first, len(levels)) for later in levels[at:]):
                return first

    assert _begins(drawn, margin).tolist() == [search(levels) for levels in drawn]


def test_the_probability_is_the_share_of_draws_at_or_below_and_rises_to_one():
    scores = next(read_scores(means(RISING, stderr=0.01)))
    found = plateau_of(scores, range(5), scores.columns("seen"), 0.02)
    drawn = noise.draws(scores)[:, :, scores.columns("seen")].mean(axis=2)
    assert found.by(200) == pytest.approx((_begins(drawn, 0.02) <= 2).mean())
    assert found.by(50) == found.by(0) and found.by(800) == 1
    assert all(small <= large for small, large in pairwise(found.probability))


def test_a_plateau_that_begins_too_early_is_named_in_at_most_5_percent_of_studies(monkeypatch):
    """The hardest case: the last step is exactly the margin."""
    monkeypatch.setattr(noise, "DRAWS", 50)
    early = 0
    for seed in range(150):
        scores = study({0: 0.3, 100: 0.50, 200: 0.56}, 500, seed)
        found = plateau_of(scores, [0, 1, 2], scores.columns("seen"), 0.06)
        early += found.shown is not None
    assert 0 < early <= 14  # 98 % of counts at 5 % are


def test_draws_are_of_the_columns_asked_for():
    table = means(RISING).with_columns(value=pl.when(pl.col("language") == "pt").then(0.2).otherwise("value"))
    scores = next(read_scores(table))
    assert plateau_of(scores, range(5), scores.columns("unseen"), 0.02).shown == 0
    assert plateau_of(scores, range(5), scores.columns("seen"), 0.02).shown == 200
