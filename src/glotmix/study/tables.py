"""A study's frames as tables on a terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from glotmix.analysis.power import Assumptions
from glotmix.report.text import LONGER, NONE, count
from glotmix.spec import Recipe

STATES = {"done": "green", "failed": "red", "diverged": "red", "begun": "yellow", "waiting": "dim"}
WRAPPED = ("run", "by language", "reason", "setting", "against", "design", "model", "same training as")
FEW_RUNS = 40  # more are shown in groups
ESTIMATES = {
    "tokens": "tokens",
    "training_gpu_hours": "GPU-hours",
    "evaluation_gpu_hours": "evaluation (at most)",
    "cost": "cost",
    "judge_calls": "judge calls (at most)",
    "judge_cost": "cost of judging",
}
PLAN_DEFINITIONS = (
    "Steps, tokens and GPU-hours are of whole trainings; one that runs share counts once. Tokens: estimated from up to"
    " 40 rows per task and language, padding left out. GPU-hours: tokens / tokens a second of one GPU. Evaluation,"
    " where its speed was measured, with the answers that select checkpoints (task_score): as if every answer were as"
    " long as it may be; else training only."
)
View = Callable[[pl.DataFrame], list[Table | str]]


def plan_table(plan: pl.DataFrame, all_runs: bool = False) -> list[Table | str]:
    """What a study trains and what that costs: every run, or, of a large study, its designs by model and task."""
    every = all_runs or len(plan) <= FEW_RUNS
    own = plan.filter(shares_training_with="")
    known = {name: heading for name, heading in ESTIMATES.items() if plan[name].null_count() < len(plan)}
    shared = f" ({len(plan) - len(own)} shared{'' if every else '; --runs says with which'})"
    done = f" ({plan['done'].sum()} done)" if plan["done"].any() else ""
    trainings = f"{len(own)} distinct trainings{shared if len(own) < len(plan) else ''}"
    total = f"In all: {len(plan)} runs{done}, {trainings}, {_amounts(own)}{_judging(plan)}."
    runs = _runs_table(plan, known) if every else _groups_table(plan, known)
    return [runs, total, *_adapters(plan), PLAN_DEFINITIONS]


def _runs_table(plan: pl.DataFrame, known: Mapping[str, str]) -> Table:
    sharing = ["same training as"] if any(plan["shares_training_with"]) else []
    columns = ("run", ">rows", "by language", ">steps", *(f">{name}" for name in known.values()), "done", *sharing)
    table = _table(columns)
    for run in plan.iter_rows(named=True):
        shared = run["shares_training_with"]
        estimates = [NONE if shared else _short(run[name]) for name in known]
        last = ["yes" if run["done"] else "no", *([shared] if sharing else [])]
        _add(table, run["run"], count(run["rows"]), _by_language(run), count(run["steps"]), *estimates, *last)
    return table


def _groups_table(plan: pl.DataFrame, known: Mapping[str, str]) -> Table:
    """A line per design, model and task; a training counts once, where its first run is."""
    by = ["design", "model", "tasks"] if any(plan["design"]) else ["model", "tasks"]
    table = _table((*by, ">runs", ">trainings", ">rows", ">steps", *(f">{name}" for name in known.values())))
    named = plan.with_columns(pl.col("tasks").list.join("\n"))
    for names, runs in named.group_by(by, maintain_order=True):
        own = runs.filter(shares_training_with="")
        sizes = runs["rows"].sort().to_list()
        rows = " to ".join(dict.fromkeys((count(sizes[0]), count(sizes[-1]))))
        sums = [count(_sum(own["steps"])), *(_short(_sum(own[name])) for name in known)]
        _add(table, *(str(name or NONE) for name in names), count(len(runs)), count(len(own)), rows, *sums)
    return table


def _adapters(plan: pl.DataFrame) -> list[str]:
    """What LoRA trains of each model."""
    told = plan.filter(pl.col("trained_parameters") < pl.col("parameters"))
    models = told.select("model", "trained_parameters", "parameters").unique(maintain_order=True)
    of_each = [f"{count(few)} parameters beside the {count(many)} of {model}" for model, few, many in models.rows()]
    return [f"Adapters alone are trained (LoRA): {', '.join(of_each)}."] if of_each else []


def _amounts(own: pl.DataFrame) -> str:
    steps, tokens, training, evaluation, cost = (
        _sum(own[name]) for name in ("steps", "tokens", "training_gpu_hours", "evaluation_gpu_hours", "cost")
    )
    hours = [f"{_short(training)} GPU-hours of training"] if training is not None else []
    hours += [f"at most {_short(evaluation)} of evaluation"] if evaluation is not None else []
    hours += [f"cost {_short(cost)}"] if cost is not None else []
    return ", ".join([f"{count(steps)} steps", f"about {count(tokens)} tokens" if tokens else "tokens unknown", *hours])


def _judging(plan: pl.DataFrame) -> str:
    calls, cost = _sum(plan["judge_calls"]), _sum(plan["judge_cost"])
    priced = f" (about {_short(cost)})" if cost is not None else ""
    return f", at most {count(calls)} judge calls{priced}" if calls is not None else ""


def _sum(column: pl.Series) -> Any:
    """None if one of the values is not known."""
    return None if column.null_count() else column.sum()


def _short(number: float | None) -> str:
    """Three figures or the whole part; a count whole; short from a million on."""
    if number is None or isinstance(number, int) or number >= 1e6:
        return count(None if number is None else round(number))
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.2g}"


def effects_table(effects: pl.DataFrame) -> list[Table | str]:
    """The smallest gain over its baseline that a study can detect, and what that rests on."""
    gains = (">smallest gain\nof their mean", ">smallest gain\nof one")
    table = _table(("task", ">items", ">seeds", ">baseline\nseeds", ">seen\nlanguages", *gains))
    for row in effects.iter_rows(named=True):
        numbers = [count(row[name]) for name in ("items", "seeds", "baseline_seeds", "languages")]
        points = [f"{100 * row[name]:.1f} points" for name in ("smallest", "smallest_in_one")]
        _add(table, row["task"], *numbers, *points)
    assumed = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in asdict(Assumptions()).items())
    told = f"Smallest gain over the baseline that is found with 80 % power at 95 %, assuming {assumed} (docs/plan.md)."
    if len(effects.filter(seeds=1, baseline_seeds=1)):
        told += " One seed: seed noise not measured; taken as known here, its intervals assume or borrow it."
    return [table, told] if len(effects) else ["Nothing is compared with a baseline: no smallest effect."]


def longer_table(longer: pl.DataFrame, recipe: Recipe) -> list[Table | str]:
    """Where rows are longer than the recipe allows; nothing if there are none."""
    found = longer.filter(pl.col("longer") > 0).sort(pl.col("longer") / pl.col("sampled"), descending=True)
    if found.is_empty():
        return []
    table = _table(("longer rows of", "task", "model", ">of the sampled rows"))
    for model, task, tag, sampled, over in found.iter_rows():
        _add(table, tag, task, model, f"{over / sampled:.0%}")
    done = {"drop": "dropped", "truncate": "truncated"}[recipe.longer_rows]
    return ["", table, f"Rows longer than max_tokens {recipe.max_tokens:,} are {done}. {LONGER}"]


def _by_language(run: Mapping[str, Any]) -> str:
    """Languages with as many rows stand together: `en 2,000, es fr 100 each`; tasks that are alike as well."""
    by_task = {
        task: _one_task([part for part in run["rows_by_language"] if part["task"] == task]) for task in run["tasks"]
    }
    if len(set(by_task.values())) == 1:
        return by_task[run["tasks"][0]] + (" per task" if len(by_task) > 1 else "")
    return "; ".join(f"{task}: {text}" for task, text in by_task.items())


def _one_task(parts: list[Mapping[str, Any]]) -> str:
    by_rows: dict[int, list[str]] = {}
    for part in parts:
        by_rows.setdefault(part["rows"], []).append(part["language"])
    return ", ".join(f"{' '.join(tags)} {rows:,}{' each' * (len(tags) > 1)}" for rows, tags in by_rows.items())


def status_table(status: pl.DataFrame) -> list[Table | str]:
    counts = ", ".join(f"{(status['state'] == state).sum()} {state}" for state in STATES)
    judging = [">judged"] if any(status["to_judge"]) else []
    table = _table(("run", "state", "trained", ">evaluated", *judging, "reason"))
    for run in status.iter_rows(named=True):
        evaluated = f"{run['evaluated']}/{run['evaluations']}"
        state = Text(run["state"], STATES[run["state"]])
        judged = [f"{run['judged']}/{run['to_judge']}"] if judging else []
        _add(table, run["run"], state, "yes" if run["trained"] else "no", evaluated, *judged, run["reason"])
    return [table, counts]


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
        table.add_column(
            Text(column.removeprefix(">")), justify=justify, no_wrap=column not in WRAPPED, overflow="fold"
        )
    return table


def _add(table: Table, *cells: str | Text) -> None:
    """Adds a row; names, reasons and model texts stand as they are, never read as markup."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
