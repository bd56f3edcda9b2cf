"""Rows to tokens, once, and what becomes of those longer than the recipe allows: refused, dropped or truncated.

Dropped rows are left out before the training order is made, so every step still has its rows. Languages differ in
tokens per row, so what is dropped or truncated is counted by language.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from transformers import PreTrainedTokenizerBase

from glotmix.errors import UserError
from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import Encoded, encode_all
from glotmix.spec import Recipe
from glotmix.train.batch import target_tokens


@dataclass(frozen=True)
class EncodedRows:
    """`by_id` has the rows that are kept; `longer` counts, in one record per split, task and language:
    split, task, language, rows, longer (of those rows, a row that is there k times counting k times).
    """

    by_id: dict[str, Encoded]
    longer: pl.DataFrame


def encode_rows(rows: pl.DataFrame, recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> EncodedRows:
    """Tokenizes every row once.

    Raises:
        UserError: a row is longer than `max_tokens` and the recipe refuses that, cutting it leaves no target token, or
            dropping such rows leaves a task and language none.
    """
    distinct = rows.unique("row_id", maintain_order=True)
    encoded = encode_all(distinct["messages"].to_list(), recipe.template, tokenizer)
    by_id = dict(zip(distinct["row_id"], encoded, strict=True))
    longer = {row_id: row for row_id, row in by_id.items() if len(row.ids) > recipe.max_tokens}
    counts = _counts(rows, list(longer))
    if longer and recipe.longer_rows == "refuse":
        _refuse(by_id, longer, recipe)
    elif recipe.longer_rows == "drop":
        _check_left(counts, recipe)
        by_id = {row_id: row for row_id, row in by_id.items() if row_id not in longer}
    else:
        by_id |= _cut(longer, recipe)
    return EncodedRows(by_id, counts)


def left_out(rows: pl.DataFrame, recipe: Recipe, model_dir: Path) -> set[str]:
    """Ids of the rows that the recipe drops when the model in the folder is trained on them.

    Raises:
        UserError: as `encode_rows`.
    """
    if recipe.longer_rows != "drop":
        return set()
    return set(rows["row_id"]) - encode_rows(rows, recipe, load_tokenizer(model_dir)).by_id.keys()


def _counts(rows: pl.DataFrame, longer: list[str]) -> pl.DataFrame:
    by = ["split", "task", "language"]
    is_longer = pl.col("row_id").is_in(longer).sum().cast(pl.Int64)
    return rows.group_by(by).agg(rows=pl.len().cast(pl.Int64), longer=is_longer).sort(by)


def _refuse(by_id: dict[str, Encoded], longer: dict[str, Encoded], recipe: Recipe) -> None:
    row_id, row = max(longer.items(), key=lambda pair: len(pair[1].ids))
    raise UserError(
        f"{len(longer)} of {len(by_id)} rows are longer than max_tokens {recipe.max_tokens}, the longest being"
        f" {row_id} with {len(row.ids)} tokens; raise recipe.max_tokens or set longer_rows: drop or truncate"
    )


def _check_left(counts: pl.DataFrame, recipe: Recipe) -> None:
    for split, task, language, rows, _ in counts.filter(rows=pl.col("longer")).iter_rows():
        raise UserError(
            f"recipe.longer_rows: drop leaves no {split} rows of {task} in {language}: all {rows} are longer than"
            f" max_tokens {recipe.max_tokens}; raise recipe.max_tokens"
        )


def _cut(longer: dict[str, Encoded], recipe: Recipe) -> dict[str, Encoded]:
    most = recipe.max_tokens
    cut = {row_id: Encoded(row.ids[:most], min(row.prompt_tokens, most)) for row_id, row in longer.items()}
    if without := sum(not target_tokens(row, recipe.loss_on) for row in cut.values()):
        raise UserError(
            f"max_tokens {most} leaves {without} of {len(longer)} longer rows no token to learn: their prompts are that"
            " long; raise recipe.max_tokens or set longer_rows: drop"
        )
    return cut
