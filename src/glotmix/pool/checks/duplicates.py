"""Prompts that stand in a pool twice, within a split or, worse, across splits; per task and language.

1. Exact: two prompts with the same key (see `text`). Near: see `near`.
2. Of two rows the junior is the duplicate: the one in the split that trains, within a split the one of the later id.
   So the rows found can be dropped, and nothing is lost but the repetition.
"""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from glotmix.pool.checks.finding import Examined, Finding
from glotmix.pool.checks.near import LEAST_CHARACTERS, near_pairs
from glotmix.pool.checks.reading import Cell, cells, scan
from glotmix.pool.checks.text import key
from glotmix.pool.row import SPLITS

_ACROSS = "the prompt is in {} too, which is there to measure what was not trained on: drop the row here"
_WITHIN = "the prompt is there already: drop the row, or it counts twice"


def exact_duplicates(examined: Examined) -> Iterator[Finding]:
    """Prompts that are the same but for spacing, case, punctuation and number format."""
    for own, texts in _by_language(examined):
        keyed = texts.drop_nulls("key").filter(pl.col("key").is_duplicated())
        pairs = keyed.select(junior="at", senior=pl.col("at").min().over("key"))
        pairs = pairs.filter(pl.col("junior") != pl.col("senior"))
        another = pl.when(pl.col("answer") != pl.col("other_answer")).then(pl.lit(", another answer"))
        detail = pl.format("same prompt{}", another.otherwise(pl.lit("")))
        yield from _findings("exact_duplicates", own, texts, pairs, detail, judged=pl.col("key").is_not_null())


def near_duplicates(examined: Examined) -> Iterator[Finding]:
    """Prompts that are nearly the same, exact duplicates apart."""
    long_enough = pl.col("key").str.len_chars().fill_null(0) >= LEAST_CHARACTERS
    for own, texts in _by_language(examined):
        pairs = near_pairs(texts.drop_nulls("key").unique(["key", "answer"], keep="first", maintain_order=True))
        detail = pl.format("{} alike", pl.col("alike").round(2))
        yield from _findings("near_duplicates", own, texts, pairs, detail, judged=long_enough)


def _by_language(examined: Examined) -> Iterator[tuple[list[Cell], pl.DataFrame]]:
    """The cells of a task and language, and their rows, seniors first: `at`, row_id, split (in SPLITS), key, answer."""
    for _, group in groupby(cells(examined.pool), key=lambda cell: cell[:2]):
        own = list(group)
        texts = pl.concat(_texts(examined, cell) for cell in own)
        yield own, texts.sort("split", "row_id", descending=[True, False]).with_row_index("at")
        for cell in own:
            examined.done(cell)


def _texts(examined: Examined, cell: Cell) -> pl.DataFrame:
    split = pl.lit(SPLITS.index(cell.split), pl.UInt8)
    answer = pl.coalesce(key(pl.col("reference")), key(pl.col("answer"))).hash()
    texts = scan(examined.pool, cell).select("row_id", split=split, key=key(pl.col("prompt")), answer=answer)
    return texts.collect(engine="streaming")


def _findings(
    check: str, own: list[Cell], texts: pl.DataFrame, pairs: pl.DataFrame, detail: pl.Expr, judged: pl.Expr
) -> Iterator[Finding]:
    junior = texts.select("at", "row_id", "split", "answer")
    senior = texts.select("at", other="row_id", other_split="split", other_answer="answer")
    named = pairs.join(junior, left_on="junior", right_on="at").join(senior, left_on="senior", right_on="at")
    rows = named.with_columns(detail=detail).sort("row_id")
    for cell in own:
        inside = texts.filter(split=SPLITS.index(cell.split))
        checked = inside.select(judged.sum()).item()
        counts = {"checked": checked, "of": len(inside), "skipped": len(inside) - checked}
        mine = rows.filter(split=SPLITS.index(cell.split))
        for place in sorted({SPLITS.index(cell.split), *mine["other_split"]}):
            found = mine.filter(other_split=place).select("row_id", "other", "detail")
            if SPLITS[place] == cell.split:
                yield Finding(check, "warning", cell, _WITHIN, found, **counts)
            else:
                yield Finding(check, "error", cell, _ACROSS.format(SPLITS[place]), found, **counts)
