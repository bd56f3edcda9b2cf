"""The row: one item in one language for one task. A pool is a table of rows.

`messages` is the conversation in chat form; its last message is the assistant's, the text to be learnt.
`reference` is what an output is scored against (for math: the final number). A test row of open-ended instructions may
have none, and end with its question: a judge rates the answer.
Translations of one problem share their `item_id`; `row_id` is unique in the pool.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import polars as pl

from glotmix.errors import UserError
from glotmix.language import Language

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
        "answer_language": pl.String(),  # in which the answer is wanted; null: the row's own
    }
)
SPLITS = ("train", "validation", "test")
ROLES = ("system", "user", "assistant")
TASKS = ("math", "summarization", "instructions", "api_calls")
Table = TypeVar("Table", pl.DataFrame, pl.LazyFrame)
LONGEST_ID = 200  # characters
LONGEST_TEXT = 200_000  # characters of all messages and the reference of one row


def with_every_column(rows: Table) -> Table:
    """The rows with the columns of `ROW_SCHEMA` that came after they were written: nobody wanted another language."""
    there = rows.collect_schema()
    return rows if "answer_language" in there else rows.with_columns(answer_language=pl.lit(None, pl.String))


def chat(question: pl.Expr, answer: pl.Expr) -> pl.Expr:
    """`messages` of one question of the user and the assistant's answer to it."""
    turns = (
        pl.struct(pl.lit(role).alias("role"), text.alias("content"))
        for role, text in (("user", question), ("assistant", answer))
    )
    return pl.concat_list(*turns)


def asked(messages: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """The messages before the answer; a row that is only tested on may end with its question."""
    return messages[:-1] if messages[-1]["role"] == "assistant" else messages


def unsound(rows: pl.DataFrame) -> pl.Series:
    """Per row, why it can't be a row of a pool; null if it can."""
    content = pl.element().struct.field("content")
    role = pl.element().struct.field("role")
    asked = (role == "user") & _filled(content)
    broken = content.is_null() | role.is_null() | ~role.is_in(ROLES)
    last = pl.col("messages").list.last().struct
    answered = (last.field("role") == "assistant") & _filled(last.field("content"))
    judged = (pl.col("task") == "instructions") & (last.field("role") == "user") & _filled(last.field("content"))
    test = pl.col("split") == "test"
    length = pl.col("messages").list.eval(content.str.len_chars()).list.sum() + _or_empty("reference").str.len_chars()
    tags = pl.concat([rows["language"], rows["answer_language"]]).drop_nulls().unique()
    known_tags = [tag for tag in tags if _is_language(tag)]
    checks = {
        "no id": ~_filled(pl.col("row_id")) | ~_filled(pl.col("item_id")),
        "control characters in the id": pl.any_horizontal(pl.col("row_id", "item_id").str.contains(r"\p{Cc}")),
        "id too long": pl.col("row_id").str.len_chars() > LONGEST_ID,
        "unknown task": ~pl.col("task").is_in(TASKS),
        "unknown language": ~pl.col("language").is_in(known_tags),
        "unknown answer language": ~(pl.col("answer_language").is_null() | pl.col("answer_language").is_in(known_tags)),
        "unknown split": ~pl.col("split").is_in(SPLITS),
        "empty question": ~pl.col("messages").list.eval(asked).list.any(),
        "empty answer": ~answered & ~(test & (judged | _filled(pl.col("reference")))),
        "broken message": pl.col("messages").list.eval(broken).list.any(),
        "text too long": length > LONGEST_TEXT,
    }
    reasons = [pl.when(check.fill_null(True)).then(pl.lit(reason)) for reason, check in checks.items()]
    return rows.select(reason=pl.coalesce(reasons))["reason"]


def _filled(text: pl.Expr) -> pl.Expr:
    return (text.str.strip_chars() != "").fill_null(False)


def _or_empty(column: str) -> pl.Expr:
    return pl.col(column).fill_null("")


def _is_language(tag: str) -> bool:
    try:
        Language.get(tag)
    except UserError:
        return False
    return True


class Pool(Protocol):
    """All rows one may train or test on."""

    name: str

    def languages(self, task: str) -> tuple[str, ...]:
        """Tags of every language with rows of the task, sorted."""
        ...

    def item_ids(self, task: str, language: str, split: str) -> pl.Series:
        """Ids (String) of the items there, in no promised order; empty if there are none."""
        ...

    def take(self, task: str, language: str, split: str, item_ids: Sequence[str] | pl.Series) -> pl.DataFrame:
        """The rows of these items, in this order, with the columns of `ROW_SCHEMA`."""
        ...
