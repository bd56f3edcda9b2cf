"""From the records of a source to rows: what a source module uses, and the checks every row passes.

1. A source says how one record becomes rows (`parsed`), or how a frame of columns does (`mapped`, for big tables).
2. Every row is checked: ids, language, task, split, texts. See `unsound`.
3. What can't be used is set aside with file, line, reason and raw content, and its neighbours are kept.
4. A file no record of which is usable is an error, so a file of the wrong kind never passes for an empty one.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.formats import frames, records
from glotmix.pool.record import DataFile, LeftOut, Unusable
from glotmix.pool.row import ROW_SCHEMA, unsound, with_every_column

__all__ = ["REJECTED_SCHEMA", "Batch", "DataFile", "LeftOut", "Record", "Unusable", "mapped", "parsed"]

REJECTED_SCHEMA = pl.Schema({"file": pl.String(), "line": pl.Int64(), "reason": pl.String(), "raw": pl.String()})
RAW_CHARACTERS = 10_000


@dataclass(frozen=True)
class Record:
    """One record of a file: `line` counts from 1; `value` is a dict, or text of tsv, lines and blocks."""

    line: int
    value: Any


@dataclass(frozen=True)
class Batch:
    """Some rows of a file (`ROW_SCHEMA`), the line and raw content of each, and what was rejected beside them."""

    file: DataFile
    rows: pl.DataFrame
    lines: pl.Series  # Int64
    raw: pl.Series  # String; null where the row itself is all there is to show
    rejected: pl.DataFrame  # REJECTED_SCHEMA
    left_out: bool = False  # some record was rejected as `LeftOut`


def parsed(file: DataFile, parse: Callable[[Record], Iterable[dict[str, Any]]]) -> Iterator[Batch]:
    """Rows record by record. `parse` gives the rows of one as dicts, or raises `Unusable`.

    Raises:
        UserError: the file can't be read.
    """
    for found in records(file):
        rows, origins, rejected, left_out = [], [], [], False
        for record in found:
            try:
                if record.reason:
                    raise Unusable(record.reason)
                made = list(parse(Record(record.line, record.value)))
            except Unusable as reason:
                shown = json.dumps(record.value, ensure_ascii=False, default=str) if record.raw is None else record.raw
                rejected.append((record.line, str(reason), shown))
                left_out = left_out or isinstance(reason, LeftOut)
                continue
            rows += made
            origins += [(record.line, record.raw)] * len(made)
        read = pl.DataFrame(origins, schema={"line": pl.Int64, "raw": pl.String}, orient="row")
        spoilt = pl.DataFrame(rejected, schema={"line": pl.Int64, "reason": pl.String, "raw": pl.String}, orient="row")
        made_rows = pl.DataFrame(rows, schema=ROW_SCHEMA)
        yield Batch(file, made_rows, read["line"], read["raw"], _rejections(file, spoilt), left_out)
    yield _nothing(file)


def mapped(
    file: DataFile, columns: Mapping[str, pl.DataType], to_rows: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[Batch]:
    """Rows of a table, many at a time.

    `to_rows` takes a frame of `line` and the columns (null where a record has none) and gives one of the same height
    with the columns of `ROW_SCHEMA` and `reason`: null for a row, else why it is none.

    Raises:
        UserError: the file can't be read.
    """
    shown = pl.coalesce("raw", pl.struct(*columns).struct.json_encode())
    for frame in frames(file, columns):
        made = to_rows(frame.select("line", *columns))
        assert len(made) == len(frame)
        reason = pl.when(frame["reason"] == "").then(made["reason"]).otherwise(frame["reason"])
        read = frame.with_columns(reason=reason)
        fine = read["reason"].is_null()
        rows = with_every_column(made).filter(fine).select(ROW_SCHEMA.names()).cast(ROW_SCHEMA)
        spoilt = read.filter(~fine).select("line", "reason", raw=shown)
        yield Batch(file, rows, read["line"].filter(fine), read["raw"].filter(fine), _rejections(file, spoilt))
    yield _nothing(file)


def _nothing(file: DataFile) -> Batch:
    """The last batch of a file, so that an empty file is seen too."""
    lines, raw = pl.Series("line", [], pl.Int64), pl.Series("raw", [], pl.String)
    return Batch(file, ROW_SCHEMA.to_frame(), lines, raw, REJECTED_SCHEMA.to_frame())


def checked(batches: Iterable[Batch], split: str | None = None) -> Iterator[Batch]:
    """The batches without the rows that can't be used; those are among the rejected. `split` sets that of every row.

    Raises:
        UserError: a file no record of which gives a usable row.
    """
    for file, group in itertools.groupby(batches, key=lambda batch: batch.file):
        any_row, first_reason = False, "it is empty"
        for batch in group:
            yield (sound := _sound(batch, split))
            any_row = any_row or len(sound.rows) > 0 or batch.left_out
            if first_reason == "it is empty" and len(sound.rejected):
                first_reason = "line {}: {}".format(*sound.rejected.sort("line").select("line", "reason").row(0))
        if not any_row:
            raise UserError(f"{file.name}: not a file of this source, no record gives a row ({first_reason})")


def _sound(batch: Batch, split: str | None) -> Batch:
    rows = batch.rows if split is None else batch.rows.with_columns(split=pl.lit(split))
    reasons = unsound(rows)
    fine = reasons.is_null()
    if fine.all():
        return replace(batch, rows=rows)
    origins = pl.DataFrame([batch.lines.alias("line"), reasons.alias("reason"), batch.raw.alias("raw")])
    spoilt = pl.concat([origins, rows], how="horizontal").filter(~fine).select("line", "reason", raw=shown_row())
    rejected = pl.concat([batch.rejected, _rejections(batch.file, spoilt)])
    return Batch(batch.file, rows.filter(fine), batch.lines.filter(fine), batch.raw.filter(fine), rejected)


def shown_row() -> pl.Expr:
    """The raw content of a row: the column `raw`, or where that is null the row itself as JSON."""
    return pl.coalesce("raw", pl.struct(ROW_SCHEMA.names()).struct.json_encode())


def _rejections(file: DataFile, spoilt: pl.DataFrame) -> pl.DataFrame:
    return spoilt.select(pl.lit(file.name).alias("file"), "line", "reason", pl.col("raw").str.head(RAW_CHARACTERS))
