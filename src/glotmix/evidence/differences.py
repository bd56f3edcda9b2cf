"""Study 1: gaps, tasks together and scripts (R6 to R11), against noise (`luck.py`)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from glotmix.analysis.interval import LEVEL, Interval
from glotmix.analysis.scores import Array
from glotmix.analysis.series import Levels, best_against_best
from glotmix.evidence.check import Claim, Outcome
from glotmix.evidence.correlations import spearman
from glotmix.evidence.luck import contrast, contrasts, drawn, later, step, trend
from glotmix.evidence.rules import alike, beyond_noise, differs, steady, unharmed
from glotmix.evidence.series import (
    LATIN,
    NON_LATIN,
    OTHERS,
    SEEN,
    Of,
    Series,
    gap,
    mean,
    roughness,
    series,
)
from glotmix.evidence.tables import GUIDE, ITEMS

_SINGLE = ("Aya23-7B", "Llama3.1-8B", "Aya23-35B")
_TESTS = 2 * len(_SINGLE) * len(ITEMS)  # of gaps claimed constant: trend and spread
_LEVEL = mean(OTHERS)


def claims() -> Iterator[Claim]:
    yield from _gaps()
    yield from _multi_task()
    yield from _large_multi_task()
    yield from _scripts()


def _claim(name: str, claim: str, where: str, quantity: str, rule: Callable[[], Outcome], said: str = "") -> Claim:
    return Claim(GUIDE, name, claim, f"results, {where}", quantity, said, rule)


def _best(one: Series, other: Series, of: Of, at: int | None = None) -> Interval:
    """The peak of one series, or its value at one setting, less the peak of another. Which is the best is not known:
    see `glotmix.analysis.series`."""
    found = np.concatenate([of(own.means) for own in (one, other)])
    errors = np.hstack([drawn(own, of) for own in (one, other)]) - found
    count = len(one.rows)
    ones = range(count) if at is None else [at]
    levels = Levels(found, errors, 0, "draws, any contender the best")
    return replace(best_against_best(levels, ones, range(count, len(found)))[0], note="")


def _between(one: Series, other: Series, of: Of) -> Interval:
    """Mean over all n > 0 of one series less that of another."""
    weights = np.array([0.0, *([1 / (len(one.rows) - 1)] * (len(one.rows) - 1))])
    return contrasts([(one, of, weights), (other, of, -weights)])


def _gaps() -> Iterator[Claim]:
    for model in _SINGLE:
        for task in ITEMS:
            yield _claim(
                f"R6 {task} {model}",
                f"{model}, {task}: the seen-unseen gap of English-only training stays constant",
                "Figs 3 11",
                "max − min over n of mean seen − mean unseen",
                partial(_constant, series(model, task)),
            )
    for task in ("IF", "MR"):
        yield _claim(
            f"R6 {task} small",
            f"35B, {task}: the gap is small",
            "Fig 3",
            "mean over n of mean seen − mean unseen",
            partial(_small, series("Aya23-35B", task)),
        )
    yield _claim(
        "R6 SM sizes", "SM: the gap is as large at 35B as at 7B", "Fig 3", "mean gap over n, 7B − 35B", _same_gap
    )


def _constant(own: Series) -> Outcome:
    level, rounded = gap(own.means), gap(own.roundings[:1000])
    changes = [contrast(own, gap, step(own, 0, other)) for other in range(1, len(own.rows))]
    rho, p_trend = _trend(level, rounded)
    least = np.quantile(np.ptp(rounded, axis=1), 1 - LEVEL)  # 95 % of the tables that round alike have more
    alone = np.ptp(drawn(own, gap, flat=True), axis=1)
    p_spread = (int((alone >= least).sum()) + 1) / (len(alone) + 1)
    return steady(rho, min(1.0, p_trend * _TESTS), float(np.ptp(level)), min(1.0, p_spread * _TESTS), changes)


def _trend(level: Array, rounded: Array) -> tuple[float, float]:
    """With a p that 95 % of the tables that round to the printed one do not exceed."""
    rho, p = trend(level)
    strength = spearman(rounded, np.arange(len(level), dtype=float)) * np.sign(rho)
    weakest = np.argsort(strength, stable=True)[int((1 - LEVEL) * len(rounded))]
    return rho, max(p, trend(rounded[weakest])[1])


def _small(own: Series) -> Outcome:
    return alike([contrast(own, gap, _mean(own))])


def _same_gap() -> Outcome:
    small, large = series("Aya23-7B", "SM"), series("Aya23-35B", "SM")
    return alike([contrasts([(small, gap, _mean(small)), (large, gap, -_mean(large))])])


def _mean(own: Series) -> Array:
    return np.full(len(own.rows), 1 / len(own.rows))


def _multi_task() -> Iterator[Claim]:
    for task in ITEMS:
        single, multi = series("Aya23-7B", task), series("Aya23-7B", task, "multi")
        yield _claim(
            f"R7 {task} oscillation",
            f"7B multi-task, {task}: the curve swings more than single-task",
            "Figs 2 4",
            "root mean square step between neighbours / √2, multi-task − single-task",
            partial(_rougher, multi, single),
        )
        if task != "MR":
            yield _claim(
                f"R7 {task} unharmed",
                f"7B multi-task: {task} does not suffer",
                "Figs 2 4",
                "best mean of the other languages, multi-task − single-task",
                partial(_unharmed, multi, single),
            )
    yield _claim(
        "R7 MR suffers",
        "7B multi-task: MR suffers",
        "Figs 2 4",
        "best mean of the other languages, single-task − multi-task",
        partial(_peaks_higher, series("Aya23-7B", "MR"), series("Aya23-7B", "MR", "multi")),
    )
    wide = series("Aya23-7B", "IF", "multi")
    yield _claim(
        "R8 gap opens",
        "7B multi-task IF: the seen-unseen gap grows from English-only training on",
        "Fig 12",
        "mean gap over n > 0 − at 0",
        lambda: differs(contrast(wide, gap, later(wide))),
    )
    yield _claim(
        "R8 gap grows",
        "7B multi-task IF: the seen-unseen gap grows with rows",
        "Fig 12",
        "slope of the gap by log10 of n, over n > 0",
        lambda: differs(contrast(wide, gap, _slope(wide))),
    )


def _slope(own: Series) -> Array:
    size = np.log10(own.rows[1:])
    return np.array([0.0, *((size - size.mean()) / ((size - size.mean()) ** 2).sum())])


def _rougher(one: Series, other: Series) -> Outcome:
    """Against series that differ in nothing but their noise, which is the same."""
    of = roughness(_LEVEL)
    level = np.concatenate([np.diff(_LEVEL(own.means)) for own in (one, other)])
    deviation = float(np.sqrt((level**2).mean() / 2))
    random = np.random.default_rng(0)
    rough = [np.diff(random.normal(0, deviation, (10_000, len(own.rows))), axis=1) for own in (one, other)]
    first, second = (np.sqrt((steps**2).mean(axis=1) / 2) for steps in rough)
    return beyond_noise(float(of(one.means) - of(other.means)), first - second)


def _unharmed(one: Series, other: Series) -> Outcome:
    return unharmed(_best(one, other, _LEVEL))


def _peaks_higher(one: Series, other: Series) -> Outcome:
    return differs(_best(one, other, _LEVEL))


def _large_multi_task() -> Iterator[Claim]:
    for task in ITEMS:
        yield _claim(
            f"R9 {task} unharmed",
            f"35B multi-task: no interference on {task}",
            "Fig 4",
            "best mean of the other languages, multi-task − single-task",
            partial(_unharmed, series("Aya23-35B", task, "multi"), series("Aya23-35B", task)),
        )
    yield _claim(
        "R9 SM seen",
        "35B multi-task SM at n = 2500 beats the best single-task run on seen languages",
        "Fig 5",
        "mean seen, multi-task at 2500 − single-task's best",
        _beats,
    )
    for task in ("IF", "MR"):
        own = series("Aya23-35B", task, "multi")
        yield _claim(
            f"R9 {task} unseen above",
            f"35B multi-task {task}: unseen languages are slightly above seen ones",
            "Fig 5",
            "mean over n of mean unseen − mean seen",
            partial(_above, own),
        )


def _beats() -> Outcome:
    one, other = series("Aya23-35B", "SM", "multi"), series("Aya23-35B", "SM")
    return differs(_best(one, other, mean(SEEN), one.at(2500)))


def _above(own: Series) -> Outcome:
    return differs(contrast(own, gap, -_mean(own)))


def _scripts() -> Iterator[Claim]:
    for task in ("IF", "SM"):
        latin, non_latin = (series("Aya23-7B", task, design) for design in ("latin", "non-latin"))
        yield _claim(
            f"R10 {task} non-Latin",
            f"7B, {task}: non-Latin languages gain more from non-Latin rows",
            "Figs 6 7",
            "mean of ja zh ar ko over n > 0, non-Latin mix − Latin mix",
            partial(_more, non_latin, latin),
        )
        yield _claim(
            f"R10 {task} not lifted",
            f"7B, {task}: Latin rows do not lift non-Latin languages",
            "Figs 6 7",
            "mean of ja zh ar ko in the Latin mix, over n > 0 − at 0",
            partial(_not_lifted, latin),
        )
        yield _claim(
            f"R10 {task} Latin",
            f"7B, {task}: Latin languages do as well either way",
            "Figs 6 7",
            "mean of es fr pt over n > 0, non-Latin mix − Latin mix",
            partial(_as_well, non_latin, latin),
        )
    full, latin, non_latin = (series("Aya23-7B", "MR", design) for design in ("single", "latin", "non-latin"))
    best = "best mean of the other languages, Latin mix − "
    yield _claim(
        "R11 MR Latin above",
        "7B MR: Latin-only training peaks higher than non-Latin-only",
        "tables 19 20",
        f"{best}non-Latin mix",
        partial(_peaks_higher, latin, non_latin),
    )
    yield _claim(
        "R11 MR close to full",
        "7B MR: Latin-only training comes close to the full mix",
        "tables 18 19",
        f"{best}full mix",
        partial(_as_high, latin, full),
    )


def _more(one: Series, other: Series) -> Outcome:
    return differs(_between(one, other, mean(NON_LATIN)))


def _as_well(one: Series, other: Series) -> Outcome:
    return alike([_between(one, other, mean(LATIN))])


def _as_high(one: Series, other: Series) -> Outcome:
    return alike([_best(one, other, _LEVEL)])


def _not_lifted(own: Series) -> Outcome:
    return alike([contrast(own, mean(NON_LATIN), later(own))])
