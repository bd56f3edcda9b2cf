"""A pool's contents, and the findings of its check, as tables on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from glotmix.report.text import count, percent

_CELLS = ("task", "language", "split", ">rows", ">parallel", ">prompt", ">answer")
_ORIGINS = ("source", "origin", "licence", ">rows", "languages")
_WRAPPED = ("source", "origin", "licence", "languages")
_LEGEND = "parallel: items that the anchor has there too; prompt and answer: characters, mean / median"


def inspection_table(cells: pl.DataFrame) -> list[Table | str]:
    """What is in a pool, a line per task, language and split; below, where it comes from."""
    rows = [
        (
            *(cell[name] for name in ("task", "language", "split")),
            *(count(cell[name]) for name in ("rows", "parallel")),
            *(f"{cell[f'{name}_mean']:.0f} / {cell[f'{name}_median']:.0f}" for name in ("prompt", "answer")),
        )
        for cell in cells.fill_null(0).iter_rows(named=True)
    ]
    known = cells.group_by("source", "origin", "licence", maintain_order=True)
    summed = known.agg(pl.col("rows").sum(), pl.col("language").unique().sort().str.join(" "))
    origins = [(*place, count(rows), tags) for *place, rows, tags in summed.iter_rows()]
    return [_table(_CELLS, rows), _LEGEND, _table(_ORIGINS, origins)]


def check_table(findings: pl.DataFrame) -> list[Table | str]:
    """The findings; below, what each kind of them says, with a row to look at."""
    if findings.is_empty():
        return ["nothing was found"]
    named = [*findings.iter_rows(named=True)]
    rows = [(row["severity"], name_of(row), place_of(row), rows_of(row), share_of(row)) for row in named]
    kinds = findings.unique(["check", "finding"], keep="first", maintain_order=True).iter_rows(named=True)
    says = [f"{name_of(kind)}: {kind['finding']} (such as {kind['examples'][0]})" for kind in kinds]
    return [_table(("severity", "check", "where", ">rows", ">share"), rows), *says]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A column whose name starts with > is set flush right. Names and texts stand as they are, never read as markup."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        table.add_column(Text(column.removeprefix(">")), justify=justify, no_wrap=column not in _WRAPPED)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def name_of(finding: Mapping[str, Any]) -> str:
    return str(finding["check"]).replace("_", " ")


def place_of(finding: Mapping[str, Any]) -> str:
    return f"{finding['task']} {finding['language']} {finding['split']}"


def rows_of(finding: Mapping[str, Any]) -> str:
    return f"{count(finding['rows'])} of {count(finding['checked'])}"


def share_of(finding: Mapping[str, Any]) -> str:
    """In percent; with its interval where only a sample was looked at."""
    digits = 1 if finding["share"] >= 0.001 else 2
    share = f"{percent(finding['share'], digits)} %"
    low, high = finding["low"], finding["high"]
    return share if low is None or high is None else f"{share} ({percent(low, digits)} to {percent(high, digits)})"
