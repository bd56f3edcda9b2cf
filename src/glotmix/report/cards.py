"""The answer in brief: what a reader came for, at the furthest setting of a family, as numbers and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.analysis.families import Family, short
from glotmix.analysis.quantities import ANCHOR_GAIN, GAP, RELATIVE, SEEN_BEYOND, SEEN_GAIN, UNSEEN_GAIN
from glotmix.analysis.scores import Setting
from glotmix.analysis.table import ROLES
from glotmix.language import Language
from glotmix.report.text import listing, signed, span, symbol


@dataclass(frozen=True)
class Sentences:
    """For what is concluded: higher, lower, no difference; `unclear` where nothing is."""

    title: str
    up: str
    down: str
    same: str
    unclear: str


# {size} is the estimate without its sign, {added} what raised or lowered it, {other} what it is compared with;
# {control} the control, {anchor}, {seen} and {unseen} are languages
CARDS = {
    SEEN_GAIN: Sentences(
        "Languages added to training",
        "{added} raise {seen} by {size} points on average, against {other}.",
        "{added} lower {seen} by {size} points on average, against {other}.",
        "{added} change {seen} by less than {margin} points on average, against {other}.",
        "{added} may raise or lower {seen}: these results cannot tell.",
    ),
    UNSEEN_GAIN: Sentences(
        "Languages never trained on",
        "The same mixture raises {unseen} by {size} points on average, without one row in them.",
        "The same mixture lowers {unseen} by {size} points on average.",
        "The same mixture changes {unseen} by less than {margin} points on average.",
        "The same mixture may raise or lower {unseen}: these results cannot tell.",
    ),
    ANCHOR_GAIN: Sentences(
        "{anchor} itself",
        "{anchor} itself{untrained} gains {size} points from the other languages.",
        "{anchor} itself{untrained} loses {size} points to the other languages.",
        "{anchor} itself{untrained} changes by less than {margin} points.",
        "{anchor} itself{untrained} may gain or lose from the other languages: these results cannot tell.",
    ),
    GAP: Sentences(
        "Seen-unseen gap",
        "{seen} score {size} points above {unseen} on average.",
        "{seen} score {size} points below {unseen} on average.",
        "{seen} and {unseen} score within {margin} points of each other.",
        "{seen} may score above or below {unseen}: these results cannot tell.",
    ),
    SEEN_BEYOND: Sentences(
        "Beyond volume",
        "The mixture raises {seen} by {size} points more than its control {control}.",
        "The mixture raises {seen} by {size} points less than its control {control}.",
        "The control {control} does as much for {seen}, within {margin} points.",
        "The control {control} may do as much for {seen}: these results cannot tell.",
    ),
    RELATIVE: Sentences(
        "Relative to {anchor}",
        "The other languages reach {size} % of the score in {anchor}.",
        "The other languages reach {size} % of the score in {anchor}.",
        "",
        "",
    ),
}


@dataclass(frozen=True)
class Smaller:
    """A finding at one of the smaller settings."""

    setting: str
    estimate: str
    interval: str


@dataclass(frozen=True)
class Card:
    """`clear` is false where nothing can be concluded; `interval` is empty where there is none."""

    title: str
    estimate: str
    unit: str
    interval: str
    clear: bool
    sentence: str
    smaller: tuple[Smaller, ...]


def cards(findings: pl.DataFrame, family: Family, groups: Mapping[str, str], margin: float) -> list[Card]:
    """Of the findings of one model and task, at the furthest setting of a family, whose languages `groups` gives."""
    last = family.furthest
    if last is None:
        return []
    words = {**_words(last, family.at(family.baseline), groups), "margin": f"{100 * margin:g}"}
    smaller = [setting.name for setting in family.mixtures if setting is not last] if family.curved else []
    return [
        _card(row, words, [found[name] for name in smaller if name in found])
        for name in CARDS
        for found in [_by_setting(findings, name)]
        if (row := found.get(last.name))
    ]


def _by_setting(findings: pl.DataFrame, name: str) -> dict[str, dict[str, Any]]:
    """The finding `name` by setting; against its first control, if it is one against controls."""
    rows = findings.filter(name=name).unique("setting", keep="first", maintain_order=True)
    return {row["setting"]: row for row in rows.iter_rows(named=True)}


def _card(row: Mapping[str, Any], words: Mapping[str, str], smaller: list[dict[str, Any]]) -> Card:
    name, estimate, low, high = row["name"], row["estimate"], row["low"], row["high"]
    bounded = low is not None and high is not None
    told = CARDS[name]
    said = {"higher": told.up, "lower": told.down, "no difference": told.same, "": told.up}
    sentence = said.get(row["conclusion"], told.unclear) if bounded else "{note}."
    clear = bounded and row["conclusion"] in said
    control = {"control": short(row["compared_with"])}
    filled = {**words, **control, "note": row["note"] or "", "size": f"{abs(100 * (estimate or 0)):.1f}"}
    return Card(
        title=told.title.format(**filled),
        estimate=signed(estimate, row["unit"]),
        unit=symbol(row["unit"]) if estimate is not None else "",
        interval=span(low, high, row["unit"]) if bounded else "",
        clear=clear,
        sentence=_first_upper(sentence.format(**filled)),
        smaller=tuple(
            Smaller(short(at["setting"]), signed(at["estimate"], at["unit"]), span(at["low"], at["high"], at["unit"]))
            for at in smaller
        ),
    )


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(setting: Setting, baseline: Setting | None, groups: Mapping[str, str]) -> dict[str, str]:
    names = {role: [Language.get(tag).name for tag in groups if groups[tag] == role] for role in ROLES}
    anchor = listing(names["anchor"]) or "the anchor"
    other = short(baseline.name) if baseline and baseline.rows_per_language else f"{anchor} alone"
    return {
        "added": f"{setting.rows_per_language:,} rows in each" if _equal_rows(setting) else "rows in them",
        "other": f"training on {other}",
        "untrained": ", without a row in it," if setting.anchor_rows == 0 else "",
        "anchor": anchor,
        "seen": _group(names["seen"]),
        "unseen": _group(names["unseen"]),
    }


def _equal_rows(setting: Setting) -> bool:
    """Whether the languages beside the anchor have the same rows: as many as the largest of them has, in every task."""
    if setting.total_rows is None or setting.anchor_rows is None:
        return True
    others = len(setting.train_languages) - (setting.anchor_rows > 0)
    return setting.total_rows % (setting.anchor_rows + others * setting.rows_per_language) == 0


def _group(names: list[str]) -> str:
    return listing(names) if len(names) <= 5 else f"these {len(names)} languages"
