"""One task and language of a run's evaluation: generate, score, keep both."""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from glotmix.generate.backend import Backend, Output
from glotmix.generate.scoring import scored
from glotmix.pool.parquet import read_parquet
from glotmix.pool.row import asked, with_every_column
from glotmix.study.job import EvaluationStep, Job
from glotmix.study.store import Store
from glotmix.task import Score


def evaluate(job: Job, step: EvaluationStep, backend: Backend, on_progress: Callable[[int, int], None]) -> None:
    """Outputs and their scores, of one task and language, into the store."""
    store = Store(Path(job.store))
    rows = read_rows(store, step.rows)
    on_progress(0, len(rows))
    outputs = backend.generate(
        [asked(messages) for messages in rows["messages"].to_list()],
        template=job.recipe.template,
        max_new_tokens=step.max_new_tokens,
        on_progress=on_progress,
    )
    scores = scored(step.task, rows, outputs)
    with store.writing("evaluate", step.key, train=job.train, task=step.task, language=step.language) as out:
        _outputs_frame(rows, outputs).write_parquet(out / "outputs.parquet")
        scores_frame(rows, outputs, scores).write_parquet(out / "results.parquet")


def _outputs_frame(rows: pl.DataFrame, outputs: list[Output]) -> pl.DataFrame:
    return rows.select(
        "item_id",
        output=pl.Series([output.text for output in outputs], dtype=pl.String),
        tokens=pl.Series([output.tokens for output in outputs], dtype=pl.Int64),
        finished=pl.Series([output.finished for output in outputs], dtype=pl.Boolean),
    )


def scores_frame(rows: pl.DataFrame, outputs: Sequence[Output], scores: Sequence[Score]) -> pl.DataFrame:
    """What a `results.parquet` has: a record per test row; an unjudged one has no value."""
    metrics = [[{"name": name, "value": value} for name, value in score.metrics.items()] for score in scores]
    return rows.select(
        "item_id",
        value=pl.Series([score.value for score in scores], dtype=pl.Float64).fill_nan(None),
        verdict=pl.Series([score.verdict for score in scores], dtype=pl.String),
        parsed=pl.Series([score.parsed for score in scores], dtype=pl.String),
        rule=pl.Series([score.rule for score in scores], dtype=pl.String),
        metrics=pl.Series(metrics, dtype=pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))),
        detected=pl.Series([score.detected for score in scores], dtype=pl.String),
        output_tokens=pl.Series([output.tokens for output in outputs], dtype=pl.Int64),
    )


def read_outputs(store: Store, key: str) -> list[Output]:
    """What an `evaluate` step generated, in the order of its test rows."""
    frame = read_parquet(store.folder("evaluate", key) / "outputs.parquet", columns=["output", "tokens", "finished"])
    return [Output(*record) for record in frame.select("output", "tokens", "finished").iter_rows()]


def read_rows(store: Store, key: str) -> pl.DataFrame:
    """The frame of a `rows` step: validation or test rows."""
    return with_every_column(read_parquet(store.folder("rows", key) / "rows.parquet"))
