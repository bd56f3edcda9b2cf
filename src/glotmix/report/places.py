"""Where a finding stands: its setting, what that is held against, and what else tells it from others of its name."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import polars as pl

from glotmix.analysis.families import short
from glotmix.analysis.quantities import ANCHOR_GAIN, GAIN_DIFFERENCE, GAP, GAP_CLOSED, RELATIVE, SEEN_GAIN, UNSEEN_GAIN
from glotmix.report.text import signed

FIRST = (SEEN_GAIN, UNSEEN_GAIN, ANCHOR_GAIN, GAIN_DIFFERENCE, GAP, GAP_CLOSED, RELATIVE)
ALL = "all settings"


def in_order(findings: pl.DataFrame) -> pl.DataFrame:
    """What most came for first, and what is of several tasks or models last."""
    rank = pl.col("name").replace_strict({name: at for at, name in enumerate(FIRST)}, default=len(FIRST))
    return findings.sort(pl.col("task") == "", pl.col("model") == "", rank, maintain_order=True)


def placed(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings with three columns more, for people: `at`, `against` (empty for a setting's own baseline) and `apart`,
    in which definitions of findings that else stand at the same place differ. Names of settings are `short` where all
    are of one design."""
    gains = findings.filter(name=SEEN_GAIN)
    baselines = dict(gains.select("setting", "compared_with").iter_rows())
    rows = list(findings.iter_rows(named=True))
    one = len({own.rpartition("/")[0] for own in findings["setting"] if own}) <= 1
    told = [_at(row, baselines, one) for row in rows]
    same: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(rows):
        same.setdefault(tuple(row[k] for k in ("name", "model", "task", "setting", "compared_with")), []).append(index)
    apart = [""] * len(rows)
    for members in same.values():
        for index, words in zip(members, differing([rows[at]["definition"] for at in members]), strict=True):
            apart[index] = words
    return findings.with_columns(
        pl.Series("at", [at for at, _ in told], pl.String),
        pl.Series("against", [against for _, against in told], pl.String),
        pl.Series("apart", apart, pl.String),
    )


def _at(row: Mapping[str, Any], baselines: Mapping[str, str], one: bool) -> tuple[str, str]:
    own, other = row["setting"] or "", row["compared_with"] or ""
    named = short if one and short(own) != short(other) else str
    return named(own) or ALL, "" if baselines.get(own) == other else named(other)


def differing(texts: Sequence[str]) -> list[str]:
    """What is left of each without the words at both ends that all have; nothing where all are the same.

    >>> differing(["mean over es fr, at n = 0", "mean over ja, at n = 0"])
    ['es fr', 'ja']
    """
    words = [text.split() for text in texts]
    start = _common(words)
    end = _common([own[start:][::-1] for own in words])
    return [" ".join(own[start : len(own) - end]).rstrip(",:;") for own in words]


def _common(lists: Sequence[list[str]]) -> int:
    """How many first words all have."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*lists, strict=False)))


def where(row: Mapping[str, Any]) -> str:
    """In one line, of a finding that is `placed`."""
    setting = f"{row['at']} against {row['against']}" if row["against"] else row["at"]
    return ": ".join(filter(None, ("" if setting == ALL and row["apart"] else setting, row["apart"])))


def distinct(labels: Sequence[str]) -> list[str]:
    """The same texts to the eye; doubles differ by spaces behind, so that each has a line of its own."""
    seen: dict[str, int] = {}
    told = []
    for own in labels:
        told.append(own + "\u00a0" * seen.get(own, 0))
        seen[own] = seen.get(own, 0) + 1
    return told


def visible(row: Mapping[str, Any]) -> str:
    """The smallest difference that would have been seen, where none was."""
    open_ = row["detectable"] is not None and row["conclusion"] in ("cannot tell", "no difference")
    return signed(row["detectable"], row["unit"]).lstrip("+") if open_ else ""


def own_note(row: Mapping[str, Any]) -> str:
    """Without its first part where that tells what is `visible`."""
    return str(row["note"].partition("; ")[2] if visible(row) else row["note"] or "")
