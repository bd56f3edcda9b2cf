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
_EMPTY = {"baseline": pl.lit(""), "control_of": pl.lit([], pl.List(pl.String()))}  # what an empty one means
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
UNITS = ("score", "ratio", "rows", "factor", "correlation", "share")
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
CELL = ("model", "task", "setting", "seed", "language")
_NEEDED = (*CELL, "rows_per_language", "role", "value")
_RESULTS = (RESULTS_SCHEMA, (*CELL, "item_id"), "results table")
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
SYNONYMS = {  # what others call a column
    "model": ("model_name", "checkpoint", "base_model"),
    "task": ("benchmark", "dataset", "eval", "task_name"),
    "setting": ("condition", "mixture", "mix", "configuration", "config", "variant", "system"),
    "rows_per_language": ("n", "rows", "n_rows", "examples_per_language", "samples_per_language"),
    "train_languages": ("trained_on", "training_languages", "train_langs", "languages"),
    "seed": ("random_seed", "replicate", "rep"),
    "language": ("lang", "locale", "language_code", "lang_code", "test_language", "target", "target_language"),
    "role": ("group", "kind", "seen"),
    "item_id": ("item", "id", "doc_id", "question_id", "example_id"),
    "value": ("score", "accuracy", "acc", "mean", "result", "exact_match", "correct", "metric_value"),
    "stderr": ("se", "std_err", "standard_error", "acc_stderr"),
    "n_items": ("n", "items", "num_items", "test_items", "n_samples", "support"),
    "parameters": ("size", "params", "n_params", "model_size"),
    "baseline": ("compared_with", "reference", "control"),
}


def check_results(frame: pl.DataFrame) -> pl.DataFrame:
    """The results table with the types of `RESULTS_SCHEMA`, further columns left out. Texts may be categories, and a
    list may come as a text with spaces between.

    A table may lack all but what says which answer a value is of: model, task, setting, seed, language and item, its
    role and the rows per language. Without `baseline`, the setting with 0 rows per language is that of all others.
    Without `control_of`, no setting is a control. `read_table` fills in more.

    Raises:
        UserError: a column is missing or has a wrong type, a value is missing or out of range, a record is there twice,
            or the table holds several studies (their runs would pass for replicates of each other).
    """
    return _widened(checked(frame), RESULTS_SCHEMA)


def check_means(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of means (no column `item_id`): one record per run, task and language, with the columns and types of
    `MEANS_SCHEMA` that it has.

    Raises:
        UserError: as `check_results`.
    """
    return _widened(checked(frame, means=True), MEANS_SCHEMA)


def _widened(table: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    lists = [words(name) for name, dtype in schema.items() if dtype == pl.List and table.schema.get(name) in _TEXTS]
    whole = table.with_columns(lists)
    return whole.cast({name: schema[name] for name, dtype in whole.schema.items() if dtype not in _TEXTS})


def words(column: str) -> pl.Expr:
    """The list that a text stands for: `en es fr`, or `en;es;fr`."""
    return pl.col(column).cast(pl.String).str.extract_all(r"[^\s,;\[\]'\"]+")


def checked(frame: pl.DataFrame, means: bool = False) -> pl.DataFrame:
    """As `check_results` or `check_means`; what has a narrower type stays as it is, and no column is copied."""
    schema, cell, what = (MEANS_SCHEMA, CELL, "table of means") if means else _RESULTS
    for column in (*_NEEDED, *cell):
        if column not in frame.columns:
            raise UserError(f"{what}: no column {column!r}; {nearest(column, frame.columns)}")
    known = {column: dtype for column, dtype in schema.items() if column in frame.columns}
    table = pl.DataFrame([_cast(frame[column], dtype, what) for column, dtype in known.items()])
    table = table.with_columns(_filled(table[name], value) for name, value in _EMPTY.items() if name in known)
    for column in dict.fromkeys((*_NEEDED[:-1], *cell)):
        if missing := table[column].null_count():
            raise UserError(f"{what}: column {column!r} is empty in {missing} records; fill it or drop them")
    _check_values(table, what)
    _check_once(table, cell, what)
    studies = table["study"].unique().sort().to_list() if "study" in known else []
    if len(studies) > 1:
        raise UserError(f"{what}: holds {len(studies)} studies ({studies[0]}, {studies[1]}, ...); keep one")
    return table


def nearest(column: str, present: Sequence[str]) -> str:
    """Which of the columns that are `present` may be the one that is missing, for a message."""
    unknown = [name for name in present if name not in RESULTS_SCHEMA and name not in MEANS_SCHEMA]
    near = [name for name in unknown if meant(name) == column]
    if near:
        return f"rename {near[0]!r:.60}, which looks like it"
    return f"the table has: {listed(present, 12) or 'no column'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """A few of them, as a terminal may show them."""
    shown = [name if name.isprintable() else ascii(name) for name in names[:most]]
    return ", ".join(f"{name:.60}" for name in shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def meant(name: str) -> str | None:
    """The column that one of another name may be: one that others call so, or one with nearly the same letters."""
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    known = [*RESULTS_SCHEMA, *(column for column in MEANS_SCHEMA if column not in RESULTS_SCHEMA)]
    called = [column for column in known if plain in (column, *SYNONYMS.get(column, ()))]
    return next(iter(called or difflib.get_close_matches(plain, known, n=1, cutoff=0.75)), None)


def _fits(own: pl.DataType, dtype: pl.DataType) -> bool:
    if own in _TEXTS:
        return dtype in (pl.String, pl.List(pl.String))
    if isinstance(own, pl.List) and own.inner in _TEXTS:
        return dtype == pl.List(pl.String)
    return own == dtype or (dtype == pl.Int64 and own.is_integer())


def _cast(series: pl.Series, dtype: pl.DataType, what: str) -> pl.Series:
    if _fits(series.dtype, dtype):
        return series
    try:
        if series.dtype == pl.String and dtype != pl.String:
            raise TypeError  # text that happens to read as numbers is a sign of a badly read file
        return series.cast(dtype)
    except (pl.exceptions.PolarsError, TypeError):
        raise UserError(f"{what}: column {series.name!r} has type {series.dtype}; it must be {dtype}") from None


def _check_values(table: pl.DataFrame, what: str) -> None:
    judged = pl.col("verdict").ne_missing("unjudged") if "verdict" in table.columns else pl.lit(True)
    if missing := table.select((pl.col("value").is_null() & judged).sum()).item():
        fix = "fill it or drop them; only a record with the verdict unjudged may have none"
        raise UserError(f"{what}: column 'value' is empty in {missing} records; {fix}")
    wrong = table["value"].filter(~table["value"].is_between(0, 1))
    if len(wrong):
        raise UserError(f"{what}: value {wrong[0]} is outside 0 to 1; divide percentages by 100")
    roles = sorted(set(table["role"].unique()) - set(ROLES))
    if roles:
        raise UserError(f"{what}: role {roles[0]!r} is unknown; use one of {', '.join(ROLES)}")


def _filled(series: pl.Series, empty: pl.Expr) -> pl.Series:
    filling = pl.lit("") if series.dtype in _TEXTS else empty
    return series if not series.null_count() else pl.select(pl.lit(series).fill_null(filling)).to_series()


def codes(names: pl.Series, known: pl.Series) -> pl.Series:
    """The place of each name among those that are `known`."""
    return names.cast(pl.Enum(known.cast(pl.String))).to_physical()


def _check_once(table: pl.DataFrame, cell: Sequence[str], what: str) -> None:
    """In one number per record: hashing six columns of ten million records would take gigabytes."""
    key = pl.Series([0], dtype=pl.UInt64)
    for name in cell:
        known = table[name].unique()
        own = table[name].rank("dense") if known.dtype.is_integer() else codes(table[name], known)
        key = key * (len(known) + 1) + own.cast(pl.UInt64)
    if key.n_unique() < len(table):
        twice = table.filter(key.is_duplicated())
        names = ", ".join(f"{name} {twice[name][0]!r}" for name in cell)
        items = ", or name test items in 'item_id'" if "item_id" not in cell else ""
        fix = f"keep one of each, or number runs of their own in 'seed'{items}"
        raise UserError(f"{what}: {len(twice)} records have a double ({names}); {fix}")
