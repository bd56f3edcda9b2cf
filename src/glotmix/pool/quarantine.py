"""Reading files of others line by line: a line that can't become a row is set aside with its reason, never lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.row import ROW_SCHEMA

REJECTED_SCHEMA = pl.Schema({"file": pl.String(), "line": pl.Int64(), "reason": pl.String(), "raw": pl.String()})
LONGEST_LINE = 1_000_000  # bytes
RAW_CHARACTERS = 10_000


class Unusable(Exception):
    """Why a line can't become a row, in few words: reasons are counted."""


@dataclass
class Intake:
    """What was read so far: files, rows as records of `ROW_SCHEMA`, and records of `REJECTED_SCHEMA`."""

    files: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    _row_ids: set[str] = field(default_factory=set, init=False)

    def read(self, path: Path, parse: Callable[[int, str], dict[str, Any]]) -> None:
        """Parses every line of the file; `parse(line number from 1, text)` gives a row or raises `Unusable`.

        Raises:
            UserError: the file can't be opened, or no line of it gives a row.
        """
        self.files.append(str(path))
        rows_before, first_reason = len(self.rows), "it is empty"
        for number, raw in numbered_lines(path):
            try:
                self._add(parse(number, _text(raw)))
            except Unusable as reason:
                first_reason = f"line {number}: {reason}" if first_reason == "it is empty" else first_reason
                shown = raw.decode("utf-8", "backslashreplace")[:RAW_CHARACTERS]
                self.rejected.append({"file": str(path), "line": number, "reason": str(reason), "raw": shown})
        if len(self.rows) == rows_before:
            raise UserError(f"{path}: not a file of this source, no line gives a row ({first_reason})")

    def _add(self, row: dict[str, Any]) -> None:
        if row["row_id"] in self._row_ids:
            raise Unusable("duplicate id")
        self._row_ids.add(row["row_id"])
        self.rows.append(row)

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rows, schema=ROW_SCHEMA)

    def rejected_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rejected, schema=REJECTED_SCHEMA)


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines without their end, numbered from 1. Of a line that is too long, only the start is kept in memory."""
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(LONGEST_LINE + 1):
                number += 1
                rest = raw
                while rest and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST_LINE)
                yield number, raw.removesuffix(b"\n")
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror}); give the path of the source's file") from None


def _text(raw: bytes) -> str:
    if len(raw) > LONGEST_LINE:
        raise Unusable("line too long")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("not UTF-8") from None
