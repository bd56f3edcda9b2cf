"""Contract 2: the whole training is one list of row ids, read front to back."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.mixture import training_order

ids = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=40, unique=True)
repeated_ids = st.lists(st.sampled_from("abc:1"), min_size=1, max_size=30)
seeds = st.integers(0, 2**40)


@settings(max_examples=60, deadline=None)
@given(ids | repeated_ids, seeds, st.integers(1, 4))
def test_every_epoch_has_every_row_as_often_as_the_mixture(row_ids: list[str], seed: int, epochs: int) -> None:
    order = training_order(row_ids, seed, 7, epochs=epochs)
    rows = len(row_ids)
    written = [order[first : first + rows] for first in range(0, len(order), rows)]
    assert len(written) == epochs
    assert all(Counter(epoch) == Counter(row_ids) for epoch in written)


@settings(max_examples=60, deadline=None)
@given(ids | repeated_ids, seeds, st.randoms(use_true_random=False))
def test_the_order_rows_come_in_is_forgotten(row_ids: list[str], seed: int, chance: Random) -> None:
    mixed = list(row_ids)
    chance.shuffle(mixed)
    assert training_order(mixed, seed, 4, epochs=2) == training_order(row_ids, seed, 4, epochs=2)


@settings(max_examples=60, deadline=None)
@given(ids | repeated_ids, seeds, st.integers(1, 9), st.integers(1, 12))
def test_steps_are_exact_and_a_longer_training_begins_like_a_shorter_one(
    row_ids: list[str], seed: int, batch_rows: int, steps: int
) -> None:
    order = training_order(row_ids, seed, batch_rows, steps=steps)
    assert len(order) == steps * batch_rows
    enough = -(-len(order) // len(row_ids))
    assert training_order(row_ids, seed, batch_rows, epochs=enough)[: len(order)] == order
    assert training_order(row_ids, seed, batch_rows, steps=steps + 1)[: len(order)] == order


@settings(max_examples=60, deadline=None)
@given(ids, seeds, st.data())
def test_rows_keep_their_relative_order_in_a_larger_mixture(row_ids: list[str], seed: int, data: st.DataObject) -> None:
    few = data.draw(st.lists(st.sampled_from(row_ids), min_size=1, unique=True))
    larger = training_order(row_ids, seed, 4, epochs=1)
    assert [row_id for row_id in larger if row_id in few] == training_order(few, seed, 4, epochs=1)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    row_ids = [f"row-{number}" for number in range(50)]
    orders = [training_order(row_ids, seed, 10, epochs=2) for seed in (0, 1)]
    epochs = [tuple(half) for order in orders for half in (order[:50], order[50:])]
    assert len(set(epochs)) == 4


def test_copies_of_a_row_are_spread_over_the_epoch() -> None:
    row_ids = [f"row-{number}" for number in range(100)] * 3
    order = training_order(row_ids, 0, 10, epochs=1)
    assert len(set(order[:100])) < 95  # not pass after pass
    assert sum(one == two for one, two in pairwise(order)) < 10  # nor copy beside copy


def test_the_order_never_changes() -> None:
    """Pinned: another order would silently change every training."""
    assert "".join(training_order("abcdefgh", 0, 4, epochs=2)) == "gfadechbehdbfgac"


@pytest.mark.parametrize(("epochs", "steps"), [(None, None), (1, 1)])
def test_exactly_one_length_is_given(epochs: int | None, steps: int | None) -> None:
    with pytest.raises(UserError, match="exactly one"):
        training_order(["a"], 0, 1, epochs=epochs, steps=steps)


def test_no_rows_are_no_training() -> None:
    with pytest.raises(UserError, match="at least one row"):
        training_order([], 0, 1, steps=5)
