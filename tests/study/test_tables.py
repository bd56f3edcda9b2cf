"""Tables on a terminal show names, reasons and model texts as they are: brackets are no markup, colons no emoji."""

import io

import polars as pl
import pytest
from rich.console import Console

from glotmix.analysis.quantities import SEEN_GAIN
from glotmix.analysis.table import FINDINGS_SCHEMA
from glotmix.report.findings_table import findings_table
from glotmix.study.budget import PLAN_SCHEMA
from glotmix.study.study import STATUS_SCHEMA
from glotmix.study.tables import FEW_RUNS, View, plain_table, plan_table, status_table

ODD = "[red]/[/tmp/x] :smile: \\"
RUN = {
    "run": ODD, "design": ODD, "model": ODD, "tasks": ["math"], "setting": "n=0", "seed": 0, "rows": 1,
    "steps": 1, "tokens": 1,
    "rows_by_language": [{"task": "math", "language": "en", "rows": 1}], "done": False, "shares_training_with": ODD,
}  # fmt: skip
STATUS = {"run": ODD, "state": "failed", "trained": False, "evaluated": 0, "evaluations": 4, "reason": ODD}
FINDING = {
    "name": SEEN_GAIN,
    "model": ODD,
    "task": ODD,
    "setting": ODD,
    "unit": "score",
    "estimate": 0.1,
    "low": 0.0,
    "high": 0.2,
    "n": 10,
}


def drawn(view: View, frame: pl.DataFrame) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    for part in view(frame):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("view", "frame", "times"),
    [
        (plan_table, pl.DataFrame([RUN], schema=PLAN_SCHEMA), 2),
        (plan_table, pl.DataFrame([RUN] * (FEW_RUNS + 1), schema=PLAN_SCHEMA), 2),
        (status_table, pl.DataFrame([STATUS], schema=STATUS_SCHEMA), 2),
        (
            findings_table,
            pl.DataFrame([FINDING, FINDING | {"model": "other", "task": "other"}], schema=FINDINGS_SCHEMA),
            4,
        ),
        (plain_table, pl.DataFrame({ODD: [ODD]}), 2),
    ],
)
def test_text_of_others_is_shown_as_it_is(view, frame, times):
    assert drawn(view, frame).count(ODD) == times
