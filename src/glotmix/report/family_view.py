"""Pictures of a family of settings: curves along rows per language, or a line per setting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from glotmix.analysis.families import Family, short
from glotmix.analysis.scores import Setting
from glotmix.report import charts, text
from glotmix.report.figures import Figure


@dataclass(frozen=True)
class FamilyView:
    """Settings with one baseline: figures per model (means by role) and per language.

    In a family that is not `curved` figures have a line per setting, or per language if there is a single setting; then
    `panels` is empty. `together` are the panels of curves as one figure, for a paper.
    """

    title: str
    curved: bool
    means: dict[str, Figure]
    panels: dict[str, Markup]
    together: Figure | None = None


def family_view(
    family: Family,
    task: str,
    title: str,
    accuracy: pl.DataFrame,
    means: pl.DataFrame,
    top: float,
    measure: str,
    colours: Mapping[str, str],
) -> FamilyView:
    """Of one task. `accuracy` by language and `means` by role are of all its models; scores reach to `top`."""
    own = family.mixtures if family.curved else family.settings
    accuracy, means = (_placed(table, own) for table in (accuracy, means))
    if family.curved:
        return _curves(task, title, accuracy, means, top, measure, colours)
    return _dots(task, title, own, accuracy, means, top, colours)


def _curves(
    task: str,
    title: str,
    accuracy: pl.DataFrame,
    means: pl.DataFrame,
    top: float,
    measure: str,
    colours: Mapping[str, str],
) -> FamilyView:
    titles = ("rows per training language", measure)
    figures = {}
    for model, part in _by_model(means):
        chart = charts.curves(part.with_columns(series="role"), charts.ROLE_COLOURS, top, 460, 270, titles)
        figures[model] = Figure("curves", task, model, title, chart, _numbers(part))
    by, palette = ("model", colours) if len(colours) > 1 else ("role", charts.ROLE_COLOURS)
    drawn = _labelled(accuracy).with_columns(series=by)
    if drawn.is_empty():  # no language that all runs have
        return FamilyView(title, True, figures, {})
    one = next(iter(figures)) if len(figures) == 1 else ""
    together = Figure("languages", task, one, title, charts.panels(drawn, palette, top, titles), _numbers(accuracy))
    return FamilyView(title, True, figures, dict(_panels(drawn, palette, top)), together)


def _dots(
    task: str,
    title: str,
    settings: Sequence[Setting],
    accuracy: pl.DataFrame,
    means: pl.DataFrame,
    top: float,
    colours: Mapping[str, str],
) -> FamilyView:
    many = len(settings) > 1
    figures = {}
    for model, part in _by_model(means if many else _labelled(accuracy)):
        chart = charts.dots(part.with_columns(series="role"), charts.ROLE_COLOURS, top)
        figures[model] = Figure("settings", task, model, title, chart, _numbers(part))
    exposed = {(setting.name, tag) for setting in settings for tag in setting.train_languages}
    return FamilyView(title, False, figures, dict(_dot_panels(accuracy, exposed, colours, top)) if many else {})


def _placed(table: pl.DataFrame, settings: Sequence[Setting]) -> pl.DataFrame:
    order = {setting.name: place for place, setting in enumerate(settings)}
    return table.filter(pl.col("setting").is_in(list(order))).with_columns(
        label=pl.col("setting").map_elements(short, pl.String),
        place=pl.col("setting").replace_strict(order, default=None),
    )


def _by_model(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (model,), part in frame.sort("place", maintain_order=True).group_by("model", maintain_order=True):
        yield str(model), part


def _labelled(accuracy: pl.DataFrame) -> pl.DataFrame:
    return accuracy.with_columns(label=pl.col("language").map_elements(text.label, pl.String))


def _numbers(drawn: pl.DataFrame) -> pl.DataFrame:
    return drawn.drop("label", "place")


def _panels(drawn: pl.DataFrame, palette: Mapping[str, str], top: float) -> Iterator[tuple[str, Markup]]:
    """Curves per language, in the colour of its role, or of the models where there are several."""
    for (tag,), part in drawn.group_by("language", maintain_order=True):
        yield str(tag), charts.svg(charts.curves(part, palette, top))


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
        yield str(tag), charts.svg(charts.dots(part.with_columns(series=by), palette, top, width=220))
