"""Which GPU a worker gets, and how many share one: on machines that are made up."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from glotmix.lab.models import model_path
from glotmix.spec import Evaluation, Order, Recipe
from glotmix.study import gpus as machine
from glotmix.study import steps
from glotmix.study.engine import default_processes
from glotmix.study.gpus import ALLOCATOR, GPU_WORKERS, device, gpus, workers_per_gpu
from glotmix.study.job import Job
from glotmix.train import loss

LAB = model_path("lab-1m")
GIB_80 = "81559"


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes up what nvidia-smi says."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def says(*lines: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return says


def job(model: Path = LAB, backend: str = "transformers", **recipe: Any) -> Job:
    keys = dict.fromkeys(("run", "store", "mixture", "validation", "anchor", "train"), "x")
    evaluation = Evaluation(backend=backend)  # type: ignore[arg-type]
    settings = Recipe(steps=1, **recipe)
    return Job(
        **keys, model=str(model), seed=0, steps=1, order=Order(), recipe=settings, evaluation=evaluation, evaluations=()
    )


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 30 million parameters, wide enough for its activations to count."""
    folder = tmp_path_factory.mktemp("larger")
    sizes = {"hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 4}
    config = transformers.LlamaConfig(**sizes, vocab_size=64)
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


def test_without_gpus_there_is_a_worker_per_core_and_none_without_a_job(smi):
    smi("NVIDIA-SMI has failed because it could not communicate with the driver")
    assert gpus() == [] and device(0, 2) == {} and workers_per_gpu([job()]) == 1
    assert default_processes([job()] * 500) == len(os.sched_getaffinity(0))
    assert default_processes([job()]) == 1


def test_small_models_share_a_gpu_and_no_more_than_a_few(smi):
    smi(GIB_80, GIB_80)
    assert gpus() == ["0", "1"]
    assert workers_per_gpu([job()]) == machine.MOST
    assert default_processes([job()] * 100) == 2 * machine.MOST
    assert default_processes([job()] * 3) == 3


def test_a_model_that_fills_a_gpu_gets_it_alone_and_decides_for_all(smi, larger, monkeypatch):
    smi(GIB_80)
    assert workers_per_gpu([job(larger, precision="bfloat16")]) == machine.MOST
    assert workers_per_gpu([job(larger, precision="bfloat16", tokens_per_micro_batch=32768)]) == 3
    assert workers_per_gpu([job(larger, precision="bfloat16", tokens_per_micro_batch=65536)]) == 1
    assert workers_per_gpu([job(larger, tokens_per_micro_batch=32768)]) == 1, "float32 keeps twice as much"
    monkeypatch.setattr(machine, "SMALL", 10_000_000)
    assert workers_per_gpu([job(), job(larger)]) == 1
    assert machine.LOGITS_AT_ONCE == loss.LOGITS_AT_ONCE


@pytest.mark.parametrize(("lines", "shared"), [((GIB_80, "12288"), 2), ((GIB_80, "[N/A]"), 1), (("4096",), 1)])
def test_the_smallest_gpu_decides(smi, larger, lines, shared):
    smi(*lines)
    assert len(gpus()) == len(lines)
    assert workers_per_gpu([job(larger, precision="bfloat16", tokens_per_micro_batch=2048)]) == shared


def test_what_takes_all_memory_it_finds_shares_with_none(smi):
    smi(GIB_80)
    assert workers_per_gpu([job(backend="vllm")]) == 1


def test_part_of_a_gpu_is_not_cut_again(smi, monkeypatch):
    smi(GIB_80)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-4f2c,MIG-91d0")
    assert gpus() == ["MIG-4f2c", "MIG-91d0"] and workers_per_gpu([job()]) == 1


def test_a_variable_that_hides_gpus_is_respected(smi, monkeypatch):
    smi(GIB_80, GIB_80, GIB_80)
    told = {"2,0": ["2", "0"], "": [], "-1": [], "1, 2": ["1", "2"], "1,-1,0": ["1"], "GPU-8,GPU-2": ["GPU-8", "GPU-2"]}
    for visible, seen in told.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpus() == seen


@given(gpus=st.integers(1, 9), processes=st.integers(1, 40))
def test_workers_are_spread_evenly_and_their_parts_fit(gpus, processes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
        given = [device(number, processes) for number in range(processes)]
    by_gpu: dict[str, list[float]] = {}
    for each in given:
        by_gpu.setdefault(each["CUDA_VISIBLE_DEVICES"], []).append(1 / int(each.get(GPU_WORKERS, 1)))
        assert each[ALLOCATOR] == "expandable_segments:True"
    assert len(by_gpu) == min(gpus, processes)
    assert all(sum(parts) == pytest.approx(1) for parts in by_gpu.values())
    counts = [len(parts) for parts in by_gpu.values()]
    assert max(counts) - min(counts) <= 1


def test_a_worker_keeps_to_its_part_of_the_memory(monkeypatch):
    kept: list[float] = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", kept.append)
    steps._keep_to_its_share()
    monkeypatch.setenv(GPU_WORKERS, "4")
    steps._keep_to_its_share()
    assert kept == [0.95 / 4]


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", ALLOCATOR])
def test_how_memory_is_allocated_may_be_set_otherwise(monkeypatch, name):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv(name, "max_split_size_mb:64")
    assert ALLOCATOR not in device(0, 1)
