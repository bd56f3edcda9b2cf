"""The report of anyone's results: a page, findings as tables, and every figure with its numbers. No study is needed."""

from pathlib import Path

import polars as pl

from glotmix.analysis import Declared, check_means, check_results
from glotmix.analysis.table import ROLES
from glotmix.errors import GlotmixError
from glotmix.report.export import write_figures, write_findings
from glotmix.report.html import render_page, write_page
from glotmix.report.outcome import outcome
from glotmix.version import version


def write_analysis(
    title: str, results: pl.DataFrame, findings: pl.DataFrame, out: Path, declared: Declared | None = None
) -> None:
    """Writes report.html, findings.{json,csv,tex} and figures/<name>.{svg,png,csv,tex} to the folder `out`. What else
    is there stays.

    Args:
        results: a results table, or a table of means (no column `item_id`).
        findings: `findings(results, declared=declared)`.

    Raises:
        UserError: `results` is neither.
        GlotmixError: a file can't be written.
    """
    table = check_results(results) if "item_id" in results.columns else check_means(results)
    found = outcome(table, findings, _roles(table), declared or Declared())
    page = render_page(
        "analysis.html.j2", title=title, findings=len(findings), judged=False, version=version(), **found.shown
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GlotmixError(f"{out}: can't make the folder ({error.strerror}); choose another") from error
    write_page(page, out / "report.html")
    write_findings(findings, out)
    write_figures(found.figures, out / "figures")


def _roles(table: pl.DataFrame) -> dict[str, str]:
    """Every language, by role and tag."""
    known = dict(table.select("language", "role").unique().iter_rows())
    return dict(sorted(known.items(), key=lambda own: (ROLES.index(own[1]), own[0])))
