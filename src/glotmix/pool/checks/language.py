"""Texts that are positively in another language than their row says.

1. `task.language_check` decides, offline and only where the text itself proves it. Short or numeric texts and languages
   it never learnt prove nothing: such rows are counted as skipped. It names the 18 languages it knows, no other.
2. Prompt and answer are judged apart, without the lines that many prompts share; answers of api_calls are JSON with
   English keys, and are not judged. A text that
   the `script` check would let pass is not in a language of another script: an English title does not make it English.
3. At most 2,000 rows of a cell are read, those of the lowest keyed hash.
4. More than one row in twenty, by the interval's lower end, is an error: then the tag is wrong, not the row.
"""

from collections.abc import Iterator

import polars as pl

from glotmix.language import Language
from glotmix.pool.checks.finding import Examined, Finding, Severity
from glotmix.pool.checks.reading import Cell, cells, count, fixed_lines, prose, request, sample
from glotmix.pool.checks.script import OWN_SHARE, own_share
from glotmix.pool.checks.share import wilson
from glotmix.task.language_check import detect

ROWS = 2_000
WRONG_TAG = 0.05
_SAYS = "the text is in another language: correct the tag, or drop the row"


def language(examined: Examined) -> Iterator[Finding]:
    """Language of prompts and answers against the declared tag."""
    for cell in cells(examined.pool):
        rows = sample(examined.pool, cell, ROWS, *prose(cell.task), "answer_language")
        rows = rows.with_columns(prompt=request(pl.col("prompt"), fixed_lines(rows["prompt"])))
        said = rows.select("row_id", *(_said(rows, name, cell) for name in prose(cell.task)))
        judged = said.filter(pl.any_horizontal(pl.exclude("row_id").is_not_null()))
        named = pl.exclude("row_id").replace("", None)
        detail = pl.concat_str(named, separator="; ", ignore_nulls=True)
        wrong = judged.select("row_id", pl.lit(None, pl.String).alias("other"), detail=detail).filter(
            pl.col("detail") != ""
        )
        low, _ = wilson(len(wrong), len(judged))
        severity: Severity = "error" if low > WRONG_TAG else "warning"
        of, skipped = count(examined.pool, cell), len(rows) - len(judged)
        yield Finding("language", severity, cell, _SAYS, wrong, len(judged), of, skipped)
        examined.done(cell)


def _said(rows: pl.DataFrame, name: str, cell: Cell) -> pl.Series:
    """An answer is looked at in the language it is wanted in."""
    wanted = pl.col("answer_language").fill_null(cell.language) if name == "answer" else pl.lit(cell.language)
    told = rows.select(pl.col(name).fill_null(""), declared=wanted)
    own = [pl.when(pl.col("declared") == tag).then(own_share(name, tag)) for tag in told["declared"].unique()]
    judged = told.with_columns(share=pl.coalesce(own))
    return pl.Series(name, [_say(name, *row) for row in judged.select(name, "share", "declared").rows()], pl.String)


def _say(name: str, text: str, own_share: float | None, declared: str) -> str | None:
    """What is wrong, empty if nothing; None if nobody can tell."""
    tag = detect(text, declared)
    if tag is None or tag == declared.partition("-")[0]:
        return tag and ""
    latin_inside = Language.get(tag).script == "Latn" != Language.get(declared).script
    if latin_inside and own_share is not None and own_share >= OWN_SHARE:
        return None
    return f"{name} is in {Language.get(tag).name}"
