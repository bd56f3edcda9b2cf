"""What a study needs of this machine beyond what glotmix always has, looked for before anything is trained."""

import importlib.util
import os
import shutil
from collections.abc import Iterable

from glotmix.errors import UserError
from glotmix.spec import Recipe
from glotmix.study.gpus import gpus


def check_libraries(recipe: Recipe) -> None:
    """Raises:
    UserError: a library is not installed, or there is no C compiler where one is needed.
    """
    if recipe.lora:
        _check("peft", "recipe.lora", "'glotmix[lora]'", "leave it out for full fine-tuning")
    if recipe.optimizer == "adamw_8bit":
        _check("torchao", "recipe.optimizer adamw_8bit", "'glotmix[memory]'", "use adamw")
        if gpus() and not os.environ.get("CC") and not any(map(shutil.which, ("gcc", "clang"))):
            fix = "install gcc or clang, or use adamw"
            raise UserError(f"recipe.optimizer: adamw_8bit is compiled on a GPU, and there is no C compiler; {fix}")


def check_trackers(names: Iterable[str]) -> None:
    """Raises:
    UserError: the library of one is not installed.
    """
    for name in names:
        _check(name, "trackers", name, "leave it out")


def _check(library: str, setting: str, source: str, otherwise: str) -> None:
    if importlib.util.find_spec(library) is None:
        raise UserError(f"{setting}: {library} is not installed; pip install {source}, or {otherwise}")
