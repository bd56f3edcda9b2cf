"""A training killed between any two steps goes on from its last checkpoint and ends bit-equal."""

import json
import os
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPT2Config

from glotmix.errors import GlotmixError
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train import checkpoint, loop, shards
from glotmix.train.encode import encode_rows
from glotmix.train.exact import lacks_kernel
from glotmix.train.learner import Learner
from glotmix.train.loop import Progress, train

RECIPE = Recipe(steps=6, batch_rows=4, checkpoint_every=2, learning_rate=1e-3, schedule="cosine", warmup_steps=2)


LAB = model_path("lab-1m")
TRACED = {loop.__file__, checkpoint.__file__, shards.__file__}


class Killed(BaseException):
    """Nothing can catch it that catches errors."""


@cache
def rows(count: int, split: str = "train") -> pl.DataFrame:
    pool = LabPool()
    return pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])


def run(out: Path, recipe: Recipe = RECIPE, kill_after: int | None = None, base: Path = LAB) -> list[int]:
    """Trains, and gives the steps it took; stops as if killed after step `kill_after`."""
    torch.set_num_threads(1)
    taken: list[int] = []

    def watch(progress: Progress) -> None:
        taken.append(progress.step)
        if progress.step == kill_after:
            raise Killed

    order = [*rows(24)["row_id"]]
    train(base, rows(24), order, rows(3, "validation"), recipe, 0, out, watch)
    return taken


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights, so small that what is traced is soon run."""
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=2048, n_embd=16, n_layer=1, n_head=2, n_positions=512, eos_token_id=0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    load_tokenizer(model_path("lab-1m")).save_pretrained(folder)
    return folder


# The best of the three checkpoints is the second, so that all that is kept for different reasons is there at some time.
SHORT = RECIPE.model_copy(update={"learning_rate": 0.1, "schedule": "constant", "warmup_steps": 0})


class Trace:
    """Runs a training as if killed at a line of the loop or of what writes checkpoints: the `kill_at`th that is run."""

    def __init__(self, out: Path, kill_at: int | None = None) -> None:
        self.out, self.kill_at, self.lines, self.most_bytes = out, kill_at, 0, 0

    def train(self, base: Path, recipe: Recipe = SHORT) -> bool:
        """Whether it came to its end."""
        sys.settrace(self._call)
        try:
            run(self.out, recipe, base=base)
        except Killed:
            return False
        finally:
            sys.settrace(None)
        return True

    def _call(self, frame: FrameType, event: str, arg: object) -> Any:
        return self._line if frame.f_code.co_filename in TRACED else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            self.lines += 1
            self.most_bytes = max(self.most_bytes, size(self.out))
            if self.lines == self.kill_at:
                raise Killed
        return self._line


def size(folder: Path) -> int:
    """Bytes of the weights and moments in it."""
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))


def left(out: Path) -> dict[str, Any]:
    """All that a training leaves but for how long it took: by file, what is in it."""
    found: dict[str, Any] = {}
    for file in filter(Path.is_file, out.rglob("*")):
        content: Any = file.read_bytes()
        if file.suffix == ".json":
            content = json.loads(content)
            content = {name: value for name, value in content.items() if "seconds" not in name}
        found[str(file.relative_to(out))] = content
    return found


def cut_short(out: Path) -> None:
    """A file that was being written when the process was killed may have any length."""
    for unfinished in out.glob("*.unfinished"):
        for file in filter(Path.is_file, unfinished.iterdir()):
            file.write_bytes(file.read_bytes()[:7])


@pytest.fixture(scope="module")
def undisturbed(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """What the training leaves that nothing happens to, and how many lines it runs."""
    trace = Trace(tmp_path_factory.mktemp("undisturbed"))
    assert trace.train(base)
    files = left(trace.out)
    assert files["train.json"]["selected_step"] == 4, "the kept checkpoint is neither the first nor the last"
    assert not [name for name in files if name.startswith(("checkpoint-", "best-"))]
    return files, trace.lines


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_killed_anywhere_and_again_a_training_ends_bit_equal(base, undisturbed, tmp_path_factory, data):
    """Between any two lines of the loop, of a checkpoint's writing, clearing or restoring; weights, losses, curve."""
    files, lines = undisturbed
    out = tmp_path_factory.mktemp("killed")
    for kill_at in data.draw(st.lists(st.integers(1, lines), min_size=1, max_size=2), label="kills"):
        Trace(out, kill_at).train(base)
        cut_short(out)
    run(out, SHORT, base=base)
    assert left(out) == files


def test_what_a_resumed_training_goes_on_from_is_bit_equal(base, tmp_path, monkeypatch):
    """The last checkpoint holds the optimizer's state as if nothing had happened."""
    monkeypatch.setattr("glotmix.train.checkpoint.discard", lambda folder: None)
    run(tmp_path / "whole", SHORT, base=base)
    with pytest.raises(Killed):
        run(tmp_path / "killed", SHORT, kill_after=3, base=base)
    assert run(tmp_path / "killed", SHORT, base=base)[0] == 3, "goes on after the last checkpoint"
    assert left(tmp_path / "killed") == left(tmp_path / "whole")
    assert any("optimizer" in name for name in left(tmp_path / "whole"))


def test_a_resume_that_forgot_its_optimizer_would_be_seen(base, undisturbed, tmp_path, monkeypatch):
    with pytest.raises(Killed):
        run(tmp_path, SHORT, kill_after=2, base=base)
    monkeypatch.setattr("glotmix.train.checkpoint._moments", lambda learner: {})
    run(tmp_path, SHORT, base=base)
    assert left(tmp_path) != undisturbed[0]


def test_disk_use_is_bounded_however_long_the_training(base, tmp_path):
    """The latest checkpoint, the best weights, and the checkpoint being written: weights and two moments each."""
    trace = Trace(tmp_path)
    assert trace.train(base, SHORT.model_copy(update={"checkpoint_every": 1}))
    weights = size(tmp_path / "model")
    assert 6 * weights < trace.most_bytes < 7.2 * weights


@pytest.mark.parametrize("survivors", [("checkpoint-", "best-"), ("best-",), ()])
def test_killed_while_clearing_up_it_ends_the_same(tmp_path, monkeypatch, survivors):
    """What is left when the last checkpoints were being removed: all, the best weights only, or nothing."""
    monkeypatch.setattr("glotmix.train.checkpoint.discard", lambda folder: None)
    run(tmp_path)
    whole = load_file(tmp_path / "model" / "model.safetensors")
    for left in (*tmp_path.glob("checkpoint-*"), *tmp_path.glob("best-*")):
        if not left.name.startswith(survivors):
            left.rename(left.with_name(left.name + ".unfinished"))
            next((tmp_path / (left.name + ".unfinished")).glob("weights-*")).unlink()
    monkeypatch.undo()
    run(tmp_path)
    again = load_file(tmp_path / "model" / "model.safetensors")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_the_checkpoint_with_the_lowest_validation_loss_is_kept(tmp_path):
    run(tmp_path, RECIPE.model_copy(update={"learning_rate": 0.3, "schedule": "constant", "warmup_steps": 0}))
    record = json.loads((tmp_path / "train.json").read_text())
    curve = pl.read_parquet(tmp_path / "curve.parquet").sort("value")
    assert record["selected_step"] == curve["step"][0]
    assert record["selected_value"] == curve["value"][0]
    assert not list(tmp_path.glob("checkpoint-*")) and not list(tmp_path.glob("best-*"))


def test_weights_that_no_loss_reaches_are_kept_and_stop_no_resume(tmp_path):
    """Of a mixture of experts some may not have been read by yet; they have no moments."""

    def learner() -> Learner:
        model = load_model(LAB, "float32")
        model.model.unreached = torch.nn.Parameter(torch.ones(2))
        return Learner(model, RECIPE)

    batch = [*encode_rows(rows(4), RECIPE, load_tokenizer(LAB)).by_id.values()]
    whole = learner()
    for step in (1, 2):
        whole.step(batch, 1e-3)
        if step == 1:
            checkpoint.save(tmp_path, checkpoint.State(step=1, best_step=1), whole)
    resumed = learner()
    assert checkpoint.restore(tmp_path, resumed).step == 1
    resumed.step(batch, 1e-3)
    ends = [dict(end.model.named_parameters()) for end in (whole, resumed)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_what_is_quantised_in_some_shards_only_is_not_cut_anew(tmp_path):
    shards.write_shard(tmp_path, "optimizer", 0, 2, {"codes": torch.zeros(3)})
    shards.write_shard(tmp_path, "optimizer", 1, 2, {"plain": torch.zeros(2)})
    with pytest.raises(GlotmixError, match="in 2 shards, and codes can't be cut anew; go on in as many processes"):
        shards.Shards(tmp_path, "optimizer").part("codes", 0, 1, torch.Size([5]), 5)


def a_step(before: Any = lambda *given: None) -> tuple[Learner, dict[str, torch.Tensor]]:
    """A learner after one step of a model that computes something else besides, and its weights."""
    encoded = encode_rows(rows(4), RECIPE, load_tokenizer(LAB)).by_id
    learner = Learner(load_model(LAB, "float32"), RECIPE)
    learner.model.model.register_forward_pre_hook(before)
    learner.step([*encoded.values()], 1e-3)
    return learner, dict(learner.model.state_dict())


@pytest.mark.filterwarnings("ignore:put_ does not have")
def test_steps_are_computed_by_deterministic_kernels_as_far_as_there_are(caplog):
    """With the first kernel that has no such form the step is done again without, and the user is told."""

    def unordered(*given: Any) -> None:
        torch.zeros(3).put_(torch.tensor([1, 1]), torch.tensor([2.0, 3.0]))  # which of the two stays, is open

    strict, expected = a_step()
    assert strict.strict and not caplog.records
    lowered, found = a_step(unordered)
    assert not lowered.strict and "in the last bits: put_ does not have a deterministic implementation" in caplog.text
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert not torch.are_deterministic_algorithms_enabled(), "what else runs in the process is left alone"


def test_a_cublas_that_started_too_early_ends_no_training(caplog):
    """Older ones of torch refuse in the strict mode what began without a workspace of fixed size."""
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    refused = "this operation is not deterministic because it uses CuBLAS ... CUBLAS_WORKSPACE_CONFIG=:4096:8 or"
    assert lacks_kernel(RuntimeError(refused)) and "may differ in the last bits" in caplog.text
    assert not lacks_kernel(RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"))
