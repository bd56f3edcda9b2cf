"""JSON lines: whole blocks at a time, and one by one only where a block holds a line that is not as it should be."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from glotmix.pool.record import Found, Unusable


def json_record(line: int, raw: str, reason: str = "") -> Found:
    """One line as a record; its value is an object, or there is a reason."""
    try:
        return Found(line, None if reason else _object(raw), raw, reason)
    except Unusable as error:
        return Found(line, None, raw, str(error))


def _object(raw: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates, which no file can hold
    except UnicodeEncodeError:
        raise Unusable("not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unusable("broken JSON" if raw.strip() else "empty line") from None
    if not isinstance(value, dict):
        raise Unusable("not a JSON object")
    return value


_SURROGATE = r"\\u[dD][89a-fA-F]"


def json_columns(block: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A block of `line, raw, reason` with the fields of its objects as columns, null where there is none."""
    dtype = pl.Struct(dict(columns))
    # Polars would read a lone surrogate as NUL, skip an empty line, and take null for an object.
    suspect = pl.col("raw").str.contains(_SURROGATE) | pl.col("raw").str.strip_chars().is_in(["", "null"])
    block = _judged(block, suspect)
    fine = block["reason"] == ""
    try:
        decoded = block["raw"].filter(fine).str.json_decode(dtype)
    except pl.exceptions.ComputeError:
        block = _judged(block, pl.lit(True))
        fine = block["reason"] == ""
        decoded = _decoded_parts(block["raw"].filter(fine), dtype)
    found = block.filter(fine).with_columns(decoded.alias("value"))
    missing = pl.when(pl.col("value").is_null()).then(pl.lit("a field of another type")).otherwise("reason")
    found = found.with_columns(reason=missing).unnest("value")
    return pl.concat([found, block.filter(~fine)], how="diagonal").sort("line") if not fine.all() else found


def _judged(block: pl.DataFrame, suspect: pl.Expr) -> pl.DataFrame:
    """The block with a reason for each suspect line that is not a JSON object."""
    doubtful = block.filter(suspect & (pl.col("reason") == ""))
    if doubtful.is_empty():
        return block
    reasons = [json_record(*line).reason for line in doubtful.iter_rows()]
    found = doubtful.select("line", why=pl.Series(reasons, dtype=pl.String))
    return block.join(found, on="line", how="left", maintain_order="left").select(
        "line", "raw", reason=pl.coalesce("why", "reason")
    )


def _decoded_parts(lines: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Decodes JSON objects; null where a field is of another type."""
    if lines.is_empty():
        return pl.Series([], dtype=dtype)
    try:
        return lines.str.json_decode(dtype)
    except pl.exceptions.ComputeError:
        if len(lines) == 1:
            return pl.Series([None], dtype=dtype)
        half = len(lines) // 2
        return pl.concat([_decoded_parts(lines[:half], dtype), _decoded_parts(lines[half:], dtype)])
