"""The checks as a table on a terminal and as `docs/evidence.md`; after a change, `python -m glotmix.evidence`."""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text

from glotmix.analysis.interval import LEVEL
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, UNDISCLOSED, VERDICTS
from glotmix.evidence.tables import STUDIES

COLOURS = {FOLLOWS: "green", NOT: "red", UNCLEAR: "yellow", UNDISCLOSED: "magenta"}
_SHOWN = (NOT, UNDISCLOSED, UNCLEAR, FOLLOWS)
_COLUMNS = {
    "id": "claim",
    "where": "where",
    "quantity": "quantity",
    "printed": "printed",
    "recomputed": "recomputed",
    "uncertainty": "interval or noise",
    "reason": "why",
}
_HEAD = """# Evidence: which printed claims follow from the printed tables

    glotmix evidence                              # both studies
    glotmix evidence post-trainers-guide --json
"""
_READ = """## How to read it

1. **A claim is a declared check**: what was printed, where, and a quantity, a function of the study's own tables. These
   are in the package, cited; `src/glotmix/evidence/tables/README.md` says where every number is from.
2. **A rule sees numbers only** and gives the verdict: printed, recomputed, what rounding allows, interval or noise.
   This page is computed (`make evidence`); no verdict is written by hand, and a test says when it is no longer current.
3. **Numbers** are compared within the rounding of the tables: 95 % of the tables that round to the printed ones. Where
   that leaves more than ±0.02, agreement by rounding alone is "cannot tell". What only the plotted points give, or only
   languages that were not printed, depends on undisclosed data.
4. **Differences** are called real beyond noise only. What noise alone makes is "cannot tell": a peak, a plateau, or an
   equality not shown within 0.02.
5. **"Does not follow" is said of these tables**: no reading of them that is tried here gives what is printed. A reading
   nobody thought of, or data nobody printed, may. **"Cannot tell" is no verdict on the claim** either.
6. Scores and differences are from 0 to 1 (ratings / 5), unless the quantity names points.

The same tables are a table of means for your own questions:

    from glotmix import evidence
    evidence.table("post-trainers-guide").write_parquet("guide.parquet")      # then: glotmix analyze guide.parquet
"""
_NOISE = """## How sure the verdicts are

1. **One run per setting**, and three runs of one setting at 7B: noise has to be assumed. It is taken from neighbours on
   the same curve, pooled with the three runs if they exist, or from counts of test items; the larger holds (`luck.py`).
2. **This was chosen after results had been seen**, not before. So was the rule that compares numbers within rounding.
3. **It errs towards "cannot tell"** where a curve really moves between neighbours: that counts as noise, intervals get
   wider, and neither a difference nor an equality is shown so easily. It errs towards being too sure if neighbours have
   their luck in common (nested data) or languages move together more than is assumed where items are counted.
4. **The other way** is that of `glotmix analyze`: items, and for luck the three runs with 2 degrees of freedom at 7B
   (wide), an assumed luck at the other models (1.5 points at 40 %: a guess for them)."""


def checks_table(checks: pl.DataFrame) -> list[Table | str]:
    """A table per study, the verdicts coloured; what does not follow last, where a terminal ends."""
    places = {verdict: place for place, verdict in enumerate(reversed(_SHOWN))}
    rank = pl.col("verdict").replace_strict(places, return_dtype=pl.Int8)
    parts = checks.group_by("study", maintain_order=True)
    return [
        part
        for (study,), own in parts
        for part in (_terminal(str(study), own.sort(rank, maintain_order=True)), f"{study}: {_counts(own)}\n")
    ]


def _terminal(study: str, own: pl.DataFrame) -> Table:
    table = Table(title=Text(STUDIES[study], "table.title"), title_justify="left", box=None, pad_edge=False)
    for name, ratio in (("claim", 4), ("printed", 2), ("recomputed", 4), ("verdict", 2), ("why", 5)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for row in own.iter_rows(named=True):
        verdict = Text(row["verdict"], COLOURS[row["verdict"]])
        said = Text.assemble(Text(row["id"], "bold"), "\n", row["claim"])
        found = Text(f"{row['recomputed']}\n{row['uncertainty']}")
        table.add_row(said, Text(row["printed"]), found, verdict, Text(row["reason"]))
    return table


def _counts(own: pl.DataFrame) -> str:
    counts = ", ".join(f"{_of(own, verdict)} {verdict}" for verdict in VERDICTS)
    return f"{len(own)} claims: {counts}"


def page(checks: pl.DataFrame) -> str:
    """`docs/evidence.md`."""
    parts = [_HEAD, _summary(checks), _READ, _sureness(checks)]
    for (study,), own in checks.group_by("study", maintain_order=True):
        parts += [f"## {study}\n\n{STUDIES[str(study)]}\n", *_sections(own)]
    return "\n".join(parts)


def _summary(checks: pl.DataFrame) -> str:
    rows = [["study", "claims", *VERDICTS], ["---", *["---:"] * (len(VERDICTS) + 1)]]
    for (study,), own in checks.group_by("study", maintain_order=True):
        counts = [str(_of(own, verdict)) for verdict in VERDICTS]
        rows.append([f"`{study}`", str(len(own)), *counts])
    return _lines(rows)


def _sureness(checks: pl.DataFrame) -> str:
    tested = checks.filter(pl.col("p").is_not_null())
    decided = tested.filter(pl.col("verdict").is_in([FOLLOWS, NOT]))
    close = decided.filter(pl.col("p").is_between(0.01, 0.05))
    others = checks.filter(pl.col("verdict") != pl.col("otherwise"))
    rows = [["claim", "here", "the other way"], ["---"] * 3]
    rows += [list(row) for row in others.select("id", "verdict", "otherwise").iter_rows()]
    named = ", ".join(f"{name} ({p:.3f})" for name, p in close.select("id", "p").iter_rows())
    said = [
        f"   Of {len(tested)} verdicts with a test, {len(others)} would be others:\n",
        _lines(rows),
        f"5. **Many tests.** p is of its claim alone. Of {len(tested)} tests {len(decided)} decide: "
        f"{_of(decided, FOLLOWS)} follow, {_of(decided, NOT)} do not; the other {_of(checks, NOT) - _of(decided, NOT)} "
        f"that do not follow are exact or by rounding.",
        f"   {len(close)} of the {len(decided)} have p between 1 % and 5 %, {_of(close, NOT)} that do not follow among "
        f"them: {named}.",
        f"   Holm's correction over all {len(tested)} would leave {_holm(tested['p'].to_list())}.\n",
    ]
    return "\n".join([_NOISE, *said])


def _holm(p: list[float]) -> int:
    """How many of the tests Holm's step-down correction (1979) lets stand."""
    held = (value * (len(p) - rank) < 1 - LEVEL for rank, value in enumerate(sorted(p)))
    return sum(takewhile(bool, held))


def _of(checks: pl.DataFrame, verdict: str) -> int:
    return int((checks["verdict"] == verdict).sum())


def _sections(own: pl.DataFrame) -> Iterator[str]:
    for verdict in _SHOWN:
        rows = own.filter(verdict=verdict)
        if len(rows):
            yield f"### {verdict.capitalize()} ({len(rows)})\n\n{_markdown(rows)}"


def _markdown(rows: pl.DataFrame) -> str:
    head = [list(_COLUMNS.values()), ["---"] * len(_COLUMNS)]
    return _lines(head + [[_cell(row, name) for name in _COLUMNS] for row in rows.iter_rows(named=True)])


def _cell(row: dict[str, Any], name: str) -> str:
    text = f"**{row['id']}** {row['claim']}" if name == "id" else row[name]
    return str(text).replace("|", "\\|")


def _lines(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"


FILE = Path("docs") / "evidence.md"
