"""Claims of a study, and what its own numbers say of them.

1. A claim is what was printed, where, and a quantity: a function of the study's tables.
2. A rule sees numbers only: printed, recomputed, what the rounding of the tables allows, interval or noise. It gives
   the verdict and the reason. No claim carries a verdict.
3. follows: the tables give the printed number, or the difference is there beyond noise. does not follow: no numbers
   that round to the tables' give it, or the data say otherwise beyond noise. cannot tell: noise alone could make it, or
   hide it. depends on undisclosed data: what it needs was not printed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from glotmix.analysis.declared import Declared

FOLLOWS, NOT, UNCLEAR, UNDISCLOSED = "follows", "does not follow", "cannot tell", "depends on undisclosed data"
VERDICTS = (FOLLOWS, NOT, UNCLEAR, UNDISCLOSED)
MARGIN = Declared().margin  # a smaller difference of scores does not matter
CHECKS_SCHEMA = pl.Schema(
    {
        name: pl.String()
        for name in (
            "study", "id", "claim", "where", "quantity", "printed", "recomputed", "uncertainty", "verdict", "reason"
        )
    }
    | {"p": pl.Float64(), "otherwise": pl.String()}
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """`uncertainty`: what rounding allows, an interval, or what noise alone makes; `p`: of the test behind it."""

    recomputed: str
    uncertainty: str
    verdict: str
    reason: str
    p: float | None = None


@dataclass(frozen=True)
class Claim:
    """`id` starts with the section of the study it belongs to. `rule` recomputes and decides."""

    study: str
    id: str
    claim: str
    where: str
    quantity: str
    printed: str
    rule: Callable[[], Outcome]

    def check(self, other: Callable[[], AbstractContextManager[None]]) -> tuple[str | float | None, ...]:
        """A row of `CHECKS_SCHEMA`; `otherwise` is the verdict where noise is measured in the `other` way."""
        found = self.rule()
        with other():
            otherwise = self.rule().verdict
        told = (self.study, self.id, self.claim, self.where, self.quantity, self.printed)
        return (*told, found.recomputed, found.uncertainty, found.verdict, found.reason, found.p, otherwise)


@dataclass(frozen=True)
class Recomputed:
    """A number from tables; the range that 95 % of tables which round to theirs give, and the one that any gives."""

    value: float
    likely: tuple[float, float]
    possible: tuple[float, float]

    @classmethod
    def exact(cls, value: float) -> "Recomputed":
        return cls(value, (value, value), (value, value))

    @classmethod
    def read(cls, value: float, error: float) -> "Recomputed":
        span = (value - error, value + error)
        return cls(value, span, span)


def half_unit(printed: str) -> float:
    """Half of the last digit printed.

    >>> half_unit("22.7"), half_unit("8")
    (0.05, 0.5)
    """
    exponent = Decimal(printed).as_tuple().exponent
    assert isinstance(exponent, int), f"{printed} is no number"
    return 0.5 * 10.0**exponent
