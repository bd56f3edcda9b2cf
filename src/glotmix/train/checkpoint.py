"""What a killed training needs to go on as if nothing had happened, in safetensors and JSON.

A checkpoint is a folder named by its step, written aside and renamed: one that is there is whole. Beside the latest
checkpoint only the best weights so far are kept, so disk use does not grow with the length of the training.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

UNFINISHED = ".unfinished"  # ends the name of a folder being written or removed


@dataclass
class State:
    """Where a training is. `curve` holds (step, language, validation loss per target token)."""

    step: int = 0
    best_step: int = 0
    best_loss: float = float("inf")
    tokens: int = 0  # read so far, padding left out
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # training loss per target token, one a step
    curve: list[tuple[int, str, float]] = field(default_factory=list)


def save(folder: Path, state: State, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Writes the checkpoint of `state.step`, and then removes what it replaces."""
    if state.best_step == state.step:
        _write(folder / f"best-{state.step:07d}", model=_weights(model))
    _write(
        folder / f"checkpoint-{state.step:07d}",
        state=asdict(state),
        model=_weights(model),
        optimizer=_flat(optimizer.state_dict()["state"]),
    )
    keep = {f"best-{state.best_step:07d}", f"checkpoint-{state.step:07d}"}
    for old in folder.glob("*-*"):
        if old.is_dir() and old.name.startswith(("best-", "checkpoint-")) and old.name not in keep:
            _remove(old)


def restore(folder: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """Loads the latest whole checkpoint, or gives a fresh state if there is none."""
    for unfinished in folder.glob(f"*{UNFINISHED}"):
        shutil.rmtree(unfinished)
    found = sorted(folder.glob("checkpoint-*"))
    if not found:
        return State()
    model.load_state_dict(load_file(found[-1] / "model.safetensors"), strict=False)
    optimizer.load_state_dict(
        {**optimizer.state_dict(), "state": _nested(load_file(found[-1] / "optimizer.safetensors"))}
    )
    saved = json.loads((found[-1] / "state.json").read_text())
    saved["curve"] = [tuple(point) for point in saved["curve"]]
    return State(**saved)


def load_best(folder: Path, state: State, model: torch.nn.Module) -> None:
    """Puts the best weights so far into the model."""
    model.load_state_dict(load_file(folder / f"best-{state.best_step:07d}" / "model.safetensors"), strict=False)


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


def _write(folder: Path, state: dict[str, object] | None = None, **tensors: dict[str, torch.Tensor]) -> None:
    aside = folder.with_name(folder.name + UNFINISHED)
    aside.mkdir(parents=True)
    for name, values in tensors.items():
        save_file(values, aside / f"{name}.safetensors")
    if state is not None:
        (aside / "state.json").write_text(json.dumps(state))
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
