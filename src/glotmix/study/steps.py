"""What a worker does for a job: train, then evaluate, each step only if it isn't finished yet. Imports torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from glotmix.mixture import Mixture, tokens_by_language, training_order
from glotmix.study.backends import Backends, answer_settings
from glotmix.study.evaluate import evaluate, read_rows
from glotmix.study.identity import key
from glotmix.study.job import Event, Job
from glotmix.study.outcomes import evaluate_outcomes
from glotmix.study.store import Store, write_json
from glotmix.train.loop import Progress, train

Report = Callable[[Event], None]


def perform(job: Job, report: Report, backends: Backends) -> None:
    torch.set_num_threads(1)
    store = Store(Path(job.store))
    if not store.is_done("train", job.train):
        _train(job, store, report)
    if not all(store.is_done("evaluate", step.key) for step in job.evaluations):
        _evaluate(job, store, report, backends)
    if job.harness:
        evaluate_outcomes(job, report)


def _evaluate(job: Job, store: Store, report: Report, backends: Backends) -> None:
    """When this returns, the model is out of memory: two copies of a large one may not fit."""
    model = store.folder("train", job.train) / "model"
    replies = key("calls", 1, train=job.train, answers=answer_settings(job.evaluation))
    with backends.open(job.evaluation, model, store.root / "calls" / f"{replies}.sqlite") as backend:
        for stage, step in enumerate(job.evaluations):
            if not store.is_done("evaluate", step.key):
                event = Event(kind="evaluate", stage=stage, what=f"{step.task} {step.language}")
                evaluate(job, step, backend, partial(_show, report, event))


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
