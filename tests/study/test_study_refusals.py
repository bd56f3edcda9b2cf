"""Bad input gets one clear line that names the key, the value and the fix; nothing is written."""

import json
import shutil

import pytest

from glotmix.errors import GlotmixError, UserError
from glotmix.study.study import Study
from small_study import row, write_rows, write_spec


def test_no_study_there(tmp_path):
    with pytest.raises(UserError, match=r"no study file there; `glotmix init .*` makes one"):
        Study.load(tmp_path)


BAD_PLANS = [
    ({"pool": "lake"}, "lake: no pool there"),
    ({"tasks": ["summarization"]}, "tasks: pool 'pool' has no rows of summarization; choose another task or pool"),
    ({"languages__train": ["sw"]}, "languages.train: pool 'pool' has no sw rows of math; it has de, en"),
    ({"languages__evaluate": ["en", "bn"]}, "languages.evaluate: pool 'pool' has no bn rows of math"),
    (
        {"design__rows_per_language": [0, 61]},
        "design.rows_per_language: math in es: 61 train rows asked for",
    ),
    ({"design__anchor_rows": 99}, "design.anchor_rows: math in en: 99 train rows asked for, pool pool has 60"),
    ({"evaluation__items_per_language": 13}, "13 asked for, pool 'pool' has 12 test rows of math in en; ask for"),
    ({"recipe__select__rows_per_language": 7}, "has 6 validation rows of math in en; ask for at most 6 or name"),
    ({"recipe__select__languages": ["sw"]}, "has no validation rows of math in sw; import some or name"),
    ({"seeds": {"at": {7: [1]}}}, "seeds.at: no cell has 7 rows per language; use one of 0, 5"),
    (
        {"recipe__steps": None, "recipe__epochs": 2, "recipe__warmup_steps": 5},
        "recipe.warmup_steps: 5 of the 5 steps of model/n=0/seed=0; make it fewer",
    ),
    ({"models": ["lab-9m"]}, "models: no lab model 'lab-9m'; there are lab-1m, lab-4m"),
    ({"models": ["./nowhere"]}, "models: no folder './nowhere'; give a model folder, a hub name such"),
    ({"models": ["model", "./model"]}, "models: two are called 'model'; name each once"),
]


@pytest.mark.parametrize(("changes", "line"), BAD_PLANS)
def test_what_the_pool_or_a_model_lacks(folder, changes, line):
    write_spec(folder, **changes)
    with pytest.raises(UserError) as refused:
        Study.load(folder).run()
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (folder / "store").exists(), "nothing is written"


@pytest.mark.parametrize(
    ("lost", "line"),
    [
        ("tokenizer.json", "has no tokenizer; save it there with tokenizer.save_pretrained()"),
        ("config.json", "has no readable config.json; point to a folder written by save_pretrained()"),
        ("model.safetensors", "has no safetensors weights; save the model there with model.save_pretrained()"),
    ],
)
def test_a_model_folder_that_lacks_a_part(folder, lost, line):
    (folder / "model" / lost).unlink()
    with pytest.raises(UserError, match=r"^models: 'model' \(.*model\) ") as refused:
        Study.load(folder).plan()
    assert line in str(refused.value)


def test_a_model_that_comes_with_code(folder):
    (folder / "model" / "config.json").write_text('{"eos_token_id": 0, "auto_map": {"AutoConfig": "own.Own"}}')
    with pytest.raises(UserError, match=r"^models: 'model' needs code of its own \(auto_map\), and glotmix runs no"):
        Study.load(folder).plan()


def test_a_tokenizer_without_an_end_token(folder):
    (folder / "model" / "config.json").write_text('{"model_type": "llama", "eos_token_id": null}')
    with pytest.raises(UserError, match=r"^models: the tokenizer of 'model' has no end token; name one as eos_token"):
        Study.load(folder).plan()
    (folder / "model" / "special_tokens_map.json").write_text('{"eos_token": {"content": "</s>"}}')
    Study.load(folder).plan()


@pytest.mark.parametrize("broken", ["tokenizer.json", "config.json", "model.safetensors"])
def test_a_model_file_that_is_broken(folder, broken):
    (folder / "model" / broken).write_text("not what it was")
    with pytest.raises(UserError, match=r"^models: ") as refused:
        Study.load(folder).plan()
    assert "\n" not in str(refused.value)


def test_a_shard_that_the_index_lists_and_the_folder_lacks(folder):
    index = '{"weight_map": {"weight": "model-00001-of-00002.safetensors"}}'
    (folder / "model" / "model.safetensors.index.json").write_text(index)
    with pytest.raises(UserError, match=r"model-00001-of-00002\.safetensors, which its index lists"):
        Study.load(folder).plan()


def test_a_hub_model_without_a_hub(folder, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    write_spec(folder, models=["some-org/some-model"])
    with pytest.raises(
        GlotmixError, match="'some-org/some-model' is not on this machine and the hub can't be reached"
    ) as fault:
        Study.load(folder).run()
    assert fault.value.exit_code == 1


def test_a_reference_that_nothing_can_be_scored_against(folder):
    write_rows(folder / "pool", [row("math", "es", "test", 0) | {"reference": "many"}])
    with pytest.raises(UserError, match="many"):
        Study.load(write_spec(folder, evaluation__items_per_language=12)).plan()


def test_a_pool_without_any_validation_rows(folder):
    shutil.rmtree(folder / "pool" / "math" / "en")
    rows = [row("math", "en", split, number) for split in ("train", "test") for number in range(12)]
    write_rows(folder / "pool", rows)
    with pytest.raises(UserError, match="pool 'pool' has no validation rows of math in en; import some or name other"):
        Study.load(folder).plan()


@pytest.mark.parametrize("name", ["../model.safetensors", "/model.safetensors", 3])
def test_a_shard_outside_the_model_folder(folder, name):
    (folder / "model" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"weight": name}}))
    with pytest.raises(UserError, match="it may list only files beside it"):
        Study.load(folder).plan()


def test_weights_that_are_not_loaded_count_no_parameters(folder):
    shutil.copy(folder / "model" / "model.safetensors", folder / "model" / "consolidated.safetensors")
    assert Study.load(folder).resolved.runs[0].model.parameters == 12
