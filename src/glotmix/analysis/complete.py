"""What a table of scores does not say, filled in where it follows from what it says: names, seed, rows and roles."""

import re
from collections.abc import Sequence

import polars as pl

from glotmix.analysis.table import MEANS_SCHEMA, RESULTS_SCHEMA, words
from glotmix.errors import UserError

AS_PUBLISHED = "as published"  # the setting of models that nobody says were trained
_SCHEMA = {**RESULTS_SCHEMA, **MEANS_SCHEMA}
_ROWS = r"\bn=(\d+)"  # rows per language, in the name of a setting


def completed(table: pl.DataFrame, anchor: str, told: list[str]) -> pl.DataFrame:
    """The table with every column that a results table or table of means must have; `told` gets a line for each thing
    that was assumed.

    Raises:
        UserError: nothing tells the rows per language.
    """
    return _with_roles(_with_rows(_with_names(table, told), anchor), anchor, told)


def texts(table: pl.DataFrame, column: str) -> list[str]:
    """What a column of texts holds, each once, in order."""
    return table[column].drop_nulls().unique().cast(pl.String).sort().to_list()


def _with_names(table: pl.DataFrame, told: list[str]) -> pl.DataFrame:
    """Model, task, setting and seed, where there is but one."""
    number = pl.col("rows_per_language")
    setting = pl.format("n={}", number) if "rows_per_language" in table.columns else pl.lit(AS_PUBLISHED)
    names = {"model": pl.lit("model"), "task": pl.lit("task"), "setting": setting, "seed": pl.lit(0, pl.Int64)}
    missing = [name for name in names if name not in table.columns]
    if missing:
        told.append(f"no column {' or '.join(missing)}: taken as one {' and '.join(missing)}")
    filled = table.with_columns(names[name].cast(_lean_type(name)).alias(name) for name in missing)
    return filled.with_columns(pl.col("seed").fill_null(0)) if filled["seed"].null_count() else filled


def _lean_type(name: str) -> pl.DataType:
    return pl.Categorical() if _SCHEMA[name] == pl.String else _SCHEMA[name]


def _with_rows(table: pl.DataFrame, anchor: str) -> pl.DataFrame:
    """Rows per language as the name of the setting tells them, where no column does."""
    if "rows_per_language" in table.columns and not table["rows_per_language"].null_count():
        return table
    languages = words("train_languages") if "train_languages" in table.columns else pl.lit(None, pl.List(pl.String))
    settings = table.select(name=pl.col("setting").cast(pl.String), trained=languages).unique("name")
    alone = len(settings) == 1
    told = {name: 0 if alone else _rows(name, trained, anchor) for name, trained in settings.sort("name").rows()}
    if "rows_per_language" not in table.columns:
        table = table.with_columns(rows_per_language=pl.lit(None, pl.Int64))
    found = pl.col("setting").cast(pl.String).replace_strict(told, return_dtype=pl.Int64)
    table = table.with_columns(pl.col("rows_per_language").fill_null(found))
    if len(unknown := table.filter(pl.col("rows_per_language").is_null())):
        raise UserError(
            f"no rows_per_language, and setting {unknown['setting'][0]!r} does not tell it as 'n=400' would; add the"
            " rows of each training language beside the anchor, 0 for the baseline"
        )
    return table


def _rows(setting: str, trained: Sequence[str] | None, anchor: str) -> int | None:
    if named := re.search(_ROWS, setting):
        return int(named[1])
    return 0 if trained == [anchor] else None


def _with_roles(table: pl.DataFrame, anchor: str, told: list[str]) -> pl.DataFrame:
    """By the languages that any setting trains on, where no column tells."""
    if "role" in table.columns and not table["role"].null_count():
        return table
    seen: list[str] = []
    if "train_languages" in table.columns:
        seen = table.select("train_languages").unique().select(words("train_languages").explode()).to_series().to_list()
    elif "role" not in table.columns:
        told.append(f"no column role or train_languages: every language but {anchor} is taken as unseen")
    if anchor not in texts(table, "language"):
        told.append(f"no record in {anchor}: --anchor names the language others are compared with")
    is_seen, is_anchor = pl.col("language").cast(pl.String).is_in(seen), pl.col("language") == anchor
    role = pl.when(is_anchor).then(pl.lit("anchor")).when(is_seen).then(pl.lit("seen")).otherwise(pl.lit("unseen"))
    own = [pl.col("role")] if "role" in table.columns else []
    return table.with_columns(role=pl.coalesce(*own, role.cast(pl.Categorical())))
