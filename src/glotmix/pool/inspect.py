"""What is in a pool: rows per task, language and split, where they come from, how long they are, what is parallel."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.pool.checks.parallel import anchor_of
from glotmix.pool.checks.reading import Cell, with_texts
from glotmix.pool.folder import FolderPool, scan_rows, split_file
from glotmix.pool.keyed import ranked
from glotmix.pool.parquet import scan_parquet
from glotmix.pool.row import SPLITS, TASKS, Pool
from glotmix.pool.write import REJECTED

GENERATED_ROWS = 100  # measured of a cell that would have to be generated
_FACTS = {name: pl.col(name).unique().sort().str.join(", ") for name in ("origin", "source", "licence")}
_LENGTHS = {
    f"{name}_{kind}": getattr(pl.col(name).str.len_chars(), kind)().cast(pl.Float64).round(1)
    for name in ("prompt", "answer")
    for kind in ("mean", "median")
}
CELLS_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(Cell._fields, pl.String()),
        **dict.fromkeys(("rows", "parallel"), pl.Int64()),
        **dict.fromkeys(_LENGTHS, pl.Float64()),
        **dict.fromkeys(_FACTS, pl.String()),
    }
)


@dataclass(frozen=True)
class Inspection:
    """`cells`: a line per task, language and split; `rejected`: how many records were set aside, per reason.

    Lengths are in characters; `parallel` counts the items that the anchor (see `checks.parallel`) has there too.
    """

    cells: pl.DataFrame
    rejected: pl.DataFrame


def inspect_pool(pool: Pool) -> Inspection:
    """Reads what it needs of every row of a folder; of a pool whose rows are generated, 100 rows per cell.

    Raises:
        UserError: a file of the pool can't be read.
    """
    lines = [line for task in TASKS for split in SPLITS for line in _lines(pool, task, split)]
    found = pl.DataFrame(lines, CELLS_SCHEMA).sort("task", "language", "split")
    return Inspection(found, _rejected(pool))


def _lines(pool: Pool, task: str, split: str) -> list[dict[str, Any]]:
    every = {Cell(task, tag, split): pool.item_ids(task, tag, split) for tag in pool.languages(task)}
    items = {cell: own for cell, own in every.items() if len(own)}
    if not items:
        return []
    anchor = items[anchor_of(items)].implode()
    return [_line(pool, cell, own) | {"parallel": own.is_in(anchor).sum()} for cell, own in items.items()]


def _line(pool: Pool, cell: Cell, items: pl.Series) -> dict[str, Any]:
    if isinstance(pool, FolderPool):
        rows = scan_rows(split_file(pool.folder, *cell))
    else:
        rows = pool.take(*cell, ranked(items, "pool inspect")[:GENERATED_ROWS]).lazy()
    told = with_texts(rows).select(**_FACTS, **_LENGTHS).collect(engine="streaming")
    return cell._asdict() | {"rows": len(items)} | told.row(0, named=True)


def _rejected(pool: Pool) -> pl.DataFrame:
    if not isinstance(pool, FolderPool) or not (pool.folder / REJECTED).exists():
        return pl.DataFrame(schema={"reason": pl.String, "records": pl.UInt32})
    counts = scan_parquet(pool.folder / REJECTED).group_by("reason").agg(records=pl.len())
    return counts.sort("records", "reason", descending=[True, False]).collect(engine="streaming")
