"""`import_pool`: a public source, read, checked and added to a pool folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.intake import checked
from glotmix.pool.row import SPLITS
from glotmix.pool.sources import SOURCES, Source
from glotmix.pool.write import COUNTS_SCHEMA, pool_writer

_GENERIC = ("source", "path", "place", "out", "split", "validation_rows", "progress")


@dataclass(frozen=True)
class ImportReport:
    """What an import did: rows per task, language and split, and rejected records per reason."""

    counts: pl.DataFrame  # task, language, split, rows
    replaced: int  # rows that were in the pool under the same id
    moved: int  # rows that were in the pool to train on, held out now as they are in another language
    rejected: pl.DataFrame  # reason, lines


def import_pool(
    source: str,
    place: str | Path,
    out: Path,
    *,
    split: str | None = None,
    validation_rows: int | None = None,
    progress: Callable[[str, int], object] = lambda what, rows: None,
    **options: Any,
) -> ImportReport:
    """Reads a source's file, folder or hub dataset and adds its rows to the pool folder `out`.

    Nothing is written if that fails. `split` sets the split of every row; `validation_rows` training rows per task and
    language are held out (`PoolWriter` says which). `progress` is told what is being done (read, written) and with how
    many rows.

    Raises:
        UserError: an unknown source or option, a place that can't be read, or a file of the wrong kind.
        GlotmixError: the folder can't be written.
    """
    known = _source(source, options, split, validation_rows)
    held_rows = known.validation_rows if validation_rows is None else validation_rows
    if split is not None and "split" in known.options:
        options["split"], split = split, None
    rows = 0
    with pool_writer(out, held_rows) as writer:
        for batch in checked(known.read(str(place), **options), split):
            writer.add(batch)
            rows += len(batch.rows)
            progress("read", rows)
        if validation_rows and writer.held.chosen.is_empty():
            raise UserError(f"validation_rows {validation_rows}: there are no training rows; leave it out")
        writer.finish(partial(progress, "written"))
    counts = [(*cell, count) for cell, count in sorted(writer.counts.items()) if count]
    return ImportReport(
        counts=pl.DataFrame(counts, schema=COUNTS_SCHEMA, orient="row"),
        replaced=writer.replaced,
        moved=writer.moved,
        rejected=pl.DataFrame(
            sorted(writer.reasons.items()), schema={"reason": pl.String, "lines": pl.Int64}, orient="row"
        ),
    )


def _source(name: str, options: dict[str, Any], split: str | None, validation_rows: int | None) -> Source:
    if name not in SOURCES:
        raise UserError(f"unknown source {name!r}; the sources are {', '.join(SOURCES)}")
    source = SOURCES[name]
    for option in options:
        if option not in source.options:
            others = ", ".join(known for known in source.options if known != "split")
            raise UserError(f"{name} has no option {option!r}; it takes {others or 'none, leave it out'}")
    if split is not None and split not in SPLITS:
        raise UserError(f"unknown split {split!r}; the splits are {', '.join(SPLITS)}")
    if split is not None and split not in source.splits:
        raise UserError(f"split {split!r}: {name} is made for evaluation; its rows are {', '.join(source.splits)}")
    if validation_rows is not None and validation_rows < 0:
        raise UserError(f"validation_rows {validation_rows}: give 0 or more")
    return source


def parse_options(given: list[str]) -> dict[str, str]:
    """`name=value` texts as a dict.

    Raises:
        UserError: a text without `=`, or a name given twice.
    """
    options: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name in options or name in _GENERIC:
            raise UserError(
                f"option {text!r}: write each once as name=value; split, path and out are options of import"
            )
        options[name] = value
    return options


@contextmanager
def showing_progress() -> Iterator[Callable[[str, int], None]]:
    """A line on a terminal with the rows read, then written, and how many a second."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows {task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks = {"read": bar.add_task("read", total=None), "written": bar.add_task("written", total=None)}
        yield lambda what, rows: bar.update(tasks[what], completed=rows)
