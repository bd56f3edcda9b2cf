"""Do unseen languages follow the seen ones from setting to setting?

Over the settings s of a series (controls apart), with S(s) and U(s) the mean scores of the languages that all of them
see and that none of them sees: Spearman's rank correlation and Pearson's linear correlation of S and U.

1. Intervals for few points: tanh(artanh(r) +- 1.96 e), with e^2 = (1 + r^2 / 2) / (n - 3) for ranks (Bonett & Wright
   2000, Psychometrika 65: 23-28) and e^2 = 1 / (n - 3) for values (Fisher 1921). Ranks that agree in full are taken to
   be half a swap of neighbours short of it (1 - 6 / (n^3 - n)), or the interval would have no width.
2. S and U of one run share its luck and its items, so they correlate although no setting differs from another. The p
   value is against that: against the correlation of S and U drawn around one common mean (`noise.draws`), whose median
   is "what noise alone gives". The usual permutation p (all orders up to 8 settings) supposes that luck is not shared;
   it is in the note. Where luck is assumed, no setting having a second seed, the larger of both counts.
3. Below 4 settings there is no interval, and none where S or U is the same everywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import rankdata

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.families import families
from glotmix.analysis.interval import LEVEL, Interval, undefined
from glotmix.analysis.noise import DRAWS, MANY, draws
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Array, Scores

RANK = "rank correlation of seen and unseen"
LINEAR = "linear correlation of seen and unseen"
_FEWEST = 4
_EXACT = 8  # settings whose orders are all tried
_NAMED = 20  # settings, in a definition
_NORMAL = 1.959964
_TINY = 1e-12


def correlation(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Rank and linear correlation of seen and unseen languages over settings, against what noise alone gives."""
    return answer([of_correlation], results, declared)


class Series(NamedTuple):
    name: str
    settings: list[int]
    seen: list[int]
    unseen: list[int]


def of_correlation(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        series = list(_series(scores))
        enough = any(len(one.settings) >= _FEWEST for one in series)
        known = scores.sampling is None or scores.replicated or not np.isnan(scores.sampling).all()
        noise = draws(scores) - scores.means if enough and known else np.empty((0, *scores.means.shape))
        for one in series:
            for name in (RANK, LINEAR):
                yield _finding(scores, one, name, noise)


def _series(scores: Scores) -> Iterator[Series]:
    """Each family with three settings or more, and all settings where there are several families."""
    each = [family for family in families([scores]) if len(family.mixtures) > 2]
    for family in each:
        settings = [index for own in family.mixtures if (index := scores.place(own.name)) is not None]
        groups = [language_groups(scores, scores.settings[index]) for index in settings]
        seen, unseen = ([at for at, tag in enumerate(scores.languages) if all(group[tag] == role for group in groups)]
                        for role in ("seen", "unseen"))  # fmt: skip
        yield Series(family.design, settings, seen, unseen)
    if len(each) > 1:
        settings = [index for index, own in enumerate(scores.settings) if not own.control_of]
        yield Series("", settings, scores.columns("seen"), scores.columns("unseen"))


def _finding(scores: Scores, series: Series, name: str, noise: Array) -> Finding:
    seen, unseen = (" ".join(scores.languages[at] for at in group) for group in (series.seen, series.unseen))
    names = [scores.settings[index].name for index in series.settings]
    over = " ".join(names) if len(names) <= _NAMED else f"{names[0]} ... {names[-1]}"
    definition = (
        f"{name.partition(' ')[0]} correlation of the mean of a(l, s) over {seen or 'no language'} (seen) with that "
        f"over {unseen or 'no language'} (unseen), over the {len(series.settings)} settings {over}"
    )
    one = Finding(
        name, scores.model, scores.task, series.name, definition, _refused(scores, series), unit="correlation"
    )
    if one.found.note:
        return replace(one, note=scores.note)
    seen_means, unseen_means = _both(scores.means, series, name)
    found = around(float(correlated(seen_means, unseen_means)), len(series.settings), name == RANK)
    p = permutation_p(seen_means, unseen_means)
    permuted = f"permutation p {p:.3f}{' (all orders)' if found.n <= _EXACT else ''}"
    alone = correlated(*_both(noise, series, name))
    alone = alone[~np.isnan(alone)]
    if not len(alone):
        note = f"noise not known, so the p value supposes that none is shared: {permuted}"
        return replace(one, found=found, p=p, note=_joined(note, scores.note))
    low, null, high = (float(x) for x in np.quantile(alone, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2]))
    note = f"noise alone gives {null:.2f} ({low:.2f} to {high:.2f}); {permuted}"
    shared = tail_p(found.estimate, alone)
    larger = shared if scores.replicated else max(shared, p)
    told = replace(one, compared_with="what noise alone gives", note=_joined(note, scores.note))
    return replace(told, found=found, null=null, p=larger)


def _refused(scores: Scores, series: Series) -> Interval:
    """Undefined, with a note if there is a reason."""
    n = len(series.settings)
    if n < _FEWEST:
        return undefined(f"a correlation needs {_FEWEST} settings, the series has {n}", n)
    if not (series.seen and series.unseen):
        return undefined(f"no language is {'unseen' if series.seen else 'seen'} at every setting", n)
    if min(np.ptp(group) for group in _both(scores.means, series, LINEAR)) < _TINY:
        return undefined("one of the two means is the same at every setting", n)
    return replace(undefined("", n), note="")


def _both(means: Array, series: Series, name: str) -> tuple[Array, Array]:
    """The seen and the unseen mean of (..., settings, languages) at the series' settings, or their ranks."""
    seen, unseen = (means[..., series.settings, :][..., group].mean(axis=-1) for group in (series.seen, series.unseen))
    return (rankdata(seen, axis=-1), rankdata(unseen, axis=-1)) if name == RANK else (seen, unseen)


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def around(r: float, n: int, ranks: bool) -> Interval:
    """A correlation of `n` points with its interval."""
    most = 1 - (6 / (n**3 - n) if ranks else _TINY)
    kept = float(np.clip(r, -most, most))
    error = float(np.sqrt((1 + kept**2 / 2 if ranks else 1) / (n - 3)))
    low, high = (float(np.tanh(np.arctanh(kept) + side * _NORMAL * error)) for side in (-1, 1))
    basis = "Bonett-Wright" if ranks else "Fisher z"  # has no standard error on the scale of r
    return Interval(r, min(low, r), max(high, r), np.nan, MANY, n, "", basis, "settings")


def correlated(one: Array, other: Array) -> Array:
    """Pearson's, over the last axis; NaN where nothing varies."""
    one, other = (each - each.mean(axis=-1, keepdims=True) for each in (one, other))
    size = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    found: Array = np.divide((one * other).sum(axis=-1), size, out=np.full(size.shape, np.nan), where=size > _TINY**2)
    return found


def permutation_p(one: Array, other: Array) -> float:
    """Two-sided: how many orders of `one` give a correlation as far from 0; all orders, or `DRAWS` and the one seen."""
    n = len(one)
    if n <= _EXACT:
        orders = one[np.array(list(permutations(range(n))))]
    else:
        orders = np.vstack([one, np.random.default_rng(n).permuted(np.tile(one, (DRAWS, 1)), axis=1)])
    far = np.abs(correlated(orders, other)) >= abs(float(correlated(one, other))) - 1e-9
    return float(far.mean())


def tail_p(r: float, alone: Array) -> float:
    """Two-sided: how far out in what noise alone gives."""
    tail = min((alone >= r - _TINY).sum(), (alone <= r + _TINY).sum())
    return min(1.0, 2 * (float(tail) + 1) / (len(alone) + 1))
