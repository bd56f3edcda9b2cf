"""What makes a mean vary: the choice of test items, and the luck of a run. As variances, and as draws.

1. Items. All languages of an item, and all runs that answered it, move together: items are resampled, not answers.
2. Runs. Within a setting the seeds' means differ by more than the items' chance: that is a run's luck. Each seed's mean
   carries item-by-seed noise that 1. has counted already, so the residual of the two-way table of seeds and items is
   taken off (crossed random effects; Cameron, Gelbach & Miller 2011 for the same inclusion and exclusion in two-way
   clustering).
3. Two or three seeds tell little of their own setting's luck. It is taken to be the same everywhere in units of
   sqrt(p (1 - p)), so all settings with several seeds measure it together, and those with one seed borrow it.
4. Where no setting has a second seed, luck is not zero: it is assumed, from study 1's three runs of Aya 23 7B that are
   the same but in name (n = 0 of tables 18-20, 11-13 and 4-6, eight languages). In units of sqrt(p (1 - p)), what all
   languages share deviates by 0.043 on MGSM, 0.008 on XL-Sum and 0.025 on Dolly, 0.029 pooled. What is a language's own
   deviates by 0.055, 0.023 and 0.029, 0.038 pooled, with the chance of single answers; MGSM's (250 items) leaves 0.031
   beyond it. Each is taken as 0.031: `RUN_LUCK` = 1.5 points at 40 %.
5. `parts` gives both for a smooth function of the means, to first order. `draws` gives what a cluster bootstrap gives,
   for functions that have a maximum, a rank or a fit in them.
6. A table of means has no items. Its cells vary as the counts of items say, and move together as `_SHARED` assumes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary
from zlib import crc32

import numpy as np

from glotmix.analysis.scores import Array, Mask, Scores

DRAWS = 10_000
MANY = 1e6  # degrees of freedom with which t is normal
_CHUNK = 2_000_000  # resampling weights held at once
RUN_LUCK = 0.015  # standard deviation in score units at 40 %: shared by all languages, and as much in each. See 4.
ASSUMED = (
    f"one seed everywhere: the luck of a run is assumed ({100 * RUN_LUCK:g} points at 40 %); "
    "a second seed at one setting measures it"
)

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
    """Variance of an estimate by the choice of items, and between runs; `n` test items, 0 if not known."""

    items: float  # NaN: not known
    item_degrees: float
    between: float  # of runs
    chance: float  # the part of `between` that `items` includes
    run_degrees: float
    n: int
    basis: str


class Luck(NamedTuple):
    """How runs of one setting differ, in units of sqrt(p (1 - p)), as sums over (languages, languages) / `degrees`."""

    between: Array
    chance: Array  # the part of `between` that is chance in single answers
    degrees: float


Known = TypeVar("Known")


def _once(of: Callable[[Scores], Known]) -> Callable[[Scores], Known]:
    """Worked out once for each table, and forgotten with it."""
    known: WeakKeyDictionary[Scores, Known] = WeakKeyDictionary()

    def kept(scores: Scores) -> Known:
        if scores not in known:
            known[scores] = of(scores)
        return known[scores]

    return kept


def parts(scores: Scores, settings: Sequence[int], slopes: Array) -> Parts:
    """Of a function of the (settings, languages) means whose derivatives are `slopes`."""
    touched = (slopes != 0).any(axis=0)
    between, chance, degrees = _between_runs(scores, settings, slopes)
    if scores.sampling is not None:
        items, n, basis = _items_of_means(scores, settings, slopes, touched)
        return Parts(items, MANY, between, chance, degrees, n, basis)
    rows = scores.used[touched].any(axis=0)
    n = int(rows.sum())
    if n < 2:
        return Parts(np.nan, np.nan, between, chance, degrees, n, "")
    weight = slopes / scores.used.sum(axis=1)
    own = [np.einsum("l,li->i", each, _centred(scores)[index]) for index, each in zip(settings, weight, strict=True)]
    variance = float(np.var(sum(own)[rows], ddof=1)) * n
    return Parts(variance, n - 1, between, chance, degrees, n, based_on("items", scores))


@_once
def _centred(scores: Scores) -> list[Array]:
    """Per setting (languages, items): the mean over seeds, minus that of its language."""
    return [
        (value.mean(axis=0) - mean[:, None]) * scores.used
        for value, mean in zip(scores.values, scores.means, strict=True)
    ]


def based_on(items: str, scores: Scores) -> str:
    return f"{items} and {'seeds' if scores.replicated else 'assumed luck of runs'}"


def _items_of_means(scores: Scores, settings: Sequence[int], slopes: Array, touched: Mask) -> tuple[float, int, str]:
    assert scores.sampling is not None
    counts = scores.items[touched]
    n = int(counts.min()) if touched.any() and not np.isnan(counts).any() else 0
    reach = np.where(slopes == 0, 0.0, slopes * np.sqrt(scores.sampling[list(settings)]))
    if np.isnan(reach).any():
        return 0.0 if scores.replicated else np.nan, n, "seeds alone, items not counted"
    single = np.array([(_SHARED.cell + _SHARED.run / scores.seeds[index]) for index in settings])
    variance = (
        _SHARED.everywhere * reach.sum() ** 2
        + _SHARED.setting * (reach.sum(axis=1) ** 2).sum()
        + _SHARED.language * (reach.sum(axis=0) ** 2).sum()
        + (single[:, None] * reach**2).sum()
    )
    return float(variance), n, based_on("item counts, assumed correlations", scores)


def _between_runs(scores: Scores, settings: Sequence[int], slopes: Array) -> tuple[float, float, float]:
    """Variance of the estimate between runs, the part of it that is chance in answers, and degrees of freedom."""
    found, index = _luck(scores), list(settings)
    reach = slopes * _spread(scores.means[index]) / np.sqrt(np.array(scores.seeds)[index])[:, None]
    between, chance = (float(np.einsum("sl,lk,sk->", reach, each, reach)) for each in (found.between, found.chance))
    return between, chance, found.degrees


def luck(scores: Scores) -> tuple[Array, float]:
    """(languages, languages): covariance of a run's luck in units of sqrt(p (1 - p)), pooled over all settings with
    several seeds or assumed, and its degrees of freedom. See 2. to 4. of this module."""
    found = _luck(scores)
    return found.between - found.chance, found.degrees


@_once
def _luck(scores: Scores) -> Luck:
    replicated, languages = list(scores.replicated), len(scores.languages)
    if not replicated:
        assumed = RUN_LUCK**2 / (0.4 * 0.6) * (1 + np.eye(languages))
        return Luck(assumed, np.zeros_like(assumed), MANY)
    degrees = np.array([scores.seeds[index] - 1 for index in replicated])
    unit = np.sqrt(degrees @ _spread(scores.means[replicated]) ** 2 / degrees.sum())
    apart = np.divide(1, unit, out=np.zeros_like(unit), where=unit > 0)
    between, chance = (sum(each) for each in zip(*(_between(scores, index) for index in replicated), strict=True))
    scale = np.outer(apart, apart) / degrees.sum()
    return Luck(between * scale, chance * scale, int(degrees.sum()))


def _between(scores: Scores, setting: int) -> tuple[Array, Array]:
    """(languages, languages): sums of squares of the seeds' means around the setting's, and chance's part."""
    values, counts = scores.values[setting], scores.used.sum(axis=1)
    runs = values.sum(axis=2) / counts  # (seeds, languages)
    deviations = runs - runs.mean(axis=0)
    between: Array = deviations.T @ deviations
    if scores.sampling is not None:
        return between, np.diag(_SHARED.run * np.nan_to_num(scores.sampling[setting]) * (len(values) - 1))
    rest = (values - values.mean(axis=0) - deviations[:, :, None]) * scores.used
    n = scores.used.shape[1]
    residual: Array = np.einsum("sli,ski->lk", rest, rest, optimize=True) / np.outer(counts, counts)
    return between, residual * n / max(1, n - 1)


def _spread(means: Array) -> Array:
    spread: Array = np.sqrt(means * (1 - means))
    return spread


@_once
def draws(scores: Scores) -> Array:
    """(DRAWS, settings, languages): means as they might have come out, with other test items and other seeds.

    Items are drawn with replacement, all languages and runs of an item together. Seeds are too few to be drawn from:
    their luck is normal, with a variance that is drawn as well (`_drawn_luck`). Models that answered the same items of
    a task get the same draws of items. NaN where a table of means tells neither counts of items nor has seeds.
    """
    random = np.random.default_rng(crc32(f"{scores.model}/{scores.task}".encode()))
    drawn = _drawn_items(scores) if scores.sampling is None else _drawn_counts(scores, random)
    drawn += _drawn_luck(scores, random)
    drawn.setflags(write=False)  # it is shared by all who ask
    return drawn


def _drawn_items(scores: Scores) -> Array:
    n = scores.used.shape[1]
    random = np.random.default_rng(crc32(scores.task.encode()))
    centred = np.stack(_centred(scores))  # (settings, languages, items)
    flat, used = centred.reshape(-1, n).T, scores.used.T.astype(float)
    drawn = np.empty((DRAWS, *scores.means.shape))
    for start, weights in _weights(random, n):
        part = drawn[start : start + len(weights)]
        np.matmul(weights, flat, out=part.reshape(len(weights), -1))
        part /= np.maximum(weights @ used, 1)[:, None, :]
    drawn += scores.means
    return drawn


def _weights(random: np.random.Generator, n: int) -> Iterator[tuple[int, Array]]:
    """(draws, items): how often each item is drawn, some draws at a time, from which draw on."""
    step = max(1, _CHUNK // n)
    for start in range(0, DRAWS, step):
        yield start, random.multinomial(n, np.full(n, 1 / n), size=min(step, DRAWS - start)).astype(float)


def _drawn_counts(scores: Scores, random: np.random.Generator) -> Array:
    assert scores.sampling is not None
    settings, languages = scores.means.shape
    known = np.nan_to_num(scores.sampling) if scores.replicated else scores.sampling
    single = np.sqrt([_SHARED.cell + _SHARED.run / seeds for seeds in scores.seeds])
    moved = (
        np.sqrt(_SHARED.everywhere) * random.standard_normal((DRAWS, 1, 1))
        + np.sqrt(_SHARED.setting) * random.standard_normal((DRAWS, settings, 1))
        + np.sqrt(_SHARED.language) * random.standard_normal((DRAWS, 1, languages))
        + single[:, None] * random.standard_normal((DRAWS, settings, languages))
    )
    drawn: Array = scores.means + moved * np.sqrt(known)
    return drawn


def _drawn_luck(scores: Scores, random: np.random.Generator) -> Array:
    """(DRAWS, settings, languages): the luck of runs, averaged over a setting's seeds.

    Each draw has a variance between runs that would fit what was measured, degrees * measured / chi-squared, less the
    chance in it, which is better known (a generalised pivot, as Weerahandi 1993 for variance components): what all
    languages share and the rest apart, because chance is a small part of the one and a large part of the other, and
    because few seeds do not tell how much of luck is shared.
    """
    found, languages = _luck(scores), len(scores.languages)
    levels, axes = np.linalg.eigh(found.between)
    root = axes * np.sqrt(levels.clip(min=0))
    drawn: Array = random.standard_normal((DRAWS, *scores.means.shape)) @ root.T
    shared = drawn.mean(axis=2, keepdims=True)
    total, common = (
        np.array([of(each) for each in found[:2]]) for of in (np.trace, lambda each: each.sum() / languages)
    )
    rest, together = found.degrees / random.chisquare(found.degrees, (2, DRAWS, 1, 1))
    drawn -= shared
    drawn *= _beyond(rest, total - common)
    drawn += shared * _beyond(together, common)
    drawn *= _spread(scores.means) / np.sqrt(np.array(scores.seeds))[:, None]
    return drawn


def _beyond(fitting: Array, measured: Array) -> Array:
    """Deviation of luck per deviation measured, where `measured` is (between, chance)."""
    between, chance = measured
    beyond: Array = np.sqrt(np.clip(fitting - (chance / between if between > 0 else 0), 0, None))
    return beyond
