"""Attention of rows that lie end to end as one row of tokens: each attends to itself alone, and nothing is padded.

1. transformers hands what it does not know (`cu_seq_lens_q`, where each row starts) through a model to its attention.
2. There the rows are cut apart: on CUDA by a kernel that takes all of them, in 16 bits; elsewhere one after the other.
3. What this attention can't do (soft caps, sinks, a bias, a mask the model makes itself as sparse attention does, on
   CUDA other heads than the kernel's) it answers with NaN, which no comparison takes for equal.
"""

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

ROWS = "glotmix_rows"  # the name transformers knows this attention by
UNABLE = ("softcap", "s_aux", "position_bias")  # arguments that change what is attended to


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function as transformers calls them: (1, heads, tokens, size of a head) to (1, tokens, heads, size).

    Without row starts, rows lie side by side: with a mask (generation) it is transformers' own `sdpa`.
    """
    if cu_seq_lens_q is None and attention_mask is None and query.shape[2] == key.shape[2]:
        return _one_row(query, key, value, scaling, sliding_window).contiguous(), None
    if cu_seq_lens_q is None:
        out: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
        return out
    if torch.is_autocast_enabled(query.device.type):
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    own = attention_mask is not None or dropout > 0 or any(others.get(name) is not None for name in UNABLE)
    unable = own or not getattr(module, "is_causal", True)
    kernel = _has_kernel(query, value)
    if unable or (query.is_cuda and not kernel):  # row by row, every layer would wait to hear where rows start
        return torch.full_like(query, torch.nan).transpose(1, 2), None
    if kernel:
        assert max_length_q is not None
        return _all_rows(query, key, value, cu_seq_lens_q, max_length_q, scaling, sliding_window), None
    lengths = cu_seq_lens_q.diff().tolist()
    queries, keys, values = (torch.split(part, lengths, dim=2) for part in (query, key, value))
    rows = [_one_row(q, k, v, scaling, sliding_window) for q, k, v in zip(queries, keys, values, strict=True)]
    return torch.cat(rows, dim=1), None


def _has_kernel(query: torch.Tensor, value: torch.Tensor) -> bool:
    sixteen_bits = query.dtype in (torch.bfloat16, torch.float16)
    return query.is_cuda and sixteen_bits and query.shape[-1] == value.shape[-1] <= 256


def _all_rows(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    starts: torch.Tensor,
    longest: int,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    """(1, tokens, heads, size of a head), by one kernel that reads where rows start."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (part[0].transpose(0, 1) for part in (query, key, value))  # (tokens, heads, size)
    back = -1 if window is None else window - 1  # a window of transformers counts the token itself
    found = varlen_attn(
        query,
        key,
        value,
        starts,
        starts,
        longest,
        longest,
        scale=scaling,
        window_size=(back, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(found, torch.Tensor)
    return found[None]


def _one_row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    """(1, tokens, heads, size of a head), as all attention functions give."""
    length, near = query.shape[2], None
    if window is not None and length > window:
        near = torch.ones(length, length, dtype=torch.bool, device=query.device).tril().triu(1 - window)
    gqa = query.shape[1] != key.shape[1]
    out = scaled_dot_product_attention(query, key, value, near, is_causal=near is None, scale=scaling, enable_gqa=gqa)
    return out.transpose(1, 2)


def _mask(**asked: Any) -> torch.Tensor | None:
    """None where `attend` needs none, though transformers would build (tokens, tokens); else as for `sdpa`."""
    mask: torch.Tensor | None = None if asked.get("attention_mask") is None else sdpa_mask(**asked)
    return mask


AttentionInterface.register(ROWS, attend)
AttentionMaskInterface.register(ROWS, _mask)
