"""What makes a mean vary: the choice of test items, and the luck of a run. As variances, and as draws.

1. Items. All languages of an item, and all runs that answered it, move together: items are resampled, not answers.
2. Runs. Within a setting the seeds' means differ by more than the items' chance: that is a run's luck. Each seed's mean
   carries item-by-seed noise that 1. has counted already, so the residual of the two-way table of seeds and items is
   taken off (crossed random effects; Cameron, Gelbach & Miller 2011 for the same inclusion and exclusion in two-way
   clustering). A setting with one seed borrows the luck of settings with several, scaled by sqrt(p (1 - p)).
3. `parts` gives both for a smooth function of the means, to first order. `draws` gives what a cluster bootstrap gives,
   for functions that have a maximum, a rank or a fit in them.
4. A table of means has no items. Its cells vary as the counts of items say, and move together as `_SHARED` assumes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from glotmix.analysis.scores import Array, Mask, Scores

DRAWS = 10_000
MANY = 1e6  # degrees of freedom with which t is normal
_CHUNK = 2_000_000  # resampling weights held at once
_NO_SPREAD = 1e-12


# Correlations over items. Measured on the lab (math, two settings of three seeds, eight languages, 200 items): 0.36,
# 0.48 and 0.37; each is rounded to the side that promises less
ITEM_CORRELATION = 0.35  # between a run of one setting and one of another
SEED_CORRELATION = 0.50  # between two runs of one setting
LANGUAGE_CORRELATION = 0.50  # of what a setting does to an item, in two languages


class _Shared(NamedTuple):
    """Shares of an answer's variance that the cells of a test set have in common; sums give the correlations above."""

    everywhere: float
    setting: float
    language: float
    cell: float
    run: float


_BY_SETTING = SEED_CORRELATION - ITEM_CORRELATION
_SHARED = _Shared(
    everywhere=0.75 * ITEM_CORRELATION,
    setting=_BY_SETTING * LANGUAGE_CORRELATION,
    language=0.25 * ITEM_CORRELATION,
    cell=_BY_SETTING * (1 - LANGUAGE_CORRELATION),
    run=1 - SEED_CORRELATION,
)


class Parts(NamedTuple):
    """Variance of an estimate by the choice of items, and between seeds; `n` test items, 0 if not known."""

    items: float  # NaN: not known
    item_degrees: float
    seeds: list["SeedTerm"]
    n: int
    basis: str


class SeedTerm(NamedTuple):
    """Variance of the estimate between seeds, and the part of it that the items' variance includes."""

    between: float
    residual: float
    degrees: int


def parts(scores: Scores, settings: Sequence[int], slopes: Array) -> Parts:
    """Of a function of the (settings, languages) means whose derivatives are `slopes`."""
    touched = (slopes != 0).any(axis=0)
    if scores.sampling is not None:
        return _parts_of_means(scores, settings, slopes, touched)
    items = scores.used[touched].any(axis=0)
    n = int(items.sum())
    if n < 2:
        return Parts(np.nan, np.nan, [], n, "")
    own = [_influence(scores, index, slope, items) for index, slope in zip(settings, slopes, strict=True)]
    variance = float(np.var(sum(table.mean(axis=0) for table in own), ddof=1)) * n
    return Parts(variance, n - 1, _seed_terms(scores, settings, slopes, items), n, _basis("items", scores))


def _basis(items: str, scores: Scores) -> str:
    return f"{items} and seeds" if scores.replicated else items


def _parts_of_means(scores: Scores, settings: Sequence[int], slopes: Array, touched: Mask) -> Parts:
    assert scores.sampling is not None
    counts = scores.items[touched]
    n = int(counts.min()) if touched.any() and not np.isnan(counts).any() else 0
    terms = _seed_terms(scores, settings, slopes, np.ones(1, bool))
    reach = np.where(slopes == 0, 0.0, slopes * np.sqrt(scores.sampling[list(settings)]))
    if np.isnan(reach).any():
        return Parts(0.0 if terms else np.nan, MANY, terms, n, "seeds alone, items not counted")
    single = np.array([(_SHARED.cell + _SHARED.run / scores.seeds[index]) for index in settings])
    variance = (
        _SHARED.everywhere * reach.sum() ** 2
        + _SHARED.setting * (reach.sum(axis=1) ** 2).sum()
        + _SHARED.language * (reach.sum(axis=0) ** 2).sum()
        + (single[:, None] * reach**2).sum()
    )
    chance = _SHARED.run * (reach**2).sum()
    residual = [term._replace(residual=min(term.between, chance / max(scores.seeds))) for term in terms]
    return Parts(float(variance), MANY, residual, n, _basis("item counts, assumed correlations", scores))


def _influence(scores: Scores, setting: int, slope: Array, items: Mask) -> Array:
    """u[s, i] / n: what item i in the run of seed s adds to the estimate, (seeds, items)."""
    centred = (scores.values[setting] - scores.means[setting][:, None]) * scores.used  # (seeds, languages, items)
    weighted: Array = np.einsum("l,sli->si", slope / scores.used.sum(axis=1), centred[:, :, items])
    return weighted


def _scale(scores: Scores, setting: int, lender: int) -> Array:
    """Noise at a setting per noise at its lender, by language: sqrt(p (1 - p)), as shares of answers have it."""
    own, lent = (np.sqrt(scores.means[index] * (1 - scores.means[index])) for index in (setting, lender))
    scale: Array = np.divide(own, lent, out=np.zeros_like(own), where=lent > 0)
    return scale


def _seed_terms(scores: Scores, settings: Sequence[int], slopes: Array, items: Mask) -> list[SeedTerm]:
    """One term per group of settings that seed noise was measured on."""
    terms: dict[tuple[int, ...], list[SeedTerm]] = defaultdict(list)
    for setting, slope in zip(settings, slopes, strict=True):
        source = (setting,) if setting in scores.replicated else scores.replicated
        if source:
            tables = [_influence(scores, index, slope * _scale(scores, setting, index), items) for index in source]
            terms[source].append(_seed_term(tables, seeds=scores.seeds[setting]))
    return [  # terms of one source rise and fall together: they share its degrees of freedom
        SeedTerm(sum(term.between for term in group), sum(term.residual for term in group), group[0].degrees)
        for group in terms.values()
    ]


def _seed_term(tables: list[Array], seeds: int) -> SeedTerm:
    """Two-way analysis of variance pooled over (seeds, items) tables, for a mean over `seeds` seeds."""
    n = tables[0].shape[1]
    degrees = sum(len(table) - 1 for table in tables)
    between = sum(float(np.var(table.sum(axis=1)) * len(table)) for table in tables) / degrees
    rests = [table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean() for table in tables]
    residual = sum(float((rest**2).sum()) for rest in rests) / (degrees * max(1, n - 1)) * n
    return SeedTerm(between / seeds, residual / seeds, degrees)


def draws(scores: Scores, count: int = DRAWS) -> Array:
    """(count, settings, languages): means as they might have come out, with other test items and other seeds.

    Items are drawn with replacement, all languages and runs of an item together. Seeds are too few to be drawn from:
    their luck is normal with the covariance over languages that settings with several seeds show (2. above), wider by
    the chance in that covariance itself. Models that answered the same items of a task get the same draws of items.
    NaN where a table of means tells neither counts of items nor has seeds.
    """
    random = np.random.default_rng(crc32(f"{scores.model}/{scores.task}".encode()))
    drawn = _drawn_items(scores, count) if scores.sampling is None else _drawn_counts(scores, count, random)
    return drawn + _drawn_luck(scores, count, random)


def _drawn_items(scores: Scores, count: int) -> Array:
    n = scores.used.shape[1]
    random = np.random.default_rng(crc32(scores.task.encode()))
    answered = np.stack([value.mean(axis=0) for value in scores.values])  # (settings, languages, items)
    flat, used = answered.reshape(-1, n).T, scores.used.T.astype(float)
    found = [
        ((weights @ flat).reshape(len(weights), *answered.shape[:2]), weights @ used)
        for weights in _weights(random, count, n)
    ]
    sums, items = (np.concatenate(part) for part in zip(*found, strict=True))
    drawn: Array = sums / np.maximum(items, 1)[:, None, :]
    return drawn


def _weights(random: np.random.Generator, count: int, n: int) -> Iterator[Array]:
    """(draws, items): how often each item is drawn, some draws at a time."""
    step = max(1, _CHUNK // n)
    for start in range(0, count, step):
        yield random.multinomial(n, np.full(n, 1 / n), size=min(step, count - start)).astype(float)


def _drawn_counts(scores: Scores, count: int, random: np.random.Generator) -> Array:
    assert scores.sampling is not None
    settings, languages = scores.means.shape
    known = (
        scores.sampling if not np.isnan(scores.sampling).all() or not scores.replicated else np.zeros_like(scores.means)
    )
    single = np.sqrt([_SHARED.cell + _SHARED.run / seeds for seeds in scores.seeds])
    moved = (
        np.sqrt(_SHARED.everywhere) * random.standard_normal((count, 1, 1))
        + np.sqrt(_SHARED.setting) * random.standard_normal((count, settings, 1))
        + np.sqrt(_SHARED.language) * random.standard_normal((count, 1, languages))
        + single[:, None] * random.standard_normal((count, settings, languages))
    )
    drawn: Array = scores.means + moved * np.sqrt(known)
    return drawn


def _drawn_luck(scores: Scores, count: int, random: np.random.Generator) -> Array:
    """(count, settings, languages): the luck of runs, averaged over a setting's seeds."""
    settings, languages = scores.means.shape
    if not scores.replicated:
        return np.zeros((1, settings, languages))
    covariance, degrees = luck(scores)
    levels, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(levels.clip(min=0))  # what chance makes of no luck at all may be below 0
    drawn = random.standard_normal((count, settings, languages)) @ root.T
    wider = np.sqrt(degrees / random.chisquare(degrees, (count, 1, 1)))
    share = np.sqrt(scores.means * (1 - scores.means)) / np.sqrt(np.array(scores.seeds))[:, None]
    luckier: Array = drawn * wider * share
    return luckier


def luck(scores: Scores) -> tuple[Array, int]:
    """(languages, languages): covariance of a run's luck in units of sqrt(p (1 - p)), pooled over all settings with
    several seeds, and its degrees of freedom. See 2. of this module."""
    degrees = sum(scores.seeds[index] - 1 for index in scores.replicated)
    found = np.zeros((len(scores.languages),) * 2)
    for index in scores.replicated:
        spread = np.sqrt(scores.means[index] * (1 - scores.means[index]))
        unit = np.divide(1, spread, out=np.zeros_like(spread), where=spread > _NO_SPREAD)
        found += np.outer(unit, unit) * _luck_of(scores, index)
    return found / degrees, degrees


def _luck_of(scores: Scores, setting: int) -> Array:
    """(languages, languages): the sum of squares of the seeds' means around the setting's, less the items' chance."""
    values = scores.values[setting]
    counts = scores.used.sum(axis=1)
    runs = values.sum(axis=2) / counts  # (seeds, languages)
    deviations = runs - runs.mean(axis=0)
    between: Array = deviations.T @ deviations
    if scores.sampling is not None:
        return between - np.diag(_SHARED.run * np.nan_to_num(scores.sampling[setting]) * (len(values) - 1))
    rest = (values - values.mean(axis=0) - deviations[:, :, None]) * scores.used
    residual: Array = np.einsum("sli,ski->lk", rest, rest) / np.outer(counts, counts)
    n = scores.used.shape[1]
    found: Array = between - residual * n / max(1, n - 1)
    return found
