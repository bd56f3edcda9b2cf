"""What a recipe needs and is not installed is said before anything is trained, with the fix."""

import importlib.util
import shutil

import pytest

from glotmix.errors import UserError
from glotmix.spec import Lora, Recipe
from glotmix.study import libraries
from glotmix.study.libraries import check_libraries
from glotmix.study.study import Study
from small_study import write_spec

NEEDS = [
    ({"lora": Lora()}, "peft", r"recipe\.lora needs peft.*pip install 'glotmix\[lora\]'"),
    (
        {"optimizer": "adamw_8bit"},
        "torchao",
        r"adamw_8bit needs torchao.*pip install 'glotmix\[memory\]', or use adamw",
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


def test_run_says_so_before_it_trains(folder, monkeypatch):
    write_spec(folder, recipe__optimizer="adamw_8bit")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="torchao"):
        Study.load(folder).run()
    assert not list((folder / "store").glob("train*/*"))


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
