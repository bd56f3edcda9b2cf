"""Rows whose own answer would score wrong: what a model learns from them is not what it is tested on.

The task itself is asked: `get_task(task).score(answer, reference)` must give `correct`. A reference that the task
can't read is found too. At most 1,000 rows of a cell are scored, those of the lowest keyed hash; rows that have no
reference to train towards, or no answer and a reference that is one, are skipped, and so are open-ended prompts.
"""

from collections.abc import Iterator

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.checks.finding import ROWS_SCHEMA, Examined, Finding
from glotmix.pool.checks.reading import Cell, cells, count, sample
from glotmix.task import get_task

ROWS = 1_000
_SAYS = "the row's own answer does not score as correct: mend its form or its reference, or drop the row"


def answers(examined: Examined) -> Iterator[Finding]:
    """Each row's answer scored against its own reference."""
    for cell in cells(examined.pool):
        rows = sample(examined.pool, cell, ROWS, "answer", "reference", "answer_language")
        said = [(row_id, _judge(cell, *row)) for row_id, *row in rows.iter_rows()]
        wrong = pl.DataFrame([(row_id, None, what) for row_id, what in said if what], ROWS_SCHEMA, orient="row")
        judged = sum(what is not None for _, what in said)
        of = count(examined.pool, cell)
        yield Finding("answers", "warning", cell, _SAYS, wrong, judged, of, skipped=len(rows) - judged)
        examined.done(cell)


def _judge(cell: Cell, answer: str | None, reference: str | None, language: str | None) -> str | None:
    """What is wrong, empty if nothing; None if there is nothing to judge."""
    reference = (reference or "").strip()
    if not reference and (cell.split != "test" or cell.task == "instructions"):
        return None
    try:
        score = get_task(cell.task).score(answer or "", reference, language=language or cell.language)
    except UserError as error:
        return str(error)
    if answer is None:
        return None
    return "" if score.verdict == "correct" else f"{score.verdict}: {score.parsed!r:.80} for {reference!r:.80}"
