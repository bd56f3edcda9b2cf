"""When a training has left the rails, and what is kept of it to look at.

1. A step whose loss or gradient is not finite is not applied: the weights stay as they were before it.
2. A loss may be finite and hopeless: it has run away when the model is worse than one that knows nothing, and stays so.
3. Either way the training ends as `Diverged`, and the rows of its last step lie beside it in `diverged.json`.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from glotmix.errors import GlotmixError

FILE = "diverged.json"
WINDOW = 20  # steps
MARGIN = 1.0  # nats per token


class Diverged(GlotmixError):
    """Training on is no use: the loss or the gradient is not finite, or the loss has run away."""


def fault(losses: Sequence[tuple[float, float]], vocabulary: int) -> str:
    """What is wrong with the last of the steps, or nothing; each has its loss per target token and gradient norm."""
    loss, norm = losses[-1]
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    if not math.isfinite(norm):
        return f"the loss is {loss:.4g} and the norm of its gradient {norm}"
    if ran_away([loss for loss, _ in (losses[0], *losses[-WINDOW:])], vocabulary):
        bounds = f"that of the first step ({losses[0][0]:.4g}) and of a uniform guess ({math.log(vocabulary):.4g})"
        return f"the loss is {loss:.4g}, and for {WINDOW} steps more than {MARGIN:g} above both {bounds}"
    return ""


def ran_away(losses: Sequence[float], vocabulary: int) -> bool:
    """Whether each of the last `WINDOW` losses is more than `MARGIN` above both the first loss and ln(vocabulary).

    The first loss is the base model's, and ln(vocabulary) that of a guess which gives every token the same chance.
    However noisy, a training that learns anything is below one of them once in a while.
    """
    limit = max(losses[0], math.log(vocabulary)) + MARGIN
    return len(losses) > WINDOW and min(losses[-WINDOW:]) > limit


def unmeasurable(measured: pl.DataFrame) -> str:
    """What is wrong with measured validation rows (`VALIDATION_SCHEMA`), or nothing."""
    wrong = measured.filter(~pl.col("value").is_finite())
    if wrong.is_empty():
        return ""
    row_id, value = wrong.select("row_id", "value").row(0)
    return f"the loss of {len(wrong)} of {len(measured)} validation rows is not finite, of {row_id} it is {value}"


def describe(
    rows: pl.DataFrame, row_ids: Sequence[str], tokens: Sequence[int], losses: Sequence[float]
) -> pl.DataFrame:
    """The rows of a step in its order: row_id, task, language, tokens, and loss per target token where it is finite."""
    step = pl.DataFrame(
        {"row_id": row_ids, "tokens": tokens, "loss": losses},
        schema={"row_id": pl.String, "tokens": pl.Int64, "loss": pl.Float64},
    )
    told = step.join(rows.select("row_id", "task", "language"), on="row_id", how="left", maintain_order="left")
    finite = pl.when(pl.col("loss").is_finite()).then(pl.col("loss"))
    return told.select("row_id", "task", "language", "tokens", loss=finite)


def write_fault(file: Path, step: int, what: str, rows: pl.DataFrame) -> None:
    """Keeps the rows (of `describe`) of the step at which a training ended."""
    told = {"step": step, "what": what, "rows": rows.to_dicts()}
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
