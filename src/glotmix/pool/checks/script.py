"""Texts that are hardly in the script of their language: untranslated, transliterated or mistagged.

A text is found if less than one in 20 of its letters is of its language's script: a request for a song with a long
English title still has one in 15. Lines that many prompts share do not count, and texts with fewer
than 10 letters are skipped, and answers wanted in another language. Every row is read.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from glotmix.language import Language
from glotmix.pool.checks.finding import Examined, Finding, alone
from glotmix.pool.checks.reading import batches, cells, fixed_lines, prose, request, sample, scan

LETTERS = 10
SAMPLE = 1_000  # prompts from which their shared lines are known
OWN_SHARE = 0.05
_SAYS = "the text is not in its language's script: correct the tag, or drop the row"
# ISO 15924 codes of more than one script; all others are names that Unicode has for a script
_CHINESE = r"\p{Hani}"
_MIXED = {"Jpan": r"[\p{Hira}\p{Kana}\p{Hani}ー]", "Kore": r"[\p{Hang}\p{Hani}]", "Hans": _CHINESE, "Hant": _CHINESE}
_UNKNOWN = "Zyyy"


def script(examined: Examined) -> Iterator[Finding]:
    """Letters of prompts and answers against the language's script."""
    for cell in cells(examined.pool):
        code = Language.get(cell.language).script
        columns = prose(cell.task)
        fixed = fixed_lines(sample(examined.pool, cell, SAMPLE, "prompt")["prompt"])
        requests = scan(examined.pool, cell).with_columns(prompt=request(pl.col("prompt"), fixed))
        own = requests.with_columns(answer=pl.when(pl.col("answer_language").is_null()).then("answer"))
        frame = own.select("row_id", *(own_share(name, cell.language) for name in columns))
        found = pl.concat(_judged(batch, columns, code) for batch in batches(frame))
        judged = found.filter("judged")
        rows = alone(judged.filter(pl.col("detail") != ""))
        yield Finding("script", "warning", cell, _SAYS, rows, len(judged), len(found), len(found) - len(judged))
        examined.done(cell)


def own_share(column: str, language: str) -> pl.Expr:
    """The share of the text's letters that are of the language's script; null where there are too few letters."""
    code = Language.get(language).script
    letters = pl.col(column).str.count_matches(r"\p{L}")
    own = letters if code == _UNKNOWN else pl.col(column).str.count_matches(_MIXED.get(code, rf"\p{{{code}}}"))
    return pl.when((letters >= LETTERS) & (code != _UNKNOWN)).then(own / letters).alias(column)


def _judged(shares: pl.DataFrame, columns: Sequence[str], code: str) -> pl.DataFrame:
    said = [
        pl.when(pl.col(name) < OWN_SHARE).then(
            pl.format("{} % of the " + name + "'s letters are " + code, (100 * pl.col(name)).round(0).cast(pl.Int64))
        )
        for name in columns
    ]
    return shares.select(
        "row_id",
        judged=pl.any_horizontal(pl.col(name).is_not_null() for name in columns),
        detail=pl.concat_str(said, separator=", ", ignore_nulls=True),
    )
