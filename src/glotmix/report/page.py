"""One self-contained HTML file: what was asked, what came out, how sure that is, and how to get it again.

A page like all others (see `html`); its figures are inline SVG, and long outputs are cut, with a note.
"""

from pathlib import Path

import polars as pl

from glotmix.analysis.table import ROLES, VERDICTS
from glotmix.report import charts
from glotmix.report.html import render_page, write_page
from glotmix.report.info import StudyInfo
from glotmix.report.samples import CORRECT, FAILED, pick
from glotmix.report.selection import name_of, selection_view
from glotmix.report.text import LONGER, SENTENCES, count
from glotmix.report.views import task_views


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
    present = results["language"].unique()
    roles = {tag: role for tag, role in info.roles.items() if tag in present}
    tasks = task_views(results, findings, roles)
    return render_page(
        "report.html.j2",
        info=info,
        tasks=tasks,
        measured=[(task, view) for task in tasks for view in task.models if view.metrics],
        runs=results["run"].n_unique(),
        sentences=SENTENCES,
        differ=LONGER,
        answers=len(results),
        items=_from_to(results.group_by("task", "language").agg(pl.col("item_id").n_unique())["item_id"].to_list()),
        selection=selection_view(info.trainings, info.roles) if info.trainings else None,
        line_name=name_of,
        samples=pick(samples),
        limits=(CORRECT, FAILED),
        roles=roles,
        tags_of={role: tags for role in ROLES if (tags := [tag for tag in roles if roles[tag] == role])},
        verdicts=[name for name in VERDICTS if name != "unjudged" or name in results["verdict"]],
        role_colours=charts.ROLE_COLOURS,
        mean_colour=charts.MEAN_COLOUR,
        verdict_colours=charts.VERDICT_COLOURS,
        model_colours=charts.model_colours(results["model"].unique().sort().to_list()),
    )


def _from_to(numbers: list[int]) -> str:
    """`200`, or `200 to 250`."""
    return " to ".join(count(number) for number in sorted({min(numbers), max(numbers)}))
