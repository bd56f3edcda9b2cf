"""What rows say, as hashes: the one way to hash rows, whoever asks.

Each row is hashed alone (BLAKE3 of its columns as JSON), a table by the row hashes in their order. So a table that is a
slice of others costs nothing anew, and any other order, text or row gives another hash.
Where rows come from (source, licence, origin) is not part of what they say.
"""

import hashlib
from collections.abc import Iterable

import polars as pl
import polars_hash as plh

WHAT_ROWS_SAY = ("answer_language", "row_id", "task", "language", "messages", "reference")
_OWN_LANGUAGE = (
    r'^\{"answer_language":null,'  # says nothing: such a row has the hash it had before there was the column
)


def row_hashes(rows: pl.DataFrame, columns: Iterable[str] = WHAT_ROWS_SAY) -> pl.Series:
    """BLAKE3 (64 hexadecimal digits) of each row's columns, by name and in this order."""
    as_json = rows.select(row=pl.struct(*columns).struct.json_encode())
    said = as_json.with_columns(pl.col("row").str.replace(_OWN_LANGUAGE, "{"))
    return said.select(plh.col("row").chash.blake3()).to_series()


def content_hash(rows: pl.DataFrame, columns: Iterable[str] = WHAT_ROWS_SAY) -> str:
    """SHA-256 of the row hashes in their order."""
    return hash_of_hashes(row_hashes(rows, columns))


def hash_of_hashes(hashes: pl.Series) -> str:
    """SHA-256 of row hashes in their order, end to end."""
    return hashlib.sha256(hashes.str.join("").item().encode()).hexdigest()
