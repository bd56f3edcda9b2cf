"""What is fixed before results are looked at, and what follows from it for every finding.

1. A family is all findings of one name at one model and task: each of its settings is a comparison. The chance of one
   false finding among true zeros rises with the settings, so a family's p values are adjusted together.
2. "higher" and "lower" need an adjusted p below 5 %. "no difference" needs two one-sided tests at 5 % that put the
   estimate inside the margin (Schuirmann 1987). All else is "cannot tell", with the smallest difference that could have
   been seen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from glotmix.analysis.interval import LEVEL, Interval
from glotmix.analysis.table import FINDINGS_SCHEMA

Control = Literal["holm", "benjamini-hochberg", "none"]
_METHODS = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}


@dataclass(frozen=True)
class Declared:
    """`margin` (score units): a smaller difference does not matter. `control`: of false findings in a family, by Holm
    (1979), or of their share among findings by Benjamini & Hochberg (1995). `groups`: languages to compare by name; the
    scripts if there are none."""

    margin: float = 0.02
    control: Control = "holm"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A named quantity with its interval. `null` is what it is if there is no difference; None for a level."""

    name: str
    model: str
    task: str
    setting: str
    definition: str
    found: Interval
    compared_with: str = ""
    unit: str = "score"
    null: float | None = 0.0
    note: str = ""
    p: float | None = None  # where it is not that of the interval

    @property
    def tested(self) -> float:
        """Its p value, NaN for a level or where there is no interval."""
        if self.null is None:
            return np.nan
        return self.found.p(self.null) if self.p is None else self.p


def concluded(found: Sequence[Finding], declared: Declared) -> pl.DataFrame:
    """The findings (`FINDINGS_SCHEMA`), in the order given, with what can be concluded from each."""
    adjusted = _adjusted(found, declared.control)
    rows = [_row(one, p, declared) for one, p in zip(found, adjusted, strict=True)]
    return pl.DataFrame(rows, FINDINGS_SCHEMA, orient="row")


def _adjusted(found: Sequence[Finding], control: Control) -> list[float]:
    families: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for index, one in enumerate(found):
        if not np.isnan(one.tested):
            families[one.name, one.model, one.task].append(index)
    adjusted = np.full(len(found), np.nan)
    for members in families.values():
        adjusted[members] = _control([found[index].tested for index in members], control)
    return [float(p) for p in adjusted]


def _control(p: list[float], control: Control) -> list[float]:
    if control == "none" or len(p) == 1:
        return p
    from statsmodels.stats.multitest import multipletests  # slow to import

    return [float(each) for each in multipletests(p, method=_METHODS[control])[1]]


def _row(one: Finding, adjusted: float, declared: Declared) -> tuple[str | int | float | None, ...]:
    found = one.found
    conclusion = _conclusion(one, adjusted, declared.margin)
    detectable = None if one.null is None else _known(found.detectable)
    note = "; ".join(filter(None, (_told(conclusion, detectable, one), found.note, one.note)))
    where = (one.name, one.model, one.task, one.setting, one.compared_with, one.definition, one.unit)
    numbers = tuple(map(_known, (found.estimate, found.low, found.high)))
    return (
        *where, *numbers, found.n, found.counted, found.basis, _known(one.tested), _known(adjusted), detectable,
        conclusion, note,
    )  # fmt: skip


def _conclusion(one: Finding, adjusted: float, margin: float) -> str:
    if one.null is None:
        return ""
    if adjusted < 1 - LEVEL:
        return "higher" if one.found.estimate > one.null else "lower"
    return "no difference" if one.unit == "score" and one.found.within(margin) else "cannot tell"


def _told(conclusion: str, detectable: float | None, one: Finding) -> str:
    if detectable is None or conclusion not in ("cannot tell", "no difference"):
        return ""
    said = "cannot tell at this size" if conclusion == "cannot tell" else "no difference beyond the margin"
    return f"{said}: {detectable:.3f} is the smallest difference seen in 4 of 5 studies like it"


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
