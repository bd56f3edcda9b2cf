"""Rows on their way into a pool, set down in ranges of a hash of their item id: memory holds one range at a time."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from glotmix.pool.keyed import hashes

RANGES = 64
STAGED_BYTES = 128 * 2**20  # kept in memory before they go to disk
READ_BYTES = 32 * 2**20  # small ranges are read together


class Stage:
    """Takes frames with the columns task, language and item_id, and gives them back by task and language.

    What does not fit into memory goes to one file, piece after piece.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._pending: list[pl.DataFrame] = []
        self._bytes = 0.0
        self._pieces: dict[tuple[str, str, int], list[tuple[int, int]]] = defaultdict(list)  # start, length in the file

    def add(self, rows: pl.DataFrame) -> None:
        self._pending.append(rows)
        self._bytes += rows.estimated_size()
        if self._bytes >= STAGED_BYTES:
            self._set_down()

    def _set_down(self) -> None:
        rows = pl.concat(self._pending)
        number = hashes(rows["item_id"], "pool") // (2**64 // RANGES)
        parts = rows.with_columns(number.alias("range")).partition_by(
            "task", "language", "range", as_dict=True, maintain_order=True
        )
        with self.file.open("ab") as file:
            for (task, language, index), part in parts.items():
                start = file.tell()
                # In the oldest layout a part holds its own text; in the newer one, that of all parts.
                part.drop("range").write_ipc_stream(file, compression="lz4", compat_level=pl.CompatLevel.oldest())
                self._pieces[str(task), str(language), int(str(index))].append((start, file.tell() - start))
        self._pending, self._bytes = [], 0.0

    def ranges(self, task: str, language: str) -> Iterator[pl.DataFrame]:
        """A range, or some, after the other; the rows of an item are in one range, in the order they were added."""
        if not self._pieces:
            cell = (pl.col("task") == task) & (pl.col("language") == language)
            yield pl.concat([rows.filter(cell) for rows in self._pending])
            return
        if self._pending:
            self._set_down()
        pieces: list[pl.DataFrame] = []
        with self.file.open("rb") as file:
            for index in range(RANGES):
                for start, length in self._pieces[task, language, index]:
                    file.seek(start)
                    pieces.append(pl.read_ipc_stream(file.read(length)))
                if index == RANGES - 1 or sum(piece.estimated_size() for piece in pieces) >= READ_BYTES:
                    yield from [pl.concat(pieces)] if pieces else []
                    pieces = []
