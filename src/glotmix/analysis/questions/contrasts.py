"""One mixture against another: which of two series of settings scores higher, and on whose languages?

With m(s) the mean of a(l, s) over some target languages, and two series A and B (`series.py`), paired by test item:

1. at equal rows: m(A, n) - m(B, n), at each n above 0 that both have;
2. over all rows: the mean of these differences over n. One number from all runs: it sees what no single n can;
3. at the peak: max over n of m(A, n) - max over n of m(B, n), with the interval of `series.py`. Study 1 ("The
   Post-Trainer's Guide to Multilingual Training Data", section 6) compares its script mixes so, without an interval;
4. at equal total rows: the mean of m(A, n) - m(B, n') over the n and n' with one total. Two languages and four at
   equal n have different totals, so 1. to 3. tell languages and volume apart only where the totals are the same.

Groups of languages are compared by themselves where a table has them: series with two n or more in common, equal tasks
and anchor rows, and different languages. (Sets of languages at one n are a question of coverage.) The targets are all
languages but the anchor, the groups declared beforehand (or the scripts: Latin and all others) and what of them neither
series trains on, and families with a trained and an untrained language. A table without `train_languages` has no
groups; `compare` needs none.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import undefined
from glotmix.analysis.noise import draws
from glotmix.analysis.scores import Scores
from glotmix.analysis.series import (
    Levels,
    Series,
    best_against_best,
    levels_of,
    mean_difference,
    series_named,
    series_of,
)
from glotmix.analysis.targets import targets
from glotmix.errors import UserError

TWO = "contrast"
EQUAL_ROWS = "contrast at equal rows"
ALL_ROWS = "contrast over all rows"
PEAK = "contrast at the peak"
EQUAL_TOTAL = "contrast at equal total rows"


def compare(
    results: pl.DataFrame, a: str, b: str, languages: Sequence[str] | None = None, declared: Declared | None = None
) -> pl.DataFrame:
    """Two settings, or two series of settings, on the mean of some languages (all but the anchor if None).

    Args:
        a: a setting's name, or what the names of a series' settings begin with: a design, or design and group.
        b: likewise; findings are a minus b.

    Raises:
        UserError: no model and task has both, a name fits several settings of one n, or a language is not evaluated.
    """

    def part(tables: Sequence[Scores], _: Declared) -> Iterator[Finding]:
        _check_languages(tables, languages or (), "compare")
        ones, others = ([series_named(scores, name) for scores in tables] for name in (a, b))
        _check_named(tables, {a: ones, b: others})
        for scores, one, other in zip(tables, ones, others, strict=True):
            if one and other:
                _check_apart(scores, one, other)
                yield from _compared(scores, one, other, languages)

    return answer([part], results, declared)


def of_groups(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Every pair of groups of languages, on the targets of each. (`compare` has the single n.)"""
    for name, tags in declared.groups.items():
        _check_languages(tables, tags, f"group {name!r}")
    for scores in tables:
        pairs = [pair for pair in combinations(series_of(scores), 2) if _are_groups(scores, *pair)]
        drawn = draws(scores) if pairs else np.empty(0)
        for one, other in pairs:
            for target, (columns, whole) in targets(scores, (one, other), declared).items():
                yield from _over_rows(scores, one, other, (target, columns))
                if whole:
                    yield from _at_equal_total(scores, one, other, (target, columns))
                    yield _peak(scores, one, other, (target, columns), levels_of(scores, drawn, columns))


def _compared(scores: Scores, one: Series, other: Series, languages: Sequence[str] | None) -> Iterator[Finding]:
    columns = [
        column
        for column, tag in enumerate(scores.languages)
        if (tag in languages if languages else scores.roles[column] != "anchor")
    ]
    target = ("the languages chosen" if languages else "all languages but the anchor", columns)
    if not columns:
        why = undefined("no run of this model and task is evaluated in them")
        yield Finding(TWO, scores.model, scores.task, one.name, f"mean of a(l, s) over {target[0]}", why, other.name)
    elif len(one.places) == len(other.places) == 1:
        pairs = list(zip(one.places.values(), other.places.values(), strict=True))
        yield _smooth(TWO, scores, (one, other), target, pairs, "")
    else:
        for n, pair in _pairs(one, other).items():
            yield _smooth(EQUAL_ROWS, scores, (one, other), target, [pair], f" at n = {n}")
        yield from _over_rows(scores, one, other, target)
        yield from _at_equal_total(scores, one, other, target)
        yield _peak(scores, one, other, target, levels_of(scores, draws(scores), columns))


Target = tuple[str, list[int]]  # what to call the languages, their columns


def _pairs(one: Series, other: Series) -> dict[int, tuple[int, int]]:
    """By rows per language above 0."""
    return {n: (one.places[n], other.places[n]) for n in one.matched(other) if n}


def _over_rows(scores: Scores, one: Series, other: Series, target: Target) -> Iterator[Finding]:
    pairs = _pairs(one, other)
    if len(pairs) > 1:
        where = f", mean over n = {_listed(pairs)}"
        yield _smooth(ALL_ROWS, scores, (one, other), target, list(pairs.values()), where)


def _at_equal_total(scores: Scores, one: Series, other: Series, target: Target) -> Iterator[Finding]:
    if equal := _equal_totals(scores, one, other):
        totals = _listed(scores.settings[place].total_rows or 0 for place, _ in equal)
        yield _smooth(EQUAL_TOTAL, scores, (one, other), target, equal, f", mean over {totals} rows in total")


def _smooth(
    name: str, scores: Scores, series: tuple[Series, Series], target: Target, pairs: list[tuple[int, int]], where: str
) -> Finding:
    """The mean difference of pairs of settings."""
    said, columns = target
    found = mean_difference(scores, pairs, columns)
    alone = len(pairs) == 1  # the settings themselves, not their series
    names = [scores.settings[place].name for place in pairs[0]] if alone else [own.name for own in series]
    definition = f"mean of a(l, s) over {_told(scores, said, columns)}{where}, minus the same at {names[1]}"
    note = "; ".join(filter(None, (_totals(scores, pairs), _anchors(scores, pairs), scores.note)))
    return Finding(name, scores.model, scores.task, names[0], definition, found, names[1], note=note)


def _peak(scores: Scores, one: Series, other: Series, target: Target, levels: Levels) -> Finding:
    said, columns = target
    ones, others = (list((own.trained or own.places).values()) for own in (one, other))
    found, p = best_against_best(levels, ones, others)
    rows = [scores.settings[levels.best(own)].rows_per_language for own in (ones, others)]
    definition = (
        f"max over n of the mean of a(l, s) over {_told(scores, said, columns)} (n = {rows[0]}), "
        f"minus the same at {other.name} (n = {rows[1]})"
    )
    return Finding(PEAK, scores.model, scores.task, one.name, definition, found, other.name, note=scores.note, p=p)


def _told(scores: Scores, said: str, columns: Sequence[int]) -> str:
    return f"{said} ({' '.join(scores.languages[column] for column in columns)})"


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def _totals(scores: Scores, pairs: Sequence[tuple[int, int]]) -> str:
    """Says where equal rows per language are not equal rows in total."""
    totals = [tuple(scores.settings[place].total_rows for place in pair) for pair in pairs]
    if all(one == other for one, other in totals):
        return ""
    ranges = [f"{side[0]:,}" if len(set(side)) == 1 else f"{min(side):,} to {max(side):,}" for side in _known(totals)]
    return f"not equal rows in total: {' against '.join(ranges)}" if ranges else "rows in total not known"


def _known(totals: Sequence[tuple[int | None, ...]]) -> list[list[int]]:
    """One list per side, none if any is not known."""
    sides = [[total for total in side if total is not None] for side in zip(*totals, strict=True)]
    return sides if all(len(side) == len(totals) for side in sides) else []


def _anchors(scores: Scores, pairs: Sequence[tuple[int, int]]) -> str:
    rows = {tuple(scores.settings[place].anchor_rows for place in pair) for pair in pairs}
    unequal = sorted(f"{one} against {other}" for one, other in rows if one != other)
    return f"anchor rows differ: {', '.join(unequal)}" if unequal else ""


def _equal_totals(scores: Scores, one: Series, other: Series) -> list[tuple[int, int]]:
    """Pairs with one total; none where equal rows per language are equal totals already."""
    ones, others = (
        {total: place for place in own.trained.values() if (total := scores.settings[place].total_rows)}
        for own in (one, other)
    )
    pairs = [(place, others[total]) for total, place in ones.items() if total in others]
    rows = [[scores.settings[place].rows_per_language for place in pair] for pair in pairs]
    return pairs if any(first != second for first, second in rows) else []


def _are_groups(scores: Scores, one: Series, other: Series) -> bool:
    told = one.languages and other.languages and one.languages != other.languages
    pairs = [[scores.settings[place] for place in pair] for pair in _pairs(one, other).values()]
    same_anchor = all(first.anchor_rows == second.anchor_rows for first, second in pairs)
    return bool(told) and one.tasks == other.tasks and len(pairs) > 1 and same_anchor


def _check_named(tables: Sequence[Scores], named: Mapping[str, Sequence[Series | None]]) -> None:
    known = {setting.name for scores in tables for setting in scores.settings}
    names = sorted(known | {setting.design for scores in tables for setting in scores.settings if setting.design})
    for name, found in named.items():
        if not any(found):
            near = difflib.get_close_matches(name, names, n=1, cutoff=0) or names
            raise UserError(f"compare: no setting or series {name!r} in the table; the nearest is {near[0]!r}")
    if not any(all(pair) for pair in zip(*named.values(), strict=True)):
        raise UserError(
            f"compare: no model and task has both {' and '.join(map(repr, named))}; choose two of one model"
        )


def _check_apart(scores: Scores, one: Series, other: Series) -> None:
    if both := set(one.places.values()) & set(other.places.values()):
        shared = scores.settings[min(both)].name
        raise UserError(f"compare: {one.name!r} and {other.name!r} both have setting {shared!r}; choose two apart")


def _check_languages(tables: Sequence[Scores], tags: Sequence[str], where: str) -> None:
    tested = sorted({tag for scores in tables for tag in scores.tested})
    for tag in tags:
        if tag not in tested:
            raise UserError(f"{where}: language {tag!r} is evaluated in no run; choose from {' '.join(tested)}")
