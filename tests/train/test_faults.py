"""Out of memory: the step is done again with half the budget, and the training is the one it would have been."""

import json
from types import SimpleNamespace
from unittest.mock import Mock

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import load_file

from glotmix.errors import GlotmixError
from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train import loop
from glotmix.train.devices import Devices
from glotmix.train.faults import is_out_of_memory, within_memory
from glotmix.train.learner import Learner

BUDGET = 4096


def rows():
    pool = LabPool()
    return pool.take("math", "ja", "train", list(pool.item_ids("math", "ja", "train"))[:32])


def train(out, budget=BUDGET, **settings):
    """Four steps of eight rows; returns what the user was told."""
    recipe = Recipe(steps=4, batch_rows=8, checkpoint_every=2, tokens_per_micro_batch=budget, **settings)
    told: list[loop.Progress] = []
    loop.train(model_path("lab-1m"), rows(), [*rows()["row_id"]], rows().head(8), recipe, 0, out, told.append)
    return [now.notice for now in told if now.notice]


def small_memory(monkeypatch, holds, error=torch.OutOfMemoryError, when=lambda learner: True):
    """A device that holds so many tokens at once; what it did not hold is in the list."""
    losses, refused = Learner._losses, []

    def limited(learner, part):
        lengths = [len(row.ids) for row in part]
        tokens = len(part) * max(lengths) if learner.padded else sum(lengths)
        if tokens > holds and when(learner):
            refused.append(tokens)
            raise error("CUDA out of memory. Tried to allocate 20 GiB")
        return losses(learner, part)

    monkeypatch.setattr(Learner, "_losses", limited)
    return refused


def written(out):
    record = json.loads((out / "train.json").read_text())
    return load_file(out / "model" / "model.safetensors"), pl.read_parquet(out / "losses.parquet"), record


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_the_budget_is_halved_until_it_fits_and_the_training_is_the_same(tmp_path, monkeypatch, error):
    assert train(tmp_path / "roomy") == []
    refused = small_memory(monkeypatch, 200, error)
    (notice,) = train(tmp_path / "small")
    weights, losses, record = written(tmp_path / "small")
    expected, expected_losses, roomy = written(tmp_path / "roomy")
    for name, value in weights.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)
    assert_frame_equal(losses, expected_losses, rel_tol=1e-4)
    assert refused == sorted(refused, reverse=True) and refused[0] > 200
    ((when),) = record["out_of_memory"]
    assert when["step"] == 1 and 50 <= when["tokens_per_micro_batch"] <= 200
    assert notice == (
        f"out of memory at step 1: from here on {when['tokens_per_micro_batch']} tokens per micro-batch, not 4,096"
    )
    assert roomy["out_of_memory"] == []


def test_what_a_failed_try_added_to_the_gradient_does_not_count(tmp_path, monkeypatch):
    """Memory ends in the middle of a step: some micro-batches were through."""
    train(tmp_path / "undisturbed", budget=100)
    losses, calls = Learner._losses, []

    def third_fails(learner, part):
        calls.append(1)
        if len(calls) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return losses(learner, part)

    monkeypatch.setattr(Learner, "_losses", third_fails)
    assert train(tmp_path / "disturbed", budget=100)
    before, after = written(tmp_path / "undisturbed"), written(tmp_path / "disturbed")
    assert_frame_equal(before[1], after[1], rel_tol=1e-4)


def test_validation_gets_by_with_less_as_well(tmp_path, monkeypatch):
    small_memory(monkeypatch, 200, when=lambda learner: not learner.module.training)
    assert train(tmp_path)[0].startswith("out of memory at step 2")
    assert written(tmp_path)[2]["out_of_memory"][0]["step"] == 2


def test_a_training_that_resumes_keeps_to_what_fits(tmp_path, monkeypatch):
    refused = small_memory(monkeypatch, 200)
    step = Learner.step

    def killed(learner, batch, rate):
        if list(tmp_path.glob("checkpoint-*")):
            raise KeyboardInterrupt
        return step(learner, batch, rate)

    monkeypatch.setattr(Learner, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    monkeypatch.setattr(Learner, "step", step)
    before = len(refused)
    assert train(tmp_path) == [] and len(refused) == before
    assert len(written(tmp_path)[2]["out_of_memory"]) == 1


def test_a_row_that_does_not_fit_alone_is_named_with_the_fix(tmp_path, monkeypatch):
    small_memory(monkeypatch, 5)
    with pytest.raises(GlotmixError) as told:
        train(tmp_path)
    first = set(rows()["row_id"][:8])
    row_id, _, rest = str(told.value).removeprefix("row ").partition(": memory does not hold one row of ")
    assert row_id in first
    assert rest.endswith("tokens; lower recipe.max_tokens, set gradient_checkpointing: true, or use more devices")


def test_one_of_several_processes_does_not_try_again_alone(tmp_path, monkeypatch):
    small_memory(monkeypatch, 200)
    accumulate = Learner.accumulate_gradient

    def of_two(learner, batch):
        learner.devices.world = 2
        return accumulate(learner, batch)

    monkeypatch.setattr(Learner, "accumulate_gradient", of_two)
    with pytest.raises(GlotmixError, match=r"in one of 2 processes; lower recipe.tokens_per_micro_batch \(4,096\)"):
        train(tmp_path)


def test_other_errors_are_nobodys_memory():
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"))
    assert is_out_of_memory(RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory."))


def test_an_error_that_is_not_memory_is_not_tried_again(tmp_path, monkeypatch):
    calls = []

    def broken(learner, part):
        calls.append(1)
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Learner, "_losses", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        train(tmp_path)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("owner", "name", "what"),
    [(torch.optim.AdamW, "step", "the optimizer's state"), (Devices, "prepare", "the model on its device")],
)
def test_where_a_smaller_budget_is_no_help_it_says_what_is(tmp_path, monkeypatch, owner, name, what):
    def full(*given, **settings):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(owner, name, full)
    with pytest.raises(GlotmixError, match=f"memory does not hold {what}; set recipe.optimizer: adamw_8bit"):
        train(tmp_path)


def test_what_is_done_again_draws_the_same_random_numbers():
    learner = SimpleNamespace(tokens=64, strict=False, devices=SimpleNamespace(world=1), optimizer=Mock())
    drawn = []

    def work():
        drawn.append(torch.rand(3).tolist())
        if len(drawn) < 3:
            raise MemoryError
        return learner.tokens

    torch.manual_seed(5)
    assert within_memory(learner, [Encoded((1,) * 8, 2)] * 8, work) == 16
    assert drawn[0] == drawn[1] == drawn[2]
