"""One device or many, through accelerate: what the loop needs of them, and no more.

1. Every process reads the same order and takes its share of each step's rows.
2. Gradients are summed over all processes; the loss is divided once, by the targets of the whole step.
"""

from collections.abc import Iterable
from typing import Any

import torch
from accelerate import Accelerator

from glotmix.train.batch import Batch


class Devices:
    """The processes of one training. `rank` is this one's number of `world`; the first is `main` and writes files."""

    def __init__(self, precision: str) -> None:
        self.accelerator = Accelerator(mixed_precision="bf16" if precision == "bfloat16" else "no")
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        self.main = self.accelerator.is_main_process

    def prepare(
        self, module: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        """Moves both to the devices, sharded where accelerate is told so."""
        prepared: tuple[Any, Any] = self.accelerator.prepare(module, optimizer)
        return prepared

    def computing(self) -> Any:
        """A context in which matrix products run in the recipe's precision."""
        return self.accelerator.autocast()

    def backward(self, loss: torch.Tensor) -> None:
        self.accelerator.backward(loss)

    def clip(self, parameters: Iterable[torch.nn.Parameter], norm: float) -> float:
        """Scales the gradient down to `norm`, and gives its norm before that."""
        return float(self.accelerator.clip_grad_norm_(parameters, norm))

    def put(self, batch: Batch) -> Batch:
        return batch.to(self.accelerator.device)
