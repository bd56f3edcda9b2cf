"""The claims of both studies, checked."""

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from glotmix.errors import UserError
from glotmix.evidence import english, guide
from glotmix.evidence.check import CHECKS_SCHEMA, Claim
from glotmix.evidence.luck import by_runs
from glotmix.evidence.tables import ENGLISH, GUIDE

_CLAIMS: Mapping[str, Callable[[], Iterator[Claim]]] = {GUIDE: guide.claims, ENGLISH: english.claims}


def checks(study: str | None = None) -> pl.DataFrame:
    """A row per claim (`CHECKS_SCHEMA`), of one study or of all.

    Raises:
        UserError: there is no such study.
    """
    if study is not None and study not in _CLAIMS:
        raise UserError(f"study {study!r} is unknown; use one of {', '.join(_CLAIMS)}")
    rows = [claim.check(by_runs) for name in ([study] if study else _CLAIMS) for claim in _CLAIMS[name]()]
    return pl.DataFrame(rows, CHECKS_SCHEMA, orient="row")
