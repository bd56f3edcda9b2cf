"""Training order is data: the whole training, all epochs written out, as one list of row ids.

Each epoch sorts the rows by a keyed hash of seed, epoch and row id. So the order does not depend on the order the rows
come in, two rows keep their relative order in whatever mixture they meet, and resuming is skipping what was read.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice

from glotmix.errors import UserError
from glotmix.pool.keyed import ranked


def training_order(
    row_ids: Sequence[str], seed: int, batch_rows: int, epochs: int | None = None, steps: int | None = None
) -> list[str]:
    """The row ids in the order they are trained on: all rows `epochs` times, or exactly `steps * batch_rows` rows.

    Every epoch has every row once before the next begins; a row that is in the mixture k times is in each epoch k
    times, each copy at a place of its own. With `epochs` the last batch of the training may be short.

    Raises:
        UserError: no rows, or not exactly one of epochs and steps.
    """
    if not row_ids:
        raise UserError("no rows to train on; give the mixture at least one row")
    if (epochs is None) == (steps is None):
        raise UserError(f"epochs {epochs}, steps {steps}: give exactly one of them")
    total = len(row_ids) * epochs if epochs is not None else (steps or 0) * batch_rows
    return list(islice(_epochs(row_ids, seed), total))


def _epochs(row_ids: Sequence[str], seed: int) -> Iterator[str]:
    """Row ids without end, one epoch after the other."""
    times: Counter[str] = Counter()
    copies = []  # "1:a", "1:b", "2:a": every copy of a row has a name, and so a hash of its own
    for row_id in row_ids:
        times[row_id] += 1
        copies.append(f"{times[row_id]}:{row_id}")
    for epoch in count():
        for copy in ranked(copies, "order", seed, epoch):
            yield copy.partition(":")[2]
