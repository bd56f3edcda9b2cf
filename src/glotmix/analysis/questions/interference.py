"""What training on several tasks at once costs each of them: single- against multi-task runs at equal task rows.

With m(s) the mean of a(l, s) over the seen languages, the unseen ones, all but the anchor, or the anchor alone, and S
and M the single- and multi-task series of one model, task and set of training languages (told apart by `train_tasks`):

1. at equal rows: m(S, n) - m(M, n) at each n that both have; above 0 where the other tasks cost something;
2. over all rows: the mean of these differences over n above 0;
3. at the best: max over n of m(S, n) - max over n of m(M, n), each from all that it has, with the interval of
   `series.py`. This is the "8 %" of study 1 ("The Post-Trainer's Guide to Multilingual Training Data", section 5): in
   points, without an interval, from 8 runs against 16;
4. rows saved: rows of the task at the best of S, minus the fewest at which m(M, n) is no more than the declared margin
   below it, both for all but the anchor. The interval is the middle 95 % of resamples. Noise makes early arrivals, so
   the note says from how many rows on it is shown: a one-sided 95 % limit of the difference above minus the margin.

Equal rows of a task are not equal rows in total, and the anchor's rows may differ: notes say so. A table without
`train_tasks`, or without both kinds of runs, has no interference to ask for.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, from_draws, undefined
from glotmix.analysis.noise import draws
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Array, Scores
from glotmix.analysis.series import UNTOLD, Levels, Series, best_against_best, levels_of, mean_difference, series_of

INTERFERENCE = "interference"
ROWS_SAVED = "rows saved by multi-task training"
_BESIDE = "all but the anchor"
_TARGETS = {
    "seen languages": {"seen"},
    "unseen languages": {"unseen"},
    _BESIDE: {"seen", "unseen"},
    "the anchor": {"anchor"},
}
Pair = tuple[Series, Series]  # single-task, multi-task


def interference(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Single- minus multi-task scores at equal task rows, over all rows, best against best; and the rows saved."""
    return answer([_of_each, of_interference], results, declared)


def of_interference(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Over all rows, for every single- and multi-task series of one model, task and set of training languages; and for
    all languages but the anchor best against best, and the rows saved."""
    for scores, pair, name, columns in _targets(tables):
        matched = [n for n in pair[0].matched(pair[1]) if n]
        if matched:
            yield _at_equal_rows(scores, pair, f"{INTERFERENCE} in {name} over all rows", columns, matched)
        if name == _BESIDE:
            levels = levels_of(scores, draws(scores), columns)
            yield _at_the_best(scores, pair, name, columns, levels)
            yield _rows_saved(scores, pair, levels, declared.margin)


def _of_each(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores, pair, name, columns in _targets(tables):
        for n in pair[0].matched(pair[1]):
            yield _at_equal_rows(scores, pair, f"{INTERFERENCE} in {name}", columns, [n])
        if name != _BESIDE:
            yield _at_the_best(scores, pair, name, columns, levels_of(scores, draws(scores), columns))


def _targets(tables: Sequence[Scores]) -> Iterator[tuple[Scores, Pair, str, list[int]]]:
    for scores in tables:
        for pair in _pairs(scores):
            for name in _TARGETS:
                if columns := _columns(scores, pair[0], name):
                    yield scores, pair, name, columns


def _pairs(scores: Scores) -> Iterator[Pair]:
    series = [own for own in series_of(scores) if scores.task in own.tasks]
    for single in series:
        for multi in series:
            alike = single.languages == multi.languages and single.matched(multi)
            if len(single.tasks) == 1 and len(multi.tasks) > 1 and alike:
                yield single, multi


def _columns(scores: Scores, series: Series, name: str) -> list[int]:
    """Seen and unseen as the series trains."""
    group_of = language_groups(scores, scores.settings[series.places[max(series.places)]])
    return [column for column, tag in enumerate(scores.languages) if group_of[tag] in _TARGETS[name]]


def _at_the_best(scores: Scores, pair: Pair, name: str, columns: list[int], levels: Levels) -> Finding:
    _, multi = pair
    ones, others = (list(own.places.values()) for own in pair)
    found, p = best_against_best(levels, ones, others)
    rows = [scores.settings[levels.best(places)].rows_per_language for places in (ones, others)]
    definition = (
        f"max over n of the mean of a(l, s) over {_tags(scores, columns)} (n = {rows[0]} of {len(ones)} runs), "
        f"minus the same at {multi.name} (n = {rows[1]} of {len(others)})"
    )
    return _finding(scores, pair, f"{INTERFERENCE} in {name} at the best", definition, found, p)


def _at_equal_rows(scores: Scores, pair: Pair, name: str, columns: list[int], rows: list[int]) -> Finding:
    single, multi = pair
    pairs = [(single.places[n], multi.places[n]) for n in rows]
    where = f"mean over n = {' '.join(map(str, rows))}" if len(rows) > 1 else f"at n = {rows[0]}"
    definition = f"mean of a(l, s) over {_tags(scores, columns)}, {where}, minus the same of the multi-task runs"
    found = mean_difference(scores, pairs, columns)
    names = [scores.settings[place].name for place in pairs[0]] if len(rows) == 1 else None
    return _finding(scores, pair, name, definition, found, names=names)


def _finding(
    scores: Scores,
    pair: Pair,
    name: str,
    definition: str,
    found: Interval,
    p: float | None = None,
    names: Sequence[str] | None = None,
) -> Finding:
    one, other = names or [own.name for own in pair]
    note = "; ".join(filter(None, (_unequal(scores, pair), scores.note)))
    return Finding(name, scores.model, scores.task, one, definition, found, other, note=note, p=p)


def _rows_saved(scores: Scores, pair: Pair, levels: Levels, margin: float) -> Finding:
    single, multi = (sorted(own.places.values(), key=lambda place: _rows(scores, place) or 0) for own in pair)
    definition = (
        f"rows of {scores.task} at the single-task run with the highest mean of a(l, s) over {_BESIDE}, "
        f"minus the fewest at which {pair[1].name} is no more than {margin:g} below it"
    )
    found = _saved(scores, levels, single, multi, margin)
    shown = _shown(scores, levels, single, multi, margin)
    note = "; ".join(filter(None, (levels.remark, shown, _unequal(scores, pair), scores.note)))
    return Finding(
        ROWS_SAVED, scores.model, scores.task, pair[0].name, definition, found, pair[1].name, "rows", None, note
    )


def _saved(scores: Scores, levels: Levels, single: list[int], multi: list[int], margin: float) -> Interval:
    if any(_rows(scores, place) is None for place in (*single, *multi)):
        return undefined("the anchor's rows are not told", levels.n)
    if np.isnan(levels.errors).any():
        return undefined(UNTOLD, levels.n)
    rows = np.array([_rows(scores, place) or 0 for place in range(len(scores.settings))])

    def saved(level: Array) -> Array:  # (draws, settings)
        arrived = level[:, multi] >= level[:, single].max(axis=1, keepdims=True) - margin
        first = rows[multi][arrived.argmax(axis=1)]
        gained: Array = np.where(arrived.any(axis=1), rows[single][level[:, single].argmax(axis=1)] - first, np.nan)
        return gained

    estimate, drawn = float(saved(levels.found[None])[0]), saved(levels.found + levels.errors)
    reached = float((~np.isnan(drawn)).mean())
    if np.isnan(estimate) or reached < 0.5:
        return undefined(f"multi-task runs come that near in {reached:.0%} of resamples", levels.n)
    return from_draws(estimate, drawn, levels.n, basis=levels.basis)


def _shown(scores: Scores, levels: Levels, single: list[int], multi: list[int], margin: float) -> str:
    """Whether the arrival is more than noise: by the worst contender for the best single-task run."""
    if np.isnan(levels.errors).any():
        return ""
    best, contenders = levels.best(single), levels.contenders(single)
    for place in multi:
        above = np.quantile(levels.errors[:, [place]] - levels.errors[:, contenders], LEVEL, axis=0).max()
        if levels.found[place] - levels.found[best] - above > -margin:
            return f"shown from {_rows(scores, place)} rows on"
    return "not shown at any number of rows"


def _rows(scores: Scores, place: int) -> int | None:
    """Of the task."""
    own = scores.settings[place]
    if own.anchor_rows is None or "anchor" not in scores.tested.values():
        return None
    others = sum(scores.tested.get(tag) != "anchor" for tag in own.train_languages)
    return own.anchor_rows + own.rows_per_language * others


def _tags(scores: Scores, columns: Sequence[int]) -> str:
    return " ".join(scores.languages[column] for column in columns)


def _unequal(scores: Scores, pair: Pair) -> str:
    """Says where equal rows per language hide unequal rows of the anchor."""
    single, multi = pair
    rows = {tuple(scores.settings[own.places[n]].anchor_rows for own in pair) for n in single.matched(multi)}
    unequal = sorted(f"{one} against {other}" for one, other in rows if one != other)
    return f"anchor rows of the task differ, {', '.join(unequal)}: not interference alone" if unequal else ""
