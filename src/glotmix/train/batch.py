"""Rows to tensors: the rows of a step, cut into micro-batches that fit a token budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import Any

import torch

from glotmix.generate.template import Encoded


@dataclass(frozen=True)
class Batch:
    """Rows as a model reads them, each without its last token, after which nothing is predicted.

    Padded on the right: `input_ids` is (rows, tokens). There is no attention mask: attention is causal, so what is
    padded behind a row can't change it. Or laid end to end: `input_ids` and `position_ids` are (1, tokens) and `starts`
    (rows + 1,) says where each begins. No rows at all (an empty share of a step) are one token without a target.
    """

    input_ids: torch.Tensor
    places: torch.Tensor  # (targets,) where each target is predicted, in the flattened input_ids
    targets: torch.Tensor  # (targets,) row by row
    longest: int  # tokens of the longest row
    position_ids: torch.Tensor | None = None
    starts: torch.Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """All tensors on a device."""
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, torch.Tensor)}
        moved: dict[str, Any] = {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}
        return replace(self, **moved)


def first_target(row: Encoded, loss_on: str) -> int:
    """Place of the first token that the loss is summed over. A row's first token has nothing before it."""
    return max(1, row.prompt_tokens if loss_on == "answer" else 1)


def target_tokens(row: Encoded, loss_on: str) -> int:
    """How many tokens of a row the loss is summed over."""
    return len(row.ids) - first_target(row, loss_on)


def micro_batches(rows: Sequence[Encoded], tokens: int, *, padded: bool = True) -> list[list[int]]:
    """Places of all rows, longest first, cut so that no part has more than `tokens` tokens (or one row).

    `padded`: each row counts as long as the longest of its part.
    """
    longest_first = sorted(range(len(rows)), key=lambda place: -len(rows[place].ids))
    parts: list[list[int]] = []
    left = 0
    for place in longest_first:
        length = len(rows[parts[-1][0] if padded and left else place].ids)
        if length > left:
            parts.append([])
            left, length = max(tokens, len(rows[place].ids)), len(rows[place].ids)
        parts[-1].append(place)
        left -= length
    return parts


def collate(rows: Sequence[Encoded], loss_on: str, *, padded: bool = True) -> Batch:
    """Rows side by side, padded, or end to end; prompt tokens are targets only if `loss_on` is all."""
    read = [row for row in rows if len(row.ids) > 1]
    inputs = [row.ids[:-1] for row in read] or [(0,)]
    lengths = [len(ids) for ids in inputs]
    width = max(lengths)
    starts = [*(range(0, width * len(inputs), width) if padded else accumulate(lengths, initial=0))]
    places = [
        torch.arange(start + first_target(row, loss_on) - 1, start + len(row.ids) - 1)
        for row, start in zip(read, starts, strict=False)  # there is one start more, the end, or a row more, the empty
    ]
    targets = [*chain.from_iterable(row.ids[first_target(row, loss_on) :] for row in read)]
    shared = (torch.cat([torch.arange(0), *places]), torch.tensor(targets, dtype=torch.long), width)
    if padded:
        return Batch(torch.tensor([[*ids, *[0] * (width - len(ids))] for ids in inputs]), *shared)
    positions = torch.cat([torch.arange(length) for length in lengths])
    flat = torch.tensor([[*chain.from_iterable(inputs)]])
    return Batch(flat, *shared, position_ids=positions[None], starts=torch.tensor(starts, dtype=torch.int32))
