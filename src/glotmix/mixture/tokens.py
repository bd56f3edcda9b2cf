"""How many tokens a mixture has in each language, exactly: what a training that uses the plain template reads."""

from pathlib import Path

import polars as pl
from tokenizers import Tokenizer

from glotmix.errors import UserError

CHUNK = 10_000  # rows tokenized at a time


def tokens_by_language(rows: pl.DataFrame, tokenizer_file: Path) -> pl.DataFrame:
    """Tokens of one pass over the rows: task, language, tokens, answer_tokens (with the answers' end token).

    A prompt is its messages, one a line; prompt and answer are tokenized apart, as in training (template: plain).
    What a chat template adds is not counted.

    Args:
        rows: `ROW_SCHEMA`; a row that is there k times counts k times.
        tokenizer_file: a `tokenizer.json`.

    Raises:
        UserError: the file can't be read.
    """
    tokenizer = open_tokenizer(tokenizer_file)
    distinct = rows.unique("row_id", maintain_order=True)
    counted = pl.concat([row_tokens(part, tokenizer) for part in distinct.iter_slices(CHUNK)])
    return (
        rows.select("row_id", "task", "language")
        .join(counted, on="row_id")
        .group_by("task", "language")
        .agg(pl.col("tokens", "answer_tokens").sum())
        .sort("task", "language")
    )


def open_tokenizer(file: Path) -> Tokenizer:
    """A tokenizer as it counts, whatever cutting and padding is saved with it.

    Raises:
        UserError: the file can't be read.
    """
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"{file}: not a tokenizer one can read ({error}); save the tokenizer again") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def row_tokens(rows: pl.DataFrame, tokenizer: Tokenizer) -> pl.DataFrame:
    """One record per row, in their order: row_id, tokens, answer_tokens (of a row without an answer, its end alone)."""
    content = pl.col("messages").list.eval(pl.element().struct.field("content"))
    answered = pl.col("messages").list.last().struct.field("role") == "assistant"
    asked = content.list.head(content.list.len() - answered.cast(pl.UInt32))
    answer = pl.when(answered).then(content.list.last()).otherwise(pl.lit(""))
    texts = rows.select(prompt=asked.list.eval(pl.element() + "\n").list.join(""), answer=answer)
    prompts = tokenizer.encode_batch_fast(texts["prompt"].to_list())
    answers = tokenizer.encode_batch_fast(texts["answer"].to_list(), add_special_tokens=False)
    answer_tokens = pl.Series([len(answer) + 1 for answer in answers], dtype=pl.Int64)
    prompt_tokens = pl.Series([len(prompt) for prompt in prompts], dtype=pl.Int64)
    return rows.select("row_id", tokens=prompt_tokens + answer_tokens, answer_tokens=answer_tokens)
