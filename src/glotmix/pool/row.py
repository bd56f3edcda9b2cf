"""The row: one item in one language for one task. A pool is a table of rows.

`messages` is the conversation in chat form; its last message is the assistant's, the text to be learnt.
`reference` is what an output is scored against (for math: the final number).
Translations of one problem share their `item_id`; `row_id` is unique in the pool.
"""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

ROW_SCHEMA = pl.Schema(
    {
        "row_id": pl.String(),
        "item_id": pl.String(),
        "task": pl.String(),
        "language": pl.String(),
        "split": pl.String(),  # train | validation | test
        "messages": pl.List(pl.Struct({"role": pl.String(), "content": pl.String()})),
        "reference": pl.String(),
        "source": pl.String(),
        "licence": pl.String(),
        "origin": pl.String(),  # native | human-translated | machine-translated:<by what> | generated
    }
)
SPLITS = ("train", "validation", "test")
TASKS = ("math", "summarization", "instructions", "api_calls")


class Pool(Protocol):
    """All rows one may train or test on."""

    name: str

    def languages(self, task: str) -> tuple[str, ...]:
        """Tags of every language with rows of the task, sorted."""
        ...

    def item_ids(self, task: str, language: str, split: str) -> Sequence[str]:
        """Ids of the items there, in no promised order; empty if there are none."""
        ...

    def take(self, task: str, language: str, split: str, item_ids: Sequence[str]) -> pl.DataFrame:
        """The rows of these items, in this order, with the columns of `ROW_SCHEMA`."""
        ...
