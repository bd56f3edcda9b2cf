"""What a worker does for a job: train, then evaluate, each step only if it isn't finished yet. Imports torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import torch

from glotmix.generate.transformers_backend import Output, TransformersBackend
from glotmix.mixture import Mixture, tokens_by_language, training_order
from glotmix.pool.parquet import read_parquet
from glotmix.study.job import EvaluationStep, Event, Job
from glotmix.study.store import Store, write_json
from glotmix.task import Score, get_task
from glotmix.train.loop import Progress, train

Report = Callable[[Event], None]


def perform(job: Job, report: Report) -> None:
    torch.set_num_threads(1)
    store = Store(Path(job.store))
    if not store.is_done("train", job.train):
        _train(job, store, report)
    backend = None
    for stage, step in enumerate(job.evaluations):
        if not store.is_done("evaluate", step.key):
            backend = backend or _backend(job, store)
            event = Event(kind="evaluate", stage=stage, what=f"{step.task} {step.language}")
            _evaluate(job, step, backend, partial(_show, report, event))


def _backend(job: Job, store: Store) -> TransformersBackend:
    return TransformersBackend(store.folder("train", job.train) / "model", job.evaluation.precision)


def _show(report: Report, event: Event, part: int, parts: int) -> None:
    report(event.model_copy(update={"part": part, "parts": parts}))


def _train(job: Job, store: Store, report: Report) -> None:
    mixture = Mixture.read(store.folder("mixture", job.mixture))
    recipe = job.recipe
    order = training_order(mixture, job.seed, recipe.batch_rows, job.steps, job.order, job.anchor)

    def show(now: Progress) -> None:
        speed = now.tokens_per_second
        report(Event(kind="train", part=now.step, parts=now.steps, loss=now.loss, tokens_per_second=speed))

    with store.resuming(
        "train", job.train, **job.model_dump(mode="json", include={"mixture", "seed", "recipe"})
    ) as out:
        if out:
            _write_manifest(mixture, Path(job.model), out / "manifest.json")
            train(Path(job.model), mixture.rows, order, read_rows(store, job.validation), recipe, job.seed, out, show)


def _write_manifest(mixture: Mixture, model: Path, file: Path) -> None:
    """Tokens are counted where the tokenizer is in the fast format. A training that resumes finds it written."""
    tokenizer = model / "tokenizer.json"
    if not file.is_file():
        tokens = tokens_by_language(mixture.rows, tokenizer) if tokenizer.is_file() else None
        write_json(file, mixture.manifest(tokens))


def _evaluate(
    job: Job, step: EvaluationStep, backend: TransformersBackend, on_progress: Callable[[int, int], None]
) -> None:
    store = Store(Path(job.store))
    rows = read_rows(store, step.rows)
    on_progress(0, len(rows))
    outputs = backend.generate(
        [messages[:-1] for messages in rows["messages"].to_list()],
        template=job.recipe.template,
        max_new_tokens=step.max_new_tokens,
        batch_rows=job.evaluation.batch_rows,
        on_progress=on_progress,
    )
    score = partial(get_task(step.task).score, language=step.language)
    scores = [
        score(output.text, reference, finished=output.finished)
        for output, reference in zip(outputs, rows["reference"], strict=True)
    ]
    with store.writing("evaluate", step.key, train=job.train, task=step.task, language=step.language) as out:
        _outputs_frame(rows, outputs).write_parquet(out / "outputs.parquet")
        _results_frame(rows, outputs, scores).write_parquet(out / "results.parquet")


def _outputs_frame(rows: pl.DataFrame, outputs: list[Output]) -> pl.DataFrame:
    return rows.select(
        "item_id",
        output=pl.Series([output.text for output in outputs], dtype=pl.String),
        tokens=pl.Series([output.tokens for output in outputs], dtype=pl.Int64),
        finished=pl.Series([output.finished for output in outputs], dtype=pl.Boolean),
    )


def _results_frame(rows: pl.DataFrame, outputs: list[Output], scores: list[Score]) -> pl.DataFrame:
    metrics = [[{"name": name, "value": value} for name, value in score.metrics.items()] for score in scores]
    return rows.select(
        "item_id",
        value=pl.Series([score.value for score in scores], dtype=pl.Float64),
        verdict=pl.Series([score.verdict for score in scores], dtype=pl.String),
        parsed=pl.Series([score.parsed for score in scores], dtype=pl.String),
        rule=pl.Series([score.rule for score in scores], dtype=pl.String),
        metrics=pl.Series(metrics, dtype=pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))),
        output_tokens=pl.Series([output.tokens for output in outputs], dtype=pl.Int64),
    )


def read_rows(store: Store, key: str) -> pl.DataFrame:
    """The frame of a `rows` step: validation or test rows."""
    return read_parquet(store.folder("rows", key) / "rows.parquet")
