"""How rows reach a model: end to end, so that nothing is padded, where it is shown that they do not feel each other.

1. Not every model can: some read other tokens past their attention (recurrence, convolutions), or attend in own ways.
2. There is no list of them. What a model says of itself is read first (`_may_lie_end_to_end`), then it is tried: the
   losses of a few rows of different length, one longer than what changes with length if rows get that long, must be
   what the model gives for each row alone, by its own code. Next rows lie side by side, padded, which is tried as well;
   a model that feels even that gets them one by one.
3. In the same way its head is used apart from its body only if that gives the same. What fails falls back, and says so.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any, Literal

import torch

from glotmix.errors import UserError
from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.attention import ROWS
from glotmix.train.batch import Batch, collate
from glotmix.train.faults import is_out_of_memory
from glotmix.train.loss import TargetLoss

PLAIN = {"full_attention", "sliding_attention"}  # kinds of layers that read other tokens through attention alone
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}  # of the norm of the losses' difference to that of the losses
NOT_CAUSAL = {"float32": 1e-3, "bfloat16": 0.1}  # of the same; more than a router does that rounds to another expert

Layout = Literal["end to end", "side by side", "one by one"]


@torch.no_grad()
def settle(module: TargetLoss, losses_of: Callable[[Batch], torch.Tensor], recipe: Recipe) -> Layout:
    """How rows have to lie; sets the model's attention, and the module's head, accordingly.

    Args:
        losses_of: the losses of a batch as in training, on the devices and in the precision of it. Where there are
            several processes, each calls this.

    Raises:
        UserError: what the model says of a token depends on those after it.
    """
    model = module.model
    rows = _rows(model.config.get_text_config(), recipe.max_tokens)
    alone = [collate([row], "all") for row in rows]
    module.eval()
    module.whole = True
    wanted = [losses_of(batch) for batch in alone]
    _, short, longer = wanted
    if _apart(longer[: len(short)], short) > NOT_CAUSAL[recipe.precision]:
        raise UserError(
            f"models: {type(model).__name__} reads the tokens it has to predict, as an encoder does; take a causal"
            " language model, or set is_decoder: true in its config.json if it is one"
        )

    def same(*batches: Batch) -> bool:
        """Not what fails: a head may want more of its body than a hidden state, a kernel another device or library."""
        try:
            found = torch.cat([losses_of(batch) for batch in batches])
        except (AttributeError, TypeError, ImportError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            return False
        return _apart(found, torch.cat(wanted)) <= TOLERANCE[recipe.precision]

    module.whole = model.base_model is model
    module.whole = module.whole or not same(*alone)
    if module.whole:
        _tell(model, "computes all logits at once: its head does not work apart from its body")
    if _may_lie_end_to_end(model, recipe):
        before = model.config._attn_implementation
        model.set_attn_implementation(ROWS)
        if same(collate(rows, "all", padded=False)):
            return "end to end"
        model.set_attn_implementation(before)
        _tell(model, "pads its rows: laid end to end they give other losses, or none")
    if same(collate(rows, "all")):
        return "side by side"
    _tell(model, "reads its rows one by one: side by side they give other losses")
    return "one by one"


def _apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """NaN if a loss is."""
    return float((found - wanted).norm() / wanted.norm().clamp(min=torch.finfo(wanted.dtype).tiny))


def _may_lie_end_to_end(model: Any, recipe: Recipe) -> bool:
    """By what the model says of itself, and where it pays: on CUDA there is a kernel for it in 16 bits."""
    parameters = inspect.signature(model.base_model.forward).parameters
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or PLAIN)
    takes_starts = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    says_so = model._supports_attention_backend and not model._is_stateful and "position_ids" in parameters
    pays = model.device.type == "cpu" or recipe.precision == "bfloat16"
    return bool(says_so and takes_starts and kinds <= PLAIN and pays)


def _rows(config: Any, max_tokens: int) -> list[Encoded]:
    """A short row between two longer ones, of tokens that follow no pattern; the last begins as the short one."""
    longest = min(max_tokens, 16 + max((size for size in _changes_at(config) if size < max_tokens), default=32))
    ids = [place * place * 31 % 9973 % config.vocab_size for place in range(2 * longest)]
    return [Encoded(tuple(ids[start : start + size]), 0) for start, size in ((0, longest), (7, 8), (7, longest // 2))]


def _changes_at(config: Any) -> list[int]:
    """Tokens from which on a longer row is read otherwise: a window, or the length that positions are stretched at."""
    rope = getattr(config, "rope_parameters", None) or {}
    stretched = rope.get("original_max_position_embeddings") if rope.get("rope_type") == "longrope" else None
    return [size for size in (getattr(config, "sliding_window", None), stretched) if size]


def _tell(model: Any, what: str) -> None:
    logging.getLogger(__name__).warning("%s %s; training is exact, and slower", type(model).__name__, what)
