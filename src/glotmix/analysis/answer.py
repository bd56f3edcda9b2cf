"""From a table to findings: what every question shares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from glotmix.analysis.declared import Declared, Finding, concluded
from glotmix.analysis.scores import Scores, read_scores
from glotmix.errors import UserError

Part = Callable[[Sequence[Scores], Declared], Iterator[Finding]]  # of the scores of every model and task


def answer(
    parts: Sequence[Part], results: pl.DataFrame, declared: Declared | None = None, anchor: str | None = None
) -> pl.DataFrame:
    """The findings (`FINDINGS_SCHEMA`) that `parts` give, with what can be concluded. `anchor`, if given, must be the
    table's.

    Raises:
        UserError: `results` is no results table and no table of means, or its anchor is another language.
    """
    tables, declared = list(read_scores(results)), declared or Declared()
    for scores in tables:
        _check_anchor(scores, anchor)
    found = [one for part in parts for one in part(tables, declared)]
    model, task = (_only(names) for names in ({one.model for one in tables}, {one.task for one in tables}))
    return concluded([replace(one, model=one.model or model, task=one.task or task) for one in found], declared)


def _only(names: set[str]) -> str:
    """What spans all of one is of that one."""
    return names.pop() if len(names) == 1 else ""


def _check_anchor(scores: Scores, anchor: str | None) -> None:
    tags = [scores.languages[column] for column in scores.columns("anchor")]
    if len(tags) > 1 or (anchor and tags and tags != [anchor]):
        fix = f"give it to {anchor!r} only" if anchor else "give it to one language"
        raise UserError(f"results table: role 'anchor' is given to {' and '.join(tags)}; {fix}")
