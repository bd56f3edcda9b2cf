"""Training order is data: the whole training, all epochs written out, as one list of row ids (contract 2).

1. A stream is some of the rows, again and again: each epoch sorts them by a keyed hash of seed, epoch and row id. So it
   does not depend on the order rows come in, and two rows keep their relative order in whatever mixture they meet.
2. An order says which stream gives the next row: one stream of everything (shuffled), the anchor's and then the others'
   or the other way round (staged), or one per task and language, each in its share throughout (interleaved).
3. Every stream gives its exact share of the training to less than one row, so every row of the mixture is trained on
   equally often, or once more than another. Resuming is skipping what was read.
"""

from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from glotmix.errors import UserError
from glotmix.mixture.mixture import Mixture
from glotmix.pool.keyed import hashes
from glotmix.spec import Order

Places = npt.NDArray[np.int64]
SHUFFLED = Order()


def training_order(
    mixture: Mixture,
    seed: int,
    batch_rows: int,
    steps: int,
    order: Order = SHUFFLED,
    anchor: str = "",
    left_out: Collection[str] = (),
) -> list[str]:
    """The row ids in the order they are trained on: `steps * batch_rows` of them.

    Staged: all that the training takes of the anchor, in all its epochs, and then all that it takes of the others (or
    the other way round). With `order.tasks` each task's share of the training comes in one piece, ordered by the rule.
    The step where two stages or tasks meet has rows of both.
    A row that is in the mixture k times is in each epoch k times, each copy at a place of its own.

    Args:
        anchor: the language that `staged` sets apart.
        left_out: ids of rows that are not trained on; those that come next take their places.

    Raises:
        UserError: `order.tasks` leaves out a task of the mixture.
    """
    total = steps * batch_rows
    rows = mixture.rows.select("row_id", "task", "language", copy=pl.int_range(pl.len()).over("row_id"))
    kept = rows.with_row_index("place").filter(~pl.col("row_id").is_in(list(left_out)))
    parts = _by_task(kept, order.tasks)
    sizes = shares([len(part) for part in parts], total)
    places = [_arranged(part, size, seed, order, anchor) for part, size in zip(parts, sizes, strict=True)]
    return rows["row_id"].gather(np.concatenate(places)).to_list()


def shares(weights: Sequence[int], total: int) -> list[int]:
    """`total` cut into consecutive pieces by weight, each less than one away from its exact share.

    >>> shares([1, 1, 1], 8)
    [3, 2, 3]
    """
    bounds = [(2 * total * int(upto) + sum(weights)) // (2 * sum(weights)) for upto in np.cumsum([0, *weights])]
    return [upper - lower for lower, upper in pairwise(bounds)]


def _by_task(rows: pl.DataFrame, tasks: Sequence[str] | None) -> list[pl.DataFrame]:
    if tasks is None:
        return [rows]
    if unnamed := sorted(set(rows["task"]) - set(tasks)):
        raise UserError(f"order.tasks: {', '.join(tasks)} leaves out {unnamed[0]}, which the mixture has; add it")
    return [part for task in tasks if len(part := rows.filter(task=task))]


def _arranged(rows: pl.DataFrame, total: int, seed: int, order: Order, anchor: str) -> Places:
    """Places in the mixture of the `total` rows that are trained on, from these rows, by the order's rule."""
    if order.kind == "interleaved":
        streams = rows.sort("task", "language").partition_by("task", "language", maintain_order=True)
        turns = _interleaved([len(stream) for stream in streams], total)
    else:
        is_anchor = (rows["language"] == anchor) & (order.kind == "staged")
        streams = [part for part in (rows.filter(is_anchor), rows.filter(~is_anchor)) if len(part)]
        streams = streams[::-1] if order.anchor == "last" else streams
        turns = np.repeat(np.arange(len(streams)), shares([len(stream) for stream in streams], total))
    places = np.empty(total, dtype=np.int64)
    for number, stream in enumerate(streams):
        turn = turns == number
        places[turn] = _stream(stream, int(turn.sum()), seed)
    return places


def _stream(rows: pl.DataFrame, count: int, seed: int) -> Places:
    """The places of the first `count` rows of an endless repetition of these, each epoch in an order of its own."""
    epochs = pl.DataFrame({"epoch": range(-(-count // len(rows)))}, schema={"epoch": pl.Int64})
    copies = epochs.join(rows, how="cross").select(
        "epoch", "place", name=pl.concat_str("epoch", "copy", "row_id", separator=":")
    )
    copies = copies.with_columns(hashes(copies["name"], "order", seed).alias("hash"))
    return copies.sort("epoch", "hash", "name")["place"].head(count).to_numpy()


def _interleaved(weights: Sequence[int], total: int) -> npt.NDArray[Any]:
    """Whose turn it is, `total` times: after any number of turns each stream had its share to less than one turn.

    The k-th turn of a stream lies in a window that its share gives (from floor((k-1)/share) to ceil(k/share)); the
    windows that close first are served first, which keeps them all (Baruah et al. 1996, Proportionate progress, for one
    resource). The pattern repeats after `sum(weights) / gcd(weights)` turns.
    """
    divisor = gcd(*weights)
    sizes = [weight // divisor for weight in weights]
    period = sum(sizes)
    opening: list[tuple[int, int, int, int]] = [(0, -(-period // size), stream, 1) for stream, size in enumerate(sizes)]
    open_windows: list[tuple[int, int, int]] = []  # closes, stream, turn
    turns = np.empty(min(period, total), dtype=np.int64)
    for now in range(len(turns)):
        while opening and opening[0][0] <= now:
            _, closes, stream, turn = heappop(opening)
            heappush(open_windows, (closes, stream, turn))
        _, stream, turn = heappop(open_windows)
        turns[now] = stream
        size = sizes[stream]
        heappush(opening, (turn * period // size, -(-(turn + 1) * period // size), stream, turn + 1))
    return np.resize(turns, total)
