"""The results table: one record per run, task, language and test item. All analysis starts from it."""

import difflib
from collections.abc import Sequence

import polars as pl

from glotmix.errors import UserError

RESULTS_SCHEMA = pl.Schema(
    {
        "study": pl.String(),
        "run": pl.String(),  # e.g. lab-1m/n=100/seed=0
        "model": pl.String(),
        "parameters": pl.Int64(),
        "task": pl.String(),
        "setting": pl.String(),  # name of the design's cell, e.g. n=100
        "baseline": pl.String(),  # the setting this one is compared with; empty for a baseline
        "control_of": pl.List(pl.String()),  # the settings this one is a control of; empty for all others
        "train_tasks": pl.List(pl.String()),  # with rows in this run's mixture; null: not told
        "train_languages": pl.List(pl.String()),  # with rows in this run's mixture
        "anchor_rows": pl.Int64(),  # per task
        "rows_per_language": pl.Int64(),  # per task and training language other than the anchor
        "total_rows": pl.Int64(),
        "optimizer_steps": pl.Int64(),
        "seed": pl.Int64(),
        "language": pl.String(),
        "role": pl.String(),  # anchor | seen | unseen: in the study's training languages, also at n = 0
        "item_id": pl.String(),
        "value": pl.Float64(),  # 0 to 1; null where the verdict is unjudged
        "verdict": pl.String(),
        "parsed": pl.String(),
        "output_tokens": pl.Int64(),
        "answer_language": pl.String(),  # in which the answer is wanted; null: in `language`
        "detected": pl.String(),  # base tag of the language the answer is in; empty: nobody can tell; null: not checked
        "metrics": pl.List(pl.Struct({"name": pl.String(), "value": pl.Float64()})),  # beside the value
    }
)
OPTIONAL = {  # what an empty one means
    "baseline": pl.lit(""),
    "control_of": pl.lit([], pl.List(pl.String())),
    **{name: pl.lit(None, RESULTS_SCHEMA[name]) for name in ("train_tasks", "answer_language", "detected", "metrics")},
}
OF_ITEMS = ("item_id", "verdict", "parsed", "output_tokens", "answer_language", "detected", "metrics")
MEANS_SCHEMA = pl.Schema(  # a table without items, from elsewhere: `value` is the mean over test items
    {name: dtype for name, dtype in RESULTS_SCHEMA.items() if name not in OF_ITEMS}
    | {"metric": pl.String(), "stderr": pl.Float64(), "n_items": pl.Int64()}  # null where nobody told
)
VERDICTS = ("correct", "wrong", "no_answer", "wrong_language", "truncated", "malformed", "unjudged")
ROLES = ("anchor", "seen", "unseen")
FINDINGS_SCHEMA = pl.Schema(
    {
        "name": pl.String(),
        "model": pl.String(),
        "task": pl.String(),
        "setting": pl.String(),
        "compared_with": pl.String(),  # the other setting of a difference: baseline or control; empty for a level
        "definition": pl.String(),  # of s, the setting; a(l, s) is the mean score of language l there
        "unit": pl.String(),  # see UNITS
        "estimate": pl.Float64(),
        "low": pl.Float64(),  # of the 95 % interval
        "high": pl.Float64(),
        "n": pl.Int64(),  # what `counted` says: test items, or settings, runs, cells
        "counted": pl.String(),
        "basis": pl.String(),  # how the interval was made
        "p": pl.Float64(),  # two-sided, of no difference; null for a level
        "adjusted_p": pl.Float64(),  # for all comparisons of its family
        "detectable": pl.Float64(),  # the smallest true difference that 4 of 5 such studies see
        "conclusion": pl.String(),  # see CONCLUSIONS; empty for a level
        "note": pl.String(),
    }
)
UNITS = ("score", "ratio", "rows", "factor", "correlation", "share", "languages", "decades")
CONCLUSIONS = ("higher", "lower", "no difference", "cannot tell")
ACCURACY_SCHEMA = pl.Schema(
    {
        "model": pl.String(),
        "task": pl.String(),
        "setting": pl.String(),
        "rows_per_language": pl.Int64(),
        "language": pl.String(),
        "role": pl.String(),
        "estimate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),  # test items
        "seeds": pl.Int64(),
    }
)
_CELL = ("model", "task", "setting", "seed", "language", "item_id")
_NEEDED = (*_CELL, "rows_per_language", "role")
_NEEDED_MEANS = (*_CELL[:-1], "rows_per_language", "role", "value")


def check_results(frame: pl.DataFrame) -> pl.DataFrame:
    """The results table with the columns and types of `RESULTS_SCHEMA`, further columns left out.

    A table may lack `baseline`: then the setting with 0 rows per language is that of all others. It may lack
    `control_of`: then no setting is a control. What it lacks of answer_language, detected and metrics is not told.

    Raises:
        UserError: a column is missing or has a wrong type, a value is missing or out of range, a record is there twice,
            or the table holds several studies (their runs would pass for replicates of each other).
    """
    for column in RESULTS_SCHEMA:
        if column not in frame.columns and column not in OPTIONAL:
            raise UserError(f"results table: no column {column!r}; {_nearest(column, frame.columns)}")
    known = {column: dtype for column, dtype in RESULTS_SCHEMA.items() if column in frame.columns}
    table = pl.DataFrame([_cast(frame[column], dtype) for column, dtype in known.items()])
    table = table.with_columns(pl.col(name).fill_null(empty) for name, empty in OPTIONAL.items() if name in known)
    for column in _NEEDED:
        if missing := table[column].null_count():
            raise UserError(f"results table: column {column!r} is empty in {missing} records; fill it or drop them")
    _check_values(table)
    _check_once(table, _CELL)
    studies = table["study"].unique().sort().to_list()
    if len(studies) > 1:
        raise UserError(f"results table: holds {len(studies)} studies ({studies[0]}, {studies[1]}, ...); keep one")
    return table


def check_means(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of means (no column `item_id`): one record per run, task and language, with the columns and types of
    `MEANS_SCHEMA` that it has.

    Raises:
        UserError: as `check_results`.
    """
    for column in _NEEDED_MEANS:
        if column not in frame.columns:
            raise UserError(f"table of means: no column {column!r}; {_nearest(column, frame.columns)}")
    known = {column: dtype for column, dtype in MEANS_SCHEMA.items() if column in frame.columns}
    table = pl.DataFrame([_cast(frame[column], dtype) for column, dtype in known.items()])
    table = table.with_columns(pl.col(name).fill_null(empty) for name, empty in OPTIONAL.items() if name in known)
    for column in _NEEDED_MEANS:
        if missing := table[column].null_count():
            raise UserError(f"table of means: column {column!r} is empty in {missing} records; fill it or drop them")
    _check_values(table.with_columns(verdict=pl.lit("")))
    _check_once(table, _NEEDED_MEANS[:5])
    return table


def _nearest(column: str, present: list[str]) -> str:
    unknown = [name for name in present if name not in RESULTS_SCHEMA]
    near = difflib.get_close_matches(column, unknown, n=1)
    return f"rename {near[0]!r}, which looks like it" if near else f"the table has: {', '.join(present) or 'no column'}"


def _cast(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    try:
        if series.dtype == pl.String and dtype != pl.String:
            raise TypeError  # text that happens to read as numbers is a sign of a badly read file
        return series.cast(dtype)
    except (pl.exceptions.PolarsError, TypeError):
        raise UserError(f"results table: column {series.name!r} has type {series.dtype}; it must be {dtype}") from None


def _check_values(table: pl.DataFrame) -> None:
    if missing := len(table.filter(pl.col("value").is_null() & pl.col("verdict").ne_missing("unjudged"))):
        fix = "fill it or drop them; only a record with the verdict unjudged may have none"
        raise UserError(f"results table: column 'value' is empty in {missing} records; {fix}")
    wrong = table.filter(~pl.col("value").is_between(0, 1))["value"]
    if len(wrong):
        raise UserError(f"results table: value {wrong[0]} is outside 0 to 1; divide percentages by 100")
    roles = table.filter(~pl.col("role").is_in(ROLES))["role"]
    if len(roles):
        raise UserError(f"results table: role {roles[0]!r} is unknown; use one of {', '.join(ROLES)}")


def _check_once(table: pl.DataFrame, cell: Sequence[str]) -> None:
    twice = table.filter(table.select(cell).is_duplicated())
    if len(twice):
        names = ", ".join(f"{name} {twice[name][0]!r}" for name in cell)
        raise UserError(f"results table: {len(twice)} records have a double ({names}); keep one of each")
