"""What the page shows of every task and model, made ready for the template."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from glotmix.analysis import accuracy_by_language
from glotmix.report import charts, text
from glotmix.report.cards import Card, cards
from glotmix.report.tables import (
    Cell,
    FindingGroup,
    VerdictRow,
    finding_groups,
    heat_cells,
    scores_by_role,
    verdict_rows,
    verdict_shares,
)


@dataclass(frozen=True)
class ModelView:
    """One model at one task. `curve` is None in a design with one count of rows; cells are per setting."""

    model: str
    cards: list[Card]
    curve: Markup | None
    role_cells: dict[str, list[Cell | None]]
    cells: dict[str, list[Cell | None]]
    verdicts: dict[str, Markup]
    verdict_rows: list[VerdictRow]
    findings: list[FindingGroup]


@dataclass(frozen=True)
class TaskView:
    """`panels` holds curves per language; in a design with one count of rows it is empty, and `dots` has all."""

    task: str
    measure: str
    top: float
    settings: list[str]
    models: list[ModelView]
    panels: dict[str, Markup]
    dots: dict[str, Markup]


@dataclass(frozen=True)
class _Tables:
    findings: pl.DataFrame
    accuracy: pl.DataFrame
    means: pl.DataFrame
    shares: pl.DataFrame

    def of(self, **keys: str) -> "_Tables":
        return _Tables(*(table.filter(**keys) for table in vars(self).values()))


def task_views(results: pl.DataFrame, findings: pl.DataFrame, roles: Mapping[str, str]) -> list[TaskView]:
    """One view per task. `roles` gives the languages in the order to show them."""
    order = {tag: place for place, tag in enumerate(roles)}
    accuracy = accuracy_by_language(results).sort(pl.col("language").replace_strict(order), "rows_per_language")
    tables = _Tables(findings, accuracy, scores_by_role(results), verdict_shares(results))
    colours = charts.model_colours(results["model"].unique().sort().to_list())
    return [
        _task_view(str(task), part, tables.of(task=str(task)), roles, colours)
        for (task,), part in sorted(results.group_by("task"))
    ]


def _task_view(
    task: str, results: pl.DataFrame, tables: _Tables, roles: Mapping[str, str], colours: Mapping[str, str]
) -> TaskView:
    top = charts.ceiling(tables.accuracy.select(pl.max_horizontal("estimate", "high").max()).item() or 0.0)
    rows = dict(results.select("setting", "rows_per_language").unique().sort("rows_per_language").iter_rows())
    models = results["model"].unique().sort().to_list()
    curved = _curved(tables)
    return TaskView(
        task=task,
        measure="accuracy" if results["value"].is_in([0.0, 1.0]).all() else "score",
        top=top,
        settings=list(rows),
        models=[_model_view(model, tables.of(model=model), rows, top, roles) for model in models],
        panels=dict(_panels(tables.accuracy, colours, top)) if curved else {},
        dots={} if curved else {model: _dots(tables.of(model=model).accuracy, top) for model in models},
    )


def _model_view(
    model: str, tables: _Tables, rows_per_language: Mapping[str, int], top: float, roles: Mapping[str, str]
) -> ModelView:
    settings = list(rows_per_language)
    means = tables.means.with_columns(series="role")
    return ModelView(
        model=model,
        cards=cards(tables.findings, rows_per_language, roles),
        curve=charts.curves(means, charts.ROLE_COLOURS, top, width=460, height=270) if _curved(tables) else None,
        role_cells=heat_cells(means, "role", settings, top),
        cells=heat_cells(tables.accuracy, "language", settings, top),
        verdicts={tag: charts.verdict_bars(tables.shares.filter(language=tag), settings) for tag in roles},
        verdict_rows=verdict_rows(tables.shares, list(roles), settings),
        findings=finding_groups(tables.findings),
    )


def _curved(tables: _Tables) -> bool:
    return tables.accuracy["rows_per_language"].n_unique() > 1


def _panels(accuracy: pl.DataFrame, colours: Mapping[str, str], top: float) -> Iterator[tuple[str, Markup]]:
    """Curves per language, in the colour of its role, or of the models where there are several."""
    by, palette = ("model", colours) if len(colours) > 1 else ("role", charts.ROLE_COLOURS)
    for (tag,), part in accuracy.group_by("language", maintain_order=True):
        yield str(tag), charts.curves(part.with_columns(series=by), palette, top)


def _dots(accuracy: pl.DataFrame, top: float) -> Markup:
    return charts.dots(accuracy.with_columns(label=pl.col("language").map_elements(text.label, pl.String)), top)
