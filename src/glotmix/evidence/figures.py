"""Study 1's figures, read off their vector paths, against its own tables.

1. The tables give a figure if every point lies among what tables that round to the printed ones give.
2. Shares of right answers have a grid: a mean over k languages of 250 items is a multiple of 1 / 250 k, and a ratio to
   English one of that over a count of English answers. If no table gives the figure, the grid says how many languages
   could: as many as are printed, or more. Points that some languages beside the printed ones, or in their place, would
   make with scores from 0 to 1 depend on undisclosed data, unless points anywhere are likely to lie on that grid.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import polars as pl

from glotmix.analysis.interval import LEVEL
from glotmix.analysis.scores import Array, Mask
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, UNDISCLOSED, Claim, Outcome
from glotmix.evidence.series import (
    ENGLISH,
    LANGUAGES,
    LATIN,
    NON_LATIN,
    OTHERS,
    SEEN,
    UNSEEN,
    Of,
    Series,
    gap,
    mean,
    relative,
    series,
)
from glotmix.evidence.tables import GUIDE, ITEMS, RATING, RIGHT_OR_WRONG, printed

READ = 1e-4  # how exactly a point was read off, at worst
_DIGIT = 1e-4  # the last that is kept of a point
HALF = 0.005 + 1e-9  # of the last digit of a printed share
HIDDEN = 3  # languages that were evaluated and not printed, at most


class Figure(NamedTuple):
    """One line of a figure."""

    name: str
    line: str
    of: Series
    columns: list[int]
    kind: str  # relative | mean | gap
    rows: list[int]
    values: Array  # 0 to 1


def figures() -> Iterator[Figure]:
    points = printed(GUIDE, "figures")
    for (name, panel, line), part in points.group_by("figure", "panel", "series", maintain_order=True):
        yield _figure(str(name), str(panel), str(line), part)


def plotted(name: str, own: Series) -> Figure:
    """A series' line in a figure of ratios."""
    return next(one for one in figures() if one.name == name and one.of == own)


def plotted_mean(own: Series, columns: Sequence[int]) -> Figure | None:
    """A series' mean over languages as a figure has it, if the tables give that line: it has more digits than they."""
    lines = (one for one in figures() if one.of == own and one.kind == "mean" and one.rows == own.rows)
    ends = UNSEEN if list(columns) == UNSEEN else SEEN
    return next((one for one in lines if one.columns == ends and not _off(one, mean(columns))[1]), None)


def _figure(name: str, panel: str, line: str, part: pl.DataFrame) -> Figure:
    said = f"{panel} {line}"
    model = next(model for model in ("Aya23-7B", "Aya23-35B", "Llama3.1-8B") if model in said)
    task = next(task for task in ITEMS if f"{task} " in f"{said} ")
    design = "latin" if "en+es+fr" in said else "non-latin" if "en+ja+zh" in said else "single"
    own = series(model, task, "multi" if name in ("Fig4", "Fig5", "Fig12") else design)
    kind = "relative" if "relative" in line else "gap" if "minus" in line else "mean"
    unit = RATING if task == "IF" and kind != "relative" else 1
    rows = part["samples_per_non_english_language"].to_list()
    return Figure(name, f"{task} {model}", own, _columns(line, kind), kind, rows, part["value"].to_numpy() / unit)


def _columns(line: str, kind: str) -> list[int]:
    if kind != "mean":
        return OTHERS
    if "Latin" in line:
        return NON_LATIN if line.startswith("non-Latin") else LATIN
    return UNSEEN if "unseen" in line else SEEN


def claims() -> Iterator[Claim]:
    for figure in figures():
        what = {"relative": "R(n)", "gap": "seen minus unseen", "mean": f"mean of {_tags(figure.columns)}"}[figure.kind]
        trained = {"latin": ", Latin mix", "non-latin": ", non-Latin mix"}.get(figure.of.design, "")
        yield Claim(
            GUIDE,
            f"{figure.name} {figure.line}{trained} {what.removeprefix('mean of ')}",
            f"the plotted line is {what} of the tables",
            f"Fig {figure.name.removeprefix('Fig')}",
            what,
            f"{len(figure.values)} points, {_range(figure)}",
            partial(against_tables, figure),
        )


def _range(figure: Figure) -> str:
    return f"{figure.values.min():.3f} to {figure.values.max():.3f}".replace("-", "−")


def _tags(columns: list[int]) -> str:
    return " ".join(LANGUAGES[column] for column in columns)


def against_tables(figure: Figure) -> Outcome:
    off, outside = _off(figure, _of(figure))
    low, high = _ranges(figure, _of(figure))
    recomputed = f"largest difference {off:.4f}"
    uncertainty = f"rounding of the tables: up to ±{(high - low).max() / 2:.4f}"
    if not outside:
        told = f"all {len(figure.values)} points lie where the tables' rounding allows"
        return Outcome(recomputed, uncertainty, FOLLOWS, told)
    missed = f"{outside} of {len(figure.values)} points are not what the tables give"
    if made := _undisclosed(figure):
        told, chance = made
        verdict = UNDISCLOSED if chance < 1 - LEVEL else UNCLEAR
        return Outcome(recomputed, uncertainty, verdict, f"{missed}; {told} (by chance: {chance:.0e})")
    return Outcome(recomputed, uncertainty, NOT, f"{missed}; {_another(figure) or 'nothing printed tells why'}")


def _another(figure: Figure) -> str:
    """A reading that the paper's own words exclude."""
    if figure.columns != SEEN or _off(figure, mean([*ENGLISH, *SEEN]))[1]:
        return ""
    return "the mean with English, which the paper leaves out of seen, gives all"


def _of(figure: Figure) -> Of:
    return {"relative": relative, "gap": gap}.get(figure.kind) or mean(figure.columns)


def _at(figure: Figure) -> list[int]:
    return [figure.of.at(n) for n in figure.rows]


def _ranges(figure: Figure, of: Of) -> tuple[Array, Array]:
    """What rounding allows at the figure's points."""
    found = of(figure.of.roundings)[:, _at(figure)]
    return found.min(axis=0), found.max(axis=0)


def _off(figure: Figure, of: Of) -> tuple[float, int]:
    """The largest difference to the tables, and how many points they do not give."""
    low, high = _ranges(figure, of)
    outside = (figure.values < low - READ) | (figure.values > high + READ)
    return float(np.abs(figure.values - of(figure.of.means)[_at(figure)]).max()), int(outside.sum())


def _undisclosed(figure: Figure) -> tuple[str, float] | None:
    """What beside the printed scores would make every point, and how likely points anywhere would fit so well."""
    if figure.of.task != RIGHT_OR_WRONG or figure.kind == "gap":
        return None
    known = len(figure.columns)
    for count in range(known, known + HIDDEN + 1):
        if not _on_grid(figure, figure.values, count).all():
            continue
        for swapped in range(HIDDEN + 1):
            for out in combinations(figure.columns, swapped):
                hidden = count - known + swapped
                if hidden and _possible(figure, [column for column in figure.columns if column not in out], hidden):
                    more = [f"{count - known} more than printed"] * (count > known)
                    more += [f"{swapped} not as printed"] * (swapped > 0)
                    told = f"all lie on the grid of {count} languages, at least {' and '.join(more)}"
                    return told, min(1.0, _chance(figure, count) * (HIDDEN + 1))
    return None


def _on_grid(figure: Figure, values: Array, languages: int) -> Mask:
    """(..., points): whether they can be means over so many languages of shares of right answers."""
    counts = _english(figure) if figure.kind == "relative" else np.array([[ITEMS[figure.of.task]]])
    total = values[..., None] * languages * counts  # (..., points, counts): right answers in all languages
    return np.asarray((np.abs(total - total.round()) <= (_DIGIT / 2 + 1e-9) * languages * counts).any(axis=-1))


def _chance(figure: Figure, languages: int) -> float:
    """How likely all points would lie on the grid if they lay anywhere within 0.01 of where they do."""
    around = figure.values.round(4) + _DIGIT * np.arange(-100, 101)[:, None]
    return float(_on_grid(figure, around, languages).mean(axis=0).prod())


def _english(figure: Figure) -> Array:
    """(points, counts): right answers in English that round to what is printed; 0 for what does not."""
    items = ITEMS[figure.of.task]
    shares = figure.of.means[_at(figure), 0][:, None]
    around = np.round(shares * items) + np.arange(-2, 3)
    return np.where(np.abs(around / items - shares) <= HALF, around, np.nan)


def _possible(figure: Figure, kept: list[int], hidden: int) -> bool:
    """Whether hidden languages with scores from 0 to 1 make up for what the kept ones give."""
    tables = figure.of.roundings[:, _at(figure)]
    english = tables[..., 0] if figure.kind == "relative" else 1.0
    missing = figure.values * english * (len(kept) + hidden) - tables[..., kept].sum(axis=-1)  # (draws, points)
    return bool(((missing >= 0) & (missing <= hidden)).any(axis=0).all())
