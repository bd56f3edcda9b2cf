"""What came out, as every page shows it: conclusions, figures, tables and the meaning of the words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.analysis.declared import Declared
from glotmix.analysis.table import ROLES, VERDICTS
from glotmix.report import charts
from glotmix.report.comparisons import GROUPS, TASKS
from glotmix.report.conclusions import conclusions
from glotmix.report.figures import SEEN_UNSEEN, Figure, forests
from glotmix.report.places import in_order, placed
from glotmix.report.tables import blocks
from glotmix.report.text import count
from glotmix.report.views import TaskView, task_views

KINDS = {"higher": "up", "lower": "down", "no difference": "same", "cannot tell": "open", "": "level"}
CONTROLS = {
    "holm": "adjusted by Holm's method for all findings of one name, model and task",
    "benjamini-hochberg": "adjusted by Benjamini and Hochberg's method for all findings of one name, model and task",
    "none": "adjusted for nothing, as declared",
}
COMPARED = {
    SEEN_UNSEEN: (
        "Seen against unseen",
        "A point is a setting, with both 95 % intervals; a line leads from few rows to many."
        " On the dashed line unseen languages score as high as seen"
        " ones; the further below it, the less is transferred.",
    ),
    TASKS: (
        "One task alone against several",
        "At equal rows of the task itself, on the same languages. Bands are 95 % intervals.",
    ),
    GROUPS: (
        "Groups of training languages",
        "At equal rows per language, on the same target languages; a mixture of more languages has more rows in all."
        " Bands are 95 % intervals.",
    ),
}
Compared = tuple[str, str, list[Figure]]  # heading, lead


@dataclass(frozen=True)
class Outcome:
    """`shown` is what templates take; `figures` are all there are, for a paper."""

    shown: dict[str, Any]
    figures: list[Figure]


def outcome(results: pl.DataFrame, findings: pl.DataFrame, roles: Mapping[str, str], declared: Declared) -> Outcome:
    """Of a results table or table of means that was checked. `roles`: its languages in the order to show them.

    Raises:
        UserError: see `read_scores`.
    """
    tasks = task_views(results, findings, roles, declared)
    told = in_order(findings.with_columns(pl.col("conclusion", "note", "compared_with").fill_null("")))
    designs = list(dict.fromkeys(own.design for task in tasks for own in task.settings if own.design))
    shown = {
        "tasks": tasks,
        "measured": [(task, view) for task in tasks for view in task.models if view.metrics],
        "graded": [task.task for task in tasks if task.graded],
        "runs": results.select("model", "setting", "seed").unique().height,
        "items": _items(results),
        "concluded": conclusions(placed(told)),
        "compared": list(_compared(tasks)),
        "blocks": blocks(told, designs, declared.margin),
        "bases": list(told.filter(pl.col("basis").fill_null("") != "")["basis"].value_counts(sort=True).iter_rows()),
        "declared": declared,
        "controls": CONTROLS,
        "kinds": KINDS,
        "roles": roles,
        "tags_of": {role: tags for role in ROLES if (tags := [tag for tag in roles if roles[tag] == role])},
        "verdicts": [name for name in VERDICTS if name != "unjudged" or name in _verdicts(results)],
        "role_colours": charts.ROLE_COLOURS,
        "mean_colour": charts.MEAN_COLOUR,
        "verdict_colours": charts.VERDICT_COLOURS,
        "model_colours": charts.model_colours(results["model"].unique().sort().to_list()),
    }
    return Outcome(shown, [*_drawn(tasks), *_forests(placed(told), declared)])


def _compared(tasks: Sequence[TaskView]) -> Iterator[Compared]:
    for kind, (heading, lead) in COMPARED.items():
        figures = [own for task in tasks for view in task.models for own in view.compared if own.kind == kind]
        if figures:
            yield heading, lead, figures


def _drawn(tasks: Sequence[TaskView]) -> Iterator[Figure]:
    for task in tasks:
        for family in task.families:
            yield from family.means.values()
            if family.together:
                yield family.together
        for view in task.models:
            yield from (*view.compared, *view.heatmaps)


def _forests(told: pl.DataFrame, declared: Declared) -> Iterator[Figure]:
    for (task, model), part in told.group_by("task", "model", maintain_order=True):
        yield from forests(part, declared, str(task), str(model))


def _items(results: pl.DataFrame) -> str:
    """`200`, or `200 to 250`; nothing where a table of means does not tell."""
    if "item_id" in results.columns:
        numbers = results.group_by("task", "language").agg(pl.col("item_id").n_unique())["item_id"]
    else:
        numbers = results["n_items"].drop_nulls() if "n_items" in results.columns else pl.Series([], dtype=pl.Int64)
    ends = sorted({int(number) for number in (numbers.min(), numbers.max()) if isinstance(number, int)})
    return " to ".join(map(count, ends))


def _verdicts(results: pl.DataFrame) -> set[str]:
    return set(results["verdict"]) if "verdict" in results.columns else set()
