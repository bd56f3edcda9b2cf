"""LoRA: adapters alone are trained, and come out as an ordinary model that says of itself what it is."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel, Qwen3Config, Qwen3ForCausalLM

from glotmix import Study
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Lora, Recipe
from glotmix.study.models import adapter_parameters
from glotmix.train.encode import encode_rows
from glotmix.train.learner import Learner
from glotmix.train.loop import Progress, train
from glotmix.train.lora import merged, with_adapters

BASE = model_path("lab-1m")
RECIPE = Recipe(steps=6, batch_rows=4, checkpoint_every=2, learning_rate=1e-2, lora=Lora(rank=4, alpha=8))
SMALL = {"vocab_size": 70, "bos_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    "qwen3": lambda: Qwen3ForCausalLM(
        Qwen3Config(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            head_dim=8, tie_word_embeddings=False, **SMALL,
        )
    ),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=4, **SMALL)),
}  # fmt: skip


class Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def rows(count: int, split: str = "train") -> pl.DataFrame:
    pool = LabPool()
    return pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def learner(recipe: Recipe = RECIPE, seed: int = 0) -> Learner:
    return Learner(with_adapters(load_model(BASE, "float32"), recipe, seed), recipe)


def batch(count: int = 4) -> list:
    return list(encode_rows(rows(count), RECIPE, load_tokenizer(BASE)).by_id.values())


def run(out: Path, kill_after: int | None = None) -> list[int]:
    taken: list[int] = []

    def watch(progress: Progress) -> None:
        taken.append(progress.step)
        if progress.step == kill_after:
            raise Killed

    train(BASE, rows(24), [*rows(24)["row_id"]], rows(3, "validation"), RECIPE, 0, out, watch)
    return taken


def test_only_adapters_are_trained_and_before_that_they_change_nothing() -> None:
    adapted, base = learner(), Learner(load_model(BASE, "float32"), RECIPE.model_copy(update={"lora": None}))
    assert adapted.row_losses(batch()) == base.row_losses(batch())
    before = weights(adapted.model)
    for _ in range(2):  # after the first step the second matrix is no longer 0, and the first one learns too
        adapted.step(batch(), 1e-2)
    changed = {name for name, weight in weights(adapted.model).items() if not torch.equal(weight, before[name])}
    assert changed == {name for name in before if "lora_" in name}
    assert not any(name.startswith(("lm_head", "model.embed")) for name in changed)
    layers = [name for name, module in load_model(BASE, "float32").named_modules() if type(module) is torch.nn.Linear]
    assert len(changed) == 2 * (len(layers) - 1), "all linear layers but the head"
    scales = {module.scaling["default"] for module in adapted.model.modules() if hasattr(module, "lora_A")}
    assert scales == {8 / 4}, "alpha / rank (Hu et al. 2021, section 4.1)"


def test_merged_the_model_says_what_it_said_with_its_adapters() -> None:
    adapted = learner()
    adapted.step(batch(), 1e-2)
    trained = weights(adapted.model)

    def load(model: torch.nn.Module) -> None:
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_" in name:
                    weight.copy_(trained[name])

    model = merged(BASE, Lora(rank=4, alpha=8), load)
    assert weights(model).keys() == weights(load_model(BASE, "float32")).keys()
    ids = torch.randint(0, 2048, (3, 20))
    with torch.no_grad():
        apart, whole, base = (m.eval()(ids).logits for m in (adapted.model, model, load_model(BASE, "float32")))
    assert (apart - whole).abs().max() < 1e-4 < (apart - base).abs().max()


def test_a_killed_training_of_adapters_ends_bit_equal_and_keeps_nothing_else(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill_after=3)
    files = list((tmp_path / "killed").glob("checkpoint-*/*.safetensors"))
    kept = {name for file in files for name in safe_open(file, "pt").keys()}  # noqa: SIM118 (not a mapping)
    assert kept and all("lora_" in name for name in kept)
    assert run(tmp_path / "killed")[0] == 3
    whole, killed = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    base = load_file(BASE / "model.safetensors")
    assert whole.keys() == base.keys() and any(not torch.equal(whole[name], base[name].float()) for name in base)


def test_adapters_begin_as_the_seed_of_the_run_says_whatever_was_drawn_before() -> None:
    torch.manual_seed(5)
    first = weights(learner(seed=1).model)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1)), "nobody else's draws are touched"
    again, other = weights(learner(seed=1).model), weights(learner(seed=2).model)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first if "lora_A" in name)


def test_gradient_checkpointing_changes_no_gradient() -> None:
    norms = {
        often: learner(RECIPE.model_copy(update={"gradient_checkpointing": often})).step(batch(), 1e-2)
        for often in (False, True)
    }
    assert norms[True] == norms[False] and norms[True].gradient_norm > 0


def test_in_bfloat16_frozen_layers_take_half_the_memory_and_compute_the_same() -> None:
    recipe = RECIPE.model_copy(update={"precision": "bfloat16"})
    halved, full = learner(recipe), Learner(with_adapters(load_model(BASE, "float32"), RECIPE, 0), recipe)
    steps = [[model.step(batch(), 1e-2) for _ in range(2)] for model in (halved, full)]
    assert steps[0] == steps[1]
    kinds = {(weight.requires_grad, weight.dtype) for weight in halved.model.parameters() if weight.ndim == 2}
    assert (False, torch.bfloat16) in kinds and (True, torch.bfloat16) not in kinds


@settings(max_examples=5, deadline=None)
@given(rank=st.integers(1, 9))
@pytest.mark.parametrize("family", [*FAMILIES, "lab"])
def test_a_plan_counts_the_parameters_that_lora_trains(
    family: str, rank: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = BASE
    if family != "lab":
        folder = tmp_path_factory.mktemp(family)
        FAMILIES[family]().save_pretrained(folder)
    model = with_adapters(load_model(folder, "float32"), Recipe(steps=1, lora=Lora(rank=rank)), 0)
    assert adapter_parameters(folder, rank) == sum(w.numel() for w in model.parameters() if w.requires_grad)


def study(folder: Path) -> Study:
    """English and Spanish rows of which some are longer than allowed."""
    spec = {
        "name": "adapters", "models": ["lab-1m"], "pool": "lab", "tasks": ["math"],
        "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es"]},
        "design": {"kind": "increments", "anchor_rows": 24, "rows_per_language": [0, 8]},
        "recipe": {
            "steps": 4, "batch_rows": 8, "learning_rate": 1e-3, "checkpoint_every": 2, "lora": {"rank": 4},
            "max_tokens": 65, "longer_rows": "drop", "select": {"rows_per_language": 8},
        },
        "evaluation": {"items_per_language": 4, "max_new_tokens": 8},
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(spec))
    return Study.load(folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    found = study(tmp_path_factory.mktemp("study"))
    found.run(processes=1, console=Console(quiet=True))
    return found


def test_a_lora_study_is_marked_in_every_table_and_leaves_ordinary_models(finished: Study) -> None:
    tables = (finished.plan(), finished.results(), finished.findings(), finished.samples())
    assert all(set(table["model"]) == {"lab-1m+lora4"} for table in tables)
    assert all(name.startswith("lab-1m+lora4/") for name in finished.status()["run"])
    page = finished.report().read_text(encoding="utf-8")
    assert "lab-1m+lora4" in page and "40,960 were trained, in adapters (LoRA)" in page
    assert "rank 4, alpha 32: adapters alone are trained" in page
    assert "<dt>gradient checkpointing</dt><dd>no</dd>" in page
    for run in finished.planned.runs:
        folder = finished.store.folder("train", run.train) / "model"
        assert not list(folder.glob("adapter*"))
        assert type(load_model(folder, "float32")).__name__ == "LlamaForCausalLM"


def test_a_study_that_drops_counts_by_language_and_trains_all_its_steps(finished: Study) -> None:
    expected = {(len(run.cell.counts["math"]), split) for run in finished.planned.runs for split in ("t", "v")}
    seen = set()
    for run in finished.planned.runs:
        record = json.loads((finished.store.folder("train", run.train) / "train.json").read_text())
        assert record["steps"] == 4
        for split in ("train", "validation"):
            counted = {part["language"]: part for part in record["longer_rows"] if part["split"] == split}
            assert counted.keys() == run.cell.counts["math"].keys()
            assert all(0 < part["longer"] < part["rows"] for part in counted.values())
            seen.add((len(counted), split[0]))
        rows = {part["language"]: part["rows"] for part in record["longer_rows"] if part["split"] == "train"}
        assert rows == dict(run.cell.counts["math"])
    assert seen == expected
    page = finished.report().read_text(encoding="utf-8")
    assert "Rows longer than max_tokens were dropped." in page
