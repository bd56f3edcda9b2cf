"""One self-contained HTML file: what was asked, what came out, how sure that is, and how to get it again.

A page like all others (see `html`); its figures are inline SVG, and long outputs are cut, with a note.
"""

from pathlib import Path

import polars as pl

from glotmix.report.export import write_figures, write_findings
from glotmix.report.html import render_page, write_page
from glotmix.report.info import StudyInfo
from glotmix.report.outcome import outcome
from glotmix.report.samples import CORRECT, FAILED, pick
from glotmix.report.selection import name_of, selection_view
from glotmix.report.text import LONGER, SENTENCES


def write_report(
    info: StudyInfo, results: pl.DataFrame, findings: pl.DataFrame, samples: pl.DataFrame, out: Path
) -> None:
    """Writes the report of a study to the file `out`.

    Args:
        results: of the runs done so far (`RESULTS_SCHEMA`).
        findings: `findings(results)`.
        samples: outputs to choose from (`SAMPLES_SCHEMA`); a few per task and language are shown.

    Raises:
        UserError: `results` is not a results table.
        GlotmixError: the file can't be written.
    """
    write_page(render(info, results, findings, samples), out)


def render(info: StudyInfo, results: pl.DataFrame, findings: pl.DataFrame, samples: pl.DataFrame) -> str:
    """The page as text; see `write_report`."""
    found = outcome(results, findings, _roles(info, results), info.declared)
    return render_page(
        "report.html.j2",
        info=info,
        sentences=SENTENCES,
        differ=LONGER,
        answers=len(results),
        judged=info.cost.judge is not None,
        selection=selection_view(info.trainings, info.roles) if info.trainings else None,
        line_name=name_of,
        samples=pick(samples),
        limits=(CORRECT, FAILED),
        version=info.glotmix_version,
        **found.shown,
    )


def export(info: StudyInfo, results: pl.DataFrame, findings: pl.DataFrame, out: Path) -> list[Path]:
    """Every figure of a study with its numbers, and its findings, as files in the folder `out`; returns the figures.

    Raises:
        GlotmixError: a file can't be written.
    """
    found = outcome(results, findings, _roles(info, results), info.declared)
    write_findings(findings, out)
    return write_figures(found.figures, out / "figures")


def _roles(info: StudyInfo, results: pl.DataFrame) -> dict[str, str]:
    present = results["language"].unique()
    return {tag: role for tag, role in info.roles.items() if tag in present}
