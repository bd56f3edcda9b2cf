"""Numbers and names as a reader sees them."""

from collections.abc import Mapping
from typing import NamedTuple

from glotmix.language import Language

NONE = "–"


class Form(NamedTuple):
    """How numbers of a unit are written: times `scale`, as `pattern` says, with `symbol` behind."""

    scale: float
    pattern: str
    symbol: str


FORMS = {  # by the unit of a finding; differences of scores alone have a sign before what is positive
    "score": Form(100, "+.1f", "points"),
    "ratio": Form(100, ".1f", "%"),
    "share": Form(100, ".1f", "%"),
    "rows": Form(1, ",.0f", "rows"),
    "factor": Form(1, ",.3g", "×"),
    "correlation": Form(1, ".2f", ""),
}
ZERO = {"score": 0.0, "ratio": 0.0, "correlation": 0.0, "factor": 1.0}  # where a unit has one
SENTENCES = {  # of a design
    "increments": "Every setting adds the same number of rows in each training language to a fixed set of anchor rows.",
    "groups": "Every setting adds the same number of rows in each language of its group to a fixed set of anchor rows.",
    "coverage": "Every setting is a set of languages with the same number of rows in each: rows grow with languages.",
    "ratio": "All settings have the same number of rows; the anchor's share varies, other languages share the rest.",
    "substitution": "All settings have the same number of rows; rows in each training language replace anchor rows.",
    "availability": "All settings have the same number of rows, shared out by the rows that each language has.",
    "explicit": "Every setting is a mixture written out in the study file.",
}
LONGER = (  # of rows that are dropped or truncated
    "Languages differ in tokens per row: one that loses more was trained on less than its rows in the design say, which"
    " biases its comparison with others."
)


def percent(value: float | None, digits: int = 0) -> str:
    return NONE if value is None else f"{100 * value:.{digits}f}"


def signed(value: float | None, unit: str) -> str:
    """An estimate in `unit`, without its symbol, with a true minus sign; nothing has no sign.

    >>> signed(-0.0123, "score"), signed(0.0001, "score"), signed(1234.4, "rows"), signed(13.234, "factor")
    ('−1.2', '0.0', '1,234', '13.2')
    """
    if value is None:
        return NONE
    text = f"{FORMS[unit].scale * value:{FORMS[unit].pattern}}"
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def symbol(unit: str) -> str:
    """What stands behind a number in `unit`."""
    return FORMS[unit].symbol


def span(low: float | None, high: float | None, unit: str) -> str:
    return NONE if low is None or high is None else f"{signed(low, unit)} to {signed(high, unit)}"


def p_value(value: float | None) -> str:
    """Empty for a level; never as 0."""
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(number: int | None) -> str:
    """Grouped by thousands; short from a million on."""
    if number is None:
        return NONE
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return f"{number:,}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def label(tag: str) -> str:
    """English name and tag, so that a figure needs no font but a Latin one."""
    return f"{Language.get(tag).name} ({tag})"


def listing(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def rows_by_language(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Of a mixture, task -> language -> rows; languages with as many rows stand together.

    >>> rows_by_language({"math": {"en": 2000, "es": 100, "fr": 100}})
    'en 2,000, es fr 100 each'
    """
    parts = []
    for task, by_language in counts.items():
        by_rows: dict[int, list[str]] = {}
        for tag, rows in by_language.items():
            by_rows.setdefault(rows, []).append(tag)
        groups = [f"{' '.join(tags)} {rows:,}{' each' * (len(tags) > 1)}" for rows, tags in by_rows.items()]
        parts.append((f"{task}: " if len(counts) > 1 else "") + ", ".join(groups))
    return "; ".join(parts)
