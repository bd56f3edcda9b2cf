"""`runs.csv`: what a result file can't tell of a run, how its model was trained.

One line per run; `run` is the model's name in the result files (import without the file prints them). Every other
column is one of the results table; train_languages and control_of list theirs with spaces between.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.analysis.table import RESULTS_SCHEMA
from glotmix.errors import UserError

COLUMNS = (
    "model",
    "parameters",
    "setting",
    "baseline",
    "control_of",
    "train_languages",
    "anchor_rows",
    "rows_per_language",
    "total_rows",
    "optimizer_steps",
    "seed",
)
_UNTOLD: dict[str, Any] = {
    "parameters": None,
    "setting": "as published",
    "train_languages": [],
    "anchor_rows": None,
    "rows_per_language": 0,
    "total_rows": None,
    "optimizer_steps": None,
    "seed": 0,
}


def read_runs(file: Path) -> dict[str, dict[str, Any]]:
    """The columns given for each run.

    Raises:
        UserError: the file can't be read, or something in it can't be right.
    """
    try:
        table = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"--runs: {file} is no CSV file that can be read ({str(error).splitlines()[0]:.100})") from None
    if "run" not in table.columns:
        raise UserError(f"--runs: {file} has no column 'run'; it names the model as the result files do")
    for column in table.columns:
        if column not in ("run", *COLUMNS):
            near = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it may have {', '.join(COLUMNS)}"
            raise UserError(f"--runs: {file} has a column {column!r}; {hint}")
    if twice := table["run"].filter(table["run"].is_duplicated()).to_list():
        raise UserError(f"--runs: {file} has {twice[0]!r} twice; keep one")
    return {str(row["run"]): _row(file, line, row) for line, row in enumerate(table.iter_rows(named=True), start=2)}


def _row(file: Path, line: int, row: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: _value(file, line, name, text or "") for name, text in row.items() if name != "run"}


def _value(file: Path, line: int, name: str, text: str) -> Any:
    dtype = RESULTS_SCHEMA[name]
    if isinstance(dtype, pl.List):
        return text.split()
    if dtype == pl.String:
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise UserError(f"--runs: {file} line {line}: {name} is {text!r}; give a whole number")
    return int(text)


def describe(runs: Mapping[str, int | None], given: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the results table says of every run.

    Args:
        runs: parameters of each run's model, as far as they are known.

    Raises:
        UserError: two runs would be the same one, or `given` names a run that is not there.
    """
    found = {run: _UNTOLD | {"model": run, "parameters": runs[run]} | given.get(run, {}) for run in sorted(runs)}
    if unknown := sorted(set(given) - set(found)):
        near = difflib.get_close_matches(unknown[0], found, n=1) or list(found)[:3]
        raise UserError(f"--runs: no result of run {unknown[0]!r}; the files have {', '.join(map(repr, near))}")
    places: dict[tuple[Any, ...], str] = {}
    for run, row in found.items():
        place = (row["model"], row["setting"], row["seed"])
        if places.setdefault(place, run) != run:
            same = "model {!r}, setting {!r} and seed {}".format(*place)
            raise UserError(f"--runs: {places[place]!r} and {run!r} are both {same}; tell them apart")
    return found
