"""Curves side by side at equal rows per language: one task alone or with others, one group of languages or another.

The mean of a panel is over the same languages in every curve, so that curves differ by what was trained on alone.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from glotmix.analysis.declared import Declared
from glotmix.analysis.interval import bounded, interval
from glotmix.analysis.scores import Scores
from glotmix.analysis.series import Series, series_of
from glotmix.analysis.targets import targets
from glotmix.report import charts
from glotmix.report.figures import Figure

TASKS, GROUPS = "tasks", "groups"
MEANS_SCHEMA = pl.Schema(
    {
        "series": pl.String(),
        "setting": pl.String(),
        "rows_per_language": pl.Int64(),
        "estimate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


def comparisons(scores: Scores, declared: Declared, measure: str) -> Iterator[Figure]:
    """Figures of the kinds `TASKS` and `GROUPS`, as far as the series of a model and task can be set side by side."""
    found = series_of(scores)
    for languages in dict.fromkeys(one.languages for one in found):
        own = {_by_tasks(one, scores.task): one for one in found if one.languages == languages and one.tasks}
        if len(own) > 1:
            for panel, columns in _roles(scores, languages).items():
                title = f"{panel}, trained on {' '.join(languages)}"
                yield _figure(scores, TASKS, title, own, columns, measure)
    for tasks in dict.fromkeys(one.tasks for one in found):
        own = {" ".join(one.languages): one for one in found if one.tasks == tasks}
        series = list(own.values())
        if len(own) > 1 and all(len(set(series[0].trained) & set(one.trained)) > 1 for one in series):
            for panel, (columns, whole) in targets(scores, (series[0], series[1]), declared).items():
                if whole:
                    title = f"{panel} ({' '.join(scores.languages[at] for at in columns)})"
                    told = f", {_by_tasks(series[0], scores.task)}" if tasks else ""
                    yield _figure(scores, GROUPS, title + told, own, columns, measure)


def _by_tasks(one: Series, task: str) -> str:
    others = [own for own in one.tasks if own != task]
    return f"{task} with {', '.join(others)}" if others else f"{task} alone"


def _roles(scores: Scores, languages: Sequence[str]) -> dict[str, list[int]]:
    anchor = scores.columns("anchor")
    seen = [at for at, tag in enumerate(scores.languages) if tag in languages and at not in anchor]
    unseen = [at for at in range(len(scores.languages)) if at not in anchor and at not in seen]
    found = {"seen languages": seen, "unseen languages": unseen, "anchor": anchor}
    return {name: columns for name, columns in found.items() if columns}


def _figure(
    scores: Scores, kind: str, title: str, series: Mapping[str, Series], columns: Sequence[int], measure: str
) -> Figure:
    rows = [
        (name, scores.settings[at].name, scores.settings[at].rows_per_language, *_mean(scores, at, columns))
        for name, one in series.items()
        for at in one.places.values()
    ]
    means = pl.DataFrame(rows, MEANS_SCHEMA, orient="row").fill_nan(None)
    top = charts.ceiling(means.select(pl.max_horizontal("estimate", "high").max()).item())
    colours = charts.line_colours(list(series))
    chart = charts.curves(means, colours, top, 380, 240, ("rows per training language", measure))
    return Figure(kind, scores.task, scores.model, title, chart, means, colours)


def _mean(scores: Scores, setting: int, columns: Sequence[int]) -> tuple[float, float, float]:
    mean = bounded(interval(scores, [setting], lambda means: float(means[0, list(columns)].mean())))
    return mean.estimate, mean.low, mean.high
