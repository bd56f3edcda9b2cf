"""A mixture for other trainers: the same rows in the same order, wherever they are trained on."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from glotmix.cli import app
from glotmix.errors import UserError
from glotmix.lab.models import model_path
from glotmix.mixture import Mixture, MixtureSpec, build_mixture, training_order
from glotmix.pool import ROW_SCHEMA, open_pool
from glotmix.pool.content import row_hashes
from glotmix.spec import Lora, Order, Recipe
from glotmix.study.export import export_run
from glotmix.study.presets import init_study
from glotmix.study.study import Study

COUNTS = {"math": {"en": 9, "ja": 4}, "api_calls": {"es": 3}}
RECIPE = Recipe(batch_rows=8, epochs=3, warmup_share=0.2, schedule="linear", learning_rate=2e-4, template="chat")
ORDER = Order(kind="staged", anchor="first")
FORMATS = ("trl", "axolotl", "llama_factory", "hf_dataset")


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    """Lab rows, one of them with several turns and a line separator that JSON need not escape."""
    lab = build_mixture(MixtureSpec(counts=COUNTS), open_pool("lab"))
    turns = [("system", "Be\u2028brief."), ("user", 'a\n"b"'), ("assistant", "c"), ("user", "d"), ("assistant", "e\\")]
    messages = [*lab.rows["messages"].to_list()[:-1], [{"role": role, "content": content} for role, content in turns]]
    rows = lab.rows.with_columns(messages=pl.Series(messages, dtype=ROW_SCHEMA["messages"]))
    return Mixture(lab.spec, lab.pool, rows, row_hashes(rows))


def exported(mixture: Mixture, format: str, folder: Path, recipe: Recipe = RECIPE) -> Path:
    mixture.export(format, folder, recipe, "some/model", seed=4, order=ORDER, anchor="en")
    return folder


def in_order(mixture: Mixture) -> pl.DataFrame:
    """48 rows asked for, 3 epochs of 16: what a training reads."""
    ids = pl.DataFrame({"row_id": training_order(mixture, 4, 8, 6, ORDER, "en")})
    return ids.join(mixture.rows, on="row_id", maintain_order="left")


def conversation(format: str, record: dict[str, Any]) -> list[dict[str, str]]:
    messages = record["prompt"] + record["completion"] if format == "trl" else record["messages"]
    return [{"role": message["role"], "content": message["content"]} for message in messages]


@pytest.mark.parametrize("format", FORMATS)
def test_datasets_reads_the_same_rows_in_the_same_order(format: str, mixture: Mixture, tmp_path: Path) -> None:
    from datasets import load_dataset

    folder, cache = exported(mixture, format, tmp_path / "out"), str(tmp_path / "cache")
    if format == "hf_dataset":
        read = load_dataset(str(folder), split="train", cache_dir=cache)
    else:
        read = load_dataset("json", data_files=str(folder / "train.jsonl"), split="train", cache_dir=cache)
    expected = in_order(mixture)
    assert read["row_id"][:] == expected["row_id"].to_list()
    assert [conversation(format, record) for record in read] == expected["messages"].to_list()
    if format == "hf_dataset":
        assert read.column_names == ROW_SCHEMA.names()
        assert read.remove_columns("messages").to_dict() == expected.drop("messages").to_dict(as_series=False)


def settings_of(folder: Path) -> dict[str, Any]:
    return yaml.safe_load(next(folder.glob("*.yaml")).read_text(encoding="utf-8"))


def test_configs_say_what_the_recipe_says_and_keep_the_order(mixture: Mixture, tmp_path: Path) -> None:
    """What shuffles, packs, drops or repeats rows is switched off by name: defaults change between versions."""
    shared = {"learning_rate": 2e-4, "weight_decay": 0.0, "max_grad_norm": 1.0, "warmup_steps": 1, "bf16": False}
    batches = {"gradient_accumulation_steps": 1, "seed": 4, "save_steps": 50}
    hub = {"num_train_epochs": 1, "per_device_train_batch_size": 8, "lr_scheduler_type": "linear", "packing": False}
    expected: dict[Any, dict[str, Any]] = {
        "trl": hub
        | {"shuffle_dataset": False, "train_sampling_strategy": "sequential", "max_length": 2048}
        | {"completion_only_loss": True, "model_name_or_path": "some/model", "dtype": "float32"},
        "llama_factory": hub
        | {"disable_shuffling": True, "streaming": False, "cutoff_len": 2048, "mask_history": True}
        | {"train_on_prompt": False, "finetuning_type": "full", "stage": "sft", "dataset": "mixture"},
        "axolotl": {"num_epochs": 1, "micro_batch_size": 8, "lr_scheduler": "linear", "base_model": "some/model"}
        | {"sample_packing": False, "curriculum_sampling": True, "shuffle_merged_datasets": False}
        | {"dataset_exact_deduplication": False, "excess_length_strategy": "raise", "val_set_size": 0},
    }
    for format, settings in expected.items():
        found = settings_of(exported(mixture, format, tmp_path / format))
        wanted = settings | shared | batches
        assert {name: found.get(name) for name in wanted} == wanted


def test_configs_say_that_adapters_are_trained_and_memory_is_saved(mixture: Mixture, tmp_path: Path) -> None:
    changes = {"lora": Lora(rank=4, alpha=6), "optimizer": "adamw_8bit", "gradient_checkpointing": True}
    shared = {"lora_alpha": 6, "lora_dropout": 0.0, "gradient_checkpointing": True}
    hub = {"optim": "adamw_torch_8bit"}
    expected: dict[Any, dict[str, Any]] = {
        "trl": hub | {"use_peft": True, "lora_r": 4, "lora_target_modules": ["all-linear"]},
        "llama_factory": hub | {"finetuning_type": "lora", "lora_rank": 4, "lora_target": "all"},
        "axolotl": {"adapter": "lora", "lora_r": 4, "lora_target_linear": True, "optimizer": "adamw_torch_8bit"},
    }
    for format, settings in expected.items():
        found = settings_of(exported(mixture, format, tmp_path / format, RECIPE.model_copy(update=changes)))
        wanted = settings | shared
        assert {name: found.get(name) for name in wanted} == wanted


def test_what_others_would_drop_after_the_order_is_made_is_not_exported(mixture: Mixture, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"recipe\.longer_rows: other trainers would drop .* longer_rows: truncate"):
        exported(mixture, "trl", tmp_path / "out", RECIPE.model_copy(update={"longer_rows": "drop"}))


@pytest.mark.parametrize(("batch_rows", "at_once", "accumulated"), [(64, 8, 8), (10, 5, 2), (7, 7, 1), (11, 1, 11)])
def test_a_step_has_the_rows_of_the_recipe(
    batch_rows: int, at_once: int, accumulated: int, mixture: Mixture, tmp_path: Path
) -> None:
    found = settings_of(
        exported(mixture, "trl", tmp_path / "out", RECIPE.model_copy(update={"batch_rows": batch_rows}))
    )
    assert (found["per_device_train_batch_size"], found["gradient_accumulation_steps"]) == (at_once, accumulated)


def test_constant_with_a_warm_up_has_a_name_of_its_own(mixture: Mixture, tmp_path: Path) -> None:
    for warmup_steps, name in [(0, "constant"), (2, "constant_with_warmup")]:
        recipe = Recipe(batch_rows=4, epochs=3, warmup_steps=warmup_steps)
        assert settings_of(exported(mixture, "trl", tmp_path / name, recipe))["lr_scheduler_type"] == name


@pytest.mark.parametrize(("loss_on", "learnt"), [("answer", [False, False, False, False, True]), ("all", [True] * 5)])
def test_axolotl_is_told_which_turns_are_learnt(
    loss_on: Any, learnt: list[bool], mixture: Mixture, tmp_path: Path
) -> None:
    exported(mixture, "axolotl", tmp_path / "out", RECIPE.model_copy(update={"loss_on": loss_on}))
    records = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().split("\n") if line]
    several = next(record["messages"] for record in records if len(record["messages"]) == 5)
    assert [message["train"] for message in several] == learnt


@pytest.mark.parametrize("format", ["trl", "axolotl"])
def test_the_plain_template_is_written_out_as_text(format: str, mixture: Mixture, tmp_path: Path) -> None:
    folder = exported(mixture, format, tmp_path / "out", RECIPE.model_copy(update={"template": "plain"}))
    records = [json.loads(line) for line in (folder / "train.jsonl").read_text(encoding="utf-8").split("\n") if line]
    several = next(record for record in records if record["completion"] == "e\\")
    assert several["prompt"] == 'Be\u2028brief.\na\n"b"\nc\nd\n'


def test_a_manifest_lies_beside_an_export(mixture: Mixture, tmp_path: Path) -> None:
    manifest = json.loads((exported(mixture, "trl", tmp_path / "out") / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["content_hash"] == mixture.content_hash
    assert (manifest["training"]["steps"], manifest["training"]["order"]["kind"]) == (6, "staged")


def test_a_run_of_a_study_is_exported_with_its_own_seed_and_steps(tmp_path: Path) -> None:
    init_study(tmp_path / "study", "quickstart")
    study = Study.load(tmp_path / "study")
    run = study.resolved.runs[-1]
    asked = ["mixture", "export", str(study.folder), run.name, "--format", "trl", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, asked).exit_code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["content_hash"] == study.resolved.mixtures[run.mixture].content_hash
    assert (manifest["training"]["seed"], manifest["training"]["steps"]) == (run.seed, run.steps)
    assert settings_of(tmp_path / "out")["model_name_or_path"] == str(model_path("lab-1m"))
    rows = pl.read_ndjson(tmp_path / "out" / "train.jsonl")
    mixture, batch_rows = study.resolved.mixtures[run.mixture], study.spec.recipe.batch_rows
    assert rows["row_id"].to_list() == training_order(mixture, run.seed, batch_rows, run.steps)
    with pytest.raises(UserError, match=f"did you mean '{run.name}'"):
        export_run(study, f"{run.name}0", "trl", tmp_path / "new")


def test_refusals_name_the_fix(mixture: Mixture, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").touch()
    plain = RECIPE.model_copy(update={"template": "plain"})
    with pytest.raises(UserError, match="format 'unsloth' is unknown; the formats are trl, axolotl, llama_factory, hf"):
        exported(mixture, "unsloth", tmp_path / "new")
    with pytest.raises(UserError, match="there is not empty; name a new folder"):
        exported(mixture, "trl", tmp_path / "there")
    with pytest.raises(UserError, match="set template: chat, or export to trl or axolotl"):
        exported(mixture, "llama_factory", tmp_path / "new", plain)
    assert not (tmp_path / "new").exists()


def test_trl_trains_on_our_rows_in_our_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL's own script, on the export as it is: what its model is given, step by step, are our tokens and targets."""
    pytest.importorskip("trl", reason="trl is not installed")
    from trl import SFTTrainer
    from trl.scripts import sft

    from glotmix.generate.load import load_tokenizer
    from glotmix.generate.template import encode_row

    recipe = Recipe(batch_rows=6, steps=3, learning_rate=1e-3, max_tokens=512)
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 8, "ja": 4}}), open_pool("lab"))
    mixture.export("trl", tmp_path / "out", recipe, str(model_path("lab-1m")), order=Order(kind="interleaved"))
    given: list[tuple[list[int], list[int]]] = []
    compute_loss = SFTTrainer.compute_loss

    def watch(self: Any, model: Any, inputs: Any, *args: Any, **settings: Any) -> Any:
        for ids, labels, mask in zip(inputs["input_ids"], inputs["labels"], inputs["attention_mask"], strict=True):
            given.append((ids[mask.bool()].tolist(), labels[labels != -100].tolist()))
        return compute_loss(self, model, inputs, *args, **settings)

    monkeypatch.setattr(SFTTrainer, "compute_loss", watch)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "out")
    sft.main(*sft.make_parser().parse_args_and_config(["--config", "sft.yaml", "--use_cpu"]))

    tokenizer = load_tokenizer(model_path("lab-1m"))
    rows = dict(mixture.rows.select("row_id", "messages").rows())
    order = training_order(mixture, 0, 6, 3, Order(kind="interleaved"))
    ours = [encode_row(rows[row_id], "plain", tokenizer) for row_id in order]
    assert given == [(list(row.ids), list(row.ids[row.prompt_tokens :])) for row in ours]
    assert (tmp_path / "out" / "model" / "model.safetensors").is_file()
