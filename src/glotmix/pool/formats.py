"""Reading files of others in pieces: JSON lines and arrays, CSV, TSV, Parquet, plain lines, blocks between blank lines.

1. A text file is read in blocks of whole lines, so memory does not grow with the file, nor with a line of 2 GB.
2. What can't be read becomes a record with a reason and its raw content; its neighbours are read all the same.
3. `frames` is the fast way, whole columns at a time; `records` is the plain one, a Python value at a time.
"""

import csv
import itertools
import json
import lzma
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.json_array import item_blocks
from glotmix.pool.json_lines import json_columns, json_record
from glotmix.pool.lines import line_blocks
from glotmix.pool.record import DataFile, Found

_BATCH = 10_000  # records put into one list


@contextmanager
def opened(file: DataFile) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed if it is named .gz, .bz2 or .xz.

    Raises:
        UserError: it can't be opened or read to its end.
    """
    import fsspec

    unreadable = access_errors(file.url)
    try:
        with fsspec.open(file.url, "rb", compression="infer") as stream:
            yield stream
    except unreadable as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{file.name}: can't be read ({why}); give the path of the source's file") from None


def access_errors(url: str) -> tuple[type[BaseException], ...]:
    """What reading a local file, or one on the hub, may raise."""
    local = (OSError, EOFError, zlib.error, lzma.LZMAError)
    if not url.startswith("hf://"):
        return local
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    # The bases are OSError and what the hub's HTTP library, whichever it is, raises without a connection.
    return (*local, OfflineModeIsEnabled, *HfHubHTTPError.__bases__)


def records(file: DataFile) -> Iterator[list[Found]]:
    """All records of a file. Values: dicts of jsonl, json, csv and parquet; text of tsv, lines and blocks."""
    with opened(file) as stream:
        match _format(file, stream):
            case "jsonl":
                yield from ([json_record(*line) for line in part.iter_rows()] for part in _parts(line_blocks(stream)))
            case "json":
                yield from ([json_record(*item) for item in part.iter_rows()] for part in _parts(item_blocks(stream)))
            case "tsv" | "lines":
                yield from ([_line_record(*line) for line in part.iter_rows()] for part in _parts(line_blocks(stream)))
            case "blocks":
                yield from _batched(_text_blocks(stream))
            case "csv":
                yield from _batched(_csv_records(file, stream, ","))
            case "parquet":
                number = itertools.count(1)
                for batch in _parquet_batches(file, stream):
                    yield [Found(next(number), value, None) for value in batch.to_dicts()]
            case other:
                raise AssertionError(other)


def frames(file: DataFile, columns: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """All records of a table as frames of `line, raw, reason` (empty = fine) and the columns, null where not there."""
    assert file.format in ("jsonl", "json", "csv", "tsv", "parquet")
    with opened(file) as stream:
        match _format(file, stream):
            case "jsonl":
                yield from (json_columns(block, columns) for block in line_blocks(stream))
            case "parquet":
                first = 1
                for batch in _parquet_batches(file, stream, columns):
                    found = pl.DataFrame({"line": range(first, first + len(batch))}, schema={"line": pl.Int64})
                    first += len(batch)
                    yield pl.concat([_unspoilt(found), _fitted(file, batch, columns)], how="horizontal")
            case "json":
                yield from (json_columns(block, columns) for block in item_blocks(stream))
            case text:
                found_rows = _csv_records(file, stream, "," if text == "csv" else "\t")
                yield from (_record_columns(batch, columns) for batch in _batched(found_rows))


def _format(file: DataFile, stream: BinaryIO) -> str:
    """`.json` is an array, or JSON lines by another name."""
    if file.format != "json":
        return file.format
    start = stream.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip()
    stream.seek(0)
    return "json" if start.startswith(b"[") else "jsonl"


def _parts(blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """A block of short lines has millions: too many to be Python values at once."""
    return (part for block in blocks for part in block.iter_slices(_BATCH))


def _batched(found: Iterable[Found]) -> Iterator[list[Found]]:
    remaining = iter(found)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _line_record(line: int, raw: str, reason: str) -> Found:
    return Found(line, raw, raw, reason)


def _text_blocks(stream: BinaryIO) -> Iterator[Found]:
    lines = (line for block in line_blocks(stream) for line in block.iter_rows())
    for blank, group in itertools.groupby(lines, key=lambda line: not line[1].strip()):
        if not blank:
            first, *_ = block = list(group)
            text = "\n".join(raw for _, raw, _ in block)
            yield Found(first[0], text, text, next((reason for _, _, reason in block if reason), ""))


def _csv_records(file: DataFile, stream: BinaryIO, delimiter: str) -> Iterator[Found]:
    lines, consumed = (line for block in line_blocks(stream) for line in block.iter_rows()), []

    def texts() -> Iterator[str]:
        for line in lines:
            consumed.append(line)
            yield line[1] + "\n"

    if delimiter == "\t":
        rows = csv.reader(texts(), delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    else:
        rows = csv.reader(texts(), strict=True)
    header: list[str] | None = None
    while True:
        consumed.clear()
        values, reason = _next_row(rows)
        if values is None and not consumed:
            return
        raw = "\n".join(raw for _, raw, _ in consumed)
        reason = next((reason for _, _, reason in consumed if reason), reason)
        if header is None:
            header = values or []
            _no_doubles(file, header)
        elif reason or values is None or len(values) != len(header):
            yield Found(consumed[0][0], None, raw, reason or "wrong column count")
        else:
            yield Found(consumed[0][0], dict(zip(header, values, strict=True)), raw)


def _next_row(rows: Iterator[list[str]]) -> tuple[list[str] | None, str]:
    try:
        return next(rows, None), ""
    except csv.Error:
        return [], "broken CSV"


def _parquet_batches(file: DataFile, stream: BinaryIO, columns: Iterable[str] | None = None) -> Iterator[pl.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(stream, pre_buffer=False, buffer_size=2**20)
        _no_doubles(file, parquet.schema_arrow.names)
        wanted = None if columns is None else [name for name in parquet.schema_arrow.names if name in set(columns)]
        for batch in parquet.iter_batches(batch_size=_BATCH, columns=wanted):
            batch.validate(full=True)  # Polars would trust that text is UTF-8
            yield pl.DataFrame(pl.from_arrow(batch))
    except pa.ArrowException as error:
        why = str(error).splitlines()[0]
        raise UserError(f"{file.name}: not a Parquet file one can read ({why})") from None


def _no_doubles(file: DataFile, columns: Sequence[str]) -> None:
    doubles = [name for number, name in enumerate(columns) if name and name in columns[:number]]
    if doubles:
        raise UserError(f"{file.name}: two columns are named {doubles[0]!r}; rename one")


def _unspoilt(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(raw=pl.lit(None, pl.String), reason=pl.lit(""))


def _fitted(file: DataFile, batch: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    found = [pl.col(name) if name in batch.columns else pl.lit(None).alias(name) for name in columns]
    try:
        return batch.select(found).cast(pl.Schema(columns), strict=False)
    except pl.exceptions.PolarsError as error:
        raise UserError(f"{file.name}: a column is of another type ({str(error).splitlines()[0]})") from None


def _record_columns(batch: Sequence[Found], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Values as JSON, to be read like JSON lines."""
    lines = [(record.line, json.dumps(record.value, ensure_ascii=False), record.reason) for record in batch]
    block = pl.DataFrame(lines, schema={"line": pl.Int64, "raw": pl.String, "reason": pl.String}, orient="row")
    return json_columns(block, columns).with_columns(pl.Series("raw", [record.raw for record in batch], pl.String))
