"""Contract 4: a step's key depends on what its result depends on, and on nothing else."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glotmix.study.identity import key, model_hash
from glotmix.study.study import Study
from small_study import ITEMS, LANGUAGES, row, write_model, write_rows, write_spec

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def train_keys(folder: Path) -> set[str]:
    return {run.train for run in Study.load(folder).resolved.runs}


def evaluate_keys(folder: Path) -> dict[str, set[str]]:
    """By language."""
    steps = [step for run in Study.load(folder).resolved.runs for step in run.evaluations]
    return {tag: {step.key for step in steps if step.language == tag} for tag in {step.language for step in steps}}


def keys(folder: Path) -> tuple[set[str], dict[str, set[str]]]:
    return train_keys(folder), evaluate_keys(folder)


@FEW
@given(data=st.data())
def test_the_order_of_a_spec_is_in_no_key(folder: Path, data: st.DataObject):
    def mixed(*values: Any) -> list[Any]:
        return data.draw(st.permutations(values))

    before = keys(write_spec(folder))
    write_spec(
        folder,
        languages__train=mixed("es", "fr"),
        languages__evaluate=mixed("en", "es", "fr", "pt"),
        design__rows_per_language=mixed(0, 5),
        seeds=mixed(0, 1),
    )
    assert keys(folder) == before


@FEW
@given(languages=st.lists(st.sampled_from(LANGUAGES), unique=True, min_size=1), data=st.data())
def test_evaluating_more_languages_adds_their_keys_and_changes_no_other(folder, languages, data):
    more = sorted({"en", *languages})
    fewer = sorted({"en", *data.draw(st.sets(st.sampled_from(languages)))})
    train_before, evaluate_before = keys(write_spec(folder, languages__evaluate=fewer))
    train_after, evaluate_after = keys(write_spec(folder, languages__evaluate=more))
    assert train_after == train_before
    assert set(evaluate_after) == set(more)
    assert {tag: evaluate_after[tag] for tag in fewer} == evaluate_before


@FEW
@given(added=st.sets(st.sampled_from(["de", "ja", "pt"]), min_size=1))
def test_another_training_language_leaves_the_anchor_only_runs_alone(folder, added):
    before = train_keys(write_spec(folder, design__rows_per_language=[0]))
    write_spec(folder, languages__train=["es", *added], design__rows_per_language=[0, 5])
    assert before < train_keys(folder)


@FEW
@given(seeds=st.sets(st.integers(0, 9), min_size=1), counts=st.sets(st.integers(0, 20), min_size=1))
def test_more_seeds_and_settings_keep_what_is_there(folder, seeds, counts):
    before = train_keys(write_spec(folder))
    write_spec(folder, seeds=sorted({0, 1, *seeds}), design__rows_per_language=sorted({0, 5, *counts}))
    assert before <= train_keys(folder)


def test_folders_and_names_are_in_no_key(folder, tmp_path):
    before = keys(folder)
    elsewhere = tmp_path / "a" / "b"
    shutil.copytree(folder, elsewhere)
    (elsewhere / "model").rename(elsewhere / "renamed")
    (elsewhere / "pool").rename(elsewhere / "rows")
    write_spec(elsewhere, name="other", question="Why?", models=[str(elsewhere / "renamed")], pool="rows")
    assert keys(elsewhere) == before


@pytest.mark.parametrize("changes", [{"recipe__tokens_per_micro_batch": 100}, {"evaluation__tokens_per_batch": 3}])
def test_settings_that_only_fit_the_memory_are_in_no_key(folder, changes):
    before = keys(folder)
    assert keys(write_spec(folder, **changes)) == before


def test_in_bfloat16_the_batches_of_the_evaluation_are_in_its_keys(folder):
    train_before, evaluate_before = keys(write_spec(folder, evaluation__precision="bfloat16"))
    train, evaluate = keys(write_spec(folder, evaluation__precision="bfloat16", evaluation__tokens_per_batch=3))
    assert train == train_before
    assert all(not evaluate[tag] & evaluate_before[tag] for tag in evaluate)


def test_a_model_card_is_in_no_key(folder):
    before = keys(folder)
    (folder / "model" / "README.md").write_text("A fine model.")
    assert keys(folder) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe__learning_rate": 0.5},
        {"recipe__steps": 6},
        {"recipe__schedule": "cosine"},
        {"recipe__checkpoint_every": 1},
        {"recipe__template": "chat"},
        {"recipe__select__rows_per_language": 5},
        {"recipe__select__languages": ["pt"]},
        {"data_seed": 1},
        {"items": "disjoint"},
        {"seeds": [2, 3]},
    ],
)
def test_what_training_depends_on_is_in_the_keys_of_training_and_evaluation(folder, changes):
    (folder / "model" / "chat_template.jinja").write_text("{{ messages }}")
    train_before, evaluate_before = keys(write_spec(folder, design__anchor_rows=4, design__rows_per_language=[2]))
    train, evaluate = keys(write_spec(folder, design__anchor_rows=4, design__rows_per_language=[2], **changes))
    assert not train & train_before
    assert all(not evaluate[tag] & evaluate_before[tag] for tag in evaluate)


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluation__max_new_tokens": 9},
        {"evaluation__items_per_language": 9},
        {"evaluation__precision": "bfloat16"},
    ],
)
def test_what_only_evaluation_depends_on_is_in_its_keys_only(folder, changes):
    train_before, evaluate_before = keys(folder)
    train, evaluate = keys(write_spec(folder, **changes))
    assert train == train_before
    assert all(not evaluate[tag] & evaluate_before[tag] for tag in evaluate)


def test_other_weights_are_another_model(folder):
    before = train_keys(folder)
    shutil.rmtree(folder / "model")
    write_model(folder / "model", seed=1)
    assert not train_keys(folder) & before


def changed_rows(folder: Path, language: str, split: str) -> None:
    rows = [row("math", language, split, number) for number in range(ITEMS[split])]
    for record in rows:
        record["messages"][0]["content"] += " Think."
    write_rows(folder / "pool", rows)


def test_changed_test_rows_change_the_evaluation_of_their_language_only(folder):
    train_before, evaluate_before = keys(folder)
    changed_rows(folder, "pt", "test")
    train, evaluate = keys(folder)
    assert train == train_before
    assert [tag for tag in evaluate if evaluate[tag] != evaluate_before[tag]] == ["pt"]


def test_changed_training_rows_change_the_runs_that_read_them(folder):
    before = train_keys(folder)
    changed_rows(folder, "es", "train")
    assert len(before & train_keys(folder)) == 2, "the two seeds of n=0 read no Spanish"


def test_the_same_training_rows_under_another_source_are_the_same_rows(folder):
    before = keys(folder)
    rows = [row("math", "es", "train", number) | {"source": "elsewhere"} for number in range(ITEMS["train"])]
    write_rows(folder / "pool", rows)
    assert keys(folder) == before


def test_models_of_the_same_content_share_their_trainings(folder):
    shutil.copytree(folder / "model", folder / "copy")
    plan = Study.load(write_spec(folder, models=["model", "copy"])).plan()
    assert plan["run"].to_list()[4] == "copy/n=0/seed=0"
    assert plan["shares_training_with"].to_list()[4] == "model/n=0/seed=0"
    assert plan["shares_training_with"].to_list()[:4] == [""] * 4


def test_keys_are_stable():
    """A change of this hash makes every finished step of every study worthless."""
    assert key("train", 1, seed=0, recipe={"b": 1.0, "a": [1, "é"]}) == "f638601936f954c04351f202"
    assert key("train", 1, a=1, b=2) == key("train", 1, b=2, a=1)
    assert key("train", 1, a=1) != key("train", 2, a=1) != key("evaluate", 2, a=1)


def test_a_tokenizer_in_tiktoken_format_is_part_of_the_model(tmp_path):
    (tmp_path / "qwen.tiktoken").write_text("a 1")
    before = model_hash(tmp_path, {})
    (tmp_path / "qwen.tiktoken").write_text("a 2")
    assert model_hash(tmp_path, {}) != before


def test_a_model_in_the_cache_of_the_hub_is_the_same_model_and_its_weights_are_not_read(folder, tmp_path):
    blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / "1"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for file in (folder / "model").iterdir():
        content = file.read_bytes()
        named_by = hashlib.sha256 if file.suffix == ".safetensors" else hashlib.sha1  # as git names small files
        blob = blobs / named_by(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / file.name).symlink_to(blob)
    read: dict[str, str] = {}
    assert model_hash(snapshot, read) == model_hash(folder / "model", {})
    assert len(read) == len(list(snapshot.iterdir())) - 1
