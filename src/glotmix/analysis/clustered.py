"""Least squares for rows that are not independent: which terms can be told, with what error, and what is predicted.

1. A term is told if no sum of the others equals it (`untold` says why not).
2. Rows of one cluster err alike. The variance is clustered one way (statsmodels, with its correction for few clusters)
   and several ways (Cameron, Gelbach & Miller 2011), and the largest is taken, with t of clusters - 1 degrees; one less
   again for every term that differs only between these clusters, if this one does.
3. A term that differs only between models is worth as many points as there are models: their means, less the other
   terms, are regressed on all such terms (Donald & Lang 2007), and the larger of both errors is taken.
4. R2 out of sample is 1 - squared errors / squared distances from the mean of all rows, each row predicted by a fit
   without its fold. Its interval resamples units.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from glotmix.analysis.interval import LEVEL, Interval, from_draws, undefined
from glotmix.analysis.noise import DRAWS
from glotmix.analysis.scores import Array

FEWEST = 5  # clusters
MODELS = "models"
Codes = NDArray[np.int64]
Columns = Mapping[str, Array]
_FOLDS = 10
_RESAMPLED = 10  # with 5, resampling covers 72 to 79 % of what other studies give
_SMALL = 1e-9


class _Error(NamedTuple):
    size: float
    degrees: int
    by: str


def untold(columns: Columns) -> dict[str, str]:
    """The terms that the rows cannot tell, with the reason."""
    constant = {name for name, column in columns.items() if np.ptp(column) < _SMALL}
    why = dict.fromkeys(constant, "it is the same in all rows")
    varied = {name: column for name, column in columns.items() if name not in constant}
    for name, column in varied.items():
        others = {other: values for other, values in varied.items() if other != name}
        matrix = _matrix(others, len(column))
        made = _solved(matrix, column)
        if np.abs(matrix @ made - column).max() < _SMALL:
            partners = [other for other, part in zip(others, made[1:], strict=True) if abs(part) > _SMALL]
            why[name] = f"it always goes with {' and '.join(partners)}"
    return why


def slopes(
    score: Array, columns: Columns, clusters: Mapping[str, Codes], by_items: Callable[[Array], tuple[float, int]]
) -> dict[str, Interval]:
    """Of every term that the rows can tell.

    Args:
        clusters: codes of the rows; `MODELS` must be among them.
        by_items: the standard error, and its degrees of freedom, of a sum of rows with weights (rows,) by the choice of
            test items.
    """
    import statsmodels.api as sm  # slow to import

    why = untold(columns)
    kept = {name: columns[name] for name in _independent(columns, [name for name in columns if name not in why])}
    fitted = sm.OLS(score, _matrix(kept, len(score))).fit()
    errors: dict[str, list[_Error]] = {name: [] for name in kept}
    for name, error in (
        *_clustered(fitted, kept, clusters),
        *_between_models(score, kept, fitted.params, clusters[MODELS]),
        *(
            (name, _Error(*by_items(of), "test items"))
            for name, of in zip(kept, fitted.model.pinv_wexog[1:], strict=True)
        ),
    ):
        errors[name].append(error)
    numbers = zip(kept, fitted.params[1:], fitted.conf_int(1 - LEVEL)[1:], strict=True)
    return {
        name: _interval(float(found), errors[name], plain, len(score), clusters)
        for name, found, plain in numbers
        if name not in why
    }


def _interval(estimate: float, errors: list[_Error], plain: Array, n: int, clusters: Mapping[str, Codes]) -> Interval:
    if not errors or any(error.degrees < 1 for error in errors):
        counts = " and ".join(f"{len(np.unique(codes))} {of}" for of, codes in clusters.items())
        return undefined(f"{counts} are too few for it", n, estimate)
    half, widest = max((float(stdtrit(error.degrees, (1 + LEVEL) / 2)) * error.size, error) for error in errors)
    note = f"rows taken as independent: {plain[0]:.3f} to {plain[1]:.3f}"
    few = f"; {widest.degrees} degrees of freedom" if widest.degrees < 2 * FEWEST else ""
    basis = f"least squares, errors by {widest.by}"
    return Interval(
        estimate, estimate - half, estimate + half, widest.size, widest.degrees, n, note + few, basis, "cells"
    )


def _clustered(fitted: Any, kept: Columns, clusters: Mapping[str, Codes]) -> Iterator[tuple[str, _Error]]:
    """By each, by two and by three together: inclusion and exclusion of the clusters that they make by crossing."""
    enough = {of: codes for of, codes in clusters.items() if len(np.unique(codes)) >= FEWEST}
    single = {crossed: _variances(fitted, [enough[of] for of in crossed]) for crossed in _subsets(tuple(enough))}
    for chosen in single:
        variances = sum((-1) ** (len(crossed) + 1) * single[crossed] for crossed in _subsets(chosen))
        for name, variance in zip(kept, np.atleast_1d(variances), strict=True):
            if variance > 0:  # of several ways, it may come out below 0
                degrees = min(_degrees(kept, name, enough[of]) for of in chosen)
                yield name, _Error(float(np.sqrt(variance)), degrees, " and ".join(chosen))


def _subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [some for size in range(1, len(names) + 1) for some in combinations(names, size)]


def _variances(fitted: Any, crossed: list[Codes]) -> Array:
    """(terms,): one way, by the clusters that crossing makes."""
    groups = np.unique(np.stack(crossed), axis=1, return_inverse=True)[1].ravel()
    variances: Array = np.diag(fitted.get_robustcov_results("cluster", groups=groups).cov_params())[1:]
    return variances


def _degrees(kept: Columns, name: str, codes: Codes) -> int:
    between = _constant_within(kept, codes)
    return len(np.unique(codes)) - 1 - (len(between) if name in between else 0)


def _constant_within(columns: Columns, codes: Codes) -> list[str]:
    """Terms that differ only between clusters."""
    _, first = np.unique(codes, return_index=True)
    sample = first[np.unique(codes, return_inverse=True)[1]]  # of each row, the first row of its cluster
    return [name for name, column in columns.items() if np.abs(column - column[sample]).max() < _SMALL]


def _between_models(score: Array, kept: Columns, found: Array, models: Codes) -> Iterator[tuple[str, _Error]]:
    between = _constant_within(kept, models)
    if not between:
        return
    rest = score - sum(slope * kept[name] for name, slope in zip(kept, found[1:], strict=True) if name not in between)
    _, first, codes = np.unique(models, return_index=True, return_inverse=True)
    means: Array = np.bincount(codes, rest) / np.bincount(codes)
    matrix = _matrix({name: kept[name][first] for name in between}, len(means))
    degrees = len(means) - matrix.shape[1]
    spread = ((means - matrix @ _solved(matrix, means)) ** 2).sum() / max(1, degrees)
    variances = np.diag(np.linalg.pinv(matrix.T @ matrix))[1:] * spread
    for name, variance in zip(between, variances, strict=True):
        yield name, _Error(float(np.sqrt(variance)), degrees, MODELS)


def out_of_sample(score: Array, columns: Columns, folds: Codes, units: Codes, counted: str) -> Interval:
    """R2 where each fold is predicted from the others; with `counted` units resampled."""
    codes = np.unique(units, return_inverse=True)[1]
    squares = (score - _predicted(score, columns, folds)) ** 2, (score - score.mean()) ** 2
    missed, spread = (np.bincount(codes, each) for each in squares)
    estimate, n = float(1 - missed.sum() / spread.sum()), len(missed)
    if n < _RESAMPLED:
        return undefined(f"{n} {counted} are too few to say how it varies", n, estimate)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    drawn = 1 - (weights @ missed) / (weights @ spread)
    return from_draws(estimate, drawn, n, basis=f"{counted} resampled", counted=counted)


def into_folds(codes: Codes) -> Codes:
    """At most 10, in none of which is a part of a cluster."""
    names, codes = np.unique(codes, return_inverse=True)
    folds: Codes = np.random.default_rng(0).permutation(len(names))[codes] % _FOLDS
    return folds


def _predicted(score: Array, columns: Columns, folds: Codes) -> Array:
    """What does not vary in the other folds is worth nothing there."""
    matrix, predicted = _matrix(columns, len(score))[:, 1:], np.empty_like(score)
    for fold in np.unique(folds):
        out, known = folds == fold, folds != fold
        centre = matrix[known].mean(axis=0)
        found = _solved(matrix[known] - centre, score[known] - score[known].mean())
        predicted[out] = score[known].mean() + (matrix[out] - centre) @ found
    return predicted


def _independent(columns: Columns, told: list[str]) -> list[str]:
    """The terms told, and of the others as many as are no sum of those before."""
    kept = list(told)
    for name, column in columns.items():
        others = _matrix({other: columns[other] for other in kept}, len(column))
        if name not in kept and np.abs(others @ _solved(others, column) - column).max() > _SMALL:
            kept.append(name)
    return kept


def _matrix(columns: Columns, rows: int) -> Array:
    """(rows, 1 + columns), a constant first."""
    return np.column_stack([np.ones(rows), *columns.values()])


def _solved(matrix: Array, values: Array) -> Array:
    return np.asarray(np.linalg.lstsq(matrix, values, rcond=None)[0], np.float64)
