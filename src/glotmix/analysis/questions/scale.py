"""What larger models gain more or less of: the trend of a quantity over model sizes, per tenfold parameters.

For every quantity of `quantities.py` at a setting that several models have (gains of the anchor, seen and unseen
languages, the gap, performance relative to the anchor), and for the mean score of all but the anchor:

1. Random-effects meta-regression over models, y = a + b log10(parameters) + u + e. Here y is a model's estimate, e its
   error with known covariance V, and u, with variance tau^2, what sets models apart beside size: data, recipe, family.
   tau^2 by restricted maximum likelihood; b by generalised least squares with weights (V + tau^2 I)^-1, its interval
   by t with k - 2 degrees and the variance of Knapp & Hartung (2003, Statistics in Medicine 22:2693), not below that of
   known tau^2 (Roever, Knapp & Friede 2015, BMC Medical Research Methodology 15:99).
2. Models that answered the same items err together, which a trend is free of: V has each model's own variance on its
   diagonal, and beside it the covariance by items, from leaving out one item at a time for all models at once (the
   jackknife; Efron & Stein 1981, Annals of Statistics 9:586). Without items models count as independent: wider.
3. Two models of two sizes give a difference, which is no trend; all else than size is in it. One size gives nothing.

The unit is score (or ratio) per decade. Families and training data usually change with size, so a trend is no effect of
size. Where a table with several models tells no `parameters`, it is refused.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.optimize import minimize_scalar
from scipy.special import stdtrit

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.families import averaged
from glotmix.analysis.interval import LEVEL, Interval, undefined
from glotmix.analysis.noise import MANY
from glotmix.analysis.quantities import Level, Quantity, measure, quantities, told_of
from glotmix.analysis.scores import Array, Scores

_TREND, _DIFFERENCE = "scale trend of", "difference between sizes of"
_SCORE = "score of all but the anchor"
OVER = " over all settings"
_NOT_ALL = 1 - 1e-6  # two models with the same answers are still two
_NAMED = 4  # models that are named, not counted
Key = tuple[str, str, str]  # name, where, definition
Asked = Iterator[tuple[Key, Scores, tuple[Quantity, ...]]]
Ask = Callable[[Sequence[Scores]], Asked]  # all that is asked of the models of one task


class Point(NamedTuple):
    """What one model says of a quantity, at one setting or averaged over several."""

    scores: Scores
    asked: tuple[Quantity, ...]
    found: Interval


def scale(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The trend of every quantity over model sizes, at each setting and over all that share a baseline."""
    return answer([_of_all], results, declared)


def of_sizes(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """For every task that several models are evaluated on, over the settings that all of them have."""
    return _of_tasks(tables, _averages)


def _of_all(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    return _of_tasks(tables, lambda models: chain(_single(models), _averages(models)))


def _of_tasks(tables: Sequence[Scores], ask: Ask) -> Iterator[Finding]:
    by_task: dict[str, list[Scores]] = defaultdict(list)
    for scores in tables:
        by_task[scores.task].append(scores)
    for task, models in by_task.items():
        known = [scores for scores in models if scores.parameters]
        unknown = [scores.model for scores in models if not scores.parameters]
        if len({scores.parameters for scores in known}) > 1:
            yield from _of_task(task, ask(known), f"left out {_few(unknown)}: no parameters told" if unknown else "")
        elif len(models) > 1 and unknown:
            why = undefined(f"no parameters told for {_few(unknown)}; add them in the column 'parameters'")
            yield Finding(f"{_TREND} {_SCORE}", "", task, "", "change per tenfold parameters", why)


def _of_task(task: str, all_asked: Asked, left_out: str) -> Iterator[Finding]:
    told: dict[Key, list[Point]] = defaultdict(list)
    lost: dict[Key, list[str]] = defaultdict(list)
    for key, scores, asked in all_asked:
        found = measure(scores, *asked)
        if np.isnan(found.standard_error):
            lost[key].append(scores.model)
        else:
            told[key].append(Point(scores, asked, found))
    for key, points in told.items():
        if len({point.scores.parameters for point in points}) > 1:
            missing = f"left out {_few(lost[key])}: not defined there" if lost[key] else ""
            yield _over_sizes(task, key, points, "; ".join(filter(None, (left_out, missing))))


def _single(models: Sequence[Scores]) -> Asked:
    for scores in models:
        for setting, own in enumerate(scores.settings):
            for quantity in _quantities(scores, setting):
                yield (quantity.name, own.name, quantity.definition), scores, (quantity,)


def _averages(models: Sequence[Scores]) -> Asked:
    """Of every design and baseline, over the settings that all models with it have."""
    found: dict[tuple[str, str, str], dict[Scores, dict[str, Quantity]]] = defaultdict(lambda: defaultdict(dict))
    for scores in models:
        for family, places in averaged(scores):
            for place in places:
                for quantity in _quantities(scores, place):
                    key = quantity.name, family.design, family.baseline
                    found[key][scores][scores.settings[place].name] = quantity
    for (name, design, _), by_model in found.items():
        shared = set.intersection(*map(set, by_model.values()))
        for scores, own in by_model.items():
            if asked := tuple(quantity for at, quantity in own.items() if at in shared):
                yield (f"{name}{OVER}", design, told_of(scores, asked)), scores, asked


def _few(models: Sequence[str]) -> str:
    return " ".join(models) if len(models) <= _NAMED else f"{len(models)} models"


def _quantities(scores: Scores, setting: int) -> Iterator[Quantity]:
    beside = [column for column, role in enumerate(scores.roles) if role != "anchor"]
    tags = " ".join(scores.languages[column] for column in beside)
    level = Level(f"mean of a(l, s) over {tags}", lambda means: means[:, beside].mean(axis=1), "")
    yield from quantities(scores, setting)
    if beside:
        yield Quantity(_SCORE, setting, level)


def _over_sizes(task: str, key: Key, points: Sequence[Point], note: str) -> Finding:
    name, setting, definition = key
    sizes = np.log10([float(point.scores.parameters or 0) for point in points])
    covariance = _covariance(points)
    if len(points) > 2:
        estimates = np.array([point.found.estimate for point in points])
        found, kind, change = _trend(sizes, estimates, covariance), _TREND, "change per tenfold parameters"
        told = "models may differ in more than size"
    else:
        found, kind, change = _difference(sizes, points, covariance), _DIFFERENCE, "larger minus smaller model"
        told = "two models are no trend: all else that differs is in it"
    if not (covariance - np.diag(covariance.diagonal())).any():
        found = replace(found, basis=f"{found.basis}, models as independent")
    first = points[0].asked[0]
    return Finding(
        f"{kind} {name}",
        "",
        task,
        setting,
        f"{change} of {definition}; {_models(points)}",
        found,
        first.other.name if first.other else "",
        unit="ratio" if first.level.ratio else "score",
        note="; ".join(filter(None, (told, note))),
    )


def _models(points: Sequence[Point]) -> str:
    ordered = sorted(points, key=lambda point: point.scores.parameters or 0)
    if len(points) <= _NAMED:
        return "models " + ", ".join(f"{point.scores.model} ({point.scores.parameters:,})" for point in ordered)
    low, high = (point.scores.parameters for point in (ordered[0], ordered[-1]))
    return f"{len(points)} models of {low:,} to {high:,} parameters"


def _trend(sizes: Array, estimates: Array, covariance: Array) -> Interval:
    """The slope, of three models or more."""
    design = np.column_stack([np.ones_like(sizes), sizes - sizes.mean()])
    weight = np.linalg.inv(covariance + np.eye(len(sizes)) * _heterogeneity(design, estimates, covariance))
    bread = np.linalg.inv(design.T @ weight @ design)
    slopes = bread @ design.T @ weight @ estimates
    rest = estimates - design @ slopes
    degrees = len(sizes) - 2
    wider = max(1.0, float(rest @ weight @ rest) / degrees)
    error = float(np.sqrt(bread[1, 1] * wider))
    return _interval(float(slopes[1]), error, degrees, len(sizes), "random effects over models (REML, Knapp-Hartung)")


def _heterogeneity(design: Array, estimates: Array, covariance: Array) -> float:
    """tau^2 by restricted maximum likelihood."""

    def loss(tau: float) -> float:
        total = covariance + np.eye(len(estimates)) * tau**2
        weight = np.linalg.inv(total)
        information = design.T @ weight @ design
        rest = estimates - design @ np.linalg.solve(information, design.T @ weight @ estimates)
        return float(np.linalg.slogdet(total)[1] + np.linalg.slogdet(information)[1] + rest @ weight @ rest)

    most = 10 * float(estimates.std() + np.sqrt(covariance.diagonal().max()))
    found = minimize_scalar(loss, bounds=(0, most), method="bounded", options={"xatol": most * 1e-6})
    return float(found.x**2) if found.fun < loss(0) else 0.0


def _difference(sizes: Array, points: Sequence[Point], covariance: Array) -> Interval:
    """Of two models: what items and seeds alone leave open."""
    sign = np.sign(sizes - sizes.mean())
    error = float(np.sqrt(sign @ covariance @ sign))
    degrees = min(point.found.degrees for point in points)
    estimate = float(sign @ [point.found.estimate for point in points])
    return _interval(estimate, error, degrees, 2, f"{points[0].found.basis} of two models")


def _interval(estimate: float, error: float, degrees: float, n: int, basis: str) -> Interval:
    half = float(stdtrit(min(degrees, MANY), (1 + LEVEL) / 2)) * error
    return Interval(estimate, estimate - half, estimate + half, error, degrees, n, "", basis, "models")


def _covariance(points: Sequence[Point]) -> Array:
    """(models, models): each model's variance, and what test items make them share."""
    errors = np.array([point.found.standard_error for point in points])
    first = points[0].scores
    if any(point.scores.sampling is not None or not np.array_equal(point.scores.used, first.used) for point in points):
        return np.diag(errors**2)
    without = np.stack([_without_each_item(point) for point in points])
    n = without.shape[1]
    shared: Array = np.cov(without) * (n - 1) ** 2 / n
    own = np.sqrt(shared.diagonal())
    most = np.divide(errors, own, out=np.ones_like(own), where=own > errors)  # items are part of a model's variance
    shared *= np.outer(most, most) * _NOT_ALL
    np.fill_diagonal(shared, errors**2)
    return shared


def _without_each_item(point: Point) -> Array:
    """(items,): the quantity on all items but one."""
    means = {at: _means_without(point.scores, at) for at in {at for own in point.asked for at in own.settings}}
    parts = [[own.level.of(means[at]) for at in own.settings] for own in point.asked]
    without: Array = np.mean([levels[0] - levels[1] if len(levels) > 1 else levels[0] for levels in parts], axis=0)
    return without


def _means_without(scores: Scores, setting: int) -> Array:
    """(items, languages)."""
    answered = scores.values[setting].mean(axis=0)
    counts = (scores.used.sum(axis=1)[:, None] - scores.used).T
    sums = (answered.sum(axis=1)[:, None] - answered).T
    means: Array = sums / np.maximum(counts, 1)
    return means
