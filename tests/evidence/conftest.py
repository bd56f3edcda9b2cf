import pytest

from glotmix.evidence import checks


@pytest.fixture(scope="session")
def found():
    """Every check of both studies, by study and id."""
    return {(row["study"], row["id"]): row for row in checks().iter_rows(named=True)}


@pytest.fixture(scope="session")
def guide(found):
    return {name: row for (study, name), row in found.items() if study == "post-trainers-guide"}


@pytest.fixture(scope="session")
def english(found):
    return {name: row for (study, name), row in found.items() if study == "english-not-all"}
