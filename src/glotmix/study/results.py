"""Finished steps joined into tables. What a step's identity leaves out (study, run, setting, role) is added here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.analysis.table import RESULTS_SCHEMA
from glotmix.design import Cell
from glotmix.pool.parquet import read_parquet
from glotmix.pool.row import asked, with_every_column
from glotmix.report.info import SAMPLES_SCHEMA
from glotmix.study.job import EvaluationStep, HarnessStep
from glotmix.study.plan import Plan, Run, is_done
from glotmix.study.store import Store

Step = EvaluationStep | HarnessStep
ORDER = ("model", "task", "rows_per_language", "setting", "seed", "language", "item_id")


def results_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """The results table (`RESULTS_SCHEMA`) of every run that is done, in an order that only depends on them."""
    parts = [_results(plan, run, step, _scored(store, step)) for run, step in _finished(plan, store)]
    return _joined(parts, RESULTS_SCHEMA)


def samples_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """Outputs with their prompts and verdicts (`SAMPLES_SCHEMA`), of every run that is done."""
    parts = [_samples(plan, run, step, store) for run, step in _finished(plan, store)]
    return _joined(parts, SAMPLES_SCHEMA)


def _finished(plan: Plan, store: Store) -> Iterator[tuple[Run, Step]]:
    """A run counts when it is evaluated in full: runs are compared on the test rows that all of them have."""
    for run in plan.runs:
        if is_done(run, store):
            for step in run.measured:
                yield run, step


def _scored(store: Store, step: Step) -> Path:
    """Where the scores of its answers are: the judge's where there is one."""
    judged = isinstance(step, EvaluationStep) and step.judge
    return store.folder("judge", judged) if judged else store.folder("evaluate", step.key)


def _joined(parts: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    whole = pl.concat([schema.to_frame(), *(part.select(schema.names()).cast(schema) for part in parts)])
    return whole.sort([name for name in ORDER if name in schema])


def _results(plan: Plan, run: Run, step: Step, folder: Path) -> pl.DataFrame:
    anchor_rows, rows_per_language = _rows(run.cell, step.task)
    return _wanted(plan, step, read_parquet(folder / "results.parquet")).with_columns(
        study=pl.lit(plan.spec.name),
        run=pl.lit(run.name),
        parameters=pl.lit(run.model.parameters),
        baseline=pl.lit(run.cell.baseline),
        control_of=pl.lit(list(run.cell.control_of), pl.List(pl.String())),
        train_tasks=pl.lit(sorted(run.cell.counts)),
        train_languages=pl.lit(list(run.cell.train_languages)),
        anchor_rows=pl.lit(anchor_rows),
        rows_per_language=pl.lit(rows_per_language),
        total_rows=pl.lit(run.cell.total_rows),
        optimizer_steps=pl.lit(run.steps),
        role=pl.lit(plan.spec.languages.role(step.language)),
        **_place(run, step),
    )


def _wanted(plan: Plan, step: Step, results: pl.DataFrame) -> pl.DataFrame:
    """With the language an answer was wanted in, where its test row names one."""
    if isinstance(step, HarnessStep):
        return results.with_columns(answer_language=pl.lit(None, pl.String))
    rows = with_every_column(plan.rows[step.rows]).select("item_id", "answer_language")
    return results.join(rows, on="item_id", how="left", maintain_order="left")


def _rows(cell: Cell, task: str) -> tuple[int, int]:
    """Of the anchor and per language: the task's own rows, or all tasks' for an outcome that no run is trained on."""
    tasks = [task] if task in cell.counts else list(cell.counts)
    return sum(map(cell.anchor_rows, tasks)), sum(map(cell.rows_per_language, tasks))


def _samples(plan: Plan, run: Run, step: Step, store: Store) -> pl.DataFrame:
    outputs = read_parquet(store.folder("evaluate", step.key) / "outputs.parquet")
    if isinstance(step, EvaluationStep):
        asked = plan.rows[step.rows].select(
            "item_id", "reference", prompt=pl.col("messages").map_elements(_prompt, pl.String)
        )
        outputs = asked.join(outputs.select("item_id", "output"), on="item_id")
    told = ["item_id", "parsed", "verdict", "value", "detected"]
    scores = read_parquet(_scored(store, step) / "results.parquet", columns=told)
    return outputs.join(_wanted(plan, step, scores), on="item_id").with_columns(**_place(run, step))


def _place(run: Run, step: Step) -> dict[str, pl.Expr]:
    return {
        "model": pl.lit(run.model.name),
        "task": pl.lit(step.task),
        "setting": pl.lit(run.cell.name),
        "seed": pl.lit(run.seed),
        "language": pl.lit(step.language),
    }


def _prompt(messages: Any) -> str:
    return "\n\n".join(message["content"] for message in asked(list(messages)))
