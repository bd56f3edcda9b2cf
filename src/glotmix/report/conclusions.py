"""What can be concluded and what cannot: findings by conclusion and name, before all their numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.report.places import visible, where
from glotmix.report.text import FORMS, signed, span

TOLD = ("higher", "lower", "no difference")
FEW = 6  # settings that are told one by one


@dataclass(frozen=True)
class Case:
    """A finding at one setting."""

    setting: str
    estimate: str
    interval: str
    detectable: str


@dataclass(frozen=True)
class Statement:
    """Findings of one name with one conclusion; `reason` why there is no interval. `few` are told at once."""

    conclusion: str
    name: str
    unit: str
    definition: str
    cases: tuple[Case, ...]
    reason: str = ""

    @property
    def few(self) -> bool:
        return len(self.cases) <= FEW


@dataclass(frozen=True)
class Conclusions:
    """Of one model and task (or of several together): concluded, open for lack of data, and without an interval."""

    task: str
    model: str
    told: tuple[Statement, ...]
    open: tuple[Statement, ...]
    refused: tuple[Statement, ...]


def conclusions(findings: pl.DataFrame) -> list[Conclusions]:
    """By task and model, in the order of the findings; levels, which conclude nothing, are left out."""
    bounded = pl.col("low").is_not_null() & pl.col("high").is_not_null()
    compared = findings.filter((pl.col("conclusion") != "") | ~bounded)
    return [
        Conclusions(
            str(task),
            str(model),
            tuple(one for kind in TOLD for one in _statements(part.filter(conclusion=kind))),
            tuple(_statements(part.filter(bounded & (pl.col("conclusion") == "cannot tell")))),
            tuple(_refusals(part.filter(~bounded & (pl.col("conclusion").is_in(["", "cannot tell"]))))),
        )
        for (task, model), part in compared.group_by("task", "model", maintain_order=True)
    ]


def _statements(part: pl.DataFrame) -> Iterator[Statement]:
    for (name,), own in part.group_by("name", maintain_order=True):
        rows = list(own.iter_rows(named=True))
        yield Statement(rows[0]["conclusion"], str(name), _symbol(rows), _definition(own), tuple(map(_case, rows)))


def _refusals(part: pl.DataFrame) -> Iterator[Statement]:
    for (name, note), own in part.group_by("name", "note", maintain_order=True):
        rows = list(own.iter_rows(named=True))
        yield Statement("", str(name), _symbol(rows), _definition(own), tuple(map(_case, rows)), reason=str(note))


def _symbol(rows: Sequence[dict[str, Any]]) -> str:
    return FORMS[rows[0]["unit"]].symbol


def _definition(own: pl.DataFrame) -> str:
    """The one of all, or that of the first, marked so."""
    definitions = own["definition"].unique(maintain_order=True).to_list()
    return definitions[0] if len(definitions) == 1 else f"such as: {definitions[0]}"


def _case(row: dict[str, Any]) -> Case:
    unit = row["unit"]
    return Case(where(row), signed(row["estimate"], unit), span(row["low"], row["high"], unit), visible(row))
