"""Reading a pool cell by cell (one task, language and split), in batches, so that memory stays bounded."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from glotmix.errors import UserError
from glotmix.pool import open_pool
from glotmix.pool.folder import FolderPool, scan_rows, split_file
from glotmix.pool.keyed import hashes
from glotmix.pool.row import SPLITS, TASKS

BATCH_ROWS = 10_000
FIXED_ROWS, FIXED_SHARE = 5, 0.05


def open_folder(place: str) -> FolderPool:
    """The pool in a folder.

    Raises:
        UserError: there is none, or it is the lab, whose rows are no file's.
    """
    pool = open_pool(place)
    if not isinstance(pool, FolderPool):
        raise UserError(f"pool {pool.name}: its rows are generated, not read; name the folder of an imported pool")
    return pool


class Cell(NamedTuple):
    """A task's rows in one language and split."""

    task: str
    language: str
    split: str


def cells(pool: FolderPool, *splits: str) -> list[Cell]:
    """The cells that have rows, sorted; of these splits only, if any are named."""
    every = (Cell(task, tag, split) for task in TASKS for tag in pool.languages(task) for split in SPLITS)
    return [cell for cell in every if cell.split in (splits or SPLITS) and split_file(pool.folder, *cell).exists()]


def scan(pool: FolderPool, cell: Cell) -> pl.LazyFrame:
    """The cell's rows, `with_texts`."""
    return with_texts(scan_rows(split_file(pool.folder, *cell)))


def with_texts(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with `prompt` (all that comes before the answer) and `answer` (null if there is none)."""
    last = pl.col("messages").list.last()
    answered = last.struct.field("role") == "assistant"
    before = pl.col("messages").list.len() - answered.cast(pl.UInt32)
    contents = pl.col("messages").list.head(before).list.eval(pl.element().struct.field("content"))
    answer = pl.when(answered).then(last.struct.field("content"))
    return rows.with_columns(prompt=contents.list.join("\n"), answer=answer)


def count(pool: FolderPool, cell: Cell) -> int:
    rows: int = scan_rows(split_file(pool.folder, *cell)).select(pl.len()).collect().item()
    return rows


def batches(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    yield from frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)


def sample(pool: FolderPool, cell: Cell, rows: int, *columns: str) -> pl.DataFrame:
    """At most so many rows, those of the lowest keyed hash, sorted by it: adding or moving rows disturbs no others."""
    ids = scan_rows(split_file(pool.folder, *cell)).select("row_id").collect()["row_id"]
    if len(ids) > rows:
        ids = ids.gather(hashes(ids, "pool check").arg_sort().head(rows))
    chosen = scan(pool, cell).filter(pl.col("row_id").is_in(ids.implode()))
    return chosen.select("row_id", *columns).collect().sort("row_id")


def request(texts: pl.Expr, fixed: pl.Series) -> pl.Expr:
    """The texts without the lines that stand in many of them: a frame around the request, such as a list of tools."""
    lines = texts.str.split("\n")
    return lines.list.filter(~pl.element().is_in(fixed.implode())).list.join("\n")


def fixed_lines(prompts: pl.Series) -> pl.Series:
    """The lines that more than 5 and more than 5 % of the prompts have."""
    lines = prompts.to_frame("line").with_row_index().with_columns(pl.col("line").str.split("\n")).explode("line")
    counts = lines.unique().group_by("line").len()
    return counts.filter(pl.col("len") > max(FIXED_ROWS, FIXED_SHARE * len(prompts)))["line"]


def prose(task: str) -> tuple[str, ...]:
    """The texts of a row that are in its language: a call's keys and names are English everywhere."""
    return ("prompt",) if task == "api_calls" else ("prompt", "answer")
