"""A worker whose steps are arithmetic: as resumable as training, in milliseconds and without torch.

FAKE_TROUBLE is `<part of a run's name>:<what happens in its training>`: raise, user, die, full or slow.
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

from glotmix.errors import UserError
from glotmix.mixture import Mixture, training_order
from glotmix.study.job import Event, Job
from glotmix.study.store import Store
from glotmix.study.worker import serve

STEP_SECONDS = 0.01


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
            _evaluate(job, store, step.key, step.rows)


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
    (out / "train.json").write_text(json.dumps({"tokens": 100, "seconds": 1.0, "truncated_rows": 0}))


def _trouble(job: Job) -> None:
    where, _, what = os.environ.get("FAKE_TROUBLE", "nowhere:").partition(":")
    if where not in job.run:
        return
    if what == "raise":
        raise RuntimeError("weights all over the place\nsecond line")
    if what == "user":
        raise UserError("rows are too long; shorten them")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if what == "slow":
        time.sleep(600)


def _evaluate(job: Job, store: Store, key: str, rows_key: str) -> None:
    model = (store.folder("train", job.train) / "model").read_text()
    items = pl.read_parquet(store.folder("rows", rows_key) / "rows.parquet", glob=False)["item_id"]
    values = [int(hashlib.sha256(f"{model} {item} {key}".encode()).hexdigest(), 16) % 2 for item in items]
    with store.writing("evaluate", key) as out:
        outputs = {"item_id": items, "output": ["?"] * len(items), "tokens": [1] * len(items)}
        pl.DataFrame(outputs).write_parquet(out / "outputs.parquet")
        verdicts = ["correct" if value else "wrong" for value in values]
        results = {"item_id": items, "value": values, "verdict": verdicts, "parsed": map(str, values)}
        pl.DataFrame(results | {"output_tokens": [1] * len(items)}).write_parquet(out / "results.parquet")


if __name__ == "__main__":
    print("ready", file=sys.stderr)
    serve(perform)
