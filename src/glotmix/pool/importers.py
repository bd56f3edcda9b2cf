"""Public sources by name, and `import_pool`, which adds one to a pool folder. A source is one file beside this one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glotmix.errors import UserError
from glotmix.pool import gsm8k, mgsm
from glotmix.pool.quarantine import Intake
from glotmix.pool.write import add_to_pool


@dataclass(frozen=True)
class Importer:
    """How a source is read, and the options its `read` takes besides the path."""

    read: Callable[..., Intake]
    options: tuple[str, ...] = ()


IMPORTERS: Mapping[str, Importer] = {
    "gsm8k": Importer(gsm8k.read, ("split", "validation_rows")),
    "mgsm": Importer(mgsm.read),
}


@dataclass(frozen=True)
class ImportReport:
    """What an import did: rows per task, language and split, and rejected lines per reason."""

    counts: pl.DataFrame  # task, language, split, rows
    replaced: int  # rows that were in the pool under the same id
    rejected: pl.DataFrame  # reason, lines


def import_pool(source: str, path: Path, out: Path, **options: str | int) -> ImportReport:
    """Reads a source's file or folder and adds its rows to the pool folder `out`; nothing is written if that fails.

    Raises:
        UserError: an unknown source or option, or a file of the wrong kind.
    """
    if source not in IMPORTERS:
        raise UserError(f"unknown source {source!r}; the sources are {', '.join(IMPORTERS)}")
    importer = IMPORTERS[source]
    for option in options:
        if option not in importer.options:
            known = f"it takes {', '.join(importer.options)}" if importer.options else "it takes none; leave it out"
            raise UserError(f"{source} has no option {option!r}; {known}")
    intake = importer.read(path, **options)
    rows, rejected = intake.frame(), intake.rejected_frame()
    replaced = add_to_pool(out, rows, rejected, intake.files)
    return ImportReport(
        replaced=replaced,
        counts=rows.group_by("task", "language", "split").agg(rows=pl.len()).sort("task", "language", "split"),
        rejected=rejected.group_by("reason").agg(lines=pl.len()).sort("reason"),
    )
