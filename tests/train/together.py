"""What each of two processes does in `test_two_processes`, and one process beside them to compare with.

Started as `torchrun together.py FOLDER`: gradients and losses into FOLDER/copies, and trainings in folders of it; then
the same with shards into FOLDER/shards.
"""

import contextlib
import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from glotmix.generate.load import load_model
from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Lora, Recipe
from glotmix.train.devices import loading
from glotmix.train.learner import Learner
from glotmix.train.loop import Progress, train

RECIPE = Recipe(steps=6, batch_rows=5, checkpoint_every=2, learning_rate=1e-3, tokens_per_micro_batch=100)
ADAPTERS = RECIPE.model_copy(update={"lora": Lora(rank=4)})
SHARDED = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
}
TOKENS = (70, 9, 8, 40, 5, 12, 7)  # one row is as much as all others: shares of one and of three micro-batches


class Killed(Exception):
    pass


def encoded() -> list[Encoded]:
    draw = torch.Generator().manual_seed(0)
    return [Encoded(tuple(torch.randint(2048, (n,), generator=draw).tolist()), 2) for n in TOKENS]


def measure(out: Path) -> None:
    """Writes the gradient of one batch, clipped by nothing, and what was measured of it.

    The model has a weight that its loss never reaches, and says it may have layers that it has not.
    """
    with loading():
        model = load_model(model_path("lab-1m"), "float32")
    model.model.unreached = torch.nn.Parameter(torch.ones(2, 2))
    model._no_split_modules = {*model._no_split_modules, "EncoderLayer"}
    learner = Learner(model, RECIPE.model_copy(update={"tokens_per_micro_batch": 40}))
    row_losses = learner.row_losses(encoded())
    loss = learner.accumulate_gradient(encoded())
    found = {"row_losses": torch.tensor(row_losses, dtype=torch.float64), "loss": torch.tensor(loss)}
    for name, parameter in learner.model.named_parameters():
        if (gradient := parameter.grad) is None:
            continue
        found[name] = gradient.full_tensor() if isinstance(gradient, DTensor) else gradient.clone()
    learner.optimizer.zero_grad()
    step = learner.step(encoded(), 1e-3)
    found["norm"] = torch.tensor(step.gradient_norm)
    if learner.devices.main:
        save_file(found, out / "measured.safetensors")


def trained(out: Path, kill_after: int | None = None, recipe: Recipe = RECIPE) -> None:
    """Trains, or goes on, as if killed after step `kill_after`."""
    pool = LabPool()
    rows, held = (
        pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])
        for split, count in (("train", 30), ("validation", 3))
    )

    def watch(progress: Progress) -> None:
        if progress.step == kill_after:
            raise Killed

    with contextlib.suppress(Killed):
        train(model_path("lab-1m"), rows, [*rows["row_id"]], held, recipe, 0, out, watch)


def together(folder: Path) -> None:
    measure(folder)
    trained(folder / "whole")
    trained(folder / "adapters", recipe=ADAPTERS)
    trained(folder / "killed", kill_after=3)
    trained(folder / "killed")
    trained(folder / "to-one", kill_after=3)
    if (folder / "to-two").is_dir():
        trained(folder / "to-two")


if __name__ == "__main__":
    torch.set_num_threads(1)
    together(Path(sys.argv[1]) / "copies")
    os.environ |= SHARDED
    together(Path(sys.argv[1]) / "shards")
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
