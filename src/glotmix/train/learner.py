"""A model while it learns: steps on whole batches, and losses of rows, within a budget of tokens per micro-batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.batch import Batch, collate, micro_batches, target_tokens
from glotmix.train.devices import deal
from glotmix.train.exact import deterministic, without_dropout
from glotmix.train.faults import fitting, within_memory
from glotmix.train.layout import settle
from glotmix.train.loss import TargetLoss
from glotmix.train.optimizer import make_optimizer
from glotmix.train.zero import devices


@dataclass(frozen=True)
class Step:
    """`loss` per target token before the step, and the norm of its gradient before clipping."""

    loss: float
    gradient_norm: float


class Learner:
    """`model` is the transformers model, `module` what computes its losses on the devices.

    `tokens` is the budget: how many tokens a micro-batch holds at most (or one row), with the padding if rows are
    `padded` and not laid end to end, as `layout` says.
    """

    def __init__(self, model: Any, recipe: Recipe) -> None:
        self.recipe, self.tokens = recipe, recipe.tokens_per_micro_batch
        self.strict = True  # until a kernel that is not deterministic is needed
        self.devices = devices(recipe)
        self.model = model
        without_dropout(model)
        if recipe.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})  # the gradient is the same
        losses, optimizer = TargetLoss(self.model), make_optimizer(self.model, recipe)
        self.module, self.optimizer = self.devices.prepare(losses, optimizer)
        self.layout = settle(losses, self._losses_of, recipe)
        self.padded = self.layout != "end to end"

    def step(self, rows: Sequence[Encoded], learning_rate: float) -> Step:
        """One optimizer step on all the rows; one whose loss or gradient is not finite changes no weight.

        Raises:
            DoesNotFit: memory does not hold the longest of them.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss = within_memory(self, rows, lambda: self._exact_gradient(rows))
        norm = self.devices.clip(self.module, self.recipe.max_gradient_norm)
        if math.isfinite(loss) and math.isfinite(norm):
            with fitting("the optimizer's state"):
                self.optimizer.step()
        self.optimizer.zero_grad()
        return Step(loss, norm)

    def _exact_gradient(self, rows: Sequence[Encoded]) -> float:
        with deterministic(self.strict):
            return self.accumulate_gradient(rows)

    def accumulate_gradient(self, rows: Sequence[Encoded]) -> float:
        """Adds the gradient of the loss of the rows: summed over their target tokens, divided once by how many.

        Every process gives all the rows, takes its share of them, and gets the loss of all.
        """
        targets = sum(target_tokens(row, self.recipe.loss_on) for row in rows)
        losses: list[torch.Tensor] = []
        self.module.train()
        parts = self._parts(rows)
        for number, part in enumerate(parts, start=1):
            with self.devices.accumulating(self.module, last=number == len(parts)):
                loss = self._losses([rows[place] for place in part]).sum() / targets
                self.devices.backward(loss)
            losses.append(loss.detach())
        return self.devices.sums([sum(loss.item() for loss in losses)])[0]

    def row_losses(self, rows: Sequence[Encoded]) -> list[float]:
        """The loss of each row, summed over its target tokens.

        Raises:
            DoesNotFit: memory does not hold the longest of them.
        """
        return within_memory(self, rows, lambda: self._row_losses(rows))

    @torch.no_grad()
    def _row_losses(self, rows: Sequence[Encoded]) -> list[float]:
        found = [0.0] * len(rows)
        self.module.eval()
        for part in self._parts(rows):
            losses = self._losses([rows[place] for place in part])
            sizes = [target_tokens(rows[place], self.recipe.loss_on) for place in part]
            for place, of_row in zip(part, torch.split(losses, sizes), strict=True):
                found[place] = of_row.sum().item()
        return self.devices.sums(found)

    def _parts(self, rows: Sequence[Encoded]) -> list[list[int]]:
        """Micro-batches of this process, as places of rows; as many as every other has, the last of them empty."""
        shares = [
            [[share[place] for place in part] for part in self._cut([rows[place] for place in share])]
            for share in deal(rows, self.devices.world)
        ]
        mine = shares[self.devices.rank]
        return mine + [[] for _ in range(max(map(len, shares)) - len(mine))]

    def _cut(self, rows: Sequence[Encoded]) -> list[list[int]]:
        return micro_batches(rows, 1 if self.layout == "one by one" else self.tokens, padded=self.padded)

    def _losses(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """Of every target token, row by row."""
        return self._losses_of(collate(rows, self.recipe.loss_on, padded=self.padded))

    def _losses_of(self, batch: Batch) -> torch.Tensor:
        with self.devices.computing():
            losses: torch.Tensor = self.module(self.devices.put(batch))
        return losses
