"""What scorers measure beside the score: the mean of every metric per language, at a baseline and the furthest setting.

A metric's name says in brackets what it depends on, such as `rouge-l (jieba 0.42.1)`: a column has what stands before
the brackets, and a note below it what each language has in them. Levels only: differences are for findings.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from glotmix.analysis.families import Family
from glotmix.analysis.interval import bounded, interval
from glotmix.analysis.scores import Scores, read_scores
from glotmix.report.text import percent


@dataclass(frozen=True)
class Mean:
    """`interval` is empty where it is not defined."""

    value: str
    interval: str


@dataclass(frozen=True)
class Basis:
    """What a metric depends on, with the languages measured so (none if all are)."""

    metrics: tuple[str, ...]
    on: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class MetricTable:
    """Of one model and task. `rows` gives per language a cell for each metric and, within it, each setting.

    `metrics` maps each to its unit: % for one that lies between 0 and 1, else nothing.
    """

    metrics: dict[str, str]
    settings: tuple[str, ...]
    rows: dict[str, tuple[Mean | None, ...]]
    bases: tuple[Basis, ...]


def metric_table(results: pl.DataFrame, found: Sequence[Family], languages: Sequence[str]) -> MetricTable | None:
    """Of the results of one model and task; None if its answers have no metrics."""
    if "metrics" not in results.columns or not results["metrics"].list.len().sum():
        return None
    ends = [name for family in found for name in (family.baseline, family.furthest and family.furthest.name) if name]
    settings = [name for name in dict.fromkeys(ends) if name in set(results["setting"])]
    measured = _measured(results)
    metrics = measured["metric"].unique(maintain_order=True).to_list()
    units: dict[str, str] = {}
    means: dict[tuple[str, str, str], Mean] = {}
    for metric in metrics:
        own = measured.filter(metric=metric)
        scale = _Scale.of(own["value"])
        units[metric] = scale.unit
        means |= {(metric, *where): mean for where, mean in _means(own, scale, settings)}
    rows = {tag: tuple(means.get((metric, tag, name)) for metric in metrics for name in settings) for tag in languages}
    told = {tag: row for tag, row in rows.items() if any(row)}
    return MetricTable(units, tuple(settings), told, tuple(_bases(measured, list(told)))) if told else None


def _measured(results: pl.DataFrame) -> pl.DataFrame:
    """A record per answer and metric, `value` being the metric's and `metric` its name without brackets."""
    each = results.drop("value").explode("metrics").drop_nulls("metrics").unnest("metrics", separator=".")
    named = each.rename({"metrics.name": "name", "metrics.value": "value"}).filter(pl.col("value").is_finite())
    parts = named.with_columns(
        metric=pl.col("name").str.extract(r"(?s)^(.*?)(?: \(.*\))?$", 1),
        on=pl.col("name").str.extract(r"(?s) \((.*)\)$", 1),
    )
    many = pl.col("name").n_unique().over("metric", "language") > 1  # two versions of a tool: not one metric
    return parts.with_columns(
        metric=pl.when(many.any().over("metric")).then("name").otherwise("metric"), on=pl.col("on").fill_null("")
    )


@dataclass(frozen=True)
class _Scale:
    """Metrics of any range, brought to 0 to 1 for the intervals, and back."""

    low: float
    reach: float

    @staticmethod
    def of(values: pl.Series) -> "_Scale":
        low, high = min(0.0, *values), max(1.0, *values)
        return _Scale(low, high - low)

    @property
    def unit(self) -> str:
        return "%" if (self.low, self.reach) == (0, 1) else ""

    def told(self, share: float) -> str:
        value = self.low + self.reach * share
        return percent(value, 1) if self.unit else f"{value:.2f}"


def _means(measured: pl.DataFrame, scale: _Scale, settings: Sequence[str]) -> Iterator[tuple[tuple[str, str], Mean]]:
    shares = measured.with_columns((pl.col("value") - scale.low) / scale.reach, verdict=pl.lit("wrong"))
    for scores in read_scores(shares):
        for index, setting in enumerate(scores.settings):
            if setting.name in settings:
                for column, tag in enumerate(scores.languages):
                    yield (tag, setting.name), _mean(scores, index, column, scale)


def _mean(scores: Scores, setting: int, column: int, scale: _Scale) -> Mean:
    found = bounded(interval(scores, [setting], lambda means: float(means[0, column])))
    told = "" if math.isnan(found.low) else f"{scale.told(found.low)}–{scale.told(found.high)}"
    return Mean(scale.told(found.estimate), told)


def _bases(measured: pl.DataFrame, languages: Sequence[str]) -> Iterator[Basis]:
    """Metrics that depend on the same things in the same languages stand together."""
    pairs = measured.filter(pl.col("on") != "").select("metric", "on", "language").unique(maintain_order=True)
    order = measured["metric"].unique(maintain_order=True).to_list()
    by_basis: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (metric, on), own in pairs.group_by("metric", "on", maintain_order=True):
        there = set(own["language"])
        tags = tuple(tag for tag in languages if tag in there)
        by_basis.setdefault((str(on), tags), []).append(str(metric))
    for (on, tags), metrics in sorted(by_basis.items(), key=lambda basis: order.index(basis[1][0])):
        yield Basis(tuple(metrics), on, tags if len(tags) < len(languages) else ())
