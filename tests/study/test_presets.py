"""The presets declare the published studies: their runs, mixtures, rows and steps."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.design import Cell, cells
from glotmix.spec import Recipe, StudySpec, load_spec, optimizer_steps, warmup_steps
from glotmix.study import presets

# arXiv 2604.13286, derived: languages, mixtures, and rows, steps of 6 epochs and warm-up steps of each task
ENGLISH_NOT_ALL = [
    (1, 1, {"math": (10000, 117, 4), "api_calls": (3024, 35, 1)}),
    (2, 4, {"math": (20000, 234, 7), "api_calls": (6048, 71, 2)}),
    (4, 5, {"math": (40000, 469, 14), "api_calls": (12096, 142, 4)}),
    (5, 1, {"math": (50000, 586, 18), "api_calls": (15120, 177, 5)}),
    (6, 5, {"math": (60000, 703, 21), "api_calls": (18144, 213, 6)}),
    (9, 5, {"math": (90000, 1055, 32), "api_calls": (27216, 319, 10)}),
    (10, 1, {"math": (100000, 1172, 35), "api_calls": (30240, 354, 11)}),
]
MIXTURES = """
en | en es | en ja | en bn | en sw
es ja bn sw | en ja bn sw | en es bn sw | en es ja sw | en es ja bn | en es ja bn sw
es ja bn sw fr th | en ja bn sw fr th | en es bn sw fr th | en es ja sw fr th | en es ja bn fr th
es ja bn sw fr th de ru zh | en ja bn sw fr th de ru zh | en es bn sw fr th de ru zh | en es ja sw fr th de ru zh
en es ja bn fr th de ru zh | en es ja bn sw fr th de ru zh
"""


def load(name: str) -> tuple[StudySpec, tuple[Cell, ...]]:
    spec = load_spec(Path(presets.__file__).with_name(f"{name}.yaml"))
    return spec, cells(spec)


def runs(found: tuple[Cell, ...]) -> list[tuple[str, Cell, int]]:
    return [(model, cell, seed) for cell in found for model in cell.models for seed in cell.seeds]


def trainings(found: tuple[Cell, ...]) -> set[tuple[str, str, str, int | None, int]]:
    """Runs that differ in what is trained on."""
    return {(model, repr(cell.counts), cell.items, cell.steps, seed) for model, cell, seed in runs(found)}


def test_post_trainers_guide_has_152_runs_of_which_146_are_distinct() -> None:
    spec, found = load("post-trainers-guide")
    assert Counter(cell.design for _, cell, _ in runs(found)) == {"single-task": 72, "scripts": 48, "multi-task": 32}
    assert len(trainings(found)) == 146
    totals = {cell.name: cell.total_rows for cell in found}
    assert totals["single-task/math/n=0"] == totals["scripts/math/latin n=0"] == 10_000
    assert totals["single-task/math/n=100"] == 10_400 and totals["single-task/math/n=5000"] == 30_000
    assert totals["scripts/summarization/non-latin n=5000"] == 20_000
    assert totals["multi-task/n=0"] == 15_000 and totals["multi-task/n=5000"] == 75_000
    assert totals["multi-task/n=7000"] == 99_000
    by_name = {cell.name: cell for cell in found}
    assert by_name["multi-task/n=1500"].counts["math"] == {"en": 5000} | dict.fromkeys(["es", "fr", "ja", "zh"], 1500)
    assert by_name["scripts/math/latin n=400"].counts == {"math": {"en": 10_000, "es": 400, "fr": 400}}
    assert len(spec.languages.evaluate) == 8
    assert spec.evaluation.items_per_language == {"math": 250, "summarization": 250, "instructions": 200}
    assert (spec.recipe.batch_rows, spec.recipe.learning_rate, spec.recipe.schedule) == (64, 1e-5, "constant")


def test_english_not_all_has_220_runs_over_22_mixtures() -> None:
    spec, found = load("english-not-all")
    assert len(runs(found)) == len(trainings(found)) == 220
    expected = {frozenset(mixture.split()) for line in MIXTURES.strip().splitlines() for mixture in line.split("|")}
    for task in spec.tasks:
        assert {frozenset(cell.counts[task]) for cell in found if task in cell.counts} == expected
    assert len(expected) == 22


STATED = {  # what each paper says of its recipe
    "post-trainers-guide": {
        "batch_rows": 64, "learning_rate": 1e-5, "schedule": "constant", "checkpoint_every": 50, "lora": None,
    },
    "english-not-all": {
        "batch_rows": 512, "learning_rate": 1e-5, "schedule": "cosine", "warmup_share": 0.03, "weight_decay": 0.01,
        "epochs": 6, "gradient_checkpointing": True, "optimizer": "adamw", "lora": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("twin", ["", "-controlled"])
@pytest.mark.parametrize("name", STATED)
def test_a_recipe_is_what_the_paper_states_and_silent_on_nothing_that_matters(name: str, twin: str) -> None:
    recipe = load(f"{name}{twin}")[0].recipe
    assert {setting: getattr(recipe, setting) for setting in STATED[name]} == STATED[name]
    assert recipe.select.metric == ("task_score" if name == "english-not-all" else "validation_loss")
    unsaid = Recipe.model_fields.keys() - recipe.model_fields_set
    assert unsaid <= {"steps", "warmup_steps", "warmup_share", "lora", "optimizer"}


@pytest.mark.parametrize(("languages", "mixtures", "of_task"), ENGLISH_NOT_ALL)
def test_english_not_all_has_the_published_rows_and_steps(
    languages: int, mixtures: int, of_task: dict[str, tuple[int, int, int]]
) -> None:
    spec, found = load("english-not-all")
    for task, expected in of_task.items():
        level = [cell for cell in found if len(cell.counts.get(task, {})) == languages]
        assert len(level) == mixtures
        for cell in level:
            steps = optimizer_steps(spec.recipe, cell.total_rows)
            assert (cell.total_rows, steps, warmup_steps(spec.recipe, steps)) == expected
            assert len(set(cell.counts[task].values())) == 1, "equal rows of each language"


@pytest.mark.parametrize("name", ["english-not-all", "post-trainers-guide"])
def test_a_controlled_twin_has_the_runs_of_its_preset_and_adds_seeds_and_controls(name: str) -> None:
    _, plain = load(name)
    _, controlled = load(f"{name}-controlled")
    assert trainings(plain) < trainings(controlled)
    kinds = {cell.name.rsplit(" ", 2)[-1] for cell in controlled if cell.control_of}
    assert kinds == {"rows", "steps", "total"}
    assert max(len(cell.seeds) for cell in controlled) == 3
    seeds = {cell.name: set(cell.seeds) for cell in controlled}
    assert all(seeds[cell.name] <= seeds[cell.baseline] for cell in controlled if cell.baseline), "or nothing to pair"


def test_mini_twins_have_the_shape_of_their_preset_on_the_lab() -> None:
    large, found = load("english-not-all")
    small, mini = load("english-not-all-mini")
    assert [cell.name for cell in mini] == [cell.name.removeprefix("math/") for cell in found if "math" in cell.counts]
    assert small.languages == large.languages
    large, found = load("post-trainers-guide")
    small, mini = load("post-trainers-guide-mini")
    assert {cell.name.partition("n=")[0] for cell in mini} == {cell.name.partition("n=")[0] for cell in found}
    assert small.languages == large.languages and small.tasks == large.tasks
    assert len(trainings(mini)) == len(mini) - 6


@given(rows=st.integers(1, 10**6), epochs=st.integers(1, 10), batch_rows=st.integers(1, 1000))
def test_steps_are_the_whole_number_nearest_to_the_epochs(rows: int, epochs: int, batch_rows: int) -> None:
    steps = optimizer_steps(Recipe(epochs=epochs, batch_rows=batch_rows), rows)
    assert steps >= 1
    assert steps == 1 or -batch_rows <= 2 * (rows * epochs - steps * batch_rows) < batch_rows
    assert optimizer_steps(Recipe(steps=7, batch_rows=batch_rows), rows) == 7


def test_half_a_batch_is_filled_and_less_is_dropped() -> None:
    recipe = Recipe(epochs=1, batch_rows=10)
    assert [optimizer_steps(recipe, rows) for rows in (1, 24, 25, 26)] == [1, 2, 3, 3]
    shares = Recipe(epochs=1, warmup_share=0.15)
    assert [warmup_steps(shares, steps) for steps in (3, 9, 10, 30)] == [0, 1, 2, 5]
    assert warmup_steps(Recipe(epochs=1, warmup_steps=4), 100) == 4
