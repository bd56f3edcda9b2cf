import shutil
from pathlib import Path

import pytest

from small_study import make_study


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A study folder with its own pool and model, nothing done yet."""
    return Path(shutil.copytree(made, tmp_path / "study"))
