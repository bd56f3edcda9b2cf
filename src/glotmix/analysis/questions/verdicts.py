"""Is a gain made of better answers, or of answers in a better form?

An answer without a number, cut off, or in another language scores 0 whatever the model can do. Per setting, role and
language, with shares p and mean scores r of the kinds of answers k (`format`: no_answer, truncated, malformed;
`language`: wrong_language; `right`: all others, the answers that could be judged for what they say), a(l, s) is the sum
of p_k r_k, and the change since the baseline splits exactly and symmetrically (Kitagawa 1955, JASA 50: 1168-1194;
d: change, m: mean of both settings):

    gain by format            sum over languages of dp_format (m r_format - m r_right)
    gain by answer language   sum over languages of dp_language (m r_language - m r_right)
    gain by right answers     sum over languages and kinds of m p_k dr_k                    all / number of languages

They add up to the gain. A kind without answers at one setting has the mean score of the other there; a part whose kind
has no answers at either setting is 0 and not listed; where no answer has such a verdict, none is. Items are paired and
seeds counted as for the gain itself. Where the gain can be told from 0, the share of the first two in it follows,
with Fieller's interval. Tables without verdicts are not asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.families import averaged
from glotmix.analysis.interval import Interval, interval
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.ratio import ratio
from glotmix.analysis.scores import Array, Kinds, Scores
from glotmix.analysis.table import ROLES, VERDICTS

FORMAT = "gain by format"
LANGUAGE = "gain by answer language"
RIGHT = "gain by right answers"
OVER = " over all settings"
FORM = "share of gain by format and answer language"
_KINDS = {FORMAT: ("no_answer", "truncated", "malformed"), LANGUAGE: ("wrong_language",)}
_PLACES = [[VERDICTS.index(name) for name in names] for names in _KINDS.values()]
_FEW = 3e-5  # a share below it is no answer at all: less than 1 in 30,000, more than the step of a derivative


def verdict_shares(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """How much of each gain is by the form of answers, and how much by what they say, at each setting and role."""
    return answer([_of_each], results, declared)


def of_verdicts(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Of the gains averaged over all settings that share a baseline."""
    for scores in filter(_judged, tables):
        by_kind = by_kind_of_answer(scores)
        for family, places in averaged(scores):
            baseline = scores.place(family.baseline)
            if baseline is not None and baseline not in places:
                yield from _of_gains(scores, by_kind, places, baseline, family.design, OVER)


def _of_each(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in filter(_judged, tables):
        by_kind = by_kind_of_answer(scores)
        for index, own in enumerate(scores.settings):
            baseline = scores.baseline(index)
            if baseline is not None and baseline != index:
                yield from _of_gains(scores, by_kind, [index], baseline, own.name)


def _of_gains(
    scores: Scores, by_kind: Scores, places: Sequence[int], baseline: int, where: str, over: str = ""
) -> Iterator[Finding]:
    groups = {place: language_groups(scores, scores.settings[place]) for place in places}
    for role in ROLES:
        columns = {
            place: [at for at, tag in enumerate(scores.languages) if group[tag] == role]
            for place, group in groups.items()
        }
        yield from _of_gain(
            scores, by_kind, {place: own for place, own in columns.items() if own}, baseline, (where, role, over)
        )


def _judged(scores: Scores) -> bool:
    """Whether every answer has a verdict, and one is by its form."""
    known = all(((own >= 0) | ~scores.used).all() for own in scores.verdicts)
    return known and any(np.isin(own, [*_PLACES[0], *_PLACES[1]]).any() for own in scores.verdicts)


def by_kind_of_answer(scores: Scores) -> Scores:
    """Its languages five times over: the shares of the two kinds told by form, and what each of three kinds adds."""

    def split(values: Array, verdicts: Kinds) -> Array:
        kinds = [np.isin(verdicts, places) for places in _PLACES]
        right = ~(kinds[0] | kinds[1])
        return np.concatenate([*kinds, *(values * kind for kind in (*kinds, right))], axis=1)

    values = tuple(split(*each) for each in zip(scores.values, scores.verdicts, strict=True))
    used = np.tile(scores.used, (5, 1))
    return replace(
        scores, languages=5 * scores.languages, roles=5 * scores.roles, values=values, used=used, verdicts=()
    )


def gain_parts(means: Array, columns: Sequence[int]) -> Array:
    """(..., 3): gains by format, answer language and right answers, from the (..., 2, 5 x languages) means of a setting
    and its baseline."""
    told, adds = np.split(means.reshape(*means.shape[:-1], 5, -1)[..., columns], [2], axis=-2)
    shares = np.concatenate([told, 1 - told.sum(axis=-2, keepdims=True)], axis=-2)  # (..., 2, kinds, languages)
    some = shares > _FEW
    scores = np.divide(adds, shares, out=np.zeros_like(adds), where=some)
    middle = np.where(some, scores, scores[..., ::-1, :, :]).mean(axis=-3)
    change = shares[..., 0, :2, :] - shares[..., 1, :2, :]
    by_form = (change * (middle[..., :2, :] - middle[..., 2:, :])).mean(axis=-1)
    gain = (adds[..., 0, :, :] - adds[..., 1, :, :]).sum(axis=-2).mean(axis=-1, keepdims=True)
    return np.concatenate([by_form, gain - by_form.sum(axis=-1, keepdims=True)], axis=-1)


def _slopes(means: Array, columns: Sequence[int], step: float = 1e-5) -> Array:
    """Derivatives of `gain_parts`, (2, 5 x languages, 3), in one call where `interval` would make hundreds."""
    shifts = step * np.eye(means.size).reshape(-1, *means.shape)
    slopes = (gain_parts(means + shifts, columns) - gain_parts(means - shifts, columns)) / (2 * step)
    return slopes.reshape(*means.shape, 3)


def _mean_parts(means: Array, columns: Sequence[Sequence[int]]) -> Callable[[Array], Array]:
    """(3,): `gain_parts` of every setting against the last, to first order around `means`, averaged."""
    slopes, here = np.zeros((*means.shape, 3)), np.zeros(3)
    for at, own in enumerate(columns):
        pair = means[[at, -1]]
        slopes[[at, -1]] += _slopes(pair, own) / len(columns)
        here += gain_parts(pair, own) / len(columns)
    return lambda other: here + np.tensordot(other - means, slopes, axes=2)


def _of_gain(
    scores: Scores, by_kind: Scores, columns: Mapping[int, Sequence[int]], baseline: int, named: tuple[str, str, str]
) -> Iterator[Finding]:
    """`columns` of each setting; `named`: where, which role, and over what."""
    where, role, over = named
    told = [_any(scores, columns, baseline, places) for places in _PLACES]
    if not any(told):
        return
    settings = [*columns, baseline]
    since, gain = scores.settings[baseline].name, _told(scores, columns, role)
    parts = _mean_parts(by_kind.means[settings], list(columns.values()))

    def finding(name: str, definition: str, found: Interval) -> Finding:
        name = f"{role} {name}{over}"
        return Finding(name, scores.model, scores.task, where, definition, found, since, note=scores.note)

    for name, weights, listed in zip((FORMAT, LANGUAGE, RIGHT), np.eye(3), (*told, True), strict=True):
        if listed:
            found = interval(by_kind, settings, _weighted(parts, weights))
            yield finding(name, f"part of {gain} since {since}, {_BY[name]} (Kitagawa)", found)
    share = ratio(by_kind, settings, _weighted(parts, np.array([1, 1, 0])), _weighted(parts, np.ones(3)), "gain")
    if np.isfinite(share.low):
        definition = f"the parts by format and by answer language over {gain} since {since}"
        yield replace(finding(FORM, definition, share), unit="share", null=None)


def _any(scores: Scores, columns: Mapping[int, Sequence[int]], baseline: int, places: Sequence[int]) -> bool:
    """Whether an answer of these kinds is among those that gains are made of."""
    return any(
        np.isin(scores.verdicts[place][:, own], places).any()
        for setting, own in columns.items()
        for place in (setting, baseline)
    )


def _told(scores: Scores, columns: Mapping[int, Sequence[int]], role: str) -> str:
    tags = dict.fromkeys(" ".join(scores.languages[at] for at in own) for own in columns.values())
    over = next(iter(tags)) if len(tags) == 1 else f"a setting's own {role} languages"
    several = f", mean over {len(columns)} settings," if len(columns) > 1 else ""
    return f"the change of the mean of a(l, s) over {over}{several}"


def _weighted(parts: Callable[[Array], Array], weights: Array) -> Callable[[Array], float]:
    return lambda means: float(parts(means) @ weights)


_BY = {
    FORMAT: "by the share of answers that are no_answer, truncated or malformed",
    LANGUAGE: "by the share of answers that are wrong_language",
    RIGHT: "by the mean score of all other answers",
}
