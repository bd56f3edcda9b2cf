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
        GlotmixError: memory does not hold one row, or the model has too few positions for an answer to be scored.
    """
    tokenizer = load_tokenizer(model_dir)
    encoded = encode_rows(rows, recipe, tokenizer)
    validator = Validator.of(validation, tokenizer, model_dir, recipe, evaluation)
    longest = max(len(row.ids) for row in (*encoded.by_id.values(), *validator.encoded))
    learner = _learner(model_dir, recipe, seed, longest)
    validator.check(learner.model)
    state = checkpoint.restore(out, learner)
    learner.tokens = min([learner.tokens, *(then["tokens_per_micro_batch"] for then in state.out_of_memory)])
    (out / FILE).unlink(missing_ok=True)

    steps = len(order) // recipe.batch_rows
    assert steps * recipe.batch_rows == len(order), "every step has a whole batch"
    vocabulary = learner.model.config.get_text_config().vocab_size
    began, tokens_before, seconds_before = time.monotonic(), state.tokens, state.seconds
    while state.step < steps:
        row_ids = order[state.step * recipe.batch_rows : (state.step + 1) * recipe.batch_rows]
        batch = [encoded.by_id[row_id] for row_id in row_ids]
        torch.manual_seed(seed * 1_000_003 + state.step)  # anything random depends on the step alone
        rate, budget, measured = learning_rate(recipe, state.step, steps), learner.tokens, None
        with naming(row_ids):
            step = learner.step(batch, rate)
        state.step += 1
        state.losses.append((step.loss, step.gradient_norm))
        state.tokens += sum(len(row.ids) for row in batch)
        what = fault(state.losses, vocabulary)
        if not what and (state.step % recipe.checkpoint_every == 0 or state.step == steps):
            measured = _measure(state, validator, learner)
            what = unmeasurable(measured)
        if what:
            raise diverged(out, state.step, what, learner, rows, row_ids, batch)
        seconds = time.monotonic() - began
        state.seconds = seconds_before + seconds
        notice = _note_memory(state, learner.tokens, budget)
        if measured is not None:
            _keep(out, state, measured, learner)
        speed = (state.tokens - tokens_before) / seconds
        on_progress(Progress(state.step, steps, step.loss, step.gradient_norm, rate, speed, measured, notice))

    if learner.devices.main:
        _write_model(_best(out, state, model_dir, recipe), recipe, model_dir, tokenizer, out / "model")
        _write_record(out, state, learner.layout, pl.concat([encoded.longer, validator.longer]))
        checkpoint.discard(out)


def _learner(model_dir: Path, recipe: Recipe, seed: int, longest: int) -> Learner:
    """Of a base model that reads rows of `longest` tokens; a plan has looked at some of the rows only."""
    with loading(), fitting("the model"):
        model = with_adapters(load_model(model_dir, "float32"), recipe, seed)
    if (most := positions(model)) is not None and longest > most:
        raise UserError(
            f"recipe.max_tokens: a row has {longest} tokens, and the model reads {most}; set max_tokens: {most} and"
            " longer_rows: drop or truncate, or take another model"
        )
    with fitting("the model on its device"):
        return Learner(model, recipe)


def _measure(state: State, validator: Validator, learner: Learner) -> pl.DataFrame:
    began = time.monotonic()
    with naming(validator.rows["row_id"].to_list()):
        measured = validator.measure(learner, state.step)
    state.validation_seconds += time.monotonic() - began
    return measured


def _keep(out: Path, state: State, measured: pl.DataFrame, learner: Learner) -> None:
    """A checkpoint, and which of those so far is best."""
    state.measured = pl.concat([state.measured, measured])
    state.best_step, state.best_value = best_step(state.measured, learner.recipe.select.metric)
    checkpoint.save(out, state, learner)


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


def _write_record(out: Path, state: State, layout: str, longer: pl.DataFrame) -> None:
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
        "layout": layout,
        "seconds": round(state.seconds, 3),
        "validation_seconds": round(state.validation_seconds, 3),
    }
    (out / "train.json").write_text(json.dumps(record, indent=1))
