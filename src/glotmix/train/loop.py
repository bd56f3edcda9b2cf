"""The controlled training loop: exact rows, exact loss, exact resume, and a checkpoint chosen on a named metric."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch
from accelerate import Accelerator
from transformers import GenerationConfig

from glotmix.errors import GlotmixError
from glotmix.generate.answer import end_tokens
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import Encoded
from glotmix.spec import Recipe, warmup_steps
from glotmix.train import checkpoint
from glotmix.train.batch import Batch, encode_rows, micro_batches, summed_loss, target_tokens
from glotmix.train.checkpoint import State


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
        validation: rows whose loss per language selects the checkpoint.
        out: gets `model/`, `curve.parquet` (step, language, loss), `losses.parquet` (step, loss) and `train.json`;
            a training that was killed goes on from what it left here.

    Raises:
        UserError: rows longer than the recipe allows, a template the tokenizer lacks, or weights that are missing.
        GlotmixError: the loss is no longer finite.
    """
    accelerator = Accelerator(mixed_precision="bf16" if recipe.precision == "bfloat16" else "no")
    tokenizer, model = load_tokenizer(model_dir), load_model(model_dir, "float32")
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    encoded = encode_rows(rows, recipe, tokenizer)
    held_out = {
        str(language): encode_rows(part, recipe, tokenizer).by_id
        for (language,), part in validation.sort("language", "row_id").group_by("language", maintain_order=True)
    }
    state = checkpoint.restore(out, model, optimizer)
    prepared, stepper = accelerator.prepare(model, optimizer)

    steps = len(order) // recipe.batch_rows
    assert steps * recipe.batch_rows == len(order), "every step has a whole batch"
    started, tokens_before, seconds_before = time.monotonic(), state.tokens, state.seconds
    while state.step < steps:
        first = state.step * recipe.batch_rows
        batch = [encoded.by_id[row_id] for row_id in order[first : first + recipe.batch_rows]]
        torch.manual_seed(seed * 1_000_003 + state.step)  # dropout depends on the step, not on what ran before it
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, state.step, steps)
        loss = training_step(accelerator, prepared, stepper, batch, recipe)
        if not math.isfinite(loss):
            raise GlotmixError(
                f"diverged at step {state.step + 1}: the loss is {loss} on rows {order[first]} and the"
                f" {len(batch) - 1} after it; lower recipe.learning_rate ({recipe.learning_rate})"
            )
        state.step += 1
        state.losses.append(loss)
        state.tokens += sum(len(row.ids) for row in batch)
        state.seconds = seconds_before + time.monotonic() - started
        if state.step % recipe.checkpoint_every == 0 or state.step == steps:
            record_validation(accelerator, prepared, held_out, recipe, state)
            checkpoint.save(out, state, model, optimizer)
        rate = (state.tokens - tokens_before) / (time.monotonic() - started)
        on_progress(Progress(state.step, steps, loss, rate))

    checkpoint.load_best(out, state, model)
    # Where a server that knows nothing of the template stops too. The base model's sampling settings are left behind:
    # they are not greedy, and transformers refuses to save some that it has loaded.
    ends = sorted(end_tokens(model_dir, recipe.template, tokenizer))
    model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    model.save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")
    _write_record(out, state, truncated=encoded.truncated)
    checkpoint.discard(out)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`: linear warm-up, then constant or decaying to 0."""
    warmup = warmup_steps(recipe, steps)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    share = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}[recipe.schedule]
    return recipe.learning_rate * share


def training_step(
    accelerator: Accelerator,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    rows: Sequence[Encoded],
    recipe: Recipe,
) -> float:
    """One optimizer step on all of `rows`; gives the loss per target token before it."""
    loss = accumulate_gradient(accelerator, model, rows, recipe)
    accelerator.clip_grad_norm_(model.parameters(), recipe.max_gradient_norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss


def accumulate_gradient(
    accelerator: Accelerator, model: torch.nn.Module, rows: Sequence[Encoded], recipe: Recipe
) -> float:
    """Adds the gradient of the loss of `rows`: summed over their target tokens, divided once by how many there are."""
    targets = target_tokens(rows, recipe.loss_on)
    total = 0.0
    model.train()
    for batch in micro_batches(rows, recipe.tokens_per_micro_batch, recipe.loss_on):
        with accelerator.autocast():
            loss = summed_loss(model, _to(accelerator.device, batch)) / targets
        accelerator.backward(loss)
        total += loss.item()
    return total


def record_validation(
    accelerator: Accelerator,
    model: torch.nn.Module,
    held_out: Mapping[str, Mapping[str, Encoded]],
    recipe: Recipe,
    state: State,
) -> None:
    """Adds each language's validation loss to the curve; the lowest mean over languages so far is the best step."""
    losses = {
        language: validation_loss(accelerator, model, list(rows.values()), recipe)
        for language, rows in held_out.items()
    }
    state.curve.extend((state.step, language, loss) for language, loss in losses.items())
    mean = sum(losses.values()) / len(losses)
    if mean < state.best_loss:
        state.best_loss, state.best_step = mean, state.step


@torch.inference_mode()
def validation_loss(accelerator: Accelerator, model: torch.nn.Module, rows: Sequence[Encoded], recipe: Recipe) -> float:
    """Cross-entropy per target token over all the rows."""
    model.eval()
    total = 0.0
    for batch in micro_batches(rows, recipe.tokens_per_micro_batch, recipe.loss_on):
        with accelerator.autocast():
            total += summed_loss(model, _to(accelerator.device, batch)).item()
    return total / target_tokens(rows, recipe.loss_on)


def _to(device: torch.device, batch: Batch) -> Batch:
    return Batch(batch.input_ids.to(device), batch.labels.to(device))


def _write_record(out: Path, state: State, truncated: int) -> None:
    columns = {"step": pl.Int64, "language": pl.String, "validation_loss": pl.Float64}
    pl.DataFrame(state.curve, schema=columns, orient="row").write_parquet(out / "curve.parquet")
    steps = range(1, state.step + 1)
    pl.DataFrame({"step": steps, "loss": state.losses}).write_parquet(out / "losses.parquet")
    record = {
        "steps": state.step,
        "selected_step": state.best_step,
        "selected_validation_loss": state.best_loss,
        "tokens": state.tokens,
        "truncated_rows": truncated,
        "seconds": round(state.seconds, 3),
    }
    (out / "train.json").write_text(json.dumps(record, indent=1))
