"""What the page shows as tables: scores by language and mixture, verdict shares, findings with drawn intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.analysis.families import short
from glotmix.analysis.interval import bounded, interval
from glotmix.analysis.quantities import BEYOND, language_groups
from glotmix.analysis.scores import Scores, Setting, read_scores
from glotmix.analysis.table import ROLES, VERDICTS
from glotmix.report import text
from glotmix.report.text import percent, signed, span

Place = Callable[[float], float]  # of a value on a scale, in percent

GROUP_SCHEMA = pl.Schema(
    {
        "model": pl.String(),
        "task": pl.String(),
        "setting": pl.String(),
        "rows_per_language": pl.Int64(),
        "role": pl.String(),
        "estimate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


def scores_by_role(results: pl.DataFrame) -> pl.DataFrame:
    """Mean over the anchor, the languages that a setting has seen, and those it has not.

    A setting trained on the anchor alone is shown for the study's languages. Translations of an item stay together in
    the intervals.
    """
    rows = [
        (scores.model, scores.task, setting.name, setting.rows_per_language, group, *_mean(scores, index, columns))
        for scores in read_scores(results)
        for index, setting in enumerate(scores.settings)
        for group, columns in _columns(scores, setting).items()
    ]
    return pl.DataFrame(rows, GROUP_SCHEMA, orient="row").fill_nan(None)


def _columns(scores: Scores, setting: Setting) -> dict[str, list[int]]:
    group_of = language_groups(scores, setting)
    found = {role: [place for place, tag in enumerate(scores.languages) if group_of[tag] == role] for role in ROLES}
    return {role: columns for role, columns in found.items() if columns}


def _mean(scores: Scores, setting: int, columns: list[int]) -> tuple[float, float, float]:
    mean = bounded(interval(scores, [setting], lambda means: float(means[0, columns].mean())))
    return mean.estimate, mean.low, mean.high


@dataclass(frozen=True)
class Cell:
    """`heat` is the score's place on the colour scale, 0 to 1."""

    value: str
    interval: str
    heat: float


def heat_cells(part: pl.DataFrame, key: str, settings: Sequence[str], top: float) -> dict[str, list[Cell | None]]:
    """One row of cells per value of `key` (language or role), one cell per setting; of one model and task."""
    found = {(row[key], row["setting"]): _heat(row, top) for row in part.iter_rows(named=True)}
    return {
        name: [found.get((name, setting)) for setting in settings] for name in part[key].unique(maintain_order=True)
    }


def _heat(row: Mapping[str, float | None], top: float) -> Cell:
    digits = 0 if top > 0.2 else 1
    estimate, low, high = row["estimate"], row["low"], row["high"]
    around = "" if low is None or high is None else f"{percent(low, digits)}–{percent(high, digits)}"
    return Cell(percent(estimate, digits), around, round(min(1.0, (estimate or 0) / top), 3))


def verdict_shares(results: pl.DataFrame) -> pl.DataFrame:
    """Columns model, task, language, setting, verdict, rank, share: over all seeds and items."""
    cell = ["model", "task", "language", "setting"]
    known = pl.DataFrame({"verdict": VERDICTS, "rank": range(len(VERDICTS))})
    counts = results.group_by(*cell, "verdict").len()
    share = pl.col("len") / pl.col("len").sum().over(cell)
    return counts.with_columns(share=share).join(known, on="verdict").sort(*cell, "rank").drop("len")


@dataclass(frozen=True)
class VerdictRow:
    """`shares` gives every verdict, in percent."""

    language: str
    setting: str
    shares: dict[str, str]


def verdict_rows(shares: pl.DataFrame, languages: Sequence[str], settings: Sequence[str]) -> list[VerdictRow]:
    """Of one model and task, in the order given."""
    found = {row[:3]: row[3] for row in shares.select("language", "setting", "verdict", "share").iter_rows()}
    return [
        VerdictRow(tag, setting, {verdict: percent(found.get((tag, setting, verdict), 0.0), 1) for verdict in VERDICTS})
        for tag in languages
        for setting in settings
    ]


@dataclass(frozen=True)
class Estimate:
    """One finding at one setting; `left`, `right` and `middle` place it on its group's scale, in percent.

    `against` names what a control's finding is held against.
    """

    setting: str
    against: str
    estimate: str
    interval: str
    n: int
    note: str
    clear: bool
    middle: float | None
    left: float | None
    right: float | None


@dataclass(frozen=True)
class FindingGroup:
    """`definitions` with the settings they are of, none if all have the same."""

    name: str
    unit: str
    definitions: tuple[tuple[str, str], ...]
    zero: float
    estimates: tuple[Estimate, ...]


def finding_groups(part: pl.DataFrame) -> list[FindingGroup]:
    """The findings of one model, task and design by name, gains first; those of one unit share a scale."""
    units = part.with_columns(unit=pl.col("name").map_elements(text.unit, pl.String))
    scales = {unit: _scale(own) for (unit,), own in units.group_by("unit")}
    groups = [(str(name), own) for (name,), own in part.group_by("name", maintain_order=True)]
    groups.sort(key=lambda group: "gain" not in group[0])
    return [_group(name, own, scales[text.unit(name)]) for name, own in groups]


def _scale(part: pl.DataFrame) -> Place:
    numbers: list[float] = [x for column in ("estimate", "low", "high") for x in part[column].drop_nulls()]
    bottom, top = min([0.0, *numbers]), max([0.0, *numbers])
    reach = (top - bottom) or 1.0

    def place(value: float) -> float:
        return round(4 + 92 * (value - bottom) / reach, 2)

    return place


def _group(name: str, group: pl.DataFrame, place: Place) -> FindingGroup:
    estimates = tuple(_estimate(name, row, place) for row in group.iter_rows(named=True))
    by_definition = group.group_by("definition", maintain_order=True).agg("setting")
    definitions = tuple(
        (", ".join(map(short, settings)) if len(by_definition) > 1 else "", definition)
        for definition, settings in by_definition.iter_rows()
    )
    return FindingGroup(name, text.unit(name), definitions, place(0.0), estimates)


def _estimate(name: str, row: Mapping[str, Any], place: Place) -> Estimate:
    low, high = row["low"], row["high"]
    return Estimate(
        setting=short(row["setting"]),
        against=short(row["compared_with"]) if name in BEYOND else "",
        estimate=signed(row["estimate"], name),
        interval=span(low, high, name),
        n=row["n"],
        note=row["note"] or "",
        clear=low is not None and high is not None and not low <= 0 <= high,
        middle=None if row["estimate"] is None else place(row["estimate"]),
        left=None if low is None else place(low),
        right=None if high is None else place(high),
    )
