"""The checkpoint a training keeps: measured at every checkpoint, by loss and by the model's own answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from glotmix.analysis.selection import CURVE_SCHEMA, VALIDATION_SCHEMA, best_step, curve
from glotmix.errors import GlotmixError
from glotmix.generate.scoring import scored
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.pool.row import asked
from glotmix.spec import Evaluation, Recipe
from glotmix.train.loop import train

LANGUAGES = ("en", "es")
EVALUATION = Evaluation(max_new_tokens=24, tokens_per_batch=512)


def lab_rows(split: str, items: int) -> pl.DataFrame:
    pool = LabPool()
    shared = sorted(set.intersection(*(set(pool.item_ids("math", tag, split)) for tag in LANGUAGES)))[:items]
    return pl.concat([pool.take("math", tag, split, shared) for tag in LANGUAGES])


VALIDATION = lab_rows("validation", 4)


def trained(out: Path, evaluation: Evaluation = EVALUATION, on_progress=lambda now: None, **recipe) -> None:
    rows = lab_rows("train", 8)
    select = {"metric": "task_score"}
    asked_for = Recipe(**{"steps": 6, "batch_rows": 8, "checkpoint_every": 2, "select": select} | recipe)
    order = [rows["row_id"][place % len(rows)] for place in range(asked_for.steps * asked_for.batch_rows)]
    train(model_path("lab-1m"), rows, order, VALIDATION, asked_for, 0, out, on_progress, evaluation)


def record_of(out: Path) -> dict:
    return json.loads((out / "train.json").read_text())


@pytest.fixture(scope="module")
def by_score(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("by-score")
    trained(out, learning_rate=1e-3)
    return out


def test_every_checkpoint_has_the_loss_and_the_score_of_every_validation_row(by_score):
    measured = pl.read_parquet(by_score / "validation.parquet")
    assert measured.schema == VALIDATION_SCHEMA
    counts = measured.group_by("step", "metric").agg(pl.col("row_id").n_unique())
    assert sorted(counts.rows()) == [
        (step, name, len(VALIDATION)) for step in (2, 4, 6) for name in ("task_score", "validation_loss")
    ]
    assert measured.filter(metric="task_score")["value"].is_in([0.0, 1.0]).all()
    found = pl.read_parquet(by_score / "curve.parquet")
    assert found.schema == CURVE_SCHEMA
    assert found.equals(curve(measured))


def noted(monkeypatch) -> list:
    """What is written at every checkpoint, and whether it is written in mixed precision."""
    written = []

    def note(task, rows, outputs):
        written.append((outputs, torch.is_autocast_enabled("cpu")))
        return scored(task, rows, outputs)

    monkeypatch.setattr("glotmix.train.validate.scored", note)
    return written


def test_the_model_writes_in_training_what_it_writes_once_saved(tmp_path, monkeypatch):
    """Same template, same ends, same longest answer, whatever else the model is doing at the time."""
    written = noted(monkeypatch)
    trained(tmp_path, steps=2, checkpoint_every=2, learning_rate=1e-3)
    prompts = [asked(messages) for messages in VALIDATION.sort("task", "language", "row_id")["messages"].to_list()]
    backend = TransformersBackend(tmp_path / "model", tokens_per_batch=512)
    assert written == [(backend.generate(prompts, template="plain", max_new_tokens=24), False)]
    assert len({output.text for output in written[0][0]}) > 1


def test_answers_are_written_in_the_precision_of_the_training(tmp_path, monkeypatch):
    written = noted(monkeypatch)
    trained(tmp_path, steps=1, precision="bfloat16")
    assert [mixed for _, mixed in written] == [True]


def test_the_checkpoint_kept_is_the_best_on_the_metric_asked_for(by_score, tmp_path):
    measured, record = (
        pl.read_parquet(by_score / "validation.parquet"),
        record_of(by_score),
    )
    assert (record["selected_step"], record["selected_value"]) == best_step(measured, "task_score")
    trained(tmp_path, learning_rate=1e-3, select={"metric": "validation_loss"})
    without = pl.read_parquet(tmp_path / "validation.parquet")
    assert set(without["metric"]) == {"validation_loss"}, "answers are written only where they select"
    assert without.equals(measured.filter(metric="validation_loss")), "answering changes nothing of the training"
    assert record_of(tmp_path)["selected_step"] == best_step(measured, "validation_loss")[0]


def test_an_answer_longer_than_the_model_reads_is_refused_before_a_step_is_trained(tmp_path):
    longer = EVALUATION.model_copy(update={"max_new_tokens": 100_000})
    trained(tmp_path, longer, steps=1, select={"metric": "validation_loss"})
    steps = []
    with pytest.raises(GlotmixError, match=r"evaluation\.max_new_tokens: 100000 after a prompt of"):
        trained(tmp_path / "by-score", longer, steps.append, steps=1)
    assert not steps


def test_the_time_of_a_training_includes_its_validation(by_score):
    record = record_of(by_score)
    assert 0 < record["validation_seconds"] < record["seconds"]


def test_two_processes_that_share_a_model_score_as_one_does(by_score, tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    sharded = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP"}
    program = str(Path(__file__).with_name("answering.py"))
    environment = os.environ | sharded | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*torchrun, program, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    alone, together = (pl.read_parquet(folder / "validation.parquet") for folder in (by_score, tmp_path))
    alone = alone.filter(pl.col("step") <= 4)
    assert together.select(pl.exclude("value")).equals(alone.select(pl.exclude("value")))
    assert together["value"].to_numpy() == pytest.approx(alone["value"].to_numpy(), rel=1e-4)
