"""Adding rows to a pool folder. Files appear whole or not at all; `pool.json` is taken away first and written last."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from glotmix.errors import GlotmixError
from glotmix.pool.folder import MANIFEST, scan_rows, split_file
from glotmix.pool.parquet import read_parquet
from glotmix.pool.quarantine import REJECTED_SCHEMA
from glotmix.pool.row import ROW_SCHEMA, SPLITS, TASKS
from glotmix.version import version

REJECTED = "rejected.parquet"
_NONE_REJECTED = REJECTED_SCHEMA.to_frame()
COUNTS_SCHEMA = pl.Schema({"task": pl.String(), "language": pl.String(), "split": pl.String(), "rows": pl.Int64()})


def add_to_pool(
    out: Path, rows: pl.DataFrame, rejected: pl.DataFrame = _NONE_REJECTED, files: Sequence[str] = ()
) -> int:
    """Adds rows, replacing those of the same `row_id` in any split, and what was rejected of `files`, likewise.

    So importing a file twice changes nothing. Returns how many rows were replaced.

    Raises:
        UserError: a row of an unknown task, language or split, or a file of the pool that can't be read.
        GlotmixError: the folder can't be written.
    """
    with _faults(out):
        planned, replaced = _merged(out, rows)
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        for path, frame in planned.items():
            _write_rows(path, frame)
        _set_aside(out / REJECTED, rejected, files)
        manifest = {"name": out.resolve().name, "glotmix": version(), "counts": pool_counts(out).to_dicts()}
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        replace_file(out / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))
    return replaced


def _merged(out: Path, rows: pl.DataFrame) -> tuple[dict[Path, pl.DataFrame], int]:
    """Every file these rows touch, with its whole new content in the order of row ids; and how many rows give way."""
    assert rows.schema == ROW_SCHEMA
    planned, replaced = {}, 0
    for task, language, split in rows.select("task", "language", "split").unique().rows():
        split_file(out, task, language, split)  # refuses names before anything is planned
    for task, language in rows.select("task", "language").unique(maintain_order=True).rows():
        new = rows.filter(pl.col("task") == task, pl.col("language") == language)
        for split in SPLITS:
            path = split_file(out, task, language, split)
            earlier = scan_rows(path).collect() if path.exists() else new.clear()
            kept = earlier.join(new, on="row_id", how="anti")
            replaced += len(earlier) - len(kept)
            planned[path] = pl.concat([kept, new.filter(pl.col("split") == split)]).sort("row_id")
    return planned, replaced


def _write_rows(path: Path, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, rows.write_parquet)


def _set_aside(path: Path, rejected: pl.DataFrame, files: Sequence[str]) -> None:
    if path.exists():
        earlier = read_parquet(path).filter(~pl.col("file").is_in(files))
        rejected = pl.concat([earlier, rejected])
    _write_rows(path, rejected)


def pool_counts(pool: Path) -> pl.DataFrame:
    """Rows per task, language and split."""
    counts = [
        (task, file.parent.name, split, scan_rows(file).select(pl.len()).collect().item())
        for task in TASKS
        for split in SPLITS
        for file in pool.glob(f"{task}/*/{split}.parquet")
    ]
    return pl.DataFrame(counts, schema=COUNTS_SCHEMA, orient="row").sort("task", "language", "split")


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a neighbour of the file, then renames it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _faults(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise GlotmixError(f"{out}: can't write the pool ({error}); free space or choose another folder") from error
