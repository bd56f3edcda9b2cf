"""Parquet files by their exact path (Polars takes `[`, `*` and `?` in a path for a pattern, unless told not to), and
written piece by piece."""

import math
from collections.abc import Iterator
from pathlib import Path

import polars as pl

GROUP_BYTES = (
    16 * 2**20
)  # in memory; about 20,000 rows of math. Measured: larger or smaller groups are slower to search
_REPEATED = ["task", "language", "split", "source", "licence", "origin", "file", "reason"]


def read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    return pl.read_parquet(path, columns=columns, glob=False)


def scan_parquet(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False)


def slices(rows: pl.LazyFrame, height: int = 50_000) -> Iterator[pl.DataFrame]:
    """The rows of a file, some at a time."""
    for start in range(0, rows.select(pl.len()).collect().item(), height):
        yield rows.slice(start, height).collect()


def matching(path: Path, column: str, values: pl.Series) -> Iterator[pl.DataFrame]:
    """The rows with one of these values, a row group in memory at a time.

    A filter of Polars is as fast, but behind the few strings it finds it keeps the text of the whole file alive.
    """
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            keys = pl.DataFrame(file.read_row_group(group, columns=[column]))[column]
            found = keys.is_in(values.implode()).arg_true()
            if len(found):
                yield pl.DataFrame(file.read_row_group(group).take(found.to_arrow()))


class RowGroups:
    """A Parquet file that grows by frames; it is there once it has a row and is closed."""

    def __init__(self, path: Path) -> None:
        from pyarrow.parquet import ParquetWriter

        self.path, self.rows = path, 0
        self._open: type = ParquetWriter
        self._writer: ParquetWriter | None = None
        self._pending: list[pl.DataFrame] = []
        self._bytes = 0.0

    def add(self, frame: pl.DataFrame) -> None:
        self.rows += len(frame)
        self._pending.append(frame)
        self._bytes += frame.estimated_size()
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        table = pl.concat(self._pending).to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            repeated = [name for name in _REPEATED if name in table.column_names]
            self._writer = self._open(self.path, table.schema, compression="zstd", use_dictionary=repeated)
        share = GROUP_BYTES / max(self._bytes, GROUP_BYTES)
        self._writer.write_table(table, row_group_size=math.ceil(len(table) * share))
        self._pending, self._bytes = [], 0.0

    def close(self) -> None:
        if sum(map(len, self._pending)):
            self._flush()
        if self._writer is not None:
            self._writer.close()
