"""Rows to padded tensors: the rows of a step, cut into micro-batches that fit a token budget."""

from collections.abc import Iterator, Sequence
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
    if without := sum(not target_tokens([by_id[row_id]], recipe.loss_on) for row_id in longer):
        raise UserError(
            f"max_tokens {recipe.max_tokens} leaves {without} of {len(by_id)} rows no token to learn: their prompts are"
            " that long; raise recipe.max_tokens"
        )
    return EncodedRows(by_id, truncated=len(longer))


def target_tokens(rows: Sequence[Encoded], loss_on: str) -> int:
    """How many tokens of these rows the loss is summed over. The first token of a row has nothing before it."""
    return sum(len(row.ids) - max(1, row.prompt_tokens if loss_on == "answer" else 1) for row in rows)


def micro_batches(rows: Sequence[Encoded], tokens: int, loss_on: str) -> Iterator[Batch]:
    """All rows, sorted by length and cut so that no micro-batch holds more than `tokens` padded tokens (or one row)."""
    longest_first = sorted(rows, key=lambda row: (-len(row.ids), row.ids))
    start = 0
    while start < len(longest_first):
        size = max(1, tokens // len(longest_first[start].ids))
        yield collate(longest_first[start : start + size], loss_on)
        start += size


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


def summed_loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Cross-entropy in float32, summed over the target tokens (a scalar).

    Logits are computed only from the first column on that predicts a target: prompts are most of most rows.
    """
    targets = batch.labels[:, 1:]
    kept = targets.shape[1] - int((targets != IGNORED).any(dim=0).int().argmax())
    logits = model(input_ids=batch.input_ids[:, :-1], use_cache=False, logits_to_keep=kept).logits
    return torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets[:, -kept:].flatten(), ignore_index=IGNORED, reduction="sum"
    )
