"""Anyone's table as one that can be analyzed: a file of any common kind, with as little in it as can be.

1. A table has one record per answer (with `item_id`) or per mean. A language and a value are needed; all else is filled
   in where it follows from what is there, and told (`Read.told`).
2. What cannot be right everywhere (a column with another name, percentages, two studies) is refused in one line. A
   single record that cannot be (an unknown role, text for a number, no value) is set aside with its reason (`aside`).
3. Texts are held as categories, and columns that no question asks for are not read: ten million answers are about 1 GB.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glotmix.analysis.complete import completed, texts
from glotmix.analysis.table import MEANS_SCHEMA, RESULTS_SCHEMA, ROLES, VERDICTS, checked, listed, meant, nearest
from glotmix.errors import UserError
from glotmix.language import Language

KINDS = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
ASIDE_SCHEMA = pl.Schema({"record": pl.Int64(), "reason": pl.String()})  # records are counted from 1
_UNASKED = ("run", "parsed", "output_tokens")  # of a results table, by any question
_SCHEMA = {**RESULTS_SCHEMA, **MEANS_SCHEMA}
_LEAST = {
    "rows_per_language": 0,
    "anchor_rows": 0,
    "total_rows": 0,
    "optimizer_steps": 0,
    "parameters": 1,
    "n_items": 1,
}
_WHY = "why no number: "  # before the name of a column
_LEADING = 4096  # bytes of a text file that tell what it is


@dataclass(frozen=True)
class Read:
    """`results` is a results table or a table of means, `aside` what cannot be (`ASIDE_SCHEMA`), `told` a line for each
    thing that was assumed."""

    results: pl.DataFrame
    aside: pl.DataFrame
    told: tuple[str, ...] = ()

    @property
    def reasons(self) -> pl.DataFrame:
        """Each reason with its number of records, the most frequent first."""
        return (
            self.aside.group_by("reason", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
        )


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
        reason = listed(str(error).splitlines()[:1]) or type(error).__name__
        raise UserError(f"{path}: can't be read as {path.suffix.removeprefix('.')} ({reason})") from None
    unread = [name for name in schema.names() if name not in _SCHEMA and name not in renamed]
    told = [f"columns not read: {listed(unread)}"] if unread else []
    return _checked(str(path), _one_study(table, study), anchor, told)


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder")
    match path.suffix.lower():
        case ".parquet":
            return pl.scan_parquet(path)
        case ".csv" | ".tsv":
            return pl.scan_csv(path, separator=_separator(path), infer_schema=False)
        case ".json":
            return pl.read_json(path, infer_schema_length=None).lazy()
        case ".jsonl" | ".ndjson":
            return pl.scan_ndjson(path, infer_schema_length=None)
    raise UserError(f"{path}: unknown kind of table; give {', '.join(KINDS)}, or a folder")


def _separator(path: Path) -> str:
    """As the first line tells: spreadsheets write semicolons where decimals have commas."""
    with path.open("rb") as file:
        leading = file.read(_LEADING)
    if b"\0" in leading:
        raise UserError(f"{path}: no text in UTF-8; save it as CSV in UTF-8")
    first = leading.decode(errors="replace").lstrip().partition("\n")[0]
    return max("\t;,", key=first.count)


def _renamed(path: str, names: Sequence[str]) -> dict[str, str]:
    """`score` is `value`, and capitals and spaces around a name do not matter. Another column that seems to be meant as
    one that is not there is refused: it would be missed without a word."""
    plain = {name: name.strip().casefold() for name in names if name not in _SCHEMA}
    meaning = {name: "value" if own == "score" else own for name, own in plain.items()}
    renamed = {name: own for name, own in meaning.items() if own in _SCHEMA and own not in names}
    there = {*names, *renamed.values()}
    for name in (name for name in names if name not in _SCHEMA and name not in renamed):
        if (column := meant(name)) and column not in there:
            raise UserError(f"{path}: no column {column!r}; rename {name!r:.60}, which looks like it")
    for column in ("language", "value"):
        if column not in there:
            raise UserError(f"{path}: no column {column!r}; {_wide(names) or nearest(column, names)}")
    return renamed


def _wide(names: Sequence[str]) -> str:
    """A table with a column for each language needs another shape."""
    tags = [name for name in names if name not in _SCHEMA and _is_tag(name)]
    wide = f"it has a column for each language ({listed(tags)}); give each a record of its own"
    return wide if len(tags) > 1 else ""


def _is_tag(name: str) -> bool:
    try:
        return Language.get(name).tag == name
    except UserError:
        return False


def _columns(schema: pl.Schema, path: Path) -> Iterator[pl.Expr]:
    """Those that are asked for, all others stay on disk; and beside a number that was read, why it is none."""
    typed = path.suffix.lower() == ".parquet"
    for name in (name for name in _SCHEMA if name in schema and name not in _UNASKED):
        own = schema[name]
        _refuse_nested(path, name, own)
        if _is_read(name, own):
            yield from (_number(name), _no_number(name).cast(pl.Categorical()).alias(_WHY + name))
        else:
            yield _lean(name, own, typed)


def _refuse_nested(path: Path, name: str, own: pl.DataType) -> None:
    wanted = _SCHEMA[name]
    inner = own.inner if isinstance(own, pl.List) and isinstance(wanted, pl.List) else own
    if inner.is_nested() and inner != getattr(wanted, "inner", None):
        raise UserError(f"{path}: column {name!r} has type {own}; it must be {wanted}")


def _is_read(name: str, own: pl.DataType) -> bool:
    """Whether it holds what must be read to be numbers, or to be whole ones."""
    of_counts = _SCHEMA[name] == pl.Int64 and (own.is_float() or own == pl.Int128)
    return _SCHEMA[name].is_numeric() and (own in (pl.String, pl.Categorical, pl.Enum) or of_counts)


def _lean(name: str, own: pl.DataType, typed: bool) -> pl.Expr:
    column = pl.col(name)
    if own == pl.List(pl.String):
        tags = name == "train_languages"  # the only long list, and tags have no spaces
        return column.list.join(" ").cast(pl.Categorical()) if tags else column.cast(pl.List(pl.Categorical()))
    if _SCHEMA[name].is_numeric() or own not in (pl.String, pl.Categorical, pl.Enum):
        return column
    if typed:
        return column.cast(pl.Categorical())
    text = column.str.strip_chars()
    return pl.when(text != "").then(text).cast(pl.Categorical()).alias(name)


def _one_study(table: pl.DataFrame, study: str | None) -> pl.DataFrame:
    names = texts(table, "study") if "study" in table.columns else []
    if study is not None and study not in names:
        raise UserError(f"--study: no study {study!r} in the table; it has {listed(names) or 'no column study'}")
    if study is None and len(names) > 1:
        raise UserError(f"the table holds {len(names)} studies ({listed(names)}); choose one with --study")
    return table if study is None else table.filter(pl.col("study") == study)


def _checked(path: str, table: pl.DataFrame, anchor: str | None, told: list[str]) -> Read:
    try:
        table, aside = _sifted(table)
        if table.is_empty():
            raise UserError(f"no record can be used; the first: {aside['reason'][0]}" if len(aside) else "no records")
        known = [Language.get(tag).tag for tag in (*texts(table, "language"), *([anchor] if anchor else []))]
        if anchor and anchor not in known[:-1]:
            raise UserError(f"--anchor: no record in {anchor!r}; there are {listed(known[:-1])}")
        table = completed(table.drop("record"), anchor or "en", told)
        return Read(checked(table, "item_id" not in table.columns), aside, tuple(told))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _sifted(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that can be, but for empty lines; and those that cannot, with the reason."""
    reasons = [name for name in table.columns if name.startswith(_WHY)]
    read = table.filter(~pl.all_horizontal(pl.exclude("record").is_null())).with_columns(
        pl.col("value").cast(pl.Float64)
    )
    told = [pl.col(name).cast(pl.String) for name in reasons]
    reason = pl.coalesce(*told, *_faults(read.columns)).str.replace_all(r"\p{C}", "�").str.slice(0, 160)
    aside = read.select("record", reason=reason).drop_nulls()
    kept = read.drop(reasons)
    return kept.join(aside, on="record", how="anti", maintain_order="left") if len(aside) else kept, aside


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.strip_chars()


def _number(name: str) -> pl.Expr:
    if _SCHEMA[name] == pl.Float64:
        return _text(name).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    number = _text(name).cast(pl.Float64, strict=False)
    return pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)


def _no_number(name: str) -> pl.Expr:
    what = "a number such as 0.5" if _SCHEMA[name] == pl.Float64 else "a whole number"
    wrong = _number(name).is_null() & (_text(name) != "")
    return pl.when(wrong).then(pl.format("{} is '{}', not {}", pl.lit(name), _text(name), pl.lit(what)))


def _faults(columns: Sequence[str]) -> Iterable[pl.Expr]:
    for name in ("model", "task", "setting", "language", "item_id"):
        if name in columns:
            yield pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} is empty"))
    for name, known in (("role", ROLES), ("verdict", VERDICTS)):
        if name in columns:
            text = pl.format("{} is '{}'; it is one of {}", pl.lit(name), name, pl.lit(", ".join(known)))
            yield pl.when(~pl.col(name).cast(pl.String).is_in(known)).then(text)
    for name, least in _LEAST.items():
        if name in columns:
            yield pl.when(pl.col(name) < least).then(pl.format("{} is {}, below {}", pl.lit(name), name, least))
    if "stderr" in columns:
        wrong = ~pl.col("stderr").is_between(0, 1)
        yield pl.when(wrong).then(pl.format("stderr is {}; it is from 0 to 1", "stderr"))
    unjudged = pl.col("verdict").eq_missing("unjudged") if "verdict" in columns else pl.lit(False)
    yield pl.when(pl.col("value").is_null() & ~unjudged).then(pl.lit("value is empty"))
    yield pl.when(pl.col("value").is_nan()).then(pl.lit("value is nan, not a number"))
