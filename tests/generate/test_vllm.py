"""vLLM's real engine, where it is installed: the answers of transformers, and each run's own weights in one engine."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from glotmix.errors import GlotmixError
from glotmix.generate.backend import Output
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.pool.row import asked

pytest.importorskip("vllm", reason="vllm is not installed: pip install 'glotmix[vllm]'")
from glotmix.generate import vllm_backend
from glotmix.generate.vllm_backend import VllmEngine

SETTINGS = {"template": "plain", "max_new_tokens": 24}


@pytest.fixture(scope="module")
def conversations() -> list[list[dict[str, str]]]:
    pool = LabPool()
    rows = [pool.take("math", tag, "test", list(pool.item_ids("math", tag, "test"))[:8]) for tag in ("en", "te", "ja")]
    return [asked(messages) for part in rows for messages in part["messages"].to_list()]


def two_runs(at: Path, *, tied: bool) -> list[Path]:
    """The lab model, and one as a training might leave it: the same config, other weights."""
    folders = [Path(shutil.copytree(model_path("lab-1m"), at / name)) for name in ("base", "trained")]
    torch.manual_seed(0)
    for folder, moved in zip(folders, (0.0, 0.02), strict=True):
        weights = load_file(folder / "model.safetensors")
        if not tied:
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
        weights = {name: value + moved * torch.randn_like(value) for name, value in weights.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": tied}
        (folder / "config.json").write_text(json.dumps(config))
    return folders


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmEngine]:
    yield VllmEngine()


def by_transformers(folder: Path, conversations) -> list[Output]:
    return TransformersBackend(folder).generate(conversations, **SETTINGS)


@pytest.mark.parametrize("tied", [False, True])
def test_every_run_is_answered_by_its_own_weights_as_transformers_answers(engine, conversations, tmp_path, tied):
    base, trained = two_runs(tmp_path, tied=tied)
    expected = {folder: by_transformers(folder, conversations) for folder in (base, trained)}
    assert expected[base] != expected[trained]
    llms = []
    for folder in (base, trained, base):
        with engine.holding(folder) as backend:
            assert backend.generate(conversations, **SETTINGS) == expected[folder]
            llms.append(engine._llm)
    if not tied:
        assert llms[0] is llms[1] is llms[2], "the weights are swapped, not the engine"


def test_an_answer_that_is_cut_off_is_not_finished(engine, conversations):
    with engine.holding(model_path("lab-1m")) as backend:
        outputs = backend.generate(conversations, template="plain", max_new_tokens=2)
    assert {(output.tokens, output.finished) for output in outputs} == {(2, False)}


def test_after_an_engine_that_did_not_start_the_one_before_is_started_again(conversations, tmp_path, monkeypatch):
    def no_memory(*_, **__):
        raise ValueError("no memory")

    engine, (untied, _) = VllmEngine(), two_runs(tmp_path, tied=False)
    with engine.holding(untied) as backend:
        before = backend.generate(conversations, **SETTINGS)
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="no memory"):
        patch.setattr(vllm_backend, "LLM", no_memory)
        with engine.holding(model_path("lab-1m")):
            pass
    with engine.holding(untied) as backend:
        assert backend.generate(conversations, **SETTINGS) == before


def test_a_prompt_that_fits_no_memory_is_one_clear_line(engine):
    many = "vllm: a prompt and its answer may have 6.. tokens, and model and memory hold 512"
    with engine.holding(model_path("lab-1m")) as backend, pytest.raises(GlotmixError, match=many):
        backend.generate([[{"role": "user", "content": "a"}]], template="plain", max_new_tokens=600)
