"""One self-contained HTML file: what was asked, what came out, how sure that is, and how to get it again.

1. The page loads nothing and runs nothing: a content security policy forbids both, and all figures are inline SVG.
2. Every text is escaped; control characters are shown as symbols; long outputs are cut, with a note.
3. The same inputs give the same bytes.
"""

from pathlib import Path

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from glotmix.analysis.table import ROLES, VERDICTS
from glotmix.errors import GlotmixError
from glotmix.language import Language
from glotmix.report import charts, text
from glotmix.report.families import SENTENCES, short
from glotmix.report.info import StudyInfo
from glotmix.report.samples import CORRECT, FAILED, pick
from glotmix.report.views import task_views

HERE = Path(__file__).parent
CONTROL = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}


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
    html = render(info, results, findings, samples)
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise GlotmixError(
            f"{out}: can't write the report ({error.strerror}); free space or choose a folder"
        ) from error


def render(info: StudyInfo, results: pl.DataFrame, findings: pl.DataFrame, samples: pl.DataFrame) -> str:
    """The page as text; see `write_report`."""
    present = results["language"].unique()
    roles = {tag: role for tag, role in info.roles.items() if tag in present}
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            info=info,
            css=Markup((HERE / "report.css").read_text(encoding="utf-8")),
            tasks=task_views(results, findings, roles),
            runs=results["run"].n_unique(),
            sentences=SENTENCES,
            answers=len(results),
            items=results.group_by("task", "language").agg(pl.col("item_id").n_unique())["item_id"].max(),
            samples=pick(samples),
            limits=(CORRECT, FAILED),
            roles=roles,
            tags_of={role: tags for role in ROLES if (tags := [tag for tag in roles if roles[tag] == role])},
            verdicts=VERDICTS,
            role_colours=charts.ROLE_COLOURS,
            verdict_colours=charts.VERDICT_COLOURS,
            model_colours=charts.model_colours(results["model"].unique().sort().to_list()),
        )
    )
    return page.translate(CONTROL)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"count": text.count, "duration": text.duration, "short": short}
    environment.globals["language"] = Language.get
    return environment
