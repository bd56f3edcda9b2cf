"""Finished steps joined into tables. What a step's identity leaves out (study, run, setting, role) is added here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.analysis.table import RESULTS_SCHEMA
from glotmix.pool.parquet import read_parquet
from glotmix.pool.row import asked
from glotmix.report.info import SAMPLES_SCHEMA
from glotmix.study.job import EvaluationStep
from glotmix.study.plan import Plan, Run, is_done
from glotmix.study.store import Store

ORDER = ("model", "task", "rows_per_language", "setting", "seed", "language", "item_id")


def results_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """The results table (`RESULTS_SCHEMA`) of every run that is done, in an order that only depends on them."""
    return _joined([_results(plan, run, step, folder) for run, step, folder in _finished(plan, store)], RESULTS_SCHEMA)


def samples_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """Outputs with their prompts and verdicts (`SAMPLES_SCHEMA`), of every run that is done."""
    return _joined([_samples(plan, run, step, folder) for run, step, folder in _finished(plan, store)], SAMPLES_SCHEMA)


def _finished(plan: Plan, store: Store) -> Iterator[tuple[Run, EvaluationStep, Path]]:
    """A run counts when it is evaluated in full: runs are compared on the test rows that all of them have."""
    for run in plan.runs:
        if is_done(run, store):
            for step in run.evaluations:
                yield run, step, store.folder("evaluate", step.key)


def _joined(parts: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    whole = pl.concat([schema.to_frame(), *(part.select(schema.names()).cast(schema) for part in parts)])
    return whole.sort([name for name in ORDER if name in schema])


def _results(plan: Plan, run: Run, step: EvaluationStep, folder: Path) -> pl.DataFrame:
    return read_parquet(folder / "results.parquet").with_columns(
        study=pl.lit(plan.spec.name),
        run=pl.lit(run.name),
        parameters=pl.lit(run.model.parameters),
        baseline=pl.lit(run.cell.baseline),
        control_of=pl.lit(list(run.cell.control_of), pl.List(pl.String())),
        train_languages=pl.lit(list(run.cell.train_languages)),
        anchor_rows=pl.lit(run.cell.anchor_rows(step.task)),
        rows_per_language=pl.lit(run.cell.rows_per_language(step.task)),
        total_rows=pl.lit(run.cell.total_rows),
        optimizer_steps=pl.lit(run.steps),
        role=pl.lit(plan.spec.languages.role(step.language)),
        **_place(run, step),
    )


def _samples(plan: Plan, run: Run, step: EvaluationStep, folder: Path) -> pl.DataFrame:
    asked = plan.rows[step.rows].select(
        "item_id", "reference", prompt=pl.col("messages").map_elements(_prompt, pl.String)
    )
    outputs = read_parquet(folder / "outputs.parquet", columns=["item_id", "output"])
    scores = read_parquet(folder / "results.parquet", columns=["item_id", "parsed", "verdict"])
    return asked.join(outputs, on="item_id").join(scores, on="item_id").with_columns(**_place(run, step))


def _place(run: Run, step: EvaluationStep) -> dict[str, pl.Expr]:
    return {
        "model": pl.lit(run.model.name),
        "task": pl.lit(step.task),
        "setting": pl.lit(run.cell.name),
        "seed": pl.lit(run.seed),
        "language": pl.lit(step.language),
    }


def _prompt(messages: Any) -> str:
    return "\n\n".join(message["content"] for message in asked(list(messages)))
