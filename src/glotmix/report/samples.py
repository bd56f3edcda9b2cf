"""Which outputs a reader sees: for every task and language a few correct ones and one of each kind of failure."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from glotmix.analysis.table import VERDICTS
from glotmix.report.info import SAMPLES_SCHEMA

CORRECT = 2
FAILED = 3
PAGE_CHARACTERS = 400_000  # of all samples together, to bound the size of the report
TEXT_CHARACTERS = 2_000
_TEXTS = ("prompt", "reference", "output", "parsed")


@dataclass(frozen=True)
class Clipped:
    """The start of a text; `length` is what it had. Trailing white space is counted in `blanks`, not shown."""

    text: str
    length: int

    @property
    def cut(self) -> bool:
        return len(self.text) < self.length

    @property
    def shown(self) -> str:
        return self.text.rstrip()

    @property
    def blanks(self) -> int:
        return len(self.text) - len(self.shown)


@dataclass(frozen=True)
class Sample:
    model: str
    task: str
    setting: str
    seed: int
    language: str
    item_id: str
    verdict: str
    value: float | None
    detected: str
    answer_language: str | None
    prompt: Clipped
    reference: Clipped
    output: Clipped
    parsed: Clipped


def pick(samples: pl.DataFrame) -> list[Sample]:
    """A few samples per task and language, correct ones first; those of a kind in the order given."""
    failed = pl.col("verdict") != "correct"
    ranked = samples.select(list(SAMPLES_SCHEMA)).with_columns(
        failed=failed,
        kind=pl.col("verdict").replace_strict(VERDICTS, range(len(VERDICTS)), default=len(VERDICTS)),
        nth=pl.int_range(pl.len()).over("task", "language", "verdict"),
    )
    varied = ranked.sort("task", "language", "failed", "nth", "kind", maintain_order=True)
    place = pl.int_range(pl.len()).over("task", "language", "failed")
    chosen = varied.filter(place < pl.when("failed").then(FAILED).otherwise(CORRECT))
    return list(_clip(chosen.select(list(SAMPLES_SCHEMA))))


def _clip(chosen: pl.DataFrame) -> Iterator[Sample]:
    limit = min(TEXT_CHARACTERS, PAGE_CHARACTERS // max(1, len(chosen) * len(_TEXTS)))
    for row in chosen.iter_rows(named=True):
        texts = {name: Clipped((row[name] or "")[:limit], len(row[name] or "")) for name in _TEXTS}
        yield Sample(**{**row, "detected": row["detected"] or "", **texts})
