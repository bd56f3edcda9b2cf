"""How sure the choice of a checkpoint is: exact where it can be worked out, and right as often as it says."""

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.analysis import selection
from glotmix.analysis.selection import LOSS, SCORE, VALIDATION_SCHEMA, best_step, choose, curve


def table(values, metric: str = SCORE, task: str = "math", weights=1.0) -> pl.DataFrame:
    """Of (items, languages, steps); step k is 10 * (k + 1)."""
    values = np.asarray(values, dtype=float)
    item, language, step = (places.ravel() for places in np.indices(values.shape))
    return pl.DataFrame(
        {
            "step": (step + 1) * 10,
            "task": task,
            "language": [f"l{place}" for place in language],
            "row_id": [f"{task}-{i}-{tag}" for i, tag in zip(item, language, strict=True)],
            "item_id": [f"{task}-{place}" for place in item],
            "metric": metric,
            "value": values.ravel(),
            "weight": np.broadcast_to(weights, values.shape).ravel(),
        },
        VALIDATION_SCHEMA,
    )


def draw(rng, means, items: int, languages: int = 2, spread: float = 1.0):
    """Items of different difficulty, the same for all steps and languages, and noise of their own."""
    hard = rng.normal(0, 1, (items, 1, 1))
    return hard + np.asarray(means) + rng.normal(0, spread, (items, languages, len(means)))


def test_a_clear_winner_is_chosen_by_every_half():
    found = choose(table(draw(np.random.default_rng(0), [0, 5, 0], 40)), SCORE)
    assert (found.step, found.agreement, found.share, found.likely_steps) == (20, 1.0, 1.0, (20,))
    assert (found.regret, found.note) == (0.0, "")
    lowest = choose(table(draw(np.random.default_rng(0), [0, -5, 0], 40), LOSS), LOSS)
    assert (lowest.step, lowest.agreement) == (20, 1.0)


def test_the_only_checkpoint_is_no_choice():
    found = choose(table(np.zeros((5, 2, 1))), SCORE)
    assert (found.step, found.agreement, found.regret, found.note) == (10, 1.0, 0.0, "the only checkpoint")


def test_one_item_can_tell_nothing():
    found = choose(table([[[0, 1]]]), SCORE)
    assert (found.step, found.agreement, found.share, found.regret) == (20, None, None, None)
    assert found.note == "cannot tell: a task has 1 validation item; raise recipe.select.rows_per_language"


def test_the_earliest_of_equals_is_kept_also_where_sums_are_rounded_differently():
    scores, rng = [0.1, 0.2, 0.3, 0.7, 1 / 3, 0.9, 0.05], np.random.default_rng(0)
    values = np.stack([np.stack([rng.permutation(scores) for _ in range(8)], axis=1)] * 10)  # (items, languages, steps)
    for metric in (LOSS, SCORE):
        assert best_step(table(values, metric), metric)[0] == 10
        assert choose(table(values, metric), metric).share == 1


def test_a_loss_is_the_mean_over_languages_of_means_over_their_target_tokens():
    values = np.array([[[1.0, 2.0], [4.0, 1.0]], [[4.0, 2.0], [4.0, 1.0]]])  # (items, languages, steps)
    weights = np.array([3.0, 1.0])[:, None, None]
    found = table(values, LOSS, weights=weights)
    assert curve(found).sort("language", "step")["value"].to_list() == [7 / 4, 2, 4, 1]
    assert best_step(found, LOSS) == (20, 1.5)


def test_translations_of_an_item_stay_on_one_side():
    """Two languages that say the opposite of each other in every item: no split of items can tell the steps apart."""
    rng = np.random.default_rng(0)
    first = rng.normal(0, 1, 50)
    values = np.stack([np.stack([first, -first]), -np.stack([first, -first])]).transpose(2, 1, 0)
    assert choose(table(values), SCORE).share == 1


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 12), st.integers(1, 3), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_choice_depends_on_the_rows_not_on_their_order(items, languages, steps, random):
    values = np.random.default_rng(items).integers(0, 2, (items, languages, steps))
    rows = pl.concat([table(values), table(values[:, :1] * 0.5, task="summarization")])
    shuffled = rows[random.sample(range(len(rows)), len(rows))]
    found = choose(shuffled, SCORE)
    assert found == choose(rows, SCORE)
    assert (found.step, found.value) == pytest.approx(best_step(rows, SCORE))
    assert 0 <= found.agreement <= 1 and 0 <= found.share <= 1 and found.regret >= 0 and found.checkpoints == steps


def test_items_that_not_every_language_has_are_weighed_by_language():
    values = draw(np.random.default_rng(3), [0, 0.3], 30)
    rows = table(values).filter(~((pl.col("language") == "l1") & pl.col("item_id").is_in(["math-0", "math-1"])))
    rows = pl.concat([rows, rows.head(2).with_columns(language=pl.lit("rare"))])
    found = choose(rows, SCORE)
    assert 0 < found.agreement <= 1, "where no row of a language is in a half, the others decide"


@pytest.mark.parametrize("means", [[0, 0], [0, 0, 0, 0], [0, 0.15], [0, 0.3], [0, 0.2, 0.3, 0.25], [-2, 0, 0.2, 0.2]])
def test_two_validation_sets_of_half_the_size_agree_as_often_as_is_said(means, monkeypatch):
    """Against fresh draws of items; also for equal checkpoints, which must agree by chance alone."""
    monkeypatch.setattr(selection, "SPLITS", 100)
    rng = np.random.default_rng(0)
    said = np.mean([choose(table(draw(rng, means, 40)), SCORE).agreement for _ in range(150)])
    fresh = np.array([[draw(rng, means, 20).mean((0, 1)).argmax() for _ in range(2)] for _ in range(4000)])
    assert said == pytest.approx((fresh[:, 0] == fresh[:, 1]).mean(), abs=0.06)


@pytest.mark.parametrize("means", [[0, 0.1], [0, 0.1, 0.2, 0.15], [0, 0.2, 0.25, 0.3, 0.3, 0.25]])
def test_the_best_step_is_among_the_likely_ones_in_95_percent_of_studies(means, monkeypatch):
    monkeypatch.setattr(selection, "SPLITS", 100)
    rng = np.random.default_rng(1)
    found = [choose(table(draw(rng, means, 40)), SCORE).likely_steps for _ in range(200)]
    assert np.mean([10 * (1 + int(np.argmax(means))) in steps for steps in found]) > 0.93


def test_far_worse_steps_are_not_likely():
    assert choose(table(draw(np.random.default_rng(0), [0, 0, -3, -4], 40)), SCORE).likely_steps == (10, 20)


def test_regret_is_what_a_choice_costs_on_average_over_near_and_clear_ones(monkeypatch):
    monkeypatch.setattr(selection, "SPLITS", 100)
    rng = np.random.default_rng(2)
    apart = rng.uniform(-0.8, 0.8, 600)
    found = [choose(table(draw(rng, [0, gap], 40)), SCORE) for gap in apart]
    lost = np.mean([max(0, gap) - (gap if one.step == 20 else 0) for one, gap in zip(found, apart, strict=True)])
    assert np.mean([one.regret for one in found]) == pytest.approx(lost, rel=0.35)
    assert lost > 0


def test_a_thousand_splits_of_a_thousand_rows_at_twenty_steps_take_well_under_a_second():
    rows = table(draw(np.random.default_rng(0), np.linspace(0, 1, 20), 200, languages=5))
    started = time.perf_counter()
    choose(rows, SCORE)
    assert time.perf_counter() - started < 0.5
