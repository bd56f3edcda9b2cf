"""What a worker does for a job: train, then evaluate, each step only if it isn't finished yet. Imports torch."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import clear_device_cache

from glotmix.mixture import Mixture, tokens_by_language, training_order
from glotmix.study.backends import Backends, answer_settings, backend_kind
from glotmix.study.evaluate import evaluate, read_rows
from glotmix.study.gpus import GPU_WORKERS
from glotmix.study.group import Group
from glotmix.study.identity import key
from glotmix.study.job import EvaluationStep, Event, Job
from glotmix.study.outcomes import evaluate_outcomes
from glotmix.study.store import Store, write_json
from glotmix.train.encode import left_out
from glotmix.train.loop import Progress, train
from glotmix.train.track import Tracked, Trackers, flat, progress_values

Report = Callable[[Event], None]


def perform(job: Job, report: Report, backends: Backends, group: Group) -> None:
    """A group trains together; then each process evaluates its share of the tasks and languages, on its own model."""
    _keep_to_its_share()
    store = Store(Path(job.store))
    if group.tell("" if store.is_done("train", job.train) else "train"):
        _train(job, store, report, group)
        clear_device_cache(garbage_collection=True)  # of what was trained nothing is needed, but its folder
    mine = group.share(job.evaluations)
    if backend_kind(job.evaluation) == "endpoint":  # one server, which is asked by one
        mine = list(enumerate(job.evaluations)) if group.main else []
    if evaluations := [pair for pair in mine if not store.is_done("evaluate", pair[1].key)]:
        _evaluate(job, evaluations, store, report, backends)
    if harness := tuple(step for _, step in group.share(job.harness)):
        evaluate_outcomes(job.model_copy(update={"harness": harness}), report)
    group.wait()


def _keep_to_its_share() -> None:
    """One thread, and of a GPU no more than its part; a twentieth is for what CUDA itself takes of each process."""
    torch.set_num_threads(1)
    if workers := os.environ.get(GPU_WORKERS):
        torch.cuda.set_per_process_memory_fraction(0.95 / int(workers))


def _evaluate(
    job: Job, evaluations: Sequence[tuple[int, EvaluationStep]], store: Store, report: Report, backends: Backends
) -> None:
    """When this returns, the model is out of memory: two copies of a large one may not fit."""
    model = store.folder("train", job.train) / "model"
    replies = key("calls", 1, train=job.train, answers=answer_settings(job.evaluation))
    with backends.open(job.evaluation, model, store.root / "calls" / f"{replies}.sqlite") as backend:
        for stage, step in evaluations:
            event = Event(kind="evaluate", stage=stage, what=f"{step.task} {step.language}")
            evaluate(job, step, backend, partial(_show, report, event))


def _show(report: Report, event: Event, part: int, parts: int) -> None:
    report(event.model_copy(update={"part": part, "parts": parts}))


def _train(job: Job, store: Store, report: Report, group: Group) -> None:
    """The first process holds the folder and follows the training; when this returns, the model is there for all."""
    mixture = Mixture.read(store.folder("mixture", job.mixture))
    recipe = job.recipe
    dropped = left_out(mixture.rows, recipe, Path(job.model))
    order = training_order(mixture, job.seed, recipe.batch_rows, job.steps, job.order, job.anchor, dropped)

    def notice(line: str) -> None:
        print(f"{job.run}: {line}", file=sys.stderr)
        report(Event(kind="notice", what=line))

    def show(now: Progress) -> None:
        speed = now.tokens_per_second
        report(Event(kind="train", part=now.step, parts=now.steps, loss=now.loss, tokens_per_second=speed))
        trackers.log(now.step, progress_values(now))
        if now.notice:
            notice(now.notice)

    inputs = job.model_dump(mode="json", include={"mixture", "seed", "recipe"})
    tracked = Tracked(job.study, job.run, job.train, flat(inputs | {"steps": job.steps}), store.root / "trackers")
    with (
        closing(Trackers(job.trackers if group.main else (), tracked, notice)) as trackers,
        _held(store, job, inputs, group) as out,
    ):
        if out:
            if group.main:
                _write_manifest(mixture, Path(job.model), out / "manifest.json")
            validation = read_rows(store, job.validation)
            train(Path(job.model), mixture.rows, order, validation, recipe, job.seed, out, show, job.evaluation)


@contextmanager
def _held(store: Store, job: Job, inputs: dict[str, Any], group: Group) -> Iterator[Path | None]:
    """The folder of the training, or None if it is done."""
    if group.main:
        with store.resuming("train", job.train, **inputs) as out:
            group.tell("train" if out else "")
            yield out
    else:
        yield store.partial("train", job.train) if group.tell("") else None
    group.wait()


def _write_manifest(mixture: Mixture, model: Path, file: Path) -> None:
    """Tokens are counted where the tokenizer is in the fast format. A training that resumes finds it written."""
    tokenizer = model / "tokenizer.json"
    if not file.is_file():
        tokens = tokens_by_language(mixture.rows, tokenizer) if tokenizer.is_file() else None
        write_json(file, mixture.manifest(tokens))
