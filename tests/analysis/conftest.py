import pytest

from glotmix.analysis import noise


@pytest.fixture(scope="class")  # of a function outside a class: that function's; hypothesis allows it
def without_luck():
    """Where no setting has a second seed, runs are known to differ by chance in their answers alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "RUN_LUCK", 0.0)
        yield
