"""What a study needs and is not installed is said before anything is trained, with the fix."""

import importlib.util
import shutil

import pytest

from glotmix.errors import UserError
from glotmix.spec import Lora, Recipe
from glotmix.study import libraries
from glotmix.study.libraries import check_libraries, check_trackers
from glotmix.study.study import Study
from small_study import write_spec

NEEDS = [
    ({"lora": Lora()}, "peft", r"recipe\.lora: peft is not installed; pip install 'glotmix\[lora\]'"),
    (
        {"optimizer": "adamw_8bit"},
        "torchao",
        r"adamw_8bit: torchao is not installed; pip install 'glotmix\[memory\]', or use adamw",
    ),
]


@pytest.mark.parametrize(("recipe", "library", "line"), NEEDS)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(monkeypatch, recipe, library, line):
    find = importlib.util.find_spec
    check_libraries(Recipe(steps=1, **recipe))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == library else find(name))
    check_libraries(Recipe(steps=1))
    with pytest.raises(UserError, match=line):
        check_libraries(Recipe(steps=1, **recipe))


def test_a_tracker_that_is_not_installed_is_refused_with_what_installs_it(monkeypatch):
    check_trackers(["tensorboard"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"trackers: wandb is not installed; pip install wandb, or leave it out"):
        check_trackers(["wandb"])


@pytest.mark.parametrize(
    ("settings", "line"), [({"recipe__optimizer": "adamw_8bit"}, "torchao"), ({"trackers": ["mlflow"]}, "mlflow")]
)
def test_run_says_so_before_it_fetches_or_writes_anything(folder, monkeypatch, settings, line):
    write_spec(folder, models=["glotmix-tests/on-no-hub"], **settings)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=line):
        Study.load(folder).run()
    assert not (folder / "store").exists()


def test_on_a_gpu_8_bits_need_a_c_compiler(monkeypatch):
    """Everywhere else nothing is compiled."""
    recipe = Recipe(steps=1, optimizer="adamw_8bit")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(libraries, "gpus", lambda: [])
    check_libraries(recipe)
    monkeypatch.setattr(libraries, "gpus", lambda: ["0"])
    with pytest.raises(UserError, match="no C compiler; install gcc or clang"):
        check_libraries(recipe)
