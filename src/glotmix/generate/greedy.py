"""Greedy decoding of a batch: token for token what `model.generate(do_sample=False)` gives, in less time.

1. Prompts are padded on the left and read at once; from then on every step adds one token to each row.
2. A row that has ended leaves the batch at once, and its part of the cache is free.
3. Rows can leave where the cache is keys and values alone, row by row. A model that keeps another memory, or wants its
   inputs prepared in a way of its own, goes through `generate`.
4. Of some models a row depends on the others in its batch: how long may they be (`shareable_tokens`)?
"""

import inspect
import math
from collections.abc import Sequence, Set
from typing import Any

import torch
from transformers import DynamicCache, GenerationConfig, GenerationMixin
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

Tokens = list[int]
PAD = 0  # any token would do: nothing reads it
_READ_PADDING = {"minimax", "recurrent_gemma", "rwkv", "xlstm"}  # whatever the attention mask says
_SCALED_BY_THE_LONGEST_ROW = {"dynamic", "longrope"}  # kinds of rotary positions
_INPUTS = {"input_ids", "attention_mask", "position_ids", "past_key_values", "logits_to_keep"}


@torch.inference_mode()
def decode(model: Any, prompts: Sequence[Tokens], max_new_tokens: int, ends: Set[int]) -> list[Tokens]:
    """What the model writes after each prompt: at most `max_new_tokens`, or up to the first of `ends`.

    What comes after an end token, where anything does, has no meaning.
    """
    width = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (width - len(prompt)) + prompt for prompt in prompts])  # (rows, width)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    way = _step_by_step if rows_can_leave(model) else _by_generate
    return way(model, ids.to(model.device), mask.to(model.device), max_new_tokens, ends)


def rows_can_leave(model: Any) -> bool:
    """Whether a batch of this model may lose rows between two steps."""
    standard = type(model).prepare_inputs_for_generation is GenerationMixin.prepare_inputs_for_generation
    layers = DynamicCache(config=model.config).layers
    return (
        standard
        and inspect.signature(model.forward).parameters.keys() >= _INPUTS
        and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
    )


def shareable_tokens(model: Any) -> float:
    """Up to how many tokens, answer included, rows may share a batch: longer ones would change each other's answers."""
    config = model.config.get_text_config()
    rope = getattr(config, "rope_parameters", None) or {}
    if config.model_type in _READ_PADDING:
        return 0
    if rope.get("rope_type") in _SCALED_BY_THE_LONGEST_ROW:
        return float(rope.get("original_max_position_embeddings") or config.max_position_embeddings)
    return math.inf


def _step_by_step(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, max_new_tokens: int, ends: Set[int]
) -> list[Tokens]:
    width, rows = ids.shape[1], list(range(len(ids)))  # of the answers, those still being written
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    mask = torch.nn.functional.pad(mask, (0, max_new_tokens), value=1)  # (rows, width + max_new_tokens)
    cache, answers = DynamicCache(config=model.config), [Tokens() for _ in rows]
    for step in range(max_new_tokens):
        read = {"input_ids": ids, "attention_mask": mask[:, : width + step], "position_ids": positions}
        logits = model(**read, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
        tokens = logits[:, -1].argmax(-1)  # (rows,)
        written = tokens.tolist()
        for row, token in zip(rows, written, strict=True):
            answers[row].append(token)
        going_on = [place for place, token in enumerate(written) if token not in ends]
        if not going_on:
            break
        if len(going_on) < len(rows):
            rows = [rows[place] for place in going_on]
            kept = torch.tensor(going_on, device=tokens.device)
            cache.batch_select_indices(kept)
            tokens, mask, positions = tokens[kept], mask[kept], positions[kept]
        ids, positions = tokens[:, None], positions[:, -1:] + 1
    return answers


def _by_generate(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, max_new_tokens: int, ends: Set[int]
) -> list[Tokens]:
    settings: Any = GenerationConfig
    greedily = settings(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends),
        pad_token_id=PAD,
    )
    generated = model.generate(input_ids=ids, attention_mask=mask, generation_config=greedily)
    answers: list[Tokens] = generated[:, ids.shape[1] :].tolist()
    return answers
