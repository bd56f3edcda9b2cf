"""The rows that select a checkpoint: measured one by one, so that the choice can be made again on a resample."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from transformers import PreTrainedTokenizerBase

from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.batch import encode_rows, target_tokens
from glotmix.train.learner import Learner

VALIDATION_SCHEMA = pl.Schema(
    {
        "step": pl.Int64(),
        "task": pl.String(),
        "language": pl.String(),
        "row_id": pl.String(),
        "item_id": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),  # validation_loss: per target token of the row
        "weight": pl.Float64(),  # validation_loss: the row's target tokens
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


@dataclass(frozen=True)
class Validator:
    """The validation rows, tokenized: `rows` has task, language, row_id and item_id of each."""

    rows: pl.DataFrame
    encoded: Sequence[Encoded]
    recipe: Recipe

    @classmethod
    def of(cls, rows: pl.DataFrame, recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> "Validator":
        """Raises:
        UserError: a row is longer than the recipe allows.
        """
        in_order = rows.sort("task", "language", "row_id")
        by_id = encode_rows(in_order, recipe, tokenizer).by_id
        told = in_order.select("task", "language", "row_id", "item_id")
        return cls(told, [by_id[row_id] for row_id in in_order["row_id"]], recipe)

    def measure(self, learner: Learner, step: int) -> pl.DataFrame:
        """One record per row (`VALIDATION_SCHEMA`)."""
        sums = pl.Series(learner.row_losses(self.encoded), dtype=pl.Float64)
        targets = pl.Series([target_tokens(row, self.recipe.loss_on) for row in self.encoded], dtype=pl.Float64)
        measured = self.rows.with_columns(
            step=pl.lit(step), metric=pl.lit("validation_loss"), value=sums / targets, weight=targets
        )
        return measured.select(VALIDATION_SCHEMA.names()).cast(VALIDATION_SCHEMA)


def curve(measured: pl.DataFrame) -> pl.DataFrame:
    """The mean of every step, task, language and metric (`CURVE_SCHEMA`)."""
    weighted = (pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum()
    by = ["step", "task", "language", "metric"]
    return measured.group_by(by, maintain_order=True).agg(value=weighted).select(CURVE_SCHEMA.names())


def best_step(measured: pl.DataFrame, metric: str) -> tuple[int, float]:
    """The step whose mean over tasks and languages is best, the first of equals, and that mean."""
    means = curve(measured.filter(metric=metric)).group_by("step").agg(pl.col("value").mean())
    sign = 1 if metric == "validation_loss" else -1
    step, value = means.sort(pl.col("value") * sign, "step").row(0)
    return int(step), float(value)
