"""The controlled training loop: exact rows, exact loss, exact resume, and a checkpoint chosen on a named metric."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from glotmix.errors import GlotmixError
from glotmix.generate.answer import end_tokens
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.spec import Recipe
from glotmix.train import checkpoint
from glotmix.train.batch import encode_rows
from glotmix.train.checkpoint import State
from glotmix.train.learner import Learner
from glotmix.train.schedule import learning_rate
from glotmix.train.validate import Validator, best_step, curve


@dataclass(frozen=True)
class Progress:
    step: int
    steps: int
    loss: float  # per target token of this step
    tokens_per_second: float  # tokens read, padding left out, since this process started


def train(
    model_dir: Path,
    rows: pl.DataFrame,
    order: Sequence[str],
    validation: pl.DataFrame,
    recipe: Recipe,
    seed: int,
    out: Path,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Fine-tunes the model on the rows named by `order` and writes the best checkpoint as a model folder.

    Args:
        rows: the distinct training rows (`ROW_SCHEMA`).
        order: the row ids of the whole training, `recipe.batch_rows` a step.
        validation: rows that select the checkpoint.
        out: gets `model/`, `curve.parquet` (`CURVE_SCHEMA`), `validation.parquet` (`VALIDATION_SCHEMA`),
            `losses.parquet` (step, loss, gradient_norm) and `train.json`; a training that was killed goes on from
            what it left here.

    Raises:
        UserError: rows longer than the recipe allows, a template the tokenizer lacks, or weights that are missing.
        GlotmixError: the loss is no longer finite.
    """
    tokenizer = load_tokenizer(model_dir)
    encoded = encode_rows(rows, recipe, tokenizer)
    validator = Validator.of(validation, recipe, tokenizer)
    learner = Learner(load_model(model_dir, "float32"), recipe)
    state = checkpoint.restore(out, learner)

    steps = len(order) // recipe.batch_rows
    assert steps * recipe.batch_rows == len(order), "every step has a whole batch"
    started, tokens_before, seconds_before = time.monotonic(), state.tokens, state.seconds
    while state.step < steps:
        first = state.step * recipe.batch_rows
        batch = [encoded.by_id[row_id] for row_id in order[first : first + recipe.batch_rows]]
        torch.manual_seed(seed * 1_000_003 + state.step)  # dropout depends on the step, not on what ran before it
        step = learner.step(batch, learning_rate(recipe, state.step, steps))
        if not math.isfinite(step.loss):
            raise GlotmixError(
                f"diverged at step {state.step + 1}: the loss is {step.loss} on rows {order[first]} and the"
                f" {len(batch) - 1} after it; lower recipe.learning_rate ({recipe.learning_rate})"
            )
        state.step += 1
        state.losses.append((step.loss, step.gradient_norm))
        state.tokens += sum(len(row.ids) for row in batch)
        state.seconds = seconds_before + time.monotonic() - started
        if state.step % recipe.checkpoint_every == 0 or state.step == steps:
            state.measured = pl.concat([state.measured, validator.measure(learner, state.step)])
            state.best_step, state.best_value = best_step(state.measured, recipe.select.metric)
            checkpoint.save(out, state, learner)
        rate = (state.tokens - tokens_before) / (time.monotonic() - started)
        on_progress(Progress(state.step, steps, step.loss, rate))

    checkpoint.load_best(out, state, learner)
    _write_model(learner, model_dir, tokenizer, out / "model")
    _write_record(out, state, truncated=encoded.truncated)
    checkpoint.discard(out)


def _write_model(learner: Learner, base: Path, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """A folder that says where answers end, so that a server which knows nothing of the template stops there too.

    The base model's sampling settings are left behind: they are not greedy, and transformers refuses to save some that
    it has loaded.
    """
    ends = sorted(end_tokens(base, learner.recipe.template, tokenizer))
    learner.model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    learner.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write_record(out: Path, state: State, truncated: int) -> None:
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
        "truncated_rows": truncated,
        "seconds": round(state.seconds, 3),
    }
    (out / "train.json").write_text(json.dumps(record, indent=1))
