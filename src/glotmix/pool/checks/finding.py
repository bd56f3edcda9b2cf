"""What a check gives back: one finding per task, language and split, with every row it is about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from glotmix.pool.checks.reading import Cell
from glotmix.pool.folder import FolderPool

Severity = Literal["error", "warning"]
# `other` is the row it clashes with, if any; `detail` says in a few words what was seen
ROWS_SCHEMA = pl.Schema({"row_id": pl.String(), "other": pl.String(), "detail": pl.String()})


def alone(found: pl.DataFrame) -> pl.DataFrame:
    """Rows (row_id and detail) that clash with no other, sorted, with the columns of ROWS_SCHEMA."""
    return found.select("row_id", pl.lit(None, pl.String).alias("other"), "detail").sort("row_id")


@dataclass(frozen=True)
class Finding:
    """Rows of one cell that a check speaks against; a finding without rows says that the cell is clean.

    Of `of` rows `checked` were judged; `skipped` were looked at and gave no ground to judge them (too short, no
    reference, a language that nothing offline can tell). Where both are less than `of`, a sample was taken.
    """

    check: str
    severity: Severity
    cell: Cell
    says: str  # what is wrong, and what to do
    rows: pl.DataFrame = field(repr=False)  # ROWS_SCHEMA
    checked: int
    of: int
    skipped: int = 0


@dataclass(frozen=True)
class Examined:
    """The pool a check reads, the pools it must not touch, and where to tell that a cell is done."""

    pool: FolderPool
    evaluation: Sequence[FolderPool] = ()
    done: Callable[[Cell], None] = lambda cell: None
