"""A pool's check as one HTML file: the findings, and of each some rows with their text.

The page stays small enough to open: of many findings fewer rows are shown, with shorter texts, and folded up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.pool.checks import EXAMPLES, CheckReport
from glotmix.report.html import render_page, write_page
from glotmix.report.pool_tables import name_of, place_of, rows_of, share_of
from glotmix.report.samples import Clipped
from glotmix.version import version

TEXT_CHARACTERS = 1_500
PAGE_CHARACTERS = 2_000_000  # of all texts together
ROWS = 1_000  # of all findings together; every finding shows one
UNFOLDED = 50  # findings
Texts = Mapping[str, tuple[str, str | None, str | None]]  # row_id: language, prompt, answer


@dataclass(frozen=True)
class Row:
    """One row; `language` is its own, `detail` what the check saw in it."""

    row_id: str
    language: str
    prompt: Clipped
    answer: Clipped
    detail: str = ""


@dataclass(frozen=True)
class FindingView:
    severity: str
    check: str
    place: str
    rows: str
    share: str
    says: str
    examples: list[tuple[Row, Row | None]]  # each with the row it clashes with


def write_pool_page(report: CheckReport, out: Path) -> None:
    """Writes the page of a check to the file `out`.

    Raises:
        GlotmixError: the file can't be written.
    """
    write_page(render_pool_page(report), out)


def render_pool_page(report: CheckReport) -> str:
    """The page as text; see `write_pool_page`."""
    return render_page(
        "pool_page.html.j2",
        pool=report.pool,
        evaluation=report.evaluation,
        findings=list(_views(report)),
        unfolded=len(report.findings) <= UNFOLDED,
        errors=report.findings.filter(severity="error").height,
        looked_at=list(report.looked_at.iter_rows(named=True)),
        glotmix_version=version(),
    )


def _views(report: CheckReport) -> Iterator[FindingView]:
    texts = {row[0]: row[1:] for row in report.texts.iter_rows()}
    each = max(1, min(EXAMPLES, ROWS // max(1, len(report.findings))))
    limit = min(TEXT_CHARACTERS, PAGE_CHARACTERS // max(1, 2 * each * len(report.findings)))
    place = ["check", "severity", "task", "language", "split"]
    shown = report.findings.select(*place, row_id=pl.col("examples").list.head(each)).explode("row_id")
    rows = report.rows.join(shown, on=[*place, "row_id"], how="semi", maintain_order="left")
    examples = rows.partition_by(place, as_dict=True)
    for finding in report.findings.iter_rows(named=True):
        yield FindingView(
            severity=finding["severity"],
            check=name_of(finding),
            place=place_of(finding),
            rows=rows_of(finding),
            share=share_of(finding),
            says=finding["finding"],
            examples=[
                _example(row, texts, limit)
                for row in examples[tuple(finding[name] for name in place)].iter_rows(named=True)
                if row["row_id"] in finding["examples"]
            ],
        )


def _example(row: Mapping[str, Any], texts: Texts, limit: int) -> tuple[Row, Row | None]:
    other = row["other"]
    return _row(row["row_id"], texts, limit, row["detail"]), None if other is None else _row(other, texts, limit)


def _row(row_id: str, texts: Texts, limit: int, detail: str = "") -> Row:
    language, prompt, answer = texts[row_id]
    return Row(row_id, language, _clip(prompt, limit), _clip(answer, limit), detail)


def _clip(text: str | None, limit: int) -> Clipped:
    return Clipped((text or "")[:limit], len(text or ""))
