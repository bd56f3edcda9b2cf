"""The rows that select a checkpoint: measured one by one, so that the choice can be made again on some of them.

1. The loss of every row, always: it costs little, and says when a training overfits.
2. Where the recipe selects by `task_score`, also the score of the model's own answer to the row: written greedily by
   the model as it is, in the precision it is trained in, and scored as test answers are.
3. Of several processes each writes all answers, as a sharded model only computes where all take part; the first one's
   scores count.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch.distributed.fsdp import FSDPModule
from transformers import PreTrainedTokenizerBase

from glotmix.analysis.selection import LOSS, SCORE, VALIDATION_SCHEMA
from glotmix.generate.scoring import scored
from glotmix.generate.template import Encoded
from glotmix.generate.transformers_backend import TransformersBackend, check_positions
from glotmix.pool.row import asked
from glotmix.spec import Evaluation, Recipe, per_task
from glotmix.train.batch import target_tokens
from glotmix.train.encode import encode_rows
from glotmix.train.learner import Learner


@dataclass(frozen=True)
class Validator:
    """The validation rows (`ROW_SCHEMA`), by task and language, and the tokens of each.

    `model_dir` is what the training started from; `evaluation` says how long answers may be, and how many are written
    at once.
    """

    rows: pl.DataFrame
    encoded: Sequence[Encoded]
    longer: pl.DataFrame  # of `EncodedRows`
    model_dir: Path
    recipe: Recipe
    evaluation: Evaluation

    @classmethod
    def of(
        cls,
        rows: pl.DataFrame,
        tokenizer: PreTrainedTokenizerBase,
        model_dir: Path,
        recipe: Recipe,
        evaluation: Evaluation,
    ) -> "Validator":
        """Raises:
        UserError: a row is longer than the recipe allows.
        """
        encoded = encode_rows(rows, recipe, tokenizer)
        kept = rows.filter(pl.col("row_id").is_in(list(encoded.by_id))).sort("task", "language", "row_id")
        ids = [encoded.by_id[row_id] for row_id in kept["row_id"]]
        return cls(kept, ids, encoded.longer, model_dir, recipe, evaluation)

    def check(self, model: Any) -> None:
        """Before anything is trained.

        Raises:
            GlotmixError: the model has too few positions for an answer to a row.
        """
        for task, row in zip(self.rows["task"], self.encoded, strict=True) if self._scores_count else ():
            check_positions(model, row.prompt_tokens, self._longest_answer(task))

    def measure(self, learner: Learner, step: int) -> pl.DataFrame:
        """One record per row and metric (`VALIDATION_SCHEMA`).

        Raises:
            GlotmixError: memory does not hold a row or an answer.
        """
        scores = [self._scores(learner)] if self._scores_count else []
        measured = pl.concat([*scores, self._losses(learner)]).with_columns(step=pl.lit(step))
        return measured.select(VALIDATION_SCHEMA.names()).cast(VALIDATION_SCHEMA)

    def _losses(self, learner: Learner) -> pl.DataFrame:
        sums = pl.Series(learner.row_losses(self.encoded), dtype=pl.Float64)
        targets = pl.Series([target_tokens(row, self.recipe.loss_on) for row in self.encoded], dtype=pl.Float64)
        return self._measured(LOSS, sums / targets, targets)

    def _scores(self, learner: Learner) -> pl.DataFrame:
        budget = self.evaluation.tokens_per_batch
        backend = TransformersBackend(self.model_dir, tokens_per_batch=budget, model=learner.model)
        values: list[float] = []
        learner.module.eval()
        with learner.devices.computing(), _gathered(learner.module):
            for (task,), rows in self.rows.group_by("task", maintain_order=True):
                outputs = backend.generate(
                    [asked(messages) for messages in rows["messages"].to_list()],
                    template=self.recipe.template,
                    max_new_tokens=self._longest_answer(str(task)),
                )
                values += [score.value for score in scored(str(task), rows, outputs)]
        agreed = learner.devices.sums([value if learner.devices.main else 0.0 for value in values])
        return self._measured(SCORE, pl.Series(agreed, dtype=pl.Float64), pl.lit(1.0))

    @property
    def _scores_count(self) -> bool:
        return self.recipe.select.metric == SCORE

    def _longest_answer(self, task: str) -> int:
        return per_task(self.evaluation.max_new_tokens, task)

    def _measured(self, metric: str, values: pl.Series, weights: pl.Series | pl.Expr) -> pl.DataFrame:
        told = self.rows.select("task", "language", "row_id", "item_id")
        return told.with_columns(metric=pl.lit(metric), value=values, weight=weights)


@contextmanager
def _gathered(module: torch.nn.Module) -> Iterator[None]:
    """Lets the model inside a sharded module be called: its layers gather what is theirs, what is left is gathered here
    (the embeddings and the last norm)."""
    if not isinstance(module, FSDPModule):
        yield
        return
    module.unshard()
    try:
        yield
    finally:
        module.reshard()
