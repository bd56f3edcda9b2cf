"""Training under DeepSpeed ZeRO-3 in two processes on the processor, where DeepSpeed is installed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from glotmix.errors import UserError
from glotmix.spec import Recipe
from glotmix.train.zero import devices

PROGRAM = """
import sys
from pathlib import Path
import torch
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train.loop import train

torch.set_num_threads(1)
out, kill_after, recipe = Path(sys.argv[1]), int(sys.argv[2]), Recipe.model_validate_json(sys.argv[3])
pool = LabPool()
rows, few = (
    pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])
    for split, count in (("train", 24), ("validation", 3))
)

def watch(progress):
    if progress.step == kill_after:
        sys.exit()

train(model_path("lab-1m"), rows, [*rows["row_id"]], few, recipe, 0, out, watch)
"""
RECIPE = Recipe(steps=6, batch_rows=4, checkpoint_every=2, learning_rate=1e-3, weight_decay=0.1, max_gradient_norm=0.5)
ENVIRONMENT = {
    "ACCELERATE_USE_DEEPSPEED": "true",
    "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3",
    "DS_ACCELERATOR": "cpu",
}
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="deepspeed is not installed (its own build needs a compiler)"
)


def start(out: Path, processes: int, kill_after: int = 0) -> None:
    """A training that is killed may end badly: one process is gone while the other still talks to it."""
    out.mkdir(exist_ok=True)
    (program := out.parent / "program.py").write_text(PROGRAM)
    launch = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"] if processes > 1 else []
    command = [sys.executable, *launch, str(program), str(out), str(kill_after), RECIPE.model_dump_json()]
    environment = os.environ | (ENVIRONMENT if processes > 1 else {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert kill_after or done.returncode == 0, done.stderr[-3000:]


@needs_deepspeed
def test_zero_3_trains_as_one_process_does_and_resumes(tmp_path):
    for name, processes in (("one", 1), ("zero", 2)):
        start(tmp_path / name, processes)
    start(tmp_path / "killed", 2, kill_after=3)
    assert list((tmp_path / "killed" / "checkpoint-0000002" / "deepspeed").iterdir())
    start(tmp_path / "killed", 2)

    one, zero, killed = (load_file(tmp_path / name / "model/model.safetensors") for name in ("one", "zero", "killed"))
    for name, weight in one.items():
        torch.testing.assert_close(zero[name], weight, rtol=1e-4, atol=2e-5, msg=name)
        torch.testing.assert_close(killed[name], zero[name], rtol=1e-5, atol=1e-6, msg=name)
    curves = [pl.read_parquet(tmp_path / name / "losses.parquet") for name in ("one", "zero", "killed")]
    for curve in curves[1:]:
        for column in ("loss", "gradient_norm"):
            assert curve[column].to_list() == pytest.approx(curves[0][column].to_list(), rel=1e-4)
    assert min(curves[0]["gradient_norm"]) > RECIPE.max_gradient_norm, "clipping is in what is compared"
    selected = [json.loads((tmp_path / name / "train.json").read_text())["selected_step"] for name in ("one", "zero")]
    assert selected[0] == selected[1]
    assert not list((tmp_path / "zero").glob("*-*[0-9]"))


def test_what_deepspeed_cannot_do_is_refused(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(UserError, match=r"adamw_8bit does not work under DeepSpeed; use adamw"):
        devices(RECIPE.model_copy(update={"optimizer": "adamw_8bit"}))
