"""Tasks of lm-evaluation-harness as outcomes of a study: their steps, and what a worker does for them.

They are evaluated on every run, whatever it is trained on, by the model that the other tasks are evaluated on.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from glotmix.harness.items import item_ids, verdicts
from glotmix.harness.tasks import HarnessTask
from glotmix.spec import StudySpec
from glotmix.study.identity import key
from glotmix.study.job import Event, HarnessStep, Job
from glotmix.study.store import Store

HARNESS_VERSION = 1
TOKENS_PER_ROW = 512  # lm_eval counts a batch in rows


def harness_step(spec: StudySpec, train: str, task: HarnessTask) -> HarnessStep:
    """lm_eval asks in batches, on which rounding depends in bfloat16."""
    outcome, evaluation = spec.evaluation.lm_eval[task.outcome], spec.evaluation
    settings = {"precision"} | ({"tokens_per_batch"} if evaluation.precision == "bfloat16" else set())
    asked = {
        "metric": task.metric,
        "filter": task.filter,
        **outcome.model_dump(include={"num_fewshot", "limit", "items"}),
    }
    return HarnessStep(
        key=key(
            "harness",
            HARNESS_VERSION,
            train=train,
            task=dict(task.identity),
            asked=asked,
            evaluation=evaluation.model_dump(mode="json", include=settings),
            template=spec.recipe.template,
        ),
        task=task.outcome,
        language=task.language,
        name=task.name,
        folder=str(task.folder),
        **asked,
    )


def evaluate_outcomes(job: Job, report: Callable[[Event], None]) -> None:
    """Items with their answers and values, of each step that is not done, into the store. Imports lm_eval and torch."""
    from glotmix.harness.run import open_model, run_task

    store = Store(Path(job.store))
    settings, model = job.evaluation, None
    batch_rows = max(1, settings.tokens_per_batch // TOKENS_PER_ROW)
    for stage, step in enumerate(job.harness, start=len(job.evaluations)):
        if store.is_done("evaluate", step.key):
            continue
        model = model or open_model(store.folder("train", job.train) / "model", settings.precision, batch_rows)
        report(Event(kind="evaluate", part=0, parts=1, stage=stage, what=f"{step.task} {step.language}"))
        items = run_task(
            model,
            step.name,
            Path(step.folder),
            metric=step.metric,
            filter=step.filter,
            num_fewshot=step.num_fewshot,
            limit=step.limit,
            chat=job.recipe.template == "chat",
        )
        with store.writing("evaluate", step.key, train=job.train, task=step.task, language=step.language) as out:
            _write(items, step, out)


def _write(items: pl.DataFrame, step: HarnessStep, out: Path) -> None:
    """As the other tasks keep them; how many tokens an answer had is not known, nor whether it was finished."""
    named = items.with_columns(item_id=item_ids(pl.col("doc_id"), pl.lit(step.language), step.items))
    named.select("item_id", "prompt", "reference", "output").write_parquet(out / "outputs.parquet")
    results = named.select(
        "item_id",
        "value",
        verdict=verdicts(pl.col("value")),
        parsed="parsed",
        rule=pl.lit(f"lm-eval {step.name} {step.metric},{step.filter}"),
        metrics="metrics",
        detected=pl.lit(""),
        output_tokens=pl.lit(None, pl.Int64),
    )
    results.write_parquet(out / "results.parquet")
