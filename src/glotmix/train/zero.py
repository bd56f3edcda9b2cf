"""DeepSpeed's ZeRO in place of FSDP2, for who has it running: `Devices` with an engine that does more on its own.

1. It sums gradients as they come. When it steps, it clips, updates and clears at once: `clip` does all three, and the
   optimizer that the learner holds does nothing.
2. In bfloat16 the model's weights are in it, and float32 copies lie beside the moments.
3. What it needs to resume it writes itself, in files of its own (pickles), for as many processes as wrote them.
"""

import contextlib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from glotmix.errors import GlotmixError, UserError
from glotmix.spec import Recipe
from glotmix.train.devices import Devices
from glotmix.train.loss import TargetLoss

STATE = "deepspeed"  # the folder in a checkpoint with what DeepSpeed writes


def devices(recipe: Recipe) -> Devices:
    """As accelerate's config says.

    Raises:
        UserError: DeepSpeed can't do what the recipe asks for.
    """
    deepspeed = os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"
    return Zero(recipe) if deepspeed else Devices(recipe.precision)


class Zero(Devices):
    """The processes of a training under DeepSpeed."""

    def __init__(self, recipe: Recipe) -> None:
        if recipe.optimizer != "adamw":
            raise UserError(f"recipe.optimizer: {recipe.optimizer} does not work under DeepSpeed; use adamw, or FSDP2")
        super().__init__(recipe.precision)
        if self.world == 1:
            raise UserError(
                "--accelerate: DeepSpeed with one process shards nothing; set num_processes, or use no file"
            )
        self._engine: Any = None
        # or transformers would load every model in shards, which no process can do alone
        unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]
        self.accelerator.state.deepspeed_plugin.deepspeed_config.update(
            gradient_clipping=recipe.max_gradient_norm,
            gradient_accumulation_steps=1,  # a loss is divided by it; how many there are is told at each micro-batch
            train_micro_batch_size_per_gpu=1,  # a name for what a process reads at once; rows are dealt here
            train_batch_size=self.world,
        )

    def prepare(
        self, module: TargetLoss, optimizer: torch.optim.Optimizer
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        module.config = module.model.config  # DeepSpeed's automatic settings go by its hidden size
        self._engine, nothing = super().prepare(module, optimizer)
        return self._engine, nothing

    def computing(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def accumulating(self, module: torch.nn.Module, last: bool) -> AbstractContextManager[None]:
        self._engine.set_gradient_accumulation_boundary(last)
        return contextlib.nullcontext()

    def backward(self, loss: torch.Tensor) -> None:
        self._engine.backward(loss * self.world)  # DeepSpeed takes the mean over processes

    def clip(self, module: torch.nn.Module, norm: float) -> float:
        """Makes the step, with the gradient scaled down to `norm`, and gives its norm before that."""
        self._engine.step()
        return float(self._engine.get_global_grad_norm())

    def whole(self, parameters: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The parameters put together, in the memory of the first process; the others get nothing."""
        from deepspeed import zero

        found = {}
        for name, parameter in parameters.items():
            with zero.GatheredParameters([parameter]):
                if self.main:
                    found[name] = parameter.detach().cpu().clone()
        return found

    def save(self, folder: Path) -> None:
        """Called by every process."""
        self._engine.save_checkpoint(str(folder), tag=STATE, save_latest=False)

    def restore(self, folder: Path) -> None:
        """Called by every process.

        Raises:
            GlotmixError: another number of processes wrote it.
        """
        written = len(list((folder / STATE).glob("*optim_states.pt")))
        if written != self.world:
            raise GlotmixError(
                f"this training began in {written} processes; DeepSpeed can't cut it anew, so use as many"
            )
        self._engine.load_checkpoint(str(folder), tag=STATE)
