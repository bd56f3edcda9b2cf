"""What a killed training needs to go on as if nothing had happened, in safetensors and JSON.

1. A checkpoint is a folder named by its step, written aside and renamed: one that is there is whole.
2. Every process writes the shards it holds, cut along the first dimension; copies of a model are one shard. A training
   goes on with any number of processes: a shard is cut anew out of those that were written, a tensor at a time.
3. Beside the latest checkpoint only the best weights so far are kept, so disk use does not grow with the training.
4. Weights that are not trained are not written; they are the base model's.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch.distributed.tensor import DTensor

from glotmix.analysis.selection import VALIDATION_SCHEMA
from glotmix.errors import GlotmixError
from glotmix.train.learner import Learner
from glotmix.train.shards import Shards, write_shard
from glotmix.train.zero import STATE, Zero

UNFINISHED = ".unfinished"  # ends the name of a folder being written or removed
WEIGHTS, OPTIMIZER = "weights", "optimizer"  # how the names of their shards begin


@dataclass
class State:
    """Where a training is. `measured` has every validation row at every checkpoint (`VALIDATION_SCHEMA`)."""

    step: int = 0
    best_step: int = 0
    best_value: float = 0.0
    tokens: int = 0  # read so far, padding left out
    seconds: float = 0.0  # of the training, with its validation
    validation_seconds: float = 0.0
    out_of_memory: list[dict[str, int]] = field(default_factory=list)  # step, tokens_per_micro_batch from then on
    losses: list[tuple[float, float]] = field(default_factory=list)  # loss per target token, gradient norm: a step
    measured: pl.DataFrame = field(default_factory=VALIDATION_SCHEMA.to_frame)


def save(folder: Path, state: State, learner: Learner) -> None:
    """Writes the checkpoint of `state.step`, and then removes what it replaces. Called by every process."""
    whole = _folder(folder, "checkpoint", state.step)
    aside = whole.with_name(whole.name + UNFINISHED)
    if learner.devices.main:
        aside.mkdir(parents=True)
    learner.devices.wait()
    if isinstance(learner.devices, Zero):
        weights = learner.devices.whole(_trained(learner))
        if learner.devices.main:
            write_shard(aside, WEIGHTS, 0, 1, weights)
        learner.devices.save(aside)
    else:
        _save_shards(aside, learner)
    learner.devices.wait()
    if learner.devices.main:
        told = {name: value for name, value in vars(state).items() if name != "measured"}
        (aside / "state.json").write_text(json.dumps(told))
        state.measured.write_parquet(aside / "validation.parquet")
        aside.rename(whole)
        _clear(folder, state)


def restore(folder: Path, learner: Learner) -> State:
    """Loads the latest whole checkpoint, or gives a fresh state if there is none. Called by every process.

    Raises:
        GlotmixError: it was written by another number of processes, and has what can't be cut anew; or it is
            DeepSpeed's, and this training is not.
    """
    if learner.devices.main:
        for unfinished in folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(unfinished)
    learner.devices.wait()
    found = sorted(folder.glob("checkpoint-*"))
    if not found:
        return State()
    if (found[-1] / STATE).is_dir() != isinstance(learner.devices, Zero):
        raise GlotmixError(f"of this training and the checkpoint in {found[-1]} one is DeepSpeed's; go on as it began")
    if isinstance(learner.devices, Zero):
        learner.devices.restore(found[-1])
    else:
        learner.devices.release(learner.module)
        moments = Shards(found[-1], OPTIMIZER)
        _allocate(learner, moments.names)
        _fill(_trained(learner), Shards(found[-1], WEIGHTS), learner)
        _fill(_moments(learner), moments, learner)
    saved = json.loads((found[-1] / "state.json").read_text())
    saved["losses"] = [tuple(step) for step in saved["losses"]]
    return State(**saved, measured=pl.read_parquet(found[-1] / "validation.parquet", glob=False))


def load_best(folder: Path, state: State, model: Any) -> None:
    """Puts the best weights so far into a model that is whole, in the memory of the one process that calls this."""
    best = _folder(folder, "best", state.best_step)
    shards = Shards(best if best.exists() else _folder(folder, "checkpoint", state.best_step), WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in shards.names:
                parameter.copy_(shards.whole(name))


def discard(folder: Path) -> None:
    """Removes all checkpoints of a training that is over; the best weights last, which a checkpoint refers to."""
    for old in (*folder.glob("checkpoint-*"), *folder.glob("best-*")):
        _remove(old)


def _save_shards(folder: Path, learner: Learner) -> None:
    learner.devices.release(learner.module)
    shard, shards = _shard(learner)
    if shard is not None:
        write_shard(folder, WEIGHTS, shard, shards, _local(_trained(learner)))
        write_shard(folder, OPTIMIZER, shard, shards, _local(_moments(learner)))


def _folder(folder: Path, kind: str, step: int) -> Path:
    return folder / f"{kind}-{step:07d}"


def _clear(folder: Path, state: State) -> None:
    """Of a checkpoint that is no longer the latest the weights are kept if they are the best, and nothing else."""
    for old in folder.glob("checkpoint-*[0-9]"):
        if old == _folder(folder, "checkpoint", state.best_step) and state.best_step != state.step:
            best = old.rename(_folder(folder, "best", state.best_step))
            for file in best.glob(f"{OPTIMIZER}*"):
                file.unlink()
            shutil.rmtree(best / STATE, ignore_errors=True)
        elif old != _folder(folder, "checkpoint", state.step):
            _remove(old)
    for old in folder.glob("best-*[0-9]"):
        if old != _folder(folder, "best", state.best_step):
            _remove(old)


def _remove(folder: Path) -> None:
    """Killed half-way, it leaves nothing that looks whole."""
    shutil.rmtree(folder.rename(folder.with_name(folder.name + UNFINISHED)))


def _trained(learner: Learner) -> dict[str, torch.Tensor]:
    """One of each tensor: tied weights share memory."""
    return {name: parameter for name, parameter in learner.model.named_parameters() if parameter.requires_grad}


def _moments(learner: Learner) -> dict[str, torch.Tensor]:
    state = learner.optimizer.state
    return {
        f"{name}/{moment}": value
        for name, parameter in _trained(learner).items()
        for moment, value in state[parameter].items()
    }


def _shard(learner: Learner) -> tuple[int | None, int]:
    """Which shard this process writes, of how many; copies of a model are written by the first process alone."""
    if any(isinstance(tensor, DTensor) for tensor in _trained(learner).values()):
        return learner.devices.rank, learner.devices.world
    return (0 if learner.devices.main else None), 1


def _local(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{name}{part}": leaf for name, tensor in tensors.items() for part, leaf in _leaves(tensor)}


def _leaves(tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """The plain tensors that this process holds of one: itself, its shard, or the parts of a quantised one."""
    held = tensor.detach()
    if isinstance(held, DTensor):
        held = held.to_local()
    if type(held) is torch.Tensor:
        yield "", held
    else:
        parts, _ = held.__tensor_flatten__()  # type: ignore[attr-defined]
        for part in parts:
            yield f"/{part}", getattr(held, part)


def _allocate(learner: Learner, saved: set[str]) -> None:
    """An optimizer makes moments at its first step, which changes nothing that is not loaded after it; of what the loss
    has not reached before there are none.
    """
    for name, parameter in _trained(learner).items():
        if f"{name}/step" in saved:
            parameter.grad = torch.zeros_like(parameter)
    learner.optimizer.step()
    learner.optimizer.zero_grad()


@torch.no_grad()
def _fill(tensors: dict[str, torch.Tensor], shards: Shards, learner: Learner) -> None:
    """Loads what this process holds of the tensors."""
    shard, count = _shard(learner)
    for name, tensor in tensors.items():
        rows = len(tensor) if tensor.ndim else 0
        for part, leaf in _leaves(tensor):
            leaf.copy_(shards.part(f"{name}{part}", shard or 0, count, leaf.shape, rows))
