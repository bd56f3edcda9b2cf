"""Findings on a terminal: what can be concluded, then what cannot, then levels; a line each, question by question.

Of very many the clearest are shown, in the order of the questions. Notes and formulas stand below, each once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from glotmix.analysis.families import short
from glotmix.report.text import NONE, signed, span, symbol

LINES = 40  # of a table
MIN_WIDTHS = {"finding": 16, "model": 12}
COLOURS = {"higher": "green", "lower": "red", "no difference": "cyan", "cannot tell": "yellow"}
_CONCLUDED = pl.col("conclusion").is_in(["higher", "lower", "no difference"])
_UNCLEAR = pl.col("conclusion") == "cannot tell"
_BARE = ~_CONCLUDED & pl.col("low").is_null() & pl.col("high").is_null()
TABLES = {  # title: which findings, the clearest first
    "What can be concluded": (_CONCLUDED, pl.col("adjusted_p")),
    "What cannot be concluded, and what could have been seen": (_UNCLEAR & ~_BARE, pl.col("detectable")),
    "Levels": (~_CONCLUDED & ~_UNCLEAR & ~_BARE, pl.col("high") - pl.col("low")),
}
LEGEND = (
    "In points where no unit stands. Each interval stands for its own at 95 %; p is adjusted for all findings of its"
    " name, model and task."
    " Could be seen: the true difference that 4 of 5 such studies find."
)


def findings_table(findings: pl.DataFrame) -> list[Table | str]:
    """Of `FINDINGS_SCHEMA`, as `findings` gives them."""
    filled = findings.with_columns(pl.col("conclusion", "note", "definition", "compared_with").fill_null(""))
    parts = [(title, filled.filter(which), clearest) for title, (which, clearest) in TABLES.items()]
    tables = [part for title, own, clearest in parts if len(own) for part in _part(title, own, clearest)]
    below = {"Without an interval": _bare(filled), "Notes": _notes(filled), "Definitions": _definitions(filled)}
    return [*tables, LEGEND, *(line for title, lines in below.items() if lines for line in ("", title, *lines))]


def _bare(findings: pl.DataFrame) -> list[str]:
    """What no interval could be made for, each reason once."""
    reason = pl.col("note").str.strip_prefix("cannot tell: ")
    grouped = findings.filter(_BARE).group_by("name", reason, maintain_order=True).len()
    return [f"{name}: {why}{f' ({count:,} findings)' if count > 1 else ''}" for name, why, count in grouped.iter_rows()]


def _part(title: str, own: pl.DataFrame, clearest: pl.Expr) -> list[Table | str]:
    names = {name: place for place, name in enumerate(own["name"].unique(maintain_order=True))}
    asked = pl.col("name").replace_strict(names)
    shown = own.with_row_index("at").sort(clearest, nulls_last=True, maintain_order=True).head(LINES)
    lines = shown.sort(asked, "at").iter_rows(named=True)
    whose = ", ".join(own[name][0] for name in ("model", "task") if own[name].n_unique() == 1 and own[name][0])
    table = _table(f"{title}: {whose}" if whose else title, columns := _columns(own))
    last = ""
    for line in lines:
        cells = {**_cells(line), "finding": line["name"] if line["name"] != last else ""}
        table.add_row(*map(_text, (cells[column.removeprefix(">")] for column in columns)))
        last = line["name"]
    left = len(own) - len(shown)
    return [table, *([f"and {left:,} more, less clear; --json prints all"] if left else []), ""]


def _columns(own: pl.DataFrame) -> list[str]:
    """Names as far as they differ; what a table of such findings tells of each."""
    among = [name for name in ("model", "task") if own[name].n_unique() > 1]
    tested = {"": [], "cannot tell": [">could be seen", ">p"]}.get(own["conclusion"][0], ["conclusion", ">p"])
    return ["finding", *among, "setting", ">estimate", ">95 % interval", *tested]


def _cells(line: Mapping[str, Any]) -> dict[str, str | Text]:
    unit, setting, other = line["unit"], short(line["setting"]), short(line["compared_with"])
    behind = "" if unit == "score" else symbol(unit)
    texts = {
        "model": line["model"],
        "task": line["task"],
        "setting": f"{setting} − {other}" if other and setting else f"above {other}" if other else setting,
        "estimate": NONE if line["estimate"] is None else f"{signed(line['estimate'], unit)} {behind}".rstrip(),
        "95 % interval": span(line["low"], line["high"], unit),
        "could be seen": NONE if line["detectable"] is None else signed(line["detectable"], unit).lstrip("+"),
        "p": _p(line["adjusted_p"]),
    }
    return {**texts, "conclusion": Text(line["conclusion"], COLOURS.get(line["conclusion"], ""))}


def _text(cell: str | Text) -> Text:
    """Names that others chose are never read as markup."""
    return Text(cell) if isinstance(cell, str) else cell


def _notes(findings: pl.DataFrame) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_own_note, findings.filter(~_BARE).iter_rows(named=True)))))[:LINES]


def _own_note(line: Mapping[str, Any]) -> str:
    """Without its first part where that tells what could have been seen, which has a column."""
    told = line["detectable"] is not None and line["conclusion"] in ("cannot tell", "no difference")
    return str(line["note"].partition("; ")[2] if told else line["note"])


def _p(value: float | None) -> str:
    return NONE if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _definitions(findings: pl.DataFrame) -> list[str]:
    """Of every name, the first; languages and settings differ in others."""
    first = findings.unique("name", keep="first", maintain_order=True)
    return [f"{name}: {definition}" for name, definition in first.select("name", "definition").iter_rows()]


def _table(title: str, columns: Sequence[str]) -> Table:
    """Only names wrap; all that others wrote stands as it is."""
    table = Table(title=Text(title, "bold"), title_justify="left", box=None, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        wraps = column in ("finding", "model", "setting")
        heading = Text(column.removeprefix(">"))
        least = MIN_WIDTHS.get(column, len(heading))
        table.add_column(heading, justify=justify, no_wrap=not wraps, overflow="fold", min_width=least)
    return table
