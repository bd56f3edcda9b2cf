"""A worker whose steps are arithmetic: as resumable as training, in milliseconds and without torch.

FAKE_TROUBLE is `<part of a run's name>:<what happens in its training>`: raise, user, diverge, die, full or slow.
"""

import errno
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from glotmix.analysis.selection import VALIDATION_SCHEMA
from glotmix.errors import UserError
from glotmix.generate.backend import Output
from glotmix.mixture import Mixture, training_order
from glotmix.study.evaluate import read_rows, scores_frame
from glotmix.study.group import Group
from glotmix.study.job import EvaluationStep, Event, Job
from glotmix.study.store import Store
from glotmix.study.worker import serve
from glotmix.task import Score
from glotmix.train.divergence import Diverged

STEP_SECONDS = 0.01
# nobody can tell the language of most of them; one is in none that studies of tests ask for, one is no answer at all
ANSWERS = ("? {}", "1 {}", "2 {}", "3 {}", "4 {}", "Ответ на этот вопрос мне, к сожалению, неизвестен.", "")


def perform(job: Job, report: Callable[[Event], None]) -> None:
    print("this must not disturb the events")
    store = Store(Path(job.store))
    if not store.is_done("train", job.train):
        with store.resuming("train", job.train) as out:
            if out:
                _train(job, store, out, report)
    for stage, step in enumerate(job.evaluations):
        if not store.is_done("evaluate", step.key):
            report(Event(kind="evaluate", stage=stage, part=0, parts=1, what=step.language))
            _evaluate(job, store, step)


def _train(job: Job, store: Store, out: Path, report: Callable[[Event], None]) -> None:
    mixture = Mixture.read(store.folder("mixture", job.mixture))
    order = training_order(mixture, job.seed, job.recipe.batch_rows, job.steps, job.order, job.anchor)
    checkpoint = out / "checkpoint"
    state, read = checkpoint.read_text().split() if checkpoint.exists() else ("", 0)
    for place in range(int(read), len(order)):
        _trouble(job)
        time.sleep(STEP_SECONDS)
        state = hashlib.sha256(f"{state} {order[place]}".encode()).hexdigest()
        (out / "checkpoint.new").write_text(f"{state} {place + 1}")
        (out / "checkpoint.new").rename(checkpoint)
        report(Event(kind="train", part=place + 1, parts=len(order), loss=1.0, tokens_per_second=10.0))
    (out / "model").write_text(f"{job.model and state}")
    _measure(job, store, out, state)
    told = {"tokens": 100, "seconds": 1.0, "validation_seconds": 0.25, "longer_rows": []}
    (out / "train.json").write_text(json.dumps(told))


def _measure(job: Job, store: Store, out: Path, state: str) -> None:
    rows = read_rows(store, job.validation).select("task", "language", "row_id", "item_id")
    every = job.recipe.checkpoint_every
    steps = pl.DataFrame({"step": sorted({*range(every, job.steps + 1, every), job.steps})})
    measured = rows.join(steps, how="cross").with_columns(
        metric=pl.lit("validation_loss"),
        value=pl.concat_str("row_id", "step", pl.lit(state)).hash(seed=0) % 1000 / 500,
        weight=pl.lit(3.0),
    )
    measured.select(VALIDATION_SCHEMA.names()).cast(VALIDATION_SCHEMA).write_parquet(out / "validation.parquet")
    losses = {"step": range(1, job.steps + 1), "loss": [1 / (step + 1) for step in range(job.steps)]}
    pl.DataFrame(losses | {"gradient_norm": [1.0] * job.steps}).write_parquet(out / "losses.parquet")


def _trouble(job: Job) -> None:
    where, _, what = os.environ.get("FAKE_TROUBLE", "nowhere:").partition(":")
    if where not in job.run:
        return
    if what == "raise":
        raise RuntimeError("weights all over the place\nsecond line")
    if what == "user":
        raise UserError("rows are too long; shorten them")
    if what == "diverge":
        raise Diverged(f"diverged at step 3: the loss is nan; its rows are in {job.store}/partial")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if what == "slow":
        time.sleep(600)


def _evaluate(job: Job, store: Store, step: EvaluationStep) -> None:
    model = (store.folder("train", job.train) / "model").read_text()
    rows = read_rows(store, step.rows)
    items = rows["item_id"].to_list()
    chances = [int(hashlib.sha256(f"{model} {item} {step.key}".encode()).hexdigest(), 16) for item in items]
    answers = [ANSWERS[chance % len(ANSWERS)].format(item[-3:]) for chance, item in zip(chances, items, strict=True)]
    values = [chance % 2 for chance in chances]
    scores = [Score(value, "correct" if value else "wrong", str(value), {}, "chance", "") for value in values]
    with store.writing("evaluate", step.key) as out:
        outputs = {"item_id": items, "output": answers, "tokens": [1] * len(items), "finished": [True] * len(items)}
        pl.DataFrame(outputs).write_parquet(out / "outputs.parquet")
        scores_frame(rows, [Output(answer, 1, True) for answer in answers], scores).write_parquet(
            out / "results.parquet"
        )


if __name__ == "__main__":
    print("ready", file=sys.stderr)
    serve(perform, Group())
