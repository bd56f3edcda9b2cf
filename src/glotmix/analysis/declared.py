"""What is fixed before results are looked at, and what follows from it for every finding.

1. A family is all findings of one name at one model and task: each of its settings is a comparison. The chance of one
   false finding among true zeros rises with the settings, so a family's p values are adjusted together.
2. "higher" and "lower" need an adjusted p below 5 %. "no difference" needs two one-sided tests at 5 % that put the
   estimate inside the margin (Schuirmann 1987), each finding for itself. All else is "cannot tell", with the smallest
   difference that could have been seen, among so many comparisons.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from scipy.stats import false_discovery_control

from glotmix.analysis.interval import LEVEL, Interval
from glotmix.analysis.table import FINDINGS_SCHEMA

Control = Literal["holm", "benjamini-hochberg", "none"]


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
    adjusted, among = _adjusted(found, declared.control)
    rows = [_row(one, p, count, declared) for one, p, count in zip(found, adjusted, among, strict=True)]
    return pl.DataFrame(rows, FINDINGS_SCHEMA, orient="row")


def _adjusted(found: Sequence[Finding], control: Control) -> tuple[list[float], list[int]]:
    """Its p value among those of its family, and how many these are, of every finding."""
    families: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for index, one in enumerate(found):
        if not np.isnan(one.tested):
            families[one.name, one.model, one.task].append(index)
    adjusted, among = np.full(len(found), np.nan), np.ones(len(found), int)
    for members in families.values():
        adjusted[members] = _control([found[index].tested for index in members], control)
        among[members] = 1 if control == "none" else len(members)
    return adjusted.tolist(), among.tolist()


def _control(p: list[float], control: Control) -> list[float]:
    if control == "none":
        return p
    if control == "benjamini-hochberg":
        return list(map(float, false_discovery_control(p)))
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.array(p)[order] * np.arange(len(p), 0, -1)))
    return list(map(float, adjusted))


def _row(one: Finding, adjusted: float, among: int, declared: Declared) -> tuple[str | int | float | None, ...]:
    found = one.found
    conclusion = _conclusion(one, adjusted, declared.margin)
    detectable = None if one.null is None else _known(found.detectable_among(among))
    note = "; ".join(filter(None, (_told(conclusion, detectable, among), found.note, one.note)))
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
    equal = one.unit == "score" and one.null == 0 and one.found.within(margin)
    return "no difference" if equal else "cannot tell"


def _told(conclusion: str, detectable: float | None, among: int) -> str:
    if detectable is None or conclusion not in ("cannot tell", "no difference"):
        return ""
    said = "cannot tell at this size" if conclusion == "cannot tell" else "no difference beyond the margin"
    compared = f" among {among} comparisons" if among > 1 else ""
    return f"{said}: {detectable:.3f} is the smallest difference seen in 4 of 5 studies like it{compared}"


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
