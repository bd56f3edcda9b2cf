import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real data sets, read in place."""
    folder = Path(os.environ.get("GLOTMIX_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set GLOTMIX_TEST_DATA")
    return folder


@pytest.fixture(scope="class")  # of a function outside a class: that function's; hypothesis allows it
def without_luck():
    """Where no setting has a second seed, runs are known to differ by chance in their answers alone."""
    from glotmix.analysis import noise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "RUN_LUCK", 0.0)
        yield
