"""A pool in a folder: `<pool>/<task>/<language>/<split>.parquet`, and `pool.json`, which is written last."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from glotmix.errors import GlotmixError, UserError
from glotmix.language import Language
from glotmix.pool.parquet import matching, scan_parquet
from glotmix.pool.row import ROW_SCHEMA, SPLITS, TASKS, with_every_column

MANIFEST = "pool.json"


def split_file(pool: Path, task: str, language: str, split: str) -> Path:
    """Where the rows of a task, language and split are. Names are checked, so that none can leave the pool.

    Raises:
        UserError: an unknown task, language or split.
    """
    if task not in TASKS:
        raise UserError(f"unknown task {task!r}; the tasks are {', '.join(TASKS)}")
    if split not in SPLITS:
        raise UserError(f"unknown split {split!r}; the splits are {', '.join(SPLITS)}")
    return pool / task / Language.get(language).tag / f"{split}.parquet"


def scan_rows(path: Path) -> pl.LazyFrame:
    """The rows of one file, not read yet.

    Raises:
        UserError: the file is not Parquet, or lacks a column of `ROW_SCHEMA`.
    """
    try:
        rows = with_every_column(scan_parquet(path))
        schema = rows.collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path}: not a Parquet file one can read; import the pool again") from None
    wrong = [name for name, dtype in ROW_SCHEMA.items() if schema.get(name) != dtype]
    if wrong:
        raise UserError(f"{path}: column {wrong[0]!r} must be {ROW_SCHEMA[wrong[0]]}; import the pool again")
    return rows.select(ROW_SCHEMA.names())


class FolderPool:
    """A pool made by `glotmix pool import`. Files are read when their rows are asked for."""

    def __init__(self, folder: Path) -> None:
        if not (folder / MANIFEST).is_file():
            raise UserError(
                f"{folder}: no pool there ({MANIFEST} is missing); make it with `glotmix pool import`, "
                "or repeat an import that was interrupted"
            )
        self.folder = folder
        self.name = folder.resolve().name

    def languages(self, task: str) -> tuple[str, ...]:
        files = self.folder.glob(f"{task}/*/*.parquet") if task in TASKS else ()
        return tuple(sorted({Language.get(file.parent.name).tag for file in files if file.stem in SPLITS}))

    def item_ids(self, task: str, language: str, split: str) -> pl.Series:
        path = split_file(self.folder, task, language, split)
        if not path.exists():
            return pl.Series("item_id", dtype=pl.String)
        items = scan_rows(path).select("item_id").collect()["item_id"]
        if items.has_nulls() or items.n_unique() < len(items):
            raise UserError(f"{path}: item ids are missing or double; import the pool again")
        return items

    def take(self, task: str, language: str, split: str, item_ids: Sequence[str] | pl.Series) -> pl.DataFrame:
        path = split_file(self.folder, task, language, split)
        wanted = pl.Series("item_id", item_ids, dtype=pl.String)
        if wanted.is_empty():
            return ROW_SCHEMA.to_frame()
        scan_rows(path)  # refuses a file that is none of rows
        found = pl.concat([ROW_SCHEMA.to_frame(), *map(with_every_column, matching(path, "item_id", wanted.unique()))])
        rows = wanted.to_frame().join(found, on="item_id", how="inner", maintain_order="left")
        if len(rows) != len(wanted):
            raise GlotmixError(f"{path}: items asked for are not there; was the pool changed while it was read?")
        return rows.select(ROW_SCHEMA.names())
