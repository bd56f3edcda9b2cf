"""Findings on a terminal: how many of each can be concluded, then the clearest of them, question by question.

What can be concluded comes first, then what cannot, then levels. Notes and formulas of what is shown stand below.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from glotmix.report.text import NONE, signed, span, symbol

LINES = 20  # of a table, and of the reasons and notes below
MIN_WIDTHS = {"finding": 10, "model": 8, "task": 4, "conclusion": 10}  # these wrap: the rest fits 80 columns as it is
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
_TEXTS = ("name", "model", "task", "setting", "compared_with", "definition", "conclusion", "note")


def findings_table(findings: pl.DataFrame) -> list[Table | str]:
    """Of `FINDINGS_SCHEMA`, as `findings` gives them."""
    printable = pl.col(_TEXTS).fill_null("").str.replace_all(r"[\p{Cc}\p{Cf}]", "�")  # a terminal must not obey names
    filled = findings.with_columns(printable).with_row_index("at")
    parts = {title: _clearest(filled.filter(which), clearest) for title, (which, clearest) in TABLES.items()}
    shown = pl.concat([own for own, _ in parts.values()])
    tables = [part for title, (own, left) in parts.items() if len(own) for part in _part(title, own, left)]
    below = {"Without an interval": _bare(filled), "Notes": _notes(shown), "Definitions": _definitions(shown)}
    lines = [line for title, lines in below.items() if lines for line in ("", title, *lines)]
    return [*(_counts(filled) if any(left for _, left in parts.values()) else []), *tables, LEGEND, *lines]


def _clearest(own: pl.DataFrame, clearest: pl.Expr) -> tuple[pl.DataFrame, int]:
    """In the order of the questions; and how many are left."""
    asked = own.with_columns(asked=pl.col("at").min().over("name"))
    shown = asked.sort(clearest, nulls_last=True, maintain_order=True).head(LINES).sort("asked", "at")
    return shown, len(own) - len(shown)


def _counts(findings: pl.DataFrame) -> list[Table | str]:
    """Of the questions that have an answer."""
    of_each = [(pl.col("conclusion") == kind).sum().alias(kind) for kind in COLOURS]
    counted = findings.group_by("name", maintain_order=True).agg(*of_each)
    answered = counted.filter(pl.sum_horizontal("higher", "lower", "no difference") > 0)
    if answered.is_empty():
        return [f"Nothing can be concluded, of {len(counted):,} names of findings.", ""]
    table = _table("How many findings", ["finding", *(f">{kind}" for kind in COLOURS)])
    for name, *numbers in answered.iter_rows():
        table.add_row(Text(name), *(str(number or "") for number in numbers))
    rest = len(counted) - len(answered)
    return [table, *([f"and {rest:,} more names, of which nothing can be concluded"] if rest else []), ""]


def _bare(findings: pl.DataFrame) -> list[str]:
    """What no interval could be made for, with the first reason."""
    reason = pl.col("note").str.strip_prefix("cannot tell: ")
    grouped = findings.filter(_BARE).group_by("name", maintain_order=True).agg(reason.first(), pl.len())
    lines = [
        f"{name}: {why}{f' ({count:,} findings)' if count > 1 else ''}" for name, why, count in grouped.iter_rows()
    ]
    return _few(lines)


def _few(lines: list[str]) -> list[str]:
    return lines[:LINES] + ([f"and {len(lines) - LINES:,} more; --json prints all"] if len(lines) > LINES else [])


def _part(title: str, own: pl.DataFrame, left: int) -> list[Table | str]:
    """A line with the name, then a line for each setting, or model and task."""
    whose = ", ".join(own[name][0] for name in ("model", "task") if own[name].n_unique() == 1 and own[name][0])
    table = _table(f"{title}: {whose}" if whose else title, columns := _columns(own))
    for (name,), lines in own.group_by("name", maintain_order=True):
        table.add_row(Text(str(name), "bold"))
        for line in lines.iter_rows(named=True):
            cells = _cells(line)
            table.add_row(*map(_text, (cells[column.removeprefix(">")] for column in columns)))
    return [table, *([f"and {left:,} more, less clear; --json prints all"] if left else []), ""]


def _columns(own: pl.DataFrame) -> list[str]:
    """Names as far as they differ; what a table of such findings tells of each."""
    among = [name for name in ("model", "task") if own[name].n_unique() > 1]
    tested = {"": [], "cannot tell": [">could be seen"]}.get(own["conclusion"][0], ["conclusion", ">p"])
    return ["finding", *among, ">estimate", ">95 % interval", *tested]


def _cells(line: Mapping[str, Any]) -> dict[str, str | Text]:
    unit = line["unit"]
    behind = "" if unit == "score" else symbol(unit)
    texts = {
        "finding": f"  {_setting(line['setting'], line['compared_with'])}",
        "model": line["model"],
        "task": line["task"],
        "estimate": NONE if line["estimate"] is None else f"{signed(line['estimate'], unit)} {behind}".rstrip(),
        "95 % interval": span(line["low"], line["high"], unit),
        "could be seen": NONE if line["detectable"] is None else signed(line["detectable"], unit).lstrip("+"),
        "p": _p(line["adjusted_p"]),
    }
    return {**texts, "conclusion": Text(line["conclusion"], COLOURS.get(line["conclusion"], ""))}


def _setting(setting: str, other: str) -> str:
    """The design once, where both have the same."""
    if not other:
        return setting
    return f"{setting} − {other.removeprefix(setting.rpartition('/')[0] + '/')}" if setting else f"above {other}"


def _text(cell: str | Text) -> Text:
    """Names that others chose are never read as markup."""
    return Text(cell) if isinstance(cell, str) else cell


def _notes(findings: pl.DataFrame) -> list[str]:
    return _few(list(dict.fromkeys(filter(None, map(_own_note, findings.iter_rows(named=True))))))


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
    table = Table(title=Text(title, "bold"), title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        heading = Text(column.removeprefix(">"))
        least = MIN_WIDTHS.get(column, len(heading))
        table.add_column(heading, justify=justify, no_wrap=column not in MIN_WIDTHS, overflow="fold", min_width=least)
    return table
