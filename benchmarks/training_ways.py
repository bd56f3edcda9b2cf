"""Ways to train that `training.py` compares: glotmix's, and TRL's at its defaults and at its best."""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from glotmix.generate.load import load_tokenizer
from glotmix.lab.models import model_path
from glotmix.spec import Recipe
from glotmix.train.learner import Learner
from training_work import Steps, Work

BATCH_ROWS, RATE = 64, 1e-5


class Timed(NamedTuple):
    seconds: float  # of all steps but the first
    loss: float  # mean of all steps
    peak_bytes: int  # on the GPU


Way = Callable[[Work], Timed]


class Clock(TrainerCallback):  # type: ignore[misc]
    """Reads the time at the end of every step."""

    def __init__(self) -> None:
        self.times: list[float] = []
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def on_step_end(self, *args: Any, **others: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())

    def timed(self, loss: float) -> Timed:
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        return Timed(self.times[-1] - self.times[0], loss, peak)


def with_glotmix(**settings: Any) -> Way:
    def way(work: Work) -> Timed:
        learner = Learner(work.make(), Recipe(steps=len(work.steps), batch_rows=BATCH_ROWS, **settings))
        clock, losses = Clock(), []
        for rows in work.steps:
            losses.append(learner.step(rows, RATE).loss)
            clock.on_step_end()
        return clock.timed(statistics.mean(losses))

    return way


def with_trl(at_once: int = 8, *, by_length: bool = False, attention: str = "sdpa", **settings: Any) -> Way:
    def way(work: Work) -> Timed:
        with tempfile.TemporaryDirectory() as folder:
            arguments = SFTConfig(
                folder, per_device_train_batch_size=at_once, gradient_accumulation_steps=BATCH_ROWS // at_once,
                max_steps=len(work.steps), logging_steps=len(work.steps), learning_rate=RATE, max_length=None,
                lr_scheduler_type="constant", train_sampling_strategy="sequential", use_cpu=work.device == "cpu",
                report_to="none", save_strategy="no", disable_tqdm=True, **settings,
            )  # fmt: skip
            clock, tokenizer = Clock(), load_tokenizer(model_path("lab-1m"))  # the rows are tokenized, it only pads
            trainer = SFTTrainer(
                work.make(attention), arguments, None, tokenized(work.steps, by_length),
                processing_class=tokenizer, callbacks=[clock],
            )  # fmt: skip
            trainer.remove_callback(PrinterCallback)
            trainer.train()
            return clock.timed(trainer.state.log_history[0]["loss"])

    return way


def tokenized(steps: Steps, by_length: bool) -> Dataset:
    ordered = [sorted(step, key=lambda row: -len(row.ids)) if by_length else step for step in steps]
    rows = [row for step in ordered for row in step]
    labels = [[-100] * row.prompt_tokens + [*row.ids[row.prompt_tokens :]] for row in rows]
    return Dataset.from_dict({"input_ids": [[*row.ids] for row in rows], "labels": labels})


def ways(device: str, threads: int) -> dict[str, Way]:
    """Their names end with the precision, in which they are compared."""
    found: dict[str, Way] = {}
    for precision in ("bfloat16",) if device == "cuda" else ("float32", "bfloat16"):
        bf16 = precision == "bfloat16"
        best: dict[str, Any] = {"bf16": bf16, "gradient_checkpointing": False}
        sizes = (4, 8, 16) if device == "cuda" else (4, 8)
        these = {"glotmix": with_glotmix(precision=precision)}
        if threads > 1:
            these[f"glotmix, {threads} workers"] = side_by_side(threads, precision)
        if device == "cuda":
            these["glotmix, 16,384 tokens"] = with_glotmix(precision=precision, tokens_per_micro_batch=16_384)
            these["glotmix, checkpointing"] = with_glotmix(
                precision=precision, gradient_checkpointing=True, tokens_per_micro_batch=65_536
            )
        these |= {"TRL, defaults": with_trl(bf16=bf16), "TRL, no checkpointing": with_trl(**best)}
        these |= {f"TRL, by length, {size} rows": with_trl(size, by_length=True, **best) for size in sizes}
        if device == "cuda" and find_spec("flash_attn"):
            flash = best | {"padding_free": True, "attention": "flash_attention_2"}
            these |= {f"TRL, padding-free, {size} rows": with_trl(size, **flash) for size in sizes}
        found |= {f"{name}, {precision}": way for name, way in these.items()}
    return found


def side_by_side(workers: int, precision: str) -> Way:
    """glotmix in processes of one thread that train at the same time, until the last is done; seconds by worker."""

    def way(work: Work) -> Timed:
        context = multiprocessing.get_context("spawn")
        with context.Manager() as manager, ProcessPoolExecutor(workers, context) as pool:
            same = [[value] * workers for value in (work, precision, manager.Barrier(workers))]
            done = [*pool.map(_one_worker, *same)]
        return Timed(max(each.seconds for each in done) / workers, done[0].loss, 0)

    return way


def _one_worker(work: Work, precision: str, barrier: Any) -> Timed:
    torch.set_num_threads(1)
    way = with_glotmix(precision=precision)
    way(replace(work, steps=work.steps[:1]))
    barrier.wait()
    return way(work)
