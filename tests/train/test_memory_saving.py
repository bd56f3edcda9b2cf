"""What saves memory changes no gradient (checkpointing) or little of what is learned (8-bit moments)."""

import random
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train.learner import Learner
from glotmix.train.loop import Progress, train
from glotmix.train.optimizer import make_optimizer
from scale import Settings, Shape, memory
from shapes import CONFIGS, model_of

RECIPE = Recipe(steps=12, batch_rows=4, checkpoint_every=4, learning_rate=1e-3, optimizer="adamw_8bit")


def model(shape: Shape):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return model_of(shape)


def made_up(rows: int, tokens: int, vocabulary: int) -> list[Encoded]:
    draw = random.Random(0)
    return [Encoded(tuple(draw.randrange(3, vocabulary) for _ in range(tokens)), 1) for _ in range(rows)]


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradient_checkpointing_changes_no_gradient(kind, precision):
    shape, found = Shape(kind, 3, 32, 64, 4, 2, 8, 64), []
    rows = [Encoded(row.ids[:length], 1) for row, length in zip(made_up(6, 20, 64), range(5, 20, 3), strict=False)]
    for saving in (False, True):
        learner = Learner(model(shape), Recipe(steps=1, precision=precision, gradient_checkpointing=saving))
        calls = []
        learner.model.model.layers[0].input_layernorm.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        value = learner.accumulate_gradient(rows)
        assert len(calls) == (2 if saving else 1), "checkpointing is what was asked for"
        found.append((value, [weight.grad for weight in learner.model.parameters()]))
    (plain, gradients), (saved, same) = found
    assert plain == saved
    assert all(torch.equal(one, other) for one, other in zip(gradients, same, strict=True))


@pytest.mark.parametrize(
    ("kind", "saving", "optimizer"),
    [
        ("llama", False, "adamw"),
        ("cohere", True, "adamw_8bit"),
        ("qwen3", False, "adamw_8bit"),
        ("gemma3", True, "adamw"),
    ],
)
def test_the_memory_of_a_step_is_what_is_computed(kind, saving, optimizer):
    """Tensors that exist at once, at the peak of a second step of two micro-batches, on the processor."""
    shape = Shape(kind, 4, 128, 512, 4, 2, 32, 4096)
    whole, rows = model(shape), made_up(32, 64, 4096)
    assert sum(weight.numel() for weight in whole.parameters()) == shape.parameters
    recipe = Recipe(
        steps=1, precision="bfloat16", gradient_checkpointing=saving, optimizer=optimizer, tokens_per_micro_batch=1024
    )
    learner = Learner(whole, recipe)
    learner.step(rows, 1e-4)
    settings = Settings(tokens=1024, gradient_checkpointing=saving, optimizer=optimizer)
    computed = memory(shape, settings)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        learner.step(rows, 1e-4)
    now = peak = computed.weights + computed.moments
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    assert computed.total == pytest.approx(peak, rel=0.05)


def test_moments_of_8_bits_take_a_quarter():
    """And of these 2 x 4 bytes for every block of 256 are scales."""
    learner = Learner(model(Shape("llama", 1, 64, 128, 4, 4, 16, 256)), Recipe(steps=1, optimizer="adamw_8bit"))
    learner.step(made_up(2, 8, 256), 1e-3)
    matrices = [weight for weight in learner.model.parameters() if weight.ndim == 2]
    parts = [learner.optimizer.state[weight][name] for weight in matrices for name in ("exp_avg", "exp_avg_sq")]
    held = sum(part.codes.nbytes + part.scale.nbytes for part in parts)
    assert held == sum(weight.numel() for weight in matrices) * 2 * (1 + 4 / 256)


def test_rounding_moves_no_weight_farther_than_its_rate():
    """Steps of a constant gradient, one value of it large in every block: AdamW moves all weights alike."""
    ends = {}
    for kind in ("adamw", "adamw_8bit"):
        layer = torch.nn.Linear(256, 32, bias=False)
        torch.nn.init.zeros_(layer.weight)
        optimizer = make_optimizer(layer, Recipe(steps=1, optimizer=kind, learning_rate=1e-3))
        for _ in range(50):
            layer.weight.grad = torch.full((32, 256), 1e-4)
            layer.weight.grad[:, 0] = 1.0
            optimizer.step()
        ends[kind] = -layer.weight.detach()
    assert ends["adamw"].max() <= 0.0501 and ends["adamw_8bit"].max() <= 0.0501
    assert ends["adamw_8bit"].min() > 0


@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit"])
def test_weight_decay_pulls_matrices_alone(optimizer):
    """Where there is no gradient, decay is all that happens: each step takes rate x decay of a matrix away."""
    whole = model(Shape("llama", 1, 64, 128, 4, 4, 16, 256))
    learner = Learner(whole, Recipe(steps=1, optimizer=optimizer, weight_decay=0.5))
    before = {name: weight.detach().clone() for name, weight in whole.named_parameters()}
    for weight in whole.parameters():
        weight.grad = torch.zeros_like(weight)
    for group in learner.optimizer.param_groups:
        group["lr"] = 0.1
    learner.optimizer.step()
    for name, weight in whole.named_parameters():
        expected = before[name] * (0.95 if weight.ndim > 1 else 1.0)
        torch.testing.assert_close(weight.detach(), expected, msg=name)


def rows(count: int, split: str = "train") -> pl.DataFrame:
    pool = LabPool()
    return pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])


def run(out: Path, recipe: Recipe, kill_after: int | None = None) -> list[float]:
    """Trains lab-1m and gives the losses; stops as if killed after step `kill_after`."""

    def watch(progress: Progress) -> None:
        if progress.step == kill_after:
            raise KeyboardInterrupt

    torch.set_num_threads(1)
    trained = rows(48)
    order = [*trained["row_id"]]
    train(model_path("lab-1m"), trained, order, rows(3, "validation"), recipe, 0, out, watch)
    return pl.read_parquet(out / "losses.parquet")["loss"].to_list()


def test_8_bits_resume_bit_equal_and_learn_as_32_do(tmp_path):
    plain = run(tmp_path / "plain", RECIPE.model_copy(update={"optimizer": "adamw"}))
    whole = run(tmp_path / "whole", RECIPE)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", RECIPE, kill_after=6)
    assert run(tmp_path / "killed", RECIPE) == whole
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)

    learned = plain[0] - sum(plain[-4:]) / 4
    difference = max(abs(ours - theirs) for ours, theirs in zip(whole, plain, strict=True))
    assert 0 < difference < 0.005 * learned
