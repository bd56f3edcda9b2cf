"""Items that the anchor has and a language lacks, per split.

The anchor is English where the task has it, else the language with the most items. A source of which a language shares
no item with the anchor is another data set there, not an incomplete translation: nothing is expected of it.
"""

from collections.abc import Iterator, Mapping, Sized
from itertools import groupby

import polars as pl

from glotmix.pool.checks.finding import Examined, Finding, alone
from glotmix.pool.checks.reading import Cell, cells, scan
from glotmix.pool.folder import FolderPool

_SAYS = "the anchor's items are not all here: complete them, or compare languages on shared items only"


def parallel(examined: Examined) -> Iterator[Finding]:
    """Completeness of each language's items against the anchor's; the rows are the anchor's."""
    by_split = sorted(cells(examined.pool), key=lambda cell: (cell.task, cell.split))
    for _, group in groupby(by_split, key=lambda cell: (cell.task, cell.split)):
        items = {cell: _items(examined.pool, cell) for cell in group}
        anchor = anchor_of(items)
        for cell, own in items.items():
            expected = _expected(items[anchor], own)
            missing = expected.join(own, on="item_id", how="anti")
            rows = alone(missing.with_columns(detail=pl.lit(f"no row in {cell.language}")))
            yield Finding("parallel", "warning", cell, _SAYS, rows, len(expected), len(expected))
            examined.done(cell)


def anchor_of(items: Mapping[Cell, Sized]) -> Cell:
    """The cell the others are measured against."""
    return max(items, key=lambda cell: (cell.language == "en", len(items[cell]), cell.language))


def _items(pool: FolderPool, cell: Cell) -> pl.DataFrame:
    return scan(pool, cell).select("row_id", "item_id", "source").collect(engine="streaming")


def _expected(anchor: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The anchor's rows of the sources that both have items of in common."""
    shared = anchor.join(own, on="item_id", how="semi").select("source").unique()
    return anchor.join(shared, on="source", how="semi")
