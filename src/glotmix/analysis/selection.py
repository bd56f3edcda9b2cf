"""Which checkpoint a training keeps, and how far that choice hangs on the validation items.

1. At every checkpoint a task and language has the mean of its rows (of a loss: of their target tokens). The step whose
   mean over tasks and languages is best is kept, the earliest of equals.
2. The validation items are one draw of many. At random, and again and again, they are split into two halves, an item
   with all its translations on one side, task by task; each half chooses anew.
3. A half differs from the whole as much as the whole from what it was drawn from (the delete-half jackknife: Shao & Wu
   1989, Annals of Statistics 17:1176). So the halves' choices show how far the choice wanders; how much better a half
   finds its own choice than the step kept is what the choice may cost (the expected opportunity loss of Chick & Inoue
   2001, Operations Research 49:732); and the steps that may be the best are those no further behind the step kept than
   the halves stray (multiple comparisons with the best: Hsu 1984, Annals of Statistics 12:1136).
4. The two halves of a split share no item: how often they choose the same step estimates, without bias, how often two
   validation sets of that size would. (Resamples with replacement are all drawn around the winner of the whole: they
   call one of two equal checkpoints the better one three times out of four.)
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmix.analysis.scores import Array

VALIDATION_SCHEMA = pl.Schema(
    {
        "step": pl.Int64(),
        "task": pl.String(),
        "language": pl.String(),
        "row_id": pl.String(),
        "item_id": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),  # validation_loss: per target token of the row; task_score: 0 to 1
        "weight": pl.Float64(),  # validation_loss: the row's target tokens; task_score: 1
    }
)
CURVE_SCHEMA = pl.Schema(
    {
        "step": pl.Int64(),
        "task": pl.String(),
        "language": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),  # weighted mean of the rows
    }
)
RUN_SCHEMA = pl.Schema({"run": pl.String(), "model": pl.String(), "setting": pl.String(), "seed": pl.Int64()})
SELECTION_SCHEMA = pl.Schema(
    {
        **RUN_SCHEMA,
        "metric": pl.String(),
        "step": pl.Int64(),  # of the checkpoint kept
        "value": pl.Float64(),  # the metric's mean over tasks and languages there
        "checkpoints": pl.Int64(),
        "items": pl.Int64(),  # validation items
        "agreement": pl.Float64(),  # as in `DEFINITIONS`, null where nobody can tell
        "share": pl.Float64(),
        "likely_steps": pl.List(pl.Int64()),
        "regret": pl.Float64(),
        "note": pl.String(),
    }
)
LOSS, SCORE = "validation_loss", "task_score"
SPLITS = 1000
LEVEL = 0.95
UNSURE = 0.5  # if fewer splits agree, nobody can tell
_HALF = "random halves of the validation items (all translations of an item in one half)"
DEFINITIONS = {
    "share": f"of {2 * SPLITS:,} {_HALF}, the share that chooses the step kept",
    "agreement": (
        f"of {SPLITS:,} splits into two such halves, the share in which both choose the same step. The mean over many"
        " runs is the chance that two validation sets of half this size agree. Of a single run it is rough: where"
        " checkpoints are close, the items that favour one step are missing in the other half. Below"
        f" {UNSURE:.0%}: cannot tell at this size"
    ),
    "likely_steps": (
        f"the steps that may be the best: in about {LEVEL:.0%} of studies the step that is best on endlessly many"
        " items is among them, if there are 10 validation items or more"
    ),
    "regret": (
        "how much better than the step kept a half finds the step that it chooses itself, on average over all halves,"
        " in the unit of the metric: about what a choice on more items might gain, and too much where checkpoints are"
        " alike"
    ),
}


@dataclass(frozen=True)
class Choice:
    """The step a training kept, and how sure that is (`DEFINITIONS`); None where nobody can tell, and `note` says why.

    `value` is the metric's mean over tasks and languages at `step`.
    """

    metric: str
    step: int
    value: float
    checkpoints: int
    items: int
    agreement: float | None
    share: float | None
    likely_steps: tuple[int, ...]
    regret: float | None
    note: str


def curve(measured: pl.DataFrame) -> pl.DataFrame:
    """The mean of every step, task, language and metric (`CURVE_SCHEMA`) of a `VALIDATION_SCHEMA` table."""
    weighted = (pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum()
    by = ["step", "task", "language", "metric"]
    return measured.group_by(by, maintain_order=True).agg(value=weighted).select(CURVE_SCHEMA.names())


def best_step(measured: pl.DataFrame, metric: str) -> tuple[int, float]:
    """The step whose mean over tasks and languages is best, the earliest of equals, and that mean."""
    by_step = curve(measured.filter(metric=metric)).group_by("step").agg(pl.col("value").mean()).sort("step")
    place = int(_best(by_step["value"].to_numpy(), metric))
    return int(by_step["step"][place]), float(by_step["value"][place])


def choose(measured: pl.DataFrame, metric: str) -> Choice:
    """What one training kept, from its validation rows (`VALIDATION_SCHEMA`), in whatever order they come."""
    own = measured.filter(metric=metric).sort("row_id", "step")
    step, value = best_step(own, metric)
    steps = own["step"].unique().sort().to_numpy()
    tasks = [_Items.of(part, steps) for _, part in sorted(own.group_by("task"), key=lambda group: str(group[0]))]
    fewest, items = min(task.n for task in tasks), sum(task.n for task in tasks)
    if len(steps) == 1:
        return Choice(metric, step, value, 1, items, 1.0, 1.0, (step,), 0.0, "the only checkpoint")
    if fewest < 2:
        note = f"cannot tell: a task has {fewest} validation item; raise recipe.select.rows_per_language"
        return Choice(metric, step, value, len(steps), items, None, None, (), None, note)

    whole = _means([(task.all_in, task) for task in tasks])[0]  # (steps,)
    halves = _halves(tasks)  # (2, splits, steps)
    chosen, kept = _best(halves, metric), int(np.searchsorted(steps, step))
    agreement = float((chosen[0] == chosen[1]).mean())
    better = halves if metric == SCORE else -halves
    return Choice(
        metric=metric,
        step=step,
        value=value,
        checkpoints=len(steps),
        items=items,
        agreement=agreement,
        share=float((chosen == kept).mean()),
        likely_steps=tuple(steps[_may_be_best(better, whole if metric == SCORE else -whole, kept)].tolist()),
        regret=float((better.max(axis=-1) - better[..., kept]).mean()),
        note="" if agreement >= UNSURE else "cannot tell at this size",
    )


@dataclass(frozen=True)
class _Items:
    """One task's rows summed by item: `sums` (items, languages * steps) and `weights`, the same at every step (items,
    languages); 0 where there is no row."""

    sums: Array
    weights: Array
    steps: int

    @property
    def n(self) -> int:
        return len(self.sums)

    @property
    def all_in(self) -> Array:
        return np.ones((1, self.n))

    @classmethod
    def of(cls, part: pl.DataFrame, steps: NDArray[np.int64]) -> "_Items":
        by = ["item_id", "language", "step"]
        summed = part.group_by(by).agg(sum=(pl.col("value") * pl.col("weight")).sum(), weight=pl.col("weight").sum())
        items, languages = (part.select(name).unique().sort(name).with_row_index(f"{name}_place") for name in by[:2])
        placed = summed.join(items, on="item_id").join(languages, on="language")
        place = (placed["item_id_place"], placed["language_place"], np.searchsorted(steps, placed["step"].to_numpy()))
        weights, sums = np.zeros((len(items), len(languages))), np.zeros((len(items), len(languages), len(steps)))
        sums[place], weights[place[:2]] = placed["sum"].to_numpy(), placed["weight"].to_numpy()
        return cls(sums.reshape(len(items), -1), weights, len(steps))


def _halves(tasks: list[_Items]) -> Array:
    """The mean at every step by either half of every split: (2, splits, steps). Of an odd number one more is in the
    second half."""
    draws = np.random.default_rng(0)
    sides = [draws.random((SPLITS, task.n)).argsort(axis=1) < task.n // 2 for task in tasks]
    first = _means([(side.astype(float), task) for side, task in zip(sides, tasks, strict=True)])
    second = _means([((~side).astype(float), task) for side, task in zip(sides, tasks, strict=True)])
    return np.stack([first, second])


def _means(taken: list[tuple[Array, _Items]]) -> Array:
    """The mean over tasks and languages of the weighted means of the items taken: (draws, steps).

    Args:
        taken: per task 1 for every item that is in a draw, (draws, items). A language without one is left out.
    """
    sums = [(draw @ task.sums).reshape(len(draw), -1, task.steps) for draw, task in taken]
    weights = [draw @ task.weights for draw, task in taken]
    summed, weighed = np.concatenate(sums, axis=1), np.concatenate(weights, axis=1)[..., None]  # (draws, languages, ..)
    means = np.divide(summed, weighed, out=np.zeros_like(summed), where=weighed > 0)
    mean: Array = means.sum(axis=1) / (weighed > 0).sum(axis=1)
    return mean


def _best(means: Array, metric: str) -> NDArray[np.int64]:
    """Places of the best along the last axis, the first of equals; sums in another order are still equal."""
    signed = means if metric == LOSS else -means
    best: NDArray[np.int64] = np.nan_to_num(signed, nan=np.inf).round(12).argmin(axis=-1)
    return best


def _may_be_best(halves: Array, whole: Array, kept: int) -> NDArray[np.bool_]:
    """Of every step, whether it is no further behind the step kept than some step strays ahead of it by chance.

    Args:
        halves: (2, splits, steps), and `whole` (steps,), more being better.
    """
    strays = halves - whole
    ahead = np.quantile(strays.max(axis=-1, keepdims=True) - strays, LEVEL, axis=(0, 1))
    near: NDArray[np.bool_] = whole[kept] - whole <= ahead + 1e-12
    return near
