"""One device or many, through accelerate: what a learner needs of them, and no more.

1. Whatever started the processes (accelerate's config file, torchrun) says how many there are and how a model is cut.
2. Every process reads the same order and takes its share of each step's rows: as many tokens as the others.
3. Gradients and losses are summed over all processes; the loss is divided once, by the targets of the whole step.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, FullyShardedDataParallelPlugin, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy
from torch.distributed.tensor import DTensor

from glotmix.generate.template import Encoded
from glotmix.train.batch import Batch
from glotmix.train.loss import TargetLoss

FIRST_READS = "FSDP_CPU_RAM_EFFICIENT_LOADING"  # transformers then reads weights in the first process alone
PATIENCE = timedelta(minutes=30)  # a process that others wait for longer than that is taken for dead


def join() -> PartialState:
    """Joins the processes that were started together, once: whoever reads a model must know which it is."""
    alone = "RANK" not in os.environ
    return PartialState() if alone else PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Where a model is loaded that may be sharded: the others then get their weights from the first process."""
    join()
    os.environ[FIRST_READS] = "true"
    try:
        yield
    finally:
        os.environ[FIRST_READS] = "false"


class Devices:
    """The processes of one training. `rank` is this one's number of `world`; the first is `main` and writes files."""

    def __init__(self, precision: str) -> None:
        join()
        AcceleratorState._reset_state()  # a process may train several models, each with its own precision
        sharding = _sharding(precision)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if precision == "bfloat16" else "no",
            fsdp_plugin=sharding,
            # a batch may reach no expert of a mixture, or some part of a model that no text reaches
            kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True, find_unused_parameters=True)],
        )
        if sharding and self.accelerator.distributed_type == DistributedType.MULTI_CPU:
            # accelerate shards on accelerators alone, though nothing it does there is theirs only
            self.accelerator.state.distributed_type = DistributedType.FSDP
            self.accelerator.state.fsdp_plugin = sharding
        os.environ[FIRST_READS] = "false"  # accelerate sets it for good, and evaluation needs its weights
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        self.main = self.accelerator.is_main_process

    def prepare(
        self, module: TargetLoss, optimizer: torch.optim.Optimizer
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        """Moves both to the devices, sharded where accelerate is told so: a unit for each layer of the model."""
        model, outermost = module.model, vars(module)  # where accelerate looks
        here = {type(part).__name__ for part in model.modules()}
        outermost["_no_split_modules"] = here.intersection(model._no_split_modules or ())  # an encoder is not there
        outermost["tie_weights"] = model.tie_weights
        prepared: tuple[Any, Any] = self.accelerator.prepare(module, optimizer)
        return prepared

    def computing(self) -> AbstractContextManager[None]:
        """A context in which matrix products run in the recipe's precision; weights that are sharded come in it."""
        return contextlib.nullcontext() if self.accelerator.is_fsdp2 else self.accelerator.autocast()

    def accumulating(self, module: torch.nn.Module, last: bool) -> AbstractContextManager[None]:
        """A context for one micro-batch of a step: copies of a model exchange gradients at the last one alone.

        A sharded model does so at each: a whole gradient, kept until the last, may not fit.
        """
        wait = last or self.accelerator.is_fsdp2
        return contextlib.nullcontext() if wait else self.accelerator.no_sync(module)

    def backward(self, loss: torch.Tensor) -> None:
        """Adds the gradient of the loss, which is this process's part of a sum over all."""
        self.accelerator.backward(loss * self.world)  # accelerate takes the mean over processes

    def clip(self, module: torch.nn.Module, norm: float) -> float:
        """Scales the gradient down to `norm`, and gives its norm before that, of all shards together."""
        found = self.accelerator.clip_grad_norm_(module.parameters(), norm)
        return float(found.full_tensor() if isinstance(found, DTensor) else found)

    def sums(self, values: Sequence[float]) -> list[float]:
        """Sums over the processes, the same on each; in order, so that no sum depends on who is first."""
        if self.world == 1:
            return list(values)
        mine = torch.tensor([values], dtype=torch.float64, device=self.accelerator.device)
        everyone: Any = self.accelerator.gather(mine)  # (world, values)
        summed: list[float] = everyone.cpu().sum(dim=0).tolist()
        return summed

    def wait(self) -> None:
        """Until every process is here."""
        self.accelerator.wait_for_everyone()

    def release(self, module: torch.nn.Module) -> None:
        """Shards again what a forward pass has put together; a backward pass does so, and without one it would stay."""
        if isinstance(module, FSDPModule):
            module.reshard()

    def put(self, batch: Batch) -> Batch:
        return batch.to(self.accelerator.device)


def deal(rows: Sequence[Encoded], world: int) -> list[list[int]]:
    """Places of the rows each process takes: longest first, to the one with the fewest tokens so far.

    >>> deal([Encoded((1,) * tokens, 0) for tokens in (2, 9, 4, 4)], 2)
    [[1], [0, 2, 3]]
    """
    shares: list[list[int]] = [[] for _ in range(world)]
    tokens = [0] * world
    for place in sorted(range(len(rows)), key=lambda place: -len(rows[place].ids)):
        least = tokens.index(min(tokens))
        shares[least].append(place)
        tokens[least] += len(rows[place].ids)
    return [sorted(share) for share in shares]


def _sharding(precision: str) -> FullyShardedDataParallelPlugin | None:
    """How the model is sharded, if at all: weights and sums of gradients in float32, products in `precision`."""
    if os.environ.get("ACCELERATE_USE_FSDP") != "true":
        return None
    compute = torch.bfloat16 if precision == "bfloat16" else torch.float32
    policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
    return FullyShardedDataParallelPlugin(mixed_precision_policy=policy, cpu_ram_efficient_loading=True)
