"""Contract 2: the whole training is one list of row ids, read front to back."""

from collections import Counter
from fractions import Fraction
from itertools import accumulate, groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_pool import TAGS, TASKS, toy_mixture

from glotmix.errors import UserError
from glotmix.mixture import Mixture, training_order
from glotmix.spec import Order

counts = st.dictionaries(
    st.sampled_from(TASKS),
    st.dictionaries(st.sampled_from(TAGS), st.integers(1, 12), min_size=1),
    min_size=1,
)
mixtures = counts.map(toy_mixture)
seeds = st.integers(0, 2**40)
batches = st.integers(1, 9)
steps = st.integers(1, 12)
tasks = st.none() | st.permutations(TASKS).map(tuple)
orders = st.one_of(
    st.builds(Order, kind=st.sampled_from(["shuffled", "interleaved"]), tasks=tasks),
    st.builds(Order, kind=st.just("staged"), anchor=st.sampled_from(["first", "last"]), tasks=tasks),
)
SHUFFLED, INTERLEAVED = Order(), Order(kind="interleaved")


def cell_of(mixture: Mixture) -> dict[str, tuple[str, str]]:
    return {row: (task, language) for row, task, language in mixture.rows.select("row_id", "task", "language").rows()}


@settings(max_examples=80, deadline=None)
@given(mixtures, seeds, batches, steps, orders)
def test_every_order_has_exactly_the_rows_asked_for_each_equally_often(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, order: Order
) -> None:
    ids = training_order(mixture, seed, batch_rows, steps, order, "en")
    assert len(ids) == steps * batch_rows
    times, copies = Counter(ids), Counter(mixture.row_ids)
    passes = Fraction(len(ids), len(mixture.rows))
    assert set(ids) <= set(copies)
    assert all(int(passes) * copy <= times[row] <= -(-passes // 1) * copy for row, copy in copies.items())


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, st.integers(1, 4))
def test_shuffled_is_epoch_after_epoch_each_in_an_order_of_its_own(mixture: Mixture, seed: int, epochs: int) -> None:
    rows = len(mixture.rows)
    ids = training_order(mixture, seed, rows, epochs)
    written = [ids[first : first + rows] for first in range(0, len(ids), rows)]
    assert all(Counter(epoch) == Counter(mixture.row_ids) for epoch in written)


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, batches, steps, orders)
def test_the_order_rows_come_in_is_forgotten(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, order: Order
) -> None:
    turned = Mixture(mixture.spec, mixture.pool, mixture.rows.reverse(), mixture.row_hashes.reverse())
    again = training_order(turned, seed, batch_rows, steps, order, "en")
    assert again == training_order(mixture, seed, batch_rows, steps, order, "en")


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, batches, steps, steps, st.sampled_from([SHUFFLED, INTERLEAVED]))
def test_a_longer_training_begins_like_a_shorter_one(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, more: int, order: Order
) -> None:
    longer = training_order(mixture, seed, batch_rows, steps + more, order)
    assert longer[: steps * batch_rows] == training_order(mixture, seed, batch_rows, steps, order)


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, st.integers(1, 8), steps, orders)
def test_resume_is_skipping_whatever_the_batch_size(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, order: Order
) -> None:
    """The same list, however it is cut into steps: what was read can be skipped by counting rows."""
    ids = training_order(mixture, seed, batch_rows, 8 * steps, order, "en")
    assert ids == training_order(mixture, seed, 8 * batch_rows, steps, order, "en")


@settings(max_examples=40, deadline=None)
@given(counts, st.data(), seeds, st.sampled_from([SHUFFLED, INTERLEAVED]))
def test_rows_keep_their_relative_order_in_a_larger_mixture(
    wanted: dict[str, dict[str, int]], data: st.DataObject, seed: int, order: Order
) -> None:
    """Within the first epoch of a shuffle, and within a language wherever else."""
    task = data.draw(st.sampled_from(sorted(wanted)))
    tag = data.draw(st.sampled_from(sorted(wanted[task])))
    small, large = toy_mixture({task: {tag: wanted[task][tag]}}), toy_mixture(wanted)
    few = set(small.row_ids)
    ids = [row for row in training_order(large, seed, len(large.rows), 1, order) if row in few]
    assert ids == training_order(small, seed, len(few), 1, order)


@settings(max_examples=60, deadline=None)
@given(mixtures, seeds, st.integers(1, 300))
def test_interleaved_gives_every_language_its_share_at_any_time_to_less_than_a_row(
    mixture: Mixture, seed: int, total: int
) -> None:
    ids, cells = training_order(mixture, seed, 1, total, INTERLEAVED), cell_of(mixture)
    for task, tag, rows in mixture.counts().rows():
        given_so_far = accumulate(cells[row] == (task, tag) for row in ids)
        share = Fraction(rows, len(mixture.rows))
        assert all(abs(had - share * read) < 1 for read, had in enumerate(given_so_far, start=1))


def test_interleaved_batches_all_hold_the_same_where_the_share_is_a_whole_number() -> None:
    mixture = toy_mixture({"math": {"en": 100, "es": 50, "ja": 50}, "api_calls": {"en": 200}})
    ids, cells = training_order(mixture, 0, 64, 25, INTERLEAVED), cell_of(mixture)
    per_batch = [Counter(cells[row] for row in ids[first : first + 64]) for first in range(0, len(ids), 64)]
    shares = {("math", "en"): 16, ("math", "es"): 8, ("math", "ja"): 8, ("api_calls", "en"): 32}
    assert per_batch == [Counter(shares)] * 25


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, batches, steps, st.sampled_from(["first", "last"]))
def test_staged_has_the_anchor_in_one_piece_over_the_whole_training(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, anchor: str
) -> None:
    cells = cell_of(mixture)
    ids = training_order(mixture, seed, batch_rows, steps, Order(kind="staged", anchor=anchor), "en")
    stages = [is_anchor for is_anchor, _ in groupby(ids, key=lambda row: cells[row][1] == "en")]
    assert len(stages) == 1 or stages == [anchor == "first", anchor != "first"]


def test_an_anchor_the_mixture_lacks_leaves_a_shuffle() -> None:
    mixture = toy_mixture({"math": {"ja": 7, "sw": 4}})
    staged = training_order(mixture, 0, 5, 4, Order(kind="staged", anchor="first"), "en")
    assert staged == training_order(mixture, 0, 5, 4)


@settings(max_examples=40, deadline=None)
@given(mixtures, seeds, batches, steps, orders.filter(lambda order: order.tasks is not None))
def test_tasks_come_one_after_the_other_as_listed(
    mixture: Mixture, seed: int, batch_rows: int, steps: int, order: Order
) -> None:
    cells = cell_of(mixture)
    ids = training_order(mixture, seed, batch_rows, steps, order, "en")
    pieces = [task for task, _ in groupby(ids, key=lambda row: cells[row][0])]
    assert pieces == [task for task in order.tasks or () if task in pieces]


def test_a_task_the_order_leaves_out_is_refused() -> None:
    mixture = toy_mixture({"math": {"en": 2}, "api_calls": {"en": 2}})
    with pytest.raises(UserError, match=r"order.tasks: math leaves out api_calls, which the mixture has; add it"):
        training_order(mixture, 0, 2, 2, Order(tasks=("math",)))


@pytest.mark.parametrize("order", [SHUFFLED, INTERLEAVED, Order(kind="staged", anchor="last")])
def test_epochs_and_seeds_have_orders_of_their_own(order: Order) -> None:
    mixture = toy_mixture({"math": {"en": 50, "es": 50}})
    written = [training_order(mixture, seed, 100, 2, order, "en") for seed in (0, 1)]
    of_english = [[row for row in ids if row.endswith(":en")] for ids in written]
    epochs = [tuple(half) for ids in of_english for half in (ids[:50], ids[50:])]
    assert len(set(epochs)) == 4


def test_copies_of_a_row_are_spread_over_the_epoch() -> None:
    mixture = toy_mixture({"math": {"en": 600}})  # of 200 items
    ids = training_order(mixture, 0, 600, 1)
    assert len(set(ids[:200])) < 190  # not pass after pass
    assert sum(one == two for one, two in pairwise(ids)) < 10  # nor copy beside copy


def test_the_order_never_changes() -> None:
    """Pinned: another order would silently change every training."""
    mixture = toy_mixture({"math": {"en": 4, "ja": 2}})
    short = {row: f"{row[-2:]}{number}" for number, row in enumerate(mixture.rows["row_id"])}
    written = {
        order.kind: " ".join(short[row] for row in training_order(mixture, 0, 4, 3, order, "en"))
        for order in (SHUFFLED, INTERLEAVED, Order(kind="staged", anchor="first"))
    }
    assert written == {
        "shuffled": "ja5 ja4 en3 en1 en2 en0 ja4 en1 en2 ja5 en3 en0",
        "interleaved": "en3 en1 ja5 en2 en0 ja4 en1 en2 ja4 en3 en0 ja5",
        "staged": "en3 en1 en2 en0 en1 en2 en3 en0 ja5 ja4 ja4 ja5",
    }
