"""mCoT-MATH (hub: laihuiyuan/mCoT-MATH): worked math problems in 11 languages, some 580,000 of each. Training rows.

    {"question": "Natalia sold ...", "answer": "... The answer is: 72", "lang": "en"}
    {"question": "Natalia sold ...", "answer": "... The answer is: 72", "lang-id": "en-123"}

Licence: Apache-2.0. The English is MetaMathQA and MathInstruct, itself written by models for the most part; the other
languages are machine translations of it, by a system that the card does not name.

1. The second layout (folder lang-id) is parallel: rows of one number share their item. The first (mcot_math.json) has
   no ids, and nobody says that its languages come in one order: its items are shared by no two languages. The hub has
   both; then only the second is read. view.json, a sample, is never read.
2. Both are JSON arrays of many gigabytes: they are read in pieces, whole columns at a time.
3. The reference is the number the answer announces last. A row whose answer announces none (a proof, a choice such as
   B, a formula) can't be scored and is rejected.
4. Answers are kept as they are, <<calculator notes>> included.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

import polars as pl

from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, mapped
from glotmix.pool.row import chat
from glotmix.pool.sources.math_prompts import WORDED, asks
from glotmix.pool.sources.math_rows import announced_numbers

_COLUMNS = dict.fromkeys(("question", "answer", "lang", "lang-id"), pl.String())


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, of a folder or of the hub's data set.

    Raises:
        UserError: no such place, or a file that is not mCoT-MATH's.
    """
    files = [file for file in data_files(place) if PurePath(file.name).name != "view.json"]
    parallel = [file for file in files if file.config == "lang-id"]
    for number, file in enumerate(parallel or files, start=1):
        yield from mapped(file, _COLUMNS, partial(to_rows, number))


def to_rows(file_number: int, frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of `ROW_SCHEMA` and `reason` from `line, question, answer, lang, lang-id`, in the same order."""
    parts = pl.col("lang-id").str.extract_groups(r"^(?<language>.+)-(?<number>\d+)$").struct
    language = pl.coalesce("lang", parts.field("language"))
    own = pl.format("{}-{}-{}", language, pl.lit(file_number), "line")
    frame = frame.select(
        "question",
        "answer",
        language=language,
        item_id=pl.format("mcot-math-{}", pl.coalesce(parts.field("number"), own)),
    )
    reference = announced_numbers(frame["answer"], frame["language"])
    return frame.select(
        "item_id",
        "language",
        row_id=pl.format("{}:{}", "item_id", "language"),
        task=pl.lit("math"),
        split=pl.lit("train"),
        messages=chat(asks(pl.col("language"), pl.col("question")), pl.col("answer").str.strip_chars()),
        reference=reference,
        source=pl.lit("mcot-math"),
        licence=pl.lit("Apache-2.0"),
        origin=pl.when(pl.col("language") == "en")
        .then(pl.lit("native"))
        .otherwise(pl.lit("machine-translated:unknown")),
        reason=pl.coalesce(
            pl.when(pl.col("language").is_null()).then(pl.lit("no lang, and no lang-id such as en-123")),
            pl.when(~pl.col("language").is_in(WORDED)).then(pl.lit("unknown language")),
            pl.when(_blank("question")).then(pl.lit("empty question")),
            pl.when(_blank("answer")).then(pl.lit("empty answer")),
            pl.when(reference.is_null()).then(pl.lit("answer announces no number")),
        ),
    )


def _blank(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars() == ""
