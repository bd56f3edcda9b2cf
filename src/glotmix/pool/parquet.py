"""Parquet files by their exact path: Polars takes `[`, `*` and `?` in a path for a pattern, unless told not to."""

from pathlib import Path

import polars as pl


def read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    return pl.read_parquet(path, columns=columns, glob=False)


def scan_parquet(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False)
