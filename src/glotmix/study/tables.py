"""A study's frames as tables on a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from glotmix.report.text import NONE, count, signed, span

STATES = {"done": "green", "failed": "red", "begun": "yellow", "waiting": "dim"}
WRAPPED = ("by language", "reason", "finding")
View = Callable[[pl.DataFrame], list[Table | str]]


def plan_table(plan: pl.DataFrame) -> list[Table | str]:
    """Every run with its rows, steps and estimated tokens; what they come to is below."""
    own = plan.filter(plan["shares_training_with"] == "")
    steps, tokens = (own[name].to_list() for name in ("steps", "tokens"))
    all_tokens = None if None in tokens else sum(tokens)
    amount = f"{count(sum(steps))} steps, about {count(all_tokens)} tokens"
    total = f"{len(plan)} runs ({plan['done'].sum()} done), {len(own)} trainings, {amount}"
    columns = ("run", ">rows", "by language", ">steps", ">tokens (about)", "done")
    table = _table(columns)
    for run in plan.iter_rows(named=True):
        shared = run["shares_training_with"]
        tokens_shown = f"same training as {shared}" if shared else count(run["tokens"])
        done = "yes" if run["done"] else "no"
        _add(table, run["run"], count(run["rows"]), _by_language(run), count(run["steps"]), tokens_shown, done)
    return [table, total]


def _by_language(run: Mapping[str, Any]) -> str:
    """Languages with as many rows stand together: `en 2,000, es fr 100 each`."""
    parts = []
    for task in run["tasks"]:
        by_rows: dict[int, list[str]] = {}
        for part in run["rows_by_language"]:
            if part["task"] == task:
                by_rows.setdefault(part["rows"], []).append(part["language"])
        groups = [f"{' '.join(tags)} {rows:,}{' each' * (len(tags) > 1)}" for rows, tags in by_rows.items()]
        parts.append((f"{task}: " if len(run["tasks"]) > 1 else "") + ", ".join(groups))
    return "; ".join(parts)


def status_table(status: pl.DataFrame) -> list[Table | str]:
    counts = ", ".join(f"{(status['state'] == state).sum()} {state}" for state in STATES)
    table = _table(("run", "state", "trained", ">evaluated", "reason"))
    for run in status.iter_rows(named=True):
        evaluated = f"{run['evaluated']}/{run['evaluations']}"
        state = Text(run["state"], STATES[run["state"]])
        _add(table, run["run"], state, "yes" if run["trained"] else "no", evaluated, run["reason"])
    return [table, counts]


def findings_table(findings: pl.DataFrame) -> list[Table | str]:
    """One table per model and task: a line per finding, a column per setting, each with its 95 % interval."""
    groups = findings.group_by("model", "task", maintain_order=True)
    tables = [_one_model(str(model), str(task), part) for (model, task), part in groups]
    return [*tables, "Differences in points, performance relative to the anchor in %; below each its 95 % interval."]


def _one_model(model: str, task: str, part: pl.DataFrame) -> Table:
    settings = part["setting"].unique(maintain_order=True).to_list()
    names = part.filter(setting=settings[-1])["name"].to_list()
    cells = {(row["name"], row["setting"]): _estimate(row) for row in part.iter_rows(named=True)}
    table = _table(("finding", *(f">{setting}" for setting in settings)), title=f"{model}, {task}")
    for name in names:
        _add(table, name, *(cells.get((name, setting), "") for setting in settings))
    return table


def _estimate(finding: Mapping[str, Any]) -> str:
    name = finding["name"]
    if finding["estimate"] is None:
        return NONE
    return f"{signed(finding['estimate'], name)}\n{span(finding['low'], finding['high'], name)}"


def plain_table(frame: pl.DataFrame) -> list[Table | str]:
    table = _table([f">{name}" if dtype.is_numeric() else name for name, dtype in frame.schema.items()])
    for row in frame.iter_rows():
        _add(table, *(count(value) if isinstance(value, int) else str(value) for value in row))
    return [table]


def _table(columns: Sequence[str], title: str | None = None) -> Table:
    """A column whose name starts with > holds numbers and is set flush right; only long texts wrap."""
    heading = None if title is None else Text(title, "table.title")
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        table.add_column(Text(column.removeprefix(">")), justify=justify, no_wrap=column not in WRAPPED)
    return table


def _add(table: Table, *cells: str | Text) -> None:
    """Adds a row; names, reasons and model texts stand as they are, never read as markup."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
