"""A model while it learns: steps on whole batches, and losses of rows, within a budget of tokens per micro-batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.batch import collate, micro_batches, target_tokens
from glotmix.train.devices import Devices
from glotmix.train.loss import TargetLoss
from glotmix.train.optimizer import make_optimizer


@dataclass(frozen=True)
class Step:
    """`loss` per target token before the step, and the norm of its gradient before clipping."""

    loss: float
    gradient_norm: float


class Learner:
    """`model` is the transformers model, `module` what computes its losses on the devices.

    `tokens` is the budget: how many padded tokens a micro-batch holds at most (or one row).
    """

    def __init__(self, model: Any, recipe: Recipe) -> None:
        self.recipe, self.tokens = recipe, recipe.tokens_per_micro_batch
        self.devices = Devices(recipe.precision)
        self.model = model
        module, optimizer = TargetLoss(self.model), make_optimizer(self.model, recipe)
        self.module, self.optimizer = self.devices.prepare(module, optimizer)

    def step(self, rows: Sequence[Encoded], learning_rate: float) -> Step:
        """One optimizer step on all the rows."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss = self.accumulate_gradient(rows)
        norm = self.devices.clip(self.module.parameters(), self.recipe.max_gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return Step(loss, norm)

    def accumulate_gradient(self, rows: Sequence[Encoded]) -> float:
        """Adds the gradient of the loss of the rows: summed over their target tokens, divided once by how many."""
        targets = sum(target_tokens(row, self.recipe.loss_on) for row in rows)
        total = 0.0
        self.module.train()
        for part in micro_batches(rows, self.tokens):
            loss = self._losses([rows[place] for place in part]).sum() / targets
            self.devices.backward(loss)
            total += loss.item()
        return total

    @torch.inference_mode()
    def row_losses(self, rows: Sequence[Encoded]) -> list[float]:
        """The loss of each row, summed over its target tokens."""
        found = [0.0] * len(rows)
        self.module.eval()
        for part in micro_batches(rows, self.tokens):
            losses = self._losses([rows[place] for place in part])
            sizes = [target_tokens(rows[place], self.recipe.loss_on) for place in part]
            for place, of_row in zip(part, torch.split(losses, sizes), strict=True):
                found[place] = of_row.sum().item()
        return found

    def _losses(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """Of every target token, row by row."""
        with self.devices.computing():
            losses: torch.Tensor = self.module(self.devices.put(collate(rows, self.recipe.loss_on)))
        return losses
