"""In which language answers came: what was asked for against what was detected, over all runs of a task."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from glotmix.report.text import percent

CANT_TELL = ""
OTHERS = "others"
COLUMNS = 16  # languages; the rarest stand together


@dataclass(frozen=True)
class Share:
    """Of a row's answers, in percent (empty for none); `kind` is own, other or unknown.

    `weight`, 0 to 1, is how strongly to mark it: the root of the share, for small ones to show.
    """

    percent: str
    kind: str
    weight: float


@dataclass(frozen=True)
class ConfusionRow:
    """Answers to rows in `language`, wanted in `wanted`; `other` is the share positively in another language."""

    language: str
    wanted: str
    answers: int
    shares: tuple[Share, ...]
    other: Share


@dataclass(frozen=True)
class Confusion:
    """`columns` are base tags, then possibly `OTHERS`, then `CANT_TELL`."""

    columns: tuple[str, ...]
    rows: tuple[ConfusionRow, ...]


def confusion(results: pl.DataFrame, languages: Sequence[str]) -> Confusion | None:
    """Of one task's results, languages in the order given; None if no answer's language was checked."""
    if "detected" not in results.columns or results["detected"].null_count() == len(results):
        return None
    wanted = pl.col("answer_language") if "answer_language" in results.columns else pl.lit(None, pl.String)
    checked = results.drop_nulls("detected").select("language", "detected", wanted=wanted.fill_null(pl.col("language")))
    counts = checked.group_by("language", "wanted", "detected").len()
    columns = _columns(counts, languages)
    named = pl.col("detected")
    counts = counts.with_columns(detected=pl.when(named.is_in(list(columns))).then(named).otherwise(pl.lit(OTHERS)))
    return Confusion(columns, tuple(_rows(counts, columns, languages)))


def _columns(counts: pl.DataFrame, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages asked for in their order, then others by number of answers."""
    asked = list(dict.fromkeys(map(_base, [*languages, *counts["wanted"].unique().sort()])))
    found = counts.group_by("detected").agg(pl.col("len").sum()).sort("len", "detected", descending=[True, False])
    told = [tag for tag in [*asked, *found["detected"]] if tag in set(found["detected"]) and tag != CANT_TELL]
    distinct = list(dict.fromkeys(told))
    return (*distinct[:COLUMNS], *([OTHERS] if len(distinct) > COLUMNS else []), CANT_TELL)


def _rows(counts: pl.DataFrame, columns: Sequence[str], languages: Sequence[str]) -> Iterator[ConfusionRow]:
    for tag in languages:
        for (wanted,), own in sorted(counts.filter(language=tag).group_by("wanted")):
            answers = int(own["len"].sum())
            by_column = own.group_by("detected").agg(pl.col("len").sum())
            shares = {name: count / answers for name, count in by_column.iter_rows()}
            kinds = {name: _kind(name, str(wanted)) for name in columns}
            yield ConfusionRow(
                language=tag,
                wanted=str(wanted),
                answers=answers,
                shares=tuple(_share(shares.get(name, 0.0), kinds[name]) for name in columns),
                other=_share(sum(shares.get(name, 0.0) for name in columns if kinds[name] == "other"), "other"),
            )


def _kind(detected: str, wanted: str) -> str:
    return "unknown" if detected == CANT_TELL else "own" if detected == _base(wanted) else "other"


def _share(share: float, kind: str) -> Share:
    told = "" if not share else percent(share) if share >= 0.005 else "<1"
    return Share(told, kind, round(share**0.5, 3))


def _base(tag: str) -> str:
    return tag.partition("-")[0]
