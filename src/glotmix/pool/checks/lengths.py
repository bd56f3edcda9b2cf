"""Texts far too long or short: cut off, run together, or translated only in part. Per task, language and split.

1. A prompt's or an answer's length in characters, on the log scale, against the median of its source there, in robust
   standard deviations (1.4826 times the median absolute deviation; Iglewicz & Hoaglin 1993): no outlier inflates them.
2. Where the anchor has the same item, the ratio of the two lengths likewise: a language's ratio hardly varies between
   items, so half a translation shows there first.
3. Found from 6 standard deviations on, each taken as at least log(1.3), so that in uniform texts no
   small difference is large: within a factor of 4.8 of the usual none is found. Under 50 rows of a source are skipped.
"""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from glotmix.pool.checks.finding import Examined, Finding, alone
from glotmix.pool.checks.parallel import anchor_of
from glotmix.pool.checks.reading import Cell, cells, scan
from glotmix.pool.folder import FolderPool

DEVIATIONS = 6
LEAST_DEVIATION = 0.262  # log(1.3)
LEAST_ROWS = 50
_SAYS = "the length is far from what is usual here: look for cut, joined or half-translated texts"
_MEASURES = {
    "prompt": "prompt has {} characters, {} are usual",
    "answer": "answer has {} characters, {} are usual",
    "prompt_ratio": "prompt is {} times as long as the anchor's, {} is usual",
    "answer_ratio": "answer is {} times as long as the anchor's, {} is usual",
}


def lengths(examined: Examined) -> Iterator[Finding]:
    """Outliers of prompt and answer lengths, alone and against the anchor's."""
    by_split = sorted(cells(examined.pool), key=lambda cell: (cell.task, cell.split))
    for _, group in groupby(by_split, key=lambda cell: (cell.task, cell.split)):
        measured = {cell: _measured(examined.pool, cell) for cell in group}
        anchor = measured[anchor_of(measured)].select("item_id", "prompt", "answer")
        for cell, rows in measured.items():
            judged = rows.filter(pl.len().over("source") >= LEAST_ROWS)
            wrong = _outliers(judged.join(anchor, on="item_id", how="left", suffix="_of_anchor"))
            skipped = len(rows) - len(judged)
            yield Finding("lengths", "warning", cell, _SAYS, wrong, len(judged), len(rows), skipped)
            examined.done(cell)


def _measured(pool: FolderPool, cell: Cell) -> pl.DataFrame:
    sizes = {name: pl.col(name).str.len_chars().cast(pl.Float64) for name in ("prompt", "answer")}
    return scan(pool, cell).select("row_id", "item_id", "source", **sizes).collect(engine="streaming")


def _outliers(rows: pl.DataFrame) -> pl.DataFrame:
    ratios = {f"{name}_ratio": pl.col(name) / pl.col(f"{name}_of_anchor") for name in ("prompt", "answer")}
    judged = rows.with_columns(**ratios).with_columns(_told(name) for name in _MEASURES)
    detail = pl.concat_str(list(_MEASURES), separator="; ", ignore_nulls=True)
    return alone(judged.with_columns(detail=detail).filter(pl.col("detail") != ""))


def _told(name: str) -> pl.Expr:
    """What to say of an outlier, else null."""
    size = pl.col(name)
    log = size.clip(lower_bound=0.01).log()
    off = (log - log.median().over("source")).abs()
    deviation = (1.4826 * off.median().over("source")).clip(lower_bound=LEAST_DEVIATION)
    usual = size.median().over("source")
    shown = [value.round_sig_figs(2).cast(pl.String).str.strip_suffix(".0") for value in (size, usual)]
    return pl.when(off / deviation >= DEVIATIONS).then(pl.format(_MEASURES[name], *shown)).alias(name)
