"""What the page shows as tables: scores by language and mixture, verdict shares, findings with drawn intervals."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.analysis.interval import bounded, interval
from glotmix.analysis.quantities import language_groups
from glotmix.analysis.scores import Scores, Setting, read_scores
from glotmix.analysis.table import ROLES, VERDICTS
from glotmix.report.places import own_note, placed, visible
from glotmix.report.text import ZERO, count, p_value, percent, signed, span, symbol

MANY = 60  # findings of a block from which its rows are dense and its notes folded
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
    if "verdict" not in results.columns:
        results = results.clear().with_columns(verdict=pl.lit(None, pl.String))
    known = pl.DataFrame({"verdict": VERDICTS, "rank": range(len(VERDICTS))})
    counts = results.group_by(*cell, "verdict").len().with_columns(pl.col("verdict").cast(pl.String))
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
    there = {row[:2] for row in found}
    return [
        VerdictRow(tag, setting, {verdict: percent(found.get((tag, setting, verdict), 0.0), 1) for verdict in VERDICTS})
        for tag in languages
        for setting in settings
        if (tag, setting) in there
    ]


@dataclass(frozen=True)
class Estimate:
    """One finding at one setting; `left`, `right` and `middle` place it on its group's scale, in percent.

    `against` names what it is held against, unless that is the setting's own baseline; `apart` what else tells it from
    others of its name.
    """

    setting: str
    against: str
    apart: str
    estimate: str
    interval: str
    counted: str
    note: str
    conclusion: str
    adjusted: str
    detectable: str
    middle: float | None
    left: float | None
    right: float | None


@dataclass(frozen=True)
class FindingGroup:
    """`definitions` with the settings they are of, none if all have the same. `zero` and `band`, the ends of the
    margin, are on the scale; None where they mean nothing."""

    name: str
    unit: str
    definitions: tuple[tuple[str, str], ...]
    zero: float | None
    band: tuple[float, float] | None
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Block:
    """Findings of one task, model and design; a name is empty where findings are of several."""

    task: str
    model: str
    design: str
    groups: tuple[FindingGroup, ...]

    @property
    def rows(self) -> int:
        return sum(len(group.estimates) for group in self.groups)

    @property
    def many(self) -> bool:
        return self.rows > MANY


def blocks(findings: pl.DataFrame, designs: Sequence[str], margin: float) -> list[Block]:
    """All findings, each once, in their order."""
    by = findings.with_columns(design=pl.col("setting").map_elements(lambda name: _design(name, designs), pl.String))
    parts = by.group_by("task", "model", "design", maintain_order=True)
    return [
        Block(str(task), str(model), str(design), tuple(finding_groups(placed(part), margin)))
        for (task, model, design), part in parts
    ]


def _design(setting: str, designs: Sequence[str]) -> str:
    """What stands before a setting's name within it, or all of a name that is a design's."""
    return setting if setting in designs else setting.rpartition("/")[0]


def finding_groups(part: pl.DataFrame, margin: float) -> list[FindingGroup]:
    """The findings (`placed`) of one model, task and design by name; those in points share a scale, but for what
    exceeds any difference of two scores, beside which nothing else would be seen."""
    groups = [(str(name), own) for (name,), own in part.group_by("name", maintain_order=True)]
    fit = [own for _, own in groups if _fits(own)]
    shared = _scale(pl.concat(fit), "score") if fit else None
    return [
        _group(name, own, shared if shared and _fits(own) else _scale(own, own["unit"][0]), margin)
        for name, own in groups
    ]


def _fits(own: pl.DataFrame) -> bool:
    ends = own.select(pl.max_horizontal(pl.col("estimate", "low", "high").abs()).max()).item() or 0.0
    return bool(own["unit"][0] == "score" and ends <= 1)


def _scale(part: pl.DataFrame, unit: str) -> Place:
    of = math.log if unit == "factor" else float
    numbers = [
        x for column in ("estimate", "low", "high") for x in part[column].drop_nulls() if unit != "factor" or x > 0
    ]
    ends = [of(x) for x in (*numbers, *([ZERO[unit]] if unit in ZERO else []))] or [0.0]
    bottom, top = min(ends), max(ends)
    reach = (top - bottom) or 1.0

    def place(value: float) -> float:
        at = bottom if unit == "factor" and value <= 0 else of(value)
        return round(4 + 92 * (at - bottom) / reach, 2)

    return place


def _group(name: str, group: pl.DataFrame, place: Place, margin: float) -> FindingGroup:
    unit = group["unit"][0]
    by_definition = group.group_by("definition", maintain_order=True).agg("at")
    definitions = tuple(
        (", ".join(dict.fromkeys(settings)) if len(by_definition) > 1 else "", definition)
        for definition, settings in by_definition.iter_rows()
    )
    compared = unit == "score" and any(group["conclusion"].fill_null(""))
    return FindingGroup(
        name,
        symbol(unit),
        definitions,
        place(ZERO[unit]) if unit in ZERO else None,
        (max(0.0, place(-margin)), min(100.0, place(margin))) if compared else None,
        tuple(_estimate(row, place) for row in group.iter_rows(named=True)),
    )


def _estimate(row: Mapping[str, Any], place: Place) -> Estimate:
    low, high = row["low"], row["high"]
    return Estimate(
        setting=row["at"],
        against=row["against"],
        apart=row["apart"],
        estimate=signed(row["estimate"], row["unit"]),
        interval=span(low, high, row["unit"]),
        counted=f"{count(row['n'])} {row['counted'] or ''}".strip() if row["n"] else "",
        note=own_note(row),
        conclusion=row["conclusion"] or "",
        adjusted=p_value(row["adjusted_p"]),
        detectable=visible(row),
        middle=None if row["estimate"] is None else place(row["estimate"]),
        left=None if low is None else place(low),
        right=None if high is None else place(high),
    )
