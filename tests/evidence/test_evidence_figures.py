"""Plotted lines against the tables: made-up lines whose origin is known are told apart."""

import numpy as np
import pytest

from glotmix.evidence import figures as figures_module
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, UNDISCLOSED
from glotmix.evidence.figures import Figure, against_tables, figures
from glotmix.evidence.series import LATIN, OTHERS, SEEN, mean, relative, series


def line(values, columns=LATIN, kind="mean", model="Aya23-7B", task="MR"):
    own = series(model, task)
    return Figure("made up", "", own, columns, kind, own.rows, np.asarray(values).round(4))


def right_answers(own, columns, rng):
    """(settings, languages): counts of 250 that round to the printed shares."""
    shares = own.means[:, columns]
    return np.clip(np.round((shares + rng.uniform(-0.003, 0.003, shares.shape)) * 250), 0, 250)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_line_of_the_printed_languages_follows(rng):
    own = series("Aya23-7B", "MR")
    assert against_tables(line(right_answers(own, LATIN, rng).mean(axis=1) / 250)).verdict == FOLLOWS


@pytest.mark.parametrize("hidden", [1, 2])
def test_a_line_with_more_languages_depends_on_them(hidden, rng):
    own = series("Aya23-7B", "MR")
    more = rng.integers(5, 60, (8, hidden))
    values = np.hstack([right_answers(own, LATIN, rng), more]).mean(axis=1) / 250
    found = against_tables(line(values))
    assert found.verdict == UNDISCLOSED
    assert f"grid of {3 + hidden} languages, at least {hidden} more than printed" in found.reason


def test_a_ratio_with_two_more_languages_depends_on_them(rng):
    own = series("Aya23-7B", "MR")
    english = np.round(own.means[:, 0] * 250)
    answers = np.hstack([right_answers(own, OTHERS, rng), rng.integers(100, 150, (8, 2))])
    found = against_tables(line(answers.mean(axis=1) / english, OTHERS, "relative"))
    assert (found.verdict, "grid of 9 languages, at least 2 more" in found.reason) == (UNDISCLOSED, True)


def test_a_grid_that_points_anywhere_would_fit_tells_nothing(rng):
    own = series("Aya23-7B", "MR")
    answers = np.hstack([right_answers(own, OTHERS, rng), rng.integers(100, 150, (8, 2))])
    whole = line(answers.mean(axis=1) / np.round(own.means[:, 0] * 250), OTHERS, "relative")
    found = against_tables(whole._replace(rows=whole.rows[:2], values=whole.values[:2]))
    assert found.verdict == UNCLEAR


def test_the_chance_of_a_grid_is_that_of_random_lines(rng):
    found = line(np.full(8, 0.3), LATIN)
    random = rng.uniform(0.295, 0.305, (20_000, 1)).round(4)  # multiples of 1 / 1000: one in ten
    hits = figures_module._on_grid(found, np.tile(random, 8), 4).mean()
    assert hits == pytest.approx(0.1, abs=0.01)
    assert figures_module._chance(found, 4) == pytest.approx((21 / 201) ** 8)  # both ends of the range are multiples


def test_lines_of_seven_languages_are_not_lines_of_nine():
    for own in (series("Aya23-7B", "MR"), series("Aya23-35B", "MR")):
        drawn = figures_module.plotted("Fig2", own)
        assert figures_module._on_grid(drawn, drawn.values, 7).all()
        assert figures_module._on_grid(drawn, drawn.values, 9).mean() < 0.6


def test_a_line_that_no_languages_make_does_not_follow():
    own = series("Aya23-7B", "MR")
    off_grid = mean(LATIN)(own.means) + 0.0613 + np.arange(8) * 0.00037
    assert against_tables(line(off_grid)).verdict == NOT
    assert against_tables(line(np.full(8, 1.5), OTHERS, "relative")).verdict == NOT


def test_a_score_without_a_grid_has_no_way_to_be_undisclosed():
    own = series("Aya23-7B", "IF")
    assert against_tables(line(mean(SEEN)(own.means) + 0.02, SEEN, task="IF")).verdict == NOT


def test_a_line_with_english_is_recognised():
    own = series("Llama3.1-8B", "IF")
    found = against_tables(line(mean([0, *SEEN])(own.means), SEEN, model="Llama3.1-8B", task="IF"))
    assert (found.verdict, "with English" in found.reason) == (NOT, True)


def test_every_plotted_point_is_checked_against_its_own_series():
    lines = list(figures())
    assert (len(lines), sum(len(one.values) for one in lines)) == (58, 604)
    first = next(one for one in lines if (one.name, one.line) == ("Fig2", "IF Aya23-7B"))
    assert np.abs(first.values - relative(first.of.means)).max() < 0.0015  # what the facts page found by hand
    assert {one.of.design for one in lines if one.name in ("Fig4", "Fig5", "Fig12")} == {"multi"}
