"""The answer in brief: the findings a reader came for, at the largest mixture, each as a number and a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glotmix.analysis.quantities import ANCHOR_GAIN, GAP, RELATIVE, SEEN_GAIN, UNSEEN_GAIN
from glotmix.language import Language
from glotmix.report.text import listing, signed, span, unit


@dataclass(frozen=True)
class Sentences:
    """For an estimate above zero, below it, and one whose interval includes it."""

    title: str
    up: str
    down: str
    unclear: str


# {size} is the estimate without its sign, {rows} what was added, {anchor}, {seen} and {unseen} are languages
CARDS = {
    SEEN_GAIN: Sentences(
        "Languages added to training",
        "{rows} raise {seen} by {size} points on average, against training on {anchor} alone.",
        "{rows} lower {seen} by {size} points on average, against training on {anchor} alone.",
        "{rows} may raise or lower {seen}: the interval includes zero.",
    ),
    UNSEEN_GAIN: Sentences(
        "Languages never trained on",
        "The same mixture raises {unseen} by {size} points on average, without one row in them.",
        "The same mixture lowers {unseen} by {size} points on average.",
        "The same mixture may raise or lower {unseen}: the interval includes zero.",
    ),
    ANCHOR_GAIN: Sentences(
        "{anchor} itself",
        "{anchor} itself gains {size} points from the other languages.",
        "{anchor} itself loses {size} points to the other languages.",
        "{anchor} itself may gain or lose from the other languages: the interval includes zero.",
    ),
    GAP: Sentences(
        "Seen-unseen gap",
        "{seen} score {size} points above {unseen} on average.",
        "{seen} score {size} points below {unseen} on average.",
        "{seen} may score above or below {unseen}: the interval includes zero.",
    ),
    RELATIVE: Sentences(
        "Relative to {anchor}",
        "The other languages reach {size} % of the score in {anchor}.",
        "The other languages reach {size} % of the score in {anchor}.",
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
    """`clear` is false where the interval includes zero, or where there is none (`interval` is empty then)."""

    title: str
    estimate: str
    unit: str
    interval: str
    clear: bool
    sentence: str
    smaller: tuple[Smaller, ...]


def cards(findings: pl.DataFrame, rows_per_language: Mapping[str, int], roles: Mapping[str, str]) -> list[Card]:
    """Of the findings of one model and task."""
    return [
        _card(name, found.sort(pl.col("setting").replace_strict(rows_per_language)), rows_per_language, roles)
        for name in CARDS
        if len(found := findings.filter(name=name))
    ]


def _card(name: str, found: pl.DataFrame, rows: Mapping[str, int], roles: Mapping[str, str]) -> Card:
    last = found.row(-1, named=True)
    estimate, low, high = last["estimate"], last["low"], last["high"]
    bounded = low is not None and high is not None
    clear = bounded and (name == RELATIVE or not low <= 0 <= high)
    told = CARDS[name]
    sentence = (told.up if estimate > 0 else told.down) if clear else told.unclear if bounded else "{note}."
    words = _words(rows[last["setting"]], roles) | {
        "note": last["note"] or "",
        "size": f"{abs(100 * (estimate or 0)):.1f}",
    }
    return Card(
        title=told.title.format(**words),
        estimate=signed(estimate, name),
        unit=unit(name) if estimate is not None else "",
        interval=span(low, high, name) if bounded else "",
        clear=clear,
        sentence=_first_upper(sentence.format(**words)),
        smaller=tuple(
            Smaller(row["setting"], signed(row["estimate"], name), span(row["low"], row["high"], name))
            for row in found[:-1].iter_rows(named=True)
        ),
    )


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(rows: int, roles: Mapping[str, str]) -> dict[str, str]:
    names = {role: [Language.get(tag).name for tag in roles if roles[tag] == role] for role in set(roles.values())}
    return {
        "rows": f"{rows:,} rows in each",
        "anchor": listing(names.get("anchor", [])) or "the anchor",
        "seen": _group(names.get("seen", [])),
        "unseen": _group(names.get("unseen", [])),
    }


def _group(names: list[str]) -> str:
    return listing(names) if len(names) <= 5 else f"these {len(names)} languages"
