"""Anyone's table as one that can be analyzed: a file of any common kind, with as little in it as can be.

1. A table has one record per answer (with `item_id`) or per mean. A language and a value are needed; all else is filled
   in where it follows from what is there, and told (`Read.told`).
2. What cannot be right everywhere (a column with another name, percentages, two studies) is refused in one line. A
   single record that cannot be (an unknown role, text for a number, no value) is set aside with its reason (`aside`).
3. Texts are held as categories, and columns that no question asks for are not read: ten million answers are about 1 GB.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glotmix.analysis.table import MEANS_SCHEMA, RESULTS_SCHEMA, ROLES, checked, meant, nearest, words
from glotmix.errors import UserError
from glotmix.language import Language

KINDS = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
ASIDE_SCHEMA = pl.Schema({"record": pl.Int64(), "reason": pl.String()})  # records are counted from 1
AS_PUBLISHED = "as published"  # the setting of models that nobody says were trained
_UNASKED = ("run", "parsed", "output_tokens")  # of a results table, by any question
_SCHEMA = {**RESULTS_SCHEMA, **MEANS_SCHEMA}
_ROWS = r"\bn=(\d+)"  # rows per language, in the name of a setting
_NUMBERS = [name for name, dtype in _SCHEMA.items() if dtype.is_numeric()]
_SHOWN = 3


@dataclass(frozen=True)
class Read:
    """`results` is a results table or a table of means, `aside` what cannot be (`ASIDE_SCHEMA`), `told` a line for each
    thing that was assumed."""

    results: pl.DataFrame
    aside: pl.DataFrame
    told: tuple[str, ...] = ()


def read_table(path: Path, anchor: str | None = None, study: str | None = None) -> Read:
    """The table in a file: Parquet, CSV (or .tsv), JSON records or JSON lines.

    Args:
        anchor: the language others are compared with, where the table has no roles; en if not given.
        study: the one to keep of several in one table.

    Raises:
        UserError: no such file, or none that can be a table of scores.
    """
    try:
        frame = _scan(path)
        schema = frame.collect_schema()
        renamed = _renamed(str(path), schema.names())
        frame = frame.rename(renamed).with_row_index("record", 1)
        table = frame.select(pl.col("record").cast(pl.Int64), *_columns(frame.collect_schema(), path)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: can't be read as {path.suffix.removeprefix('.')} ({reason:.120})") from None
    unread = [name for name in schema.names() if name not in _SCHEMA and name not in renamed]
    told = [f"columns not read: {_listed(unread)}"] if unread else []
    return _completed(str(path), _one_study(table, study), anchor, told)


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder")
    match path.suffix:
        case ".parquet":
            return pl.scan_parquet(path)
        case ".csv" | ".tsv":
            return pl.scan_csv(path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema=False)
        case ".json":
            return pl.read_json(path, infer_schema_length=None).lazy()
        case ".jsonl" | ".ndjson":
            return pl.scan_ndjson(path, infer_schema_length=None)
    raise UserError(f"{path}: unknown kind of table; give {', '.join(KINDS)}, or a folder")


def _renamed(path: str, names: Sequence[str]) -> dict[str, str]:
    """`score` is `value`. Another column that seems to be meant as one that is not there is refused: it would be missed
    without a word."""
    renamed = {"score": "value"} if "score" in names and "value" not in names else {}
    there = {*names, *renamed.values()}
    for name in (name for name in names if name not in _SCHEMA and name not in renamed):
        if (column := meant(name)) and column not in there:
            raise UserError(f"{path}: no column {column!r}; rename {name!r}, which looks like it")
    for column in ("language", "value"):
        if column not in there:
            raise UserError(f"{path}: no column {column!r}; {_wide(names) or nearest(column, names)}")
    return renamed


def _wide(names: Sequence[str]) -> str:
    """A table with a column for each language needs another shape."""
    tags = [name for name in names if name not in _SCHEMA and _is_tag(name)]
    wide = f"it has a column for each language ({_listed(tags)}); give each a record of its own"
    return wide if len(tags) > 1 else ""


def _is_tag(name: str) -> bool:
    try:
        return Language.get(name).tag == name
    except UserError:
        return False


def _listed(names: Sequence[str]) -> str:
    """A few of them, as a terminal may show them."""
    shown = [name if name.isprintable() else ascii(name) for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _columns(schema: pl.Schema, path: Path) -> list[pl.Expr]:
    """Those that are asked for; all others stay on disk."""
    typed = path.suffix == ".parquet"
    return [_lean(name, schema[name], typed) for name in _SCHEMA if name in schema and name not in _UNASKED]


def _lean(name: str, own: pl.DataType, typed: bool) -> pl.Expr:
    column = pl.col(name)
    if own == pl.List(pl.String):
        tags = name == "train_languages"  # the only long list, and tags have no spaces
        return column.list.join(" ").cast(pl.Categorical()) if tags else column.cast(pl.List(pl.Categorical()))
    if name in _NUMBERS or own not in (pl.String, pl.Categorical, pl.Enum):
        return column
    if typed:
        return column.cast(pl.Categorical())
    text = column.str.strip_chars()
    return pl.when(text != "").then(text).cast(pl.Categorical()).alias(name)


def _one_study(table: pl.DataFrame, study: str | None) -> pl.DataFrame:
    names = _texts(table, "study") if "study" in table.columns else []
    if study is not None and study not in names:
        raise UserError(f"--study: no study {study!r} in the table; it has {_listed(names) or 'no column study'}")
    if study is None and len(names) > 1:
        raise UserError(f"the table holds {len(names)} studies ({_listed(names)}); choose one with --study")
    return table if study is None else table.filter(pl.col("study") == study)


def _texts(table: pl.DataFrame, column: str) -> list[str]:
    return table[column].drop_nulls().unique().cast(pl.String).sort().to_list()


def _completed(path: str, table: pl.DataFrame, anchor: str | None, told: list[str]) -> Read:
    try:
        table, aside = _sifted(table)
        if table.is_empty():
            raise UserError(f"no record can be used; the first: {aside['reason'][0]}" if len(aside) else "no records")
        known = [Language.get(tag).tag for tag in (*_texts(table, "language"), *([anchor] if anchor else []))]
        if anchor and anchor not in known[:-1]:
            raise UserError(f"--anchor: no record in {anchor!r}; there are {_listed(known[:-1])}")
        table = _with_roles(_with_rows(_with_names(table, told), anchor or "en"), anchor or "en", told)
        return Read(checked(table.drop("record"), "item_id" not in table.columns), aside, tuple(told))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _sifted(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that can be, with numbers read from texts; and those that cannot, with the reason."""
    texts = [name for name in _NUMBERS if table.schema.get(name) == pl.String]
    read = table.with_columns(pl.col(name).alias(_raw(name)) for name in texts)
    read = read.with_columns(map(_number, texts)).with_columns(pl.col("value").cast(pl.Float64))
    found = read.select("record", reason=pl.coalesce(*map(_no_number, texts), *_faults(read.columns)))
    aside = found.filter(pl.col("reason").is_not_null())
    kept = read.drop(map(_raw, texts))
    return kept.join(aside, on="record", how="anti", maintain_order="left") if len(aside) else kept, aside


def _raw(name: str) -> str:
    return f"{name} as text"


def _number(name: str) -> pl.Expr:
    number = pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
    if _SCHEMA[name] == pl.Float64:
        return number
    return pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)


def _no_number(name: str) -> pl.Expr:
    what = "a number" if _SCHEMA[name] == pl.Float64 else "a whole number"
    wrong = pl.col(name).is_null() & (pl.col(_raw(name)).str.strip_chars() != "")
    return pl.when(wrong).then(pl.format("{} is '{}', not {}", pl.lit(name), _raw(name), pl.lit(what)))


def _faults(columns: Sequence[str]) -> Iterable[pl.Expr]:
    for name in ("model", "task", "setting", "language", "item_id"):
        if name in columns:
            yield pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} is empty"))
    if "role" in columns:
        text = pl.format("role is '{}'; it is one of {}", "role", pl.lit(", ".join(ROLES)))
        yield pl.when(~pl.col("role").cast(pl.String).is_in(ROLES)).then(text)
    unjudged = pl.col("verdict").eq_missing("unjudged") if "verdict" in columns else pl.lit(False)
    yield pl.when(pl.col("value").is_null() & ~unjudged).then(pl.lit("value is empty"))
    yield pl.when(pl.col("value").is_nan()).then(pl.lit("value is nan, not a number"))


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
    if anchor not in _texts(table, "language"):
        told.append(f"no record in {anchor}: --anchor names the language others are compared with")
    is_seen, is_anchor = pl.col("language").cast(pl.String).is_in(seen), pl.col("language") == anchor
    role = pl.when(is_anchor).then(pl.lit("anchor")).when(is_seen).then(pl.lit("seen")).otherwise(pl.lit("unseen"))
    own = [pl.col("role")] if "role" in table.columns else []
    return table.with_columns(role=pl.coalesce(*own, role.cast(pl.Categorical())))
