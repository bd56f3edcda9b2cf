"""How rows reach a model: end to end, so that nothing is padded, where it is shown that they do not feel each other.

1. Not every model can: some read other tokens past their attention (recurrence, convolutions), or attend in own ways.
2. There is no list of them. What a model says of itself is read first (`_may_lie_end_to_end`), then it is tried: the
   losses of a few rows of different length, one longer than the model's sliding window if rows get that long, must be
   what the model gives with padding, by its own code alone.
3. In the same way its head is used apart from its body only if that gives the same. What fails falls back, and says so.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any

import torch

from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.attention import ROWS
from glotmix.train.batch import Batch, collate
from glotmix.train.loss import TargetLoss

PLAIN = {"full_attention", "sliding_attention"}  # kinds of layers that read other tokens through attention alone
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}  # of the norm of the losses' difference to that of the losses


@torch.no_grad()
def settle(module: TargetLoss, losses_of: Callable[[Batch], torch.Tensor], recipe: Recipe) -> bool:
    """Whether rows have to be padded; sets the model's attention, and the module's head, accordingly.

    Args:
        losses_of: the losses of a batch as in training, on the devices and in the precision of it. Where there are
            several processes, each calls this.
    """
    model, rows = module.model, _rows(module.model.config.get_text_config(), recipe.max_tokens)
    side_by_side = collate(rows, "all")
    module.eval()

    def same(batch: Batch) -> bool:
        return bool((losses_of(batch) - wanted).norm() <= TOLERANCE[recipe.precision] * wanted.norm())

    module.whole = True
    wanted = losses_of(side_by_side)
    module.whole = model.base_model is model or not _same_apart(module, side_by_side, same)
    if module.whole:
        _tell(model, "computes all logits at once: its head does not work apart from its body")
    if not _may_lie_end_to_end(model, recipe):
        return True
    before = model.config._attn_implementation
    model.set_attn_implementation(ROWS)
    if same(collate(rows, "all", padded=False)):
        return False
    model.set_attn_implementation(before)
    _tell(model, "pads its rows: laid end to end they give other losses")
    return True


def _same_apart(module: TargetLoss, batch: Batch, same: Callable[[Batch], bool]) -> bool:
    module.whole = False
    try:
        return same(batch)
    except (AttributeError, TypeError):  # what its body gives is no hidden state, or its head wants more of it
        return False


def _may_lie_end_to_end(model: Any, recipe: Recipe) -> bool:
    """By what the model says of itself, and where it pays: on CUDA there is a kernel for it in 16 bits."""
    parameters = inspect.signature(model.base_model.forward).parameters
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or PLAIN)
    takes_starts = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    says_so = model._supports_attention_backend and not model._is_stateful and "position_ids" in parameters
    pays = model.device.type == "cpu" or recipe.precision == "bfloat16"
    return bool(says_so and takes_starts and kinds <= PLAIN and pays)


def _rows(config: Any, max_tokens: int) -> list[Encoded]:
    """A short row between two longer ones, of tokens that follow no pattern."""
    window = getattr(config, "sliding_window", None) or max_tokens
    longest = min(max_tokens, window + 16 if window < max_tokens else 48)
    ids = [place * place * 31 % 9973 % config.vocab_size for place in range(2 * longest)]
    return [Encoded(tuple(ids[start : start + size]), 0) for start, size in ((0, longest), (3, 4), (7, longest // 2))]


def _tell(model: Any, what: str) -> None:
    logging.getLogger(__name__).warning("%s %s; training is exact, and slower", type(model).__name__, what)
