"""What the page shows of every task, family of settings and model, made ready for the template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl
from markupsafe import Markup

from glotmix.analysis import accuracy_by_language
from glotmix.analysis.families import Family, families, short
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Scores, Setting, read_scores
from glotmix.report import charts, text
from glotmix.report.cards import Card, cards
from glotmix.report.languages import Confusion, confusion
from glotmix.report.metrics import MetricTable, metric_table
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

WIDE = 8  # settings from which tables have them down the side


@dataclass(frozen=True)
class FamilyView:
    """Settings with one baseline: figures per model (means by role) and per language.

    In a family that is not `curved` figures have a line per setting, or per language if there is a single setting; then
    `panels` is empty.
    """

    title: str
    curved: bool
    means: dict[str, Markup]
    panels: dict[str, Markup]


@dataclass(frozen=True)
class Block:
    """The answer in brief of one family, at `setting`."""

    title: str
    setting: str
    cards: list[Card]


@dataclass(frozen=True)
class ModelView:
    """One model at one task: cards per family, findings by design, cells by role or language, one per setting."""

    model: str
    cards: list[Block]
    role_cells: dict[str, list[Cell | None]]
    cells: dict[str, list[Cell | None]]
    verdicts: dict[str, Markup]
    verdict_rows: list[VerdictRow]
    metrics: MetricTable | None
    findings: dict[str, list[FindingGroup]]


@dataclass(frozen=True)
class TaskView:
    """`settings` are those of all families, in the order of cells; `wide` if there are many.

    `graded` if answers are more than right or wrong.
    """

    task: str
    measure: str
    graded: bool
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


def task_views(results: pl.DataFrame, findings: pl.DataFrame, roles: Mapping[str, str]) -> list[TaskView]:
    """One view per task. `roles` gives the languages in the order to show them."""
    order = {tag: place for place, tag in enumerate(roles)}
    accuracy = accuracy_by_language(results).sort(pl.col("language").replace_strict(order), maintain_order=True)
    tables = _Tables(findings, accuracy, scores_by_role(results), verdict_shares(results))
    scores = list(read_scores(results))
    colours = charts.model_colours(results["model"].unique().sort().to_list())
    return [
        _task_view(
            str(task), part, tables.of(task=str(task)), [own for own in scores if own.task == task], roles, colours
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
) -> TaskView:
    top = charts.ceiling(tables.accuracy.select(pl.max_horizontal("estimate", "high").max()).item() or 0.0)
    found = families(scores)
    titles = dict(zip(found, _titles(found), strict=True))
    settings = [setting for family in found for setting in family.settings]
    graded = not results["value"].is_in([0.0, 1.0]).all()
    return TaskView(
        task=task,
        measure="score" if graded else "accuracy",
        graded=graded,
        confusion=confusion(results, list(roles)),
        top=top,
        settings=settings,
        wide=len(settings) > WIDE,
        families=[_family_view(family, title, tables, top, colours) for family, title in titles.items()],
        models=[
            _model_view(own, results.filter(model=own.model), tables.of(model=own.model), titles, settings, top, roles)
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
    roles: Mapping[str, str],
) -> ModelView:
    names = [setting.name for setting in settings]
    told = [_block(family, title, tables.findings, scores, roles) for family, title in titles.items()]
    designs = {
        family.design: [setting.name for setting in settings if setting.design == family.design] for family in titles
    }
    by_design = {
        design: finding_groups(tables.findings.filter(pl.col("setting").is_in(own))) for design, own in designs.items()
    }
    shown = [short(name) if len(designs) == 1 else name for name in names]
    tested = [tag for tag in roles if tag in scores.tested]
    shares = tables.shares.with_columns(pl.col("setting").replace(dict(zip(names, shown, strict=True))))
    return ModelView(
        model=scores.model,
        cards=[block for block in told if block.cards],
        role_cells=heat_cells(tables.means, "role", names, top),
        cells=heat_cells(tables.accuracy, "language", names, top),
        verdicts={tag: charts.verdict_bars(shares.filter(language=tag), shown) for tag in tested},
        verdict_rows=verdict_rows(shares, tested, shown),
        metrics=metric_table(results, list(titles), list(roles)),
        findings={design: groups for design, groups in by_design.items() if groups},
    )


def _block(family: Family, title: str, findings: pl.DataFrame, scores: Scores, roles: Mapping[str, str]) -> Block:
    own = replace(family, settings=tuple(of for of in family.settings if scores.place(of.name) is not None))
    last = own.furthest
    if last is None:
        return Block(title, "", [])
    groups = language_groups(scores, last)
    return Block(title, last.name, cards(findings, own, {tag: groups[tag] for tag in roles if tag in scores.languages}))


def _family_view(family: Family, title: str, tables: _Tables, top: float, colours: Mapping[str, str]) -> FamilyView:
    own = family.mixtures if family.curved else family.settings
    order = {setting.name: place for place, setting in enumerate(own)}
    accuracy, means = (
        table.filter(pl.col("setting").is_in(list(order))).with_columns(
            label=pl.col("setting").map_elements(short, pl.String),
            place=pl.col("setting").replace_strict(order, default=None),
        )
        for table in (tables.accuracy, tables.means)
    )
    models = means["model"].unique(maintain_order=True).to_list()
    if family.curved:
        return FamilyView(title, True, dict(_mean_curves(means, models, top)), dict(_panels(accuracy, colours, top)))
    if len(own) == 1:
        return FamilyView(title, False, dict(_by_language(accuracy, models, top)), {})
    exposed = {(setting.name, tag) for setting in own for tag in setting.train_languages}
    return FamilyView(
        title, False, dict(_mean_dots(means, models, top)), dict(_dot_panels(accuracy, exposed, colours, top))
    )


def _mean_curves(means: pl.DataFrame, models: Sequence[str], top: float) -> Iterator[tuple[str, Markup]]:
    for model in models:
        own = means.filter(model=model).with_columns(series="role")
        yield model, charts.curves(own, charts.ROLE_COLOURS, top, width=460, height=270)


def _mean_dots(means: pl.DataFrame, models: Sequence[str], top: float) -> Iterator[tuple[str, Markup]]:
    for model in models:
        own = means.filter(model=model).sort("place", maintain_order=True).with_columns(series="role")
        yield model, charts.dots(own, charts.ROLE_COLOURS, top)


def _by_language(accuracy: pl.DataFrame, models: Sequence[str], top: float) -> Iterator[tuple[str, Markup]]:
    labelled = accuracy.with_columns(label=pl.col("language").map_elements(text.label, pl.String), series="role")
    for model in models:
        yield model, charts.dots(labelled.filter(model=model), charts.ROLE_COLOURS, top)


def _panels(accuracy: pl.DataFrame, colours: Mapping[str, str], top: float) -> Iterator[tuple[str, Markup]]:
    """Curves per language, in the colour of its role, or of the models where there are several."""
    by, palette = ("model", colours) if len(colours) > 1 else ("role", charts.ROLE_COLOURS)
    for (tag,), part in accuracy.group_by("language", maintain_order=True):
        yield str(tag), charts.curves(part.with_columns(series=by), palette, top)


def _dot_panels(
    accuracy: pl.DataFrame, exposed: set[tuple[str, str]], colours: Mapping[str, str], top: float
) -> Iterator[tuple[str, Markup]]:
    """A line per setting for each language, in the colour of what it is to the setting, or of the models."""
    for (tag,), part in accuracy.sort("place", maintain_order=True).group_by("language", maintain_order=True):
        seen = pl.col("setting").is_in([setting for setting, own in exposed if own == tag])
        trained = pl.when(seen).then(pl.when(role="anchor").then(pl.lit("anchor")).otherwise(pl.lit("seen")))
        by, palette = (
            ("model", colours) if len(colours) > 1 else (trained.otherwise(pl.lit("unseen")), charts.ROLE_COLOURS)
        )
        yield str(tag), charts.dots(part.with_columns(series=by), palette, top, width=220)
