"""What only a GPU can show: the first things to run where one is at hand. Skipped elsewhere.

`pytest tests/train/test_on_gpu.py`; where one fails, nothing said of speed or of resuming on a GPU counts.
"""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma3TextConfig, Qwen3Config

from glotmix import Study
from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.study import steps
from glotmix.study.gpus import GPU_WORKERS, gpus
from glotmix.train.attention import attend
from glotmix.train.batch import collate
from glotmix.train.learner import Learner
from glotmix.train.loop import Progress, train
from small_study import write_spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

SMALL: dict[str, Any] = {"vocab_size": 512, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2}
SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "max_position_embeddings": 1024}
WINDOWS = {"sliding_window": 32, "layer_types": ["sliding_attention", "full_attention"]}
FAMILIES: dict[str, Any] = {
    "qwen3": lambda **other: Qwen3Config(**SMALL | other),
    "gemma3": lambda **other: Gemma3TextConfig(**SMALL | WINDOWS | other),
}
BASE = model_path("lab-1m")


def model_of(family: str, **other: Any) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(FAMILIES[family](**other))


def learner_of(family: str = "qwen3", tokens: int = 2**14, **recipe: Any) -> Learner:
    return Learner(model_of(family), Recipe(steps=1, tokens_per_micro_batch=tokens, **recipe))


def rows_of(count: int, most: int = 300) -> list[Encoded]:
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(4, most, (count,), generator=draw).tolist()
    return [Encoded(tuple(torch.randint(512, (n,), generator=draw).tolist()), n // 3) for n in lengths]


def apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((found.float().cpu() - wanted.float().cpu()).norm() / wanted.float().cpu().norm())


def gradient(learner: Learner, rows: list[Encoded]) -> torch.Tensor:
    learner.optimizer.zero_grad()
    learner.accumulate_gradient(rows)
    return torch.cat([parameter.grad.flatten() for parameter in learner.model.parameters()])


@pytest.mark.parametrize("window", [None, 8])
def test_the_kernel_gives_what_row_by_row_gives(window):
    torch.manual_seed(0)
    parts = [torch.randn(1, heads, 90, 32, requires_grad=True) for heads in (4, 2, 2)]
    starts = torch.tensor([0, 50, 53, 90], dtype=torch.int32)

    def found(device: str, dtype: torch.dtype) -> list[torch.Tensor]:
        inputs = [part.detach().to(device, dtype).requires_grad_() for part in parts]
        rows = {"cu_seq_lens_q": starts.to(device), "max_length_q": 50}
        out, _ = attend(torch.nn.Module(), *inputs, None, **rows, scaling=0.2, sliding_window=window)
        out.float().square().sum().backward()
        return [out, *(part.grad for part in inputs)]

    for here, there in zip(found("cuda", torch.bfloat16), found("cpu", torch.float32), strict=True):
        assert apart(here, there) < 2e-2


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_end_to_end_have_the_losses_and_the_gradient_of_padded_ones(family):
    learner, rows = learner_of(family, precision="bfloat16"), rows_of(64)
    assert not learner.padded and not learner.module.whole, "the kernel is there, and is used"
    found, losses = gradient(learner, rows), torch.tensor(learner.row_losses(rows))
    learner.padded = True
    learner.model.set_attn_implementation("sdpa")
    assert apart(losses, torch.tensor(learner.row_losses(rows))) < 5e-3
    assert apart(found, gradient(learner, rows)) < 2e-2


@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_micro_batches_and_checkpointing_change_no_gradient(precision, bound):
    rows = rows_of(64)
    wanted = gradient(learner_of(precision=precision), rows)
    for tokens, checkpointing in ((1, False), (1000, True)):
        learner = learner_of(tokens=tokens, precision=precision, gradient_checkpointing=checkpointing)
        assert apart(gradient(learner, rows), wanted) < bound


def test_no_layer_waits_for_the_gpu():
    """More layers, or more rows, must not mean that the processor hears more often from the GPU."""

    def waits(layers: int, rows: int) -> int:
        other = {"num_hidden_layers": layers, "layer_types": ["full_attention"] * layers}
        learner = Learner(model_of("qwen3", **other), Recipe(steps=1, precision="bfloat16"))
        batch = learner.devices.put(collate(rows_of(rows, 100), "answer", padded=learner.padded))
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as heard, learner.devices.computing():
                warnings.simplefilter("always")
                learner.module(batch).sum().backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(each.message) for each in heard)

    few = waits(2, 4)
    assert waits(6, 32) == few <= 4


class Killed(Exception):
    pass


def trained(out: Path, kill_after: int | None = None) -> dict[str, Any]:
    """All that counts of what it leaves."""
    pool = LabPool()
    rows, held = (
        pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])
        for split, count in (("train", 48), ("validation", 8))
    )

    def watch(progress: Progress) -> None:
        if progress.step == kill_after:
            raise Killed

    recipe = Recipe(steps=6, batch_rows=8, checkpoint_every=2, learning_rate=1e-3, precision="bfloat16")
    train(BASE, rows, [*rows["row_id"]], held, recipe, 0, out, watch)
    return {name: (out / name).read_bytes() for name in ("model/model.safetensors", "losses.parquet", "curve.parquet")}


def test_again_or_resumed_a_training_ends_bit_equal(tmp_path, caplog):
    whole = trained(tmp_path / "whole")
    assert trained(tmp_path / "again") == whole
    with pytest.raises(Killed):
        trained(tmp_path / "killed", kill_after=3)
    assert trained(tmp_path / "killed") == whole
    assert "may differ in the last bits" not in caplog.text


def test_out_of_memory_for_real_halves_the_budget_and_changes_no_gradient():
    rows = rows_of(64)
    peaks = []
    for tokens in (2**14, 2**11):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        norm = learner_of(tokens=tokens).step(rows, 1e-3).gradient_norm
        peaks.append(torch.cuda.max_memory_reserved())
    torch.cuda.empty_cache()
    learner = learner_of()
    torch.cuda.set_per_process_memory_fraction(sum(peaks) / 2 / torch.cuda.mem_get_info()[1])
    try:
        step = learner.step(rows, 1e-3)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert learner.tokens < 2**14 and step.gradient_norm == pytest.approx(norm, rel=1e-4)


def test_a_worker_is_kept_to_its_part_of_the_memory(monkeypatch):
    monkeypatch.setenv(GPU_WORKERS, "4")
    steps._keep_to_its_share()
    total = torch.cuda.mem_get_info()[1]
    try:
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(total // 4, dtype=torch.uint8, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_two_workers_on_one_gpu_get_the_results_of_one(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus()[0])
    spec: dict[str, Any] = {"models": ["lab-1m"], "pool": "lab", "recipe__precision": "bfloat16"}
    spec |= {"languages__train": ["es"], "languages__evaluate": ["en", "es"]}
    results = []
    for processes in (1, 2):
        study = Study.load(write_spec(tmp_path / str(processes), **spec))
        study.run(processes)
        results.append(study.results())
    assert results[0].equals(results[1]) and results[0]["value"].is_finite().all()


def test_eight_bit_moments_are_updated_on_the_gpu():
    """Compiled there: it needs a C compiler and Triton."""
    pytest.importorskip("torchao")
    rows, losses = rows_of(16), {}
    for optimizer in ("adamw", "adamw_8bit"):
        learner = learner_of(optimizer=optimizer, precision="bfloat16")
        losses[optimizer] = [learner.step(rows, 1e-3).loss for _ in range(6)]
    assert losses["adamw_8bit"][-1] < losses["adamw_8bit"][0] - 0.1
    assert losses["adamw_8bit"] == pytest.approx(losses["adamw"], rel=2e-2)
