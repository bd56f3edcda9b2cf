"""What a model wrote, scored against the references of the rows that asked for it; a judge's work is not done here."""

import math
from collections.abc import Sequence

import polars as pl

from glotmix.generate.backend import Output
from glotmix.task import Score, get_task

UNSCORED = Score(math.nan, "unjudged", "", {}, "no reference: a judge scores it", "")


def scored(task: str, rows: pl.DataFrame, outputs: Sequence[Output]) -> list[Score]:
    """A score per row of one task, in the language its answer is wanted in."""
    score = get_task(task).score
    references = rows["reference"].fill_null("").str.strip_chars() != ""
    wanted = rows["answer_language"].fill_null(rows["language"])
    return [
        score(output.text, reference, language=tag, finished=output.finished) if there else UNSCORED
        for output, reference, tag, there in zip(outputs, rows["reference"], wanted, references, strict=True)
    ]
