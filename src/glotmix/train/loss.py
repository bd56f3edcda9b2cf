"""What is trained: a causal language model as a module that gives the loss of every target token.

1. The body of the model reads all tokens. What it says of prompts and of padding goes no further.
2. The head reads what is left a chunk at a time, so that the logits of a large vocabulary never exist all at once.
   It is the model's own code from its body on, whatever it does to logits (scales, soft caps).
3. For a model whose code can't be cut there, all its logits are computed, by the model (`layout` finds out).
"""

import copy
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers.modeling_outputs import BaseModelOutput

from glotmix.train.batch import Batch

LOGITS_AT_ONCE = 2**27  # half a GiB in float32, and as much again for their gradient


class TargetLoss(torch.nn.Module):
    """Wraps a model so that one call gives losses: what shards or compiles a module sees all that is computed.

    `whole`: the model computes its logits itself, all of them.
    """

    def __init__(self, model: Any, logits_at_once: int = LOGITS_AT_ONCE) -> None:
        super().__init__()
        self.model, self.whole = model, False
        self._head = Head(model)
        self._chunk = max(1, logits_at_once // model.config.get_text_config().vocab_size)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy in float32 of each target token, row by row: (targets,)."""
        if self.whole:
            logits = self.model(**model_inputs(batch)).logits.flatten(0, 1)[batch.places]
            return cross_entropy(logits.float(), batch.targets, reduction="none")
        read = self.model.base_model(**model_inputs(batch))
        self._head.kind = type(read)
        states = read.last_hidden_state.flatten(0, 1)[batch.places]  # (targets, hidden)
        if len(states) <= self._chunk:
            return self._losses(states, batch.targets)
        chunks = zip(torch.split(states, self._chunk), torch.split(batch.targets, self._chunk), strict=True)
        return torch.cat([checkpoint(self._losses, *chunk, use_reentrant=False) for chunk in chunks])

    def _losses(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return cross_entropy(self._head(states).float(), targets, reduction="none")


def model_inputs(batch: Batch) -> dict[str, Any]:
    inputs = {"input_ids": batch.input_ids, "use_cache": False}
    if batch.starts is None:
        return inputs
    rows = {"cu_seq_lens_q": batch.starts, "cu_seq_lens_k": batch.starts}
    longest = {"max_length_q": batch.longest, "max_length_k": batch.longest}
    return inputs | rows | longest | {"position_ids": batch.position_ids}


class Head:
    """The model's own code from its last hidden states to its logits: (tokens, hidden) to (tokens, vocabulary).

    It is a second model that shares all modules of the first but the body, so whoever shards or moves those does it for
    both. `kind` is what the body gives, a class of transformers.
    """

    def __init__(self, model: Any) -> None:
        self.kind: type = BaseModelOutput
        self._shell = copy.copy(model)
        self._shell._modules = {**model._modules, model.base_model_prefix: _Given(self)}

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._shell(inputs_embeds=states[None], use_cache=False).logits[0]
        return logits


class _Given(torch.nn.Module):
    """In the place of a body: what it gets is what the body said."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self._head = head

    def forward(self, *args: Any, inputs_embeds: torch.Tensor, **others: Any) -> Any:
        return self._head.kind(last_hidden_state=inputs_embeds)
