"""Study 1: what more rows bring, its plateaus and its peaks (R1 to R4), against noise (`luck.py`)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from glotmix.analysis.scores import Array
from glotmix.evidence import figures
from glotmix.evidence.check import Claim, Outcome, Recomputed
from glotmix.evidence.luck import contrast, drawn, later, shown_plateau, step
from glotmix.evidence.rules import alike, beyond_noise, differs, likeliest, same
from glotmix.evidence.series import (
    OTHERS,
    Of,
    Series,
    mean,
    relative,
    series,
)
from glotmix.evidence.tables import GUIDE, ITEMS

_LEVEL = mean(OTHERS)


def claims() -> Iterator[Claim]:
    yield from _gap_closed()
    yield from _plateaus()
    yield from _peaks()
    yield from _english_only()


def _claim(name: str, claim: str, where: str, quantity: str, rule: Callable[[], Outcome], said: str = "") -> Claim:
    return Claim(GUIDE, name, claim, f"results, {where}", quantity, said, rule)


def _gap_closed() -> Iterator[Claim]:
    for name, model, where in (("R1", "Aya23-7B", "Fig 2"), ("R2", "Llama3.1-8B", "Fig 10")):
        for task in ITEMS:
            own = series(model, task)
            yield _claim(
                f"{name} {task}",
                f"{model}, {task}: other languages' rows close part of the gap to English",
                where,
                "mean of R(n) over n > 0 − R(0)",
                partial(_closes, own),
            )
            yield _claim(
                f"{name} {task} maximum",
                f"{model}, {task}: the best of the settings closes more than choosing the best of equal ones would",
                where,
                "max over n of R(n) − R(0)",
                partial(_chosen, own),
            )


def _closes(own: Series) -> Outcome:
    return differs(contrast(own, relative, later(own)))


def _chosen(own: Series) -> Outcome:
    alone = drawn(own, relative, flat=True)
    level = relative(own.means)
    return beyond_noise(float(level.max() - level[0]), alone.max(axis=1) - alone[:, 0])


def _plateaus() -> Iterator[Claim]:
    said = [("R3", "Aya23-7B", task) for task in ("IF", "SM")] + [("R4", "Aya23-35B", task) for task in ITEMS]
    for name, model, task in said:
        own = series(model, task)
        for start in (400,) if name == "R3" else (200, 400):
            yield _claim(
                f"{name} {task} plateau {start}",
                f"{model}, {task}: nothing changes beyond {start} rows per language",
                "Fig 2",
                f"mean of the other languages at every n > {start} − at {start}; the largest",
                partial(_flat, own, start),
                str(start),
            )
    own = series("Aya23-7B", "MR")
    yield _claim(
        "R3 MR gains",
        "7B MR still gains after 400 rows per language",
        "Fig 2",
        "mean of the other languages over n > 400 − at 400",
        partial(_gains, own),
    )
    yield _claim(
        "R3 MR returns",
        "7B MR: returns diminish after 400 rows per language",
        "Fig 2",
        "gain of the other languages per 1000 rows, up to 400 − from there to 5000",
        partial(_diminish, own),
    )


def _flat(own: Series, start: int) -> Outcome:
    first = own.at(start)
    found = alike([contrast(own, _LEVEL, step(own, first, other)) for other in range(first + 1, len(own.rows))])
    return replace(found, reason=f"{found.reason}; {shown_plateau(own, OTHERS, start)}")


def _gains(own: Series) -> Outcome:
    rest = len(own.rows) - own.at(400) - 1
    weights = np.array([0.0] * own.at(400) + [-1.0] + [1 / rest] * rest)
    return differs(contrast(own, _LEVEL, weights))


def _diminish(own: Series) -> Outcome:
    at, last = own.at(400), len(own.rows) - 1
    early, late = step(own, 0, at) / 0.4, step(own, at, last) / (own.rows[last] - 400) * 1000
    return differs(contrast(own, _LEVEL, early - late))


def _peaks() -> Iterator[Claim]:
    own = series("Aya23-7B", "MR")
    yield _claim(
        "R3 MR ratio",
        "7B MR peaks at about 13 times the rows of IF and SM",
        "Fig 2",
        "rows at the peak / 400",
        partial(_ratio, own),
        "13",
    )
    for task, n in (("IF", 400), ("SM", 400), ("MR", 5000)):
        yield _claim(
            f"R3 {task} peak",
            f"7B {task}: the peak is at {n} rows per language",
            "Fig 2",
            "how often R(n) is largest there; its lead on the next, on 0 to 1",
            partial(_is_peak, series("Aya23-7B", task), n),
            str(n),
        )


def _ratio(own: Series) -> Outcome:
    rows = np.array(own.rows) / 400
    plotted = figures.plotted("Fig2", own)
    readings = {name: own.recomputed(_rows_at(of, rows)) for name, of in (("mean", _LEVEL), ("R(n)", relative))}
    read = Recomputed.exact(float(rows[plotted.values.argmax()]))
    return same("13", {**readings, "R(n) as plotted": read})


def _rows_at(of: Of, rows: Array) -> Of:
    return lambda means: np.asarray(rows[of(means).argmax(axis=-1)])


def _is_peak(own: Series, n: int) -> Outcome:
    values, at = drawn(own, relative), own.at(n)
    level = relative(own.means)
    others = [place for place in range(len(own.rows)) if place != at]
    next_best = max(others, key=lambda place: float(level[place]))
    ahead = contrast(own, relative, step(own, next_best, at))
    return likeliest(f"n = {n}", float((values.argmax(axis=1) == at).mean()), ahead)


def _english_only() -> Iterator[Claim]:
    quantities = {"R(n)": relative, "the mean of the other languages": _LEVEL}
    for task in ITEMS:
        for name, of in quantities.items():
            yield _claim(
                f"R4 {task} English only, {name.removeprefix('the ').partition(' ')[0]}",
                f"35B, {task}: English alone is about as good",
                "Fig 2",
                f"{name} over n > 0 − at 0",
                partial(_same_as_first, series("Aya23-35B", task), of),
            )


def _same_as_first(own: Series, of: Of) -> Outcome:
    return alike([contrast(own, of, later(own))], family=len(ITEMS))
