"""What the page shows of every task, family of settings and model, made ready for the template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl
from markupsafe import Markup

from glotmix.analysis import Declared, accuracy_by_language
from glotmix.analysis.families import Family, families, short
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Scores, Setting, read_scores
from glotmix.report import charts
from glotmix.report.cards import Card, cards
from glotmix.report.comparisons import comparisons
from glotmix.report.family_view import FamilyView, family_view
from glotmix.report.figures import Figure, heatmaps, scatter
from glotmix.report.languages import Confusion, confusion
from glotmix.report.metrics import MetricTable, metric_table
from glotmix.report.tables import (
    Cell,
    VerdictRow,
    heat_cells,
    scores_by_role,
    verdict_rows,
    verdict_shares,
)

WIDE = 8  # settings from which tables have them down the side


@dataclass(frozen=True)
class Answer:
    """In brief, of one family, at `setting`."""

    title: str
    setting: str
    cards: list[Card]


@dataclass(frozen=True)
class ModelView:
    """One model at one task, at `settings`: cards per family, cells by role or language, one per setting of the task.
    `compared` are figures that set settings or series side by side; `heatmaps` show for a paper what the cells do on a
    page."""

    model: str
    settings: frozenset[str]
    cards: list[Answer]
    role_cells: dict[str, list[Cell | None]]
    cells: dict[str, list[Cell | None]]
    verdicts: dict[str, Markup]
    verdict_rows: list[VerdictRow]
    metrics: MetricTable | None
    compared: list[Figure]
    heatmaps: list[Figure]


@dataclass(frozen=True)
class TaskView:
    """`settings` are those of all families, in the order of cells; `wide` if there are many.

    `graded` if answers are more than right or wrong; `verdicts` if the results tell them.
    """

    task: str
    measure: str
    graded: bool
    verdicts: bool
    confusion: Confusion | None
    top: float
    settings: list[Setting]
    wide: bool
    families: list[FamilyView]
    models: list[ModelView]


@dataclass(frozen=True)
class _Tables:
    findings: pl.DataFrame
    accuracy: pl.DataFrame
    means: pl.DataFrame
    shares: pl.DataFrame

    def of(self, **keys: str) -> "_Tables":
        return _Tables(*(table.filter(**keys) for table in vars(self).values()))


def task_views(
    results: pl.DataFrame, findings: pl.DataFrame, roles: Mapping[str, str], declared: Declared
) -> list[TaskView]:
    """One view per task. `roles` gives the languages in the order to show them."""
    order = {tag: place for place, tag in enumerate(roles)}
    accuracy = accuracy_by_language(results).sort(pl.col("language").replace_strict(order), maintain_order=True)
    tables = _Tables(findings, accuracy, scores_by_role(results), verdict_shares(results))
    scores = list(read_scores(results))
    colours = charts.model_colours(results["model"].unique().sort().to_list())
    return [
        _task_view(
            str(task),
            part,
            tables.of(task=str(task)),
            [own for own in scores if own.task == task],
            roles,
            colours,
            declared,
        )
        for (task,), part in sorted(results.group_by("task"))
    ]


def _task_view(
    task: str,
    results: pl.DataFrame,
    tables: _Tables,
    scores: Sequence[Scores],
    roles: Mapping[str, str],
    colours: Mapping[str, str],
    declared: Declared,
) -> TaskView:
    top = charts.ceiling(tables.accuracy.select(pl.max_horizontal("estimate", "high").max()).item() or 0.0)
    found = families(scores)
    titles = dict(zip(found, _titles(found), strict=True))
    settings = [setting for family in found for setting in family.settings]
    graded = "item_id" in results.columns and not results["value"].is_in([0.0, 1.0]).all()
    measure = "accuracy" if "item_id" in results.columns and not graded else "score"
    return TaskView(
        task=task,
        measure=measure,
        graded=graded,
        verdicts=not tables.shares.is_empty(),
        confusion=confusion(results, list(roles)),
        top=top,
        settings=settings,
        wide=len(settings) > WIDE,
        families=[
            family_view(family, task, title, tables.accuracy, tables.means, top, measure, colours)
            for family, title in titles.items()
        ],
        models=[
            _model_view(
                own,
                results.filter(model=own.model),
                tables.of(model=own.model),
                titles,
                settings,
                top,
                measure,
                roles,
                declared,
            )
            for own in scores
        ],
    )


def _titles(found: Sequence[Family]) -> Iterator[str]:
    """By design, and by baseline where a design has several; nothing where there is one family."""
    designs = [family.design for family in found]
    for family in found:
        against = f"against {short(family.baseline)}" if family.baseline else "other settings"
        parts = (family.design, against if designs.count(family.design) > 1 else "")
        yield ", ".join(filter(None, parts))


def _model_view(
    scores: Scores,
    results: pl.DataFrame,
    tables: _Tables,
    titles: Mapping[Family, str],
    settings: Sequence[Setting],
    top: float,
    measure: str,
    roles: Mapping[str, str],
    declared: Declared,
) -> ModelView:
    names = [setting.name for setting in settings]
    told = [_answer(family, title, tables.findings, scores, roles, declared) for family, title in titles.items()]
    shown = [short(name) if len({setting.design for setting in settings}) == 1 else name for name in names]
    tested = [tag for tag in roles if tag in scores.tested]
    shares = tables.shares.with_columns(pl.col("setting").replace(dict(zip(names, shown, strict=True))))
    return ModelView(
        model=scores.model,
        settings=frozenset(setting.name for setting in scores.settings),
        cards=[block for block in told if block.cards],
        role_cells=heat_cells(tables.means, "role", names, top),
        cells=heat_cells(tables.accuracy, "language", names, top),
        verdicts={tag: charts.verdict_bars(shares.filter(language=tag), shown) for tag in tested if len(shares)},
        verdict_rows=verdict_rows(shares, tested, shown) if len(shares) else [],
        metrics=metric_table(results, list(titles), list(roles)),
        compared=[
            *scatter(_by_design(tables.means, settings), scores.task, scores.model, measure),
            *comparisons(scores, declared, measure),
        ],
        heatmaps=list(heatmaps(tables.accuracy, names, scores.task, scores.model, top)),
    )


def _by_design(means: pl.DataFrame, settings: Sequence[Setting]) -> pl.DataFrame:
    """In the order of the settings, with the design of each."""
    order = pl.DataFrame({"setting": [own.name for own in settings], "design": [own.design for own in settings]})
    return order.join(means, on="setting", maintain_order="left_right")


def _answer(
    family: Family,
    title: str,
    findings: pl.DataFrame,
    scores: Scores,
    roles: Mapping[str, str],
    declared: Declared,
) -> Answer:
    own = replace(family, settings=tuple(of for of in family.settings if scores.place(of.name) is not None))
    last = own.furthest
    if last is None:
        return Answer(title, "", [])
    groups = language_groups(scores, last)
    shown = {tag: groups[tag] for tag in roles if tag in scores.languages}
    return Answer(title, last.name, cards(findings, own, shown, declared.margin))
