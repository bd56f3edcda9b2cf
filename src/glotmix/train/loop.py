"""The controlled training loop: exact rows, exact loss, exact resume, and a checkpoint chosen on a named metric."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from glotmix.analysis.selection import best_step, curve
from glotmix.errors import UserError
from glotmix.generate.answer import end_tokens
from glotmix.generate.load import load_model, load_tokenizer, positions
from glotmix.spec import Evaluation, Recipe
from glotmix.train import checkpoint
from glotmix.train.checkpoint import State
from glotmix.train.devices import loading
from glotmix.train.divergence import FILE, fault, unmeasurable
from glotmix.train.encode import encode_rows
from glotmix.train.faults import diverged, fitting, naming
from glotmix.train.learner import Learner
from glotmix.train.lora import merged, with_adapters
from glotmix.train.schedule import learning_rate
from glotmix.train.validate import Validator

EVALUATION = Evaluation()


@dataclass(frozen=True)
class Progress:
    step: int
    steps: int
    loss: float  # per target token of this step
    gradient_norm: float  # before clipping
    learning_rate: float
    tokens_per_second: float  # tokens read, padding left out, since this process started
    measured: pl.DataFrame | None = None  # at a checkpoint, the validation rows (`VALIDATION_SCHEMA`)
    notice: str = ""  # what the user should know


def train(
    model_dir: Path,
    rows: pl.DataFrame,
    order: Sequence[str],
    validation: pl.DataFrame,
    recipe: Recipe,
    seed: int,
    out: Path,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    evaluation: Evaluation = EVALUATION,
) -> None:
    """Fine-tunes the model on the rows named by `order` and writes the best checkpoint as a model folder.

    Args:
        rows: the distinct training rows (`ROW_SCHEMA`).
        order: the row ids of the whole training, `recipe.batch_rows` a step; none that the recipe drops.
        validation: rows that select the checkpoint.
        out: gets `model/`, `curve.parquet` (`CURVE_SCHEMA`), `validation.parquet` (`VALIDATION_SCHEMA`),
            `losses.parquet` (step, loss, gradient_norm) and `train.json`; a training that was killed goes on from
            what it left here.
        evaluation: how answers are written where the recipe selects by `task_score`: how long, how many at once.

    Raises:
        UserError: rows longer than the recipe allows or the model reads, a template the tokenizer lacks, or weights
            that are missing.
        Diverged: the loss or the gradient is not finite, or the loss has run away; the rows are in `diverged.json`.
        GlotmixError: memory does not hold one row.
    """
    tokenizer = load_tokenizer(model_dir)
    encoded = encode_rows(rows, recipe, tokenizer)
    validator = Validator.of(validation, tokenizer, model_dir, recipe, evaluation)
    with loading(), fitting("the model"):
        model = with_adapters(load_model(model_dir, "float32"), recipe, seed)
    _check_positions(model, max(len(row.ids) for row in (*encoded.by_id.values(), *validator.encoded)))
    with fitting("the model on its device"):
        learner = Learner(model, recipe)
    state = checkpoint.restore(out, learner)
    learner.tokens = min([learner.tokens, *(then["tokens_per_micro_batch"] for then in state.out_of_memory)])
    (out / FILE).unlink(missing_ok=True)

    steps = len(order) // recipe.batch_rows
    assert steps * recipe.batch_rows == len(order), "every step has a whole batch"
    started, tokens_before, seconds_before = time.monotonic(), state.tokens, state.seconds
    while state.step < steps:
        first = state.step * recipe.batch_rows
        row_ids = order[first : first + recipe.batch_rows]
        batch = [encoded.by_id[row_id] for row_id in row_ids]
        torch.manual_seed(seed * 1_000_003 + state.step)  # dropout depends on the step, not on what ran before it
        rate, budget, measured = learning_rate(recipe, state.step, steps), learner.tokens, None
        with naming(row_ids):
            step = learner.step(batch, rate)
        state.step += 1
        state.losses.append((step.loss, step.gradient_norm))
        if what := fault(state.losses, learner.model.config.get_text_config().vocab_size):
            raise diverged(out, state.step, what, learner, rows, row_ids, batch)
        state.tokens += sum(len(row.ids) for row in batch)
        if state.step % recipe.checkpoint_every == 0 or state.step == steps:
            began = time.monotonic()
            with naming(validator.rows["row_id"].to_list()):
                measured = validator.measure(learner, state.step)
            state.validation_seconds += time.monotonic() - began
            if what := unmeasurable(measured):
                raise diverged(out, state.step, what, learner, rows, row_ids, batch)
            state.measured = pl.concat([state.measured, measured])
            state.best_step, state.best_value = best_step(state.measured, recipe.select.metric)
        state.seconds = seconds_before + time.monotonic() - started
        notice = _note_memory(state, learner.tokens, budget)
        if measured is not None:
            checkpoint.save(out, state, learner)
        speed = (state.tokens - tokens_before) / (time.monotonic() - started)
        on_progress(Progress(state.step, steps, step.loss, step.gradient_norm, rate, speed, measured, notice))

    if learner.devices.main:
        _write_model(_best(out, state, model_dir, recipe), recipe, model_dir, tokenizer, out / "model")
        _write_record(out, state, learner.padded, pl.concat([encoded.longer, validator.longer]))
        checkpoint.discard(out)


def _check_positions(model: Any, longest: int) -> None:
    """A plan looks at some of the rows only."""
    if (most := positions(model)) is not None and longest > most:
        raise UserError(
            f"recipe.max_tokens: a row has {longest} tokens, and the model reads {most}; set max_tokens: {most} and"
            " longer_rows: drop or truncate, or take another model"
        )


def _note_memory(state: State, tokens: int, before: int) -> str:
    """Keeps that the budget was lowered in this step, and gives a line that says so."""
    if tokens == before:
        return ""
    state.out_of_memory.append({"step": state.step, "tokens_per_micro_batch": tokens})
    return f"out of memory at step {state.step}: from here on {tokens:,} tokens per micro-batch, not {before:,}"


def _best(out: Path, state: State, base: Path, recipe: Recipe) -> Any:
    """The base model with the best weights, whole in this process, in however many pieces it was trained."""
    load = partial(checkpoint.load_best, out, state)
    if recipe.lora:
        return merged(base, recipe.lora, load)
    model = load_model(base, "float32")
    load(model)
    return model


def _write_model(model: Any, recipe: Recipe, base: Path, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """A folder that says where answers end, so that a server which knows nothing of the template stops there too.

    Weights are written in the recipe's precision: in bfloat16 half the disk, and what evaluation would round to anyway.
    The base model's sampling settings are left behind: they are not greedy, and transformers refuses to save some that
    it has loaded.
    """
    ends = sorted(end_tokens(base, recipe.template, tokenizer))
    model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    model.to(getattr(torch, recipe.precision)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write_record(out: Path, state: State, padded: bool, longer: pl.DataFrame) -> None:
    state.measured.write_parquet(out / "validation.parquet")
    curve(state.measured).write_parquet(out / "curve.parquet")
    losses, norms = zip(*state.losses, strict=True)
    steps = range(1, state.step + 1)
    pl.DataFrame({"step": steps, "loss": losses, "gradient_norm": norms}).write_parquet(out / "losses.parquet")
    record = {
        "steps": state.step,
        "selected_step": state.best_step,
        "selected_value": state.best_value,
        "tokens": state.tokens,
        "out_of_memory": state.out_of_memory,
        "longer_rows": longer.to_dicts(),
        "padding": "padded" if padded else "free",
        "seconds": round(state.seconds, 3),
        "validation_seconds": round(state.validation_seconds, 3),
    }
    (out / "train.json").write_text(json.dumps(record, indent=1))
