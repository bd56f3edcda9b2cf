"""What a killed training needs to go on as if nothing had happened, in safetensors and JSON.

A checkpoint is a folder named by its step, written aside and renamed: one that is there is whole. Beside the latest
checkpoint only the best weights so far are kept, so disk use does not grow with the length of the training.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import torch
from safetensors.torch import load_file, save_file

from glotmix.train.learner import Learner
from glotmix.train.validate import VALIDATION_SCHEMA

UNFINISHED = ".unfinished"  # ends the name of a folder being written or removed


@dataclass
class State:
    """Where a training is. `measured` has every validation row at every checkpoint (`VALIDATION_SCHEMA`)."""

    step: int = 0
    best_step: int = 0
    best_value: float = 0.0
    tokens: int = 0  # read so far, padding left out
    seconds: float = 0.0
    losses: list[tuple[float, float]] = field(default_factory=list)  # loss per target token, gradient norm: a step
    measured: pl.DataFrame = field(default_factory=VALIDATION_SCHEMA.to_frame)


def save(folder: Path, state: State, learner: Learner) -> None:
    """Writes the checkpoint of `state.step`, and then removes what it replaces."""
    weights = _weights(learner.module)
    if state.best_step == state.step:
        _write(folder / f"best-{state.step:07d}", model=weights)
    optimizer = _flat(learner.optimizer.state_dict()["state"])
    _write(folder / f"checkpoint-{state.step:07d}", state, model=weights, optimizer=optimizer)
    keep = {f"best-{state.best_step:07d}", f"checkpoint-{state.step:07d}"}
    for old in folder.glob("*-*"):
        if old.is_dir() and old.name.startswith(("best-", "checkpoint-")) and old.name not in keep:
            _remove(old)


def restore(folder: Path, learner: Learner) -> State:
    """Loads the latest whole checkpoint, or gives a fresh state if there is none."""
    for unfinished in folder.glob(f"*{UNFINISHED}"):
        shutil.rmtree(unfinished)
    found = sorted(folder.glob("checkpoint-*"))
    if not found:
        return State()
    learner.module.load_state_dict(load_file(found[-1] / "model.safetensors"), strict=False)
    learner.optimizer.load_state_dict(
        {**learner.optimizer.state_dict(), "state": _nested(load_file(found[-1] / "optimizer.safetensors"))}
    )
    saved = json.loads((found[-1] / "state.json").read_text())
    saved["losses"] = [tuple(step) for step in saved["losses"]]
    return State(**saved, measured=pl.read_parquet(found[-1] / "validation.parquet", glob=False))


def load_best(folder: Path, state: State, learner: Learner) -> None:
    """Puts the best weights so far into the model."""
    learner.module.load_state_dict(
        load_file(folder / f"best-{state.best_step:07d}" / "model.safetensors"), strict=False
    )


def discard(folder: Path) -> None:
    """Removes all checkpoints of a training that is over; the best weights last, which a checkpoint refers to."""
    for old in (*folder.glob("checkpoint-*"), *folder.glob("best-*")):
        _remove(old)


def _remove(folder: Path) -> None:
    """Killed half-way, it leaves nothing that looks whole."""
    shutil.rmtree(folder.rename(folder.with_name(folder.name + UNFINISHED)))


def _weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """One copy of each tensor: tied weights share memory, which safetensors refuses to write twice."""
    return {name: parameter.detach().contiguous() for name, parameter in model.named_parameters()}


def _flat(state: dict[int, dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {f"{parameter}.{name}": value for parameter, values in state.items() for name, value in values.items()}


def _nested(flat: dict[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in flat.items():
        parameter, name = key.split(".")
        state.setdefault(int(parameter), {})[name] = value
    return state


def _write(folder: Path, state: State | None = None, **tensors: dict[str, torch.Tensor]) -> None:
    aside = folder.with_name(folder.name + UNFINISHED)
    aside.mkdir(parents=True)
    for name, values in tensors.items():
        save_file(values, aside / f"{name}.safetensors")
    if state is not None:
        told = {name: value for name, value in vars(state).items() if name != "measured"}
        (aside / "state.json").write_text(json.dumps(told))
        state.measured.write_parquet(aside / "validation.parquet")
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
