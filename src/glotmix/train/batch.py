"""Rows to tensors: the rows of a step, cut into micro-batches that fit a token budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import torch
from transformers import PreTrainedTokenizerBase

from glotmix.errors import UserError
from glotmix.generate.template import Encoded, encode_row
from glotmix.spec import Recipe

IGNORED = -100  # the label of a position that is not a target


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right: all tensors are (rows, tokens).

    There is no attention mask: attention is causal, so what is padded behind a row can't change it.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(self.input_ids.to(device), self.labels.to(device))


@dataclass(frozen=True)
class EncodedRows:
    by_id: dict[str, Encoded]
    truncated: int


def encode_rows(rows: pl.DataFrame, recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> EncodedRows:
    """Tokenizes every row once.

    Raises:
        UserError: a row is longer than `max_tokens` and the recipe refuses that, or cutting it leaves no target token.
    """
    by_id = {
        row_id: encode_row(messages, recipe.template, tokenizer)
        for row_id, messages in zip(rows["row_id"], rows["messages"].to_list(), strict=True)
    }
    longer = {row_id: row for row_id, row in by_id.items() if len(row.ids) > recipe.max_tokens}
    if longer and recipe.longer_rows == "refuse":
        row_id, row = max(longer.items(), key=lambda pair: len(pair[1].ids))
        raise UserError(
            f"{len(longer)} of {len(by_id)} rows are longer than max_tokens {recipe.max_tokens}, the longest being"
            f" {row_id} with {len(row.ids)} tokens; raise recipe.max_tokens or set longer_rows: truncate"
        )
    for row_id, row in longer.items():
        by_id[row_id] = Encoded(row.ids[: recipe.max_tokens], min(row.prompt_tokens, recipe.max_tokens))
    if without := sum(not target_tokens(by_id[row_id], recipe.loss_on) for row_id in longer):
        raise UserError(
            f"max_tokens {recipe.max_tokens} leaves {without} of {len(by_id)} rows no token to learn: their prompts are"
            " that long; raise recipe.max_tokens"
        )
    return EncodedRows(by_id, truncated=len(longer))


def target_tokens(row: Encoded, loss_on: str) -> int:
    """How many tokens of a row the loss is summed over. The first token has nothing before it."""
    return len(row.ids) - max(1, row.prompt_tokens if loss_on == "answer" else 1)


def micro_batches(rows: Sequence[Encoded], tokens: int) -> list[list[int]]:
    """Places of all rows, longest first, cut so that no part has more than `tokens` padded tokens (or one row)."""
    longest_first = sorted(range(len(rows)), key=lambda place: -len(rows[place].ids))
    parts, start = [], 0
    while start < len(rows):
        size = max(1, tokens // len(rows[longest_first[start]].ids))
        parts.append(longest_first[start : start + size])
        start += size
    return parts


def collate(rows: Sequence[Encoded], loss_on: str) -> Batch:
    """Right-padded tensors; prompt tokens are targets only if `loss_on` is all."""
    width = max(len(row.ids) for row in rows)
    ids, labels = [], []
    for row in rows:
        padding = width - len(row.ids)
        not_targets = row.prompt_tokens if loss_on == "answer" else 0
        ids.append([*row.ids, *[0] * padding])
        labels.append([IGNORED] * not_targets + list(row.ids[not_targets:]) + [IGNORED] * padding)
    return Batch(torch.tensor(ids), torch.tensor(labels))
