"""What is trained: a causal language model as a module that gives the loss of every target token."""

from typing import Any

import torch

from glotmix.train.batch import IGNORED, Batch


class TargetLoss(torch.nn.Module):
    """Wraps a model so that one call gives losses: what shards or compiles a module sees all that is computed."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy in float32 of each target token, row by row: (targets,).

        Logits are computed only from the first column on that predicts a target: prompts are most of most rows.
        """
        targets = batch.labels[:, 1:]
        kept = targets.shape[1] - int((targets != IGNORED).any(dim=0).int().argmax())
        logits = self.model(input_ids=batch.input_ids[:, :-1], use_cache=False, logits_to_keep=kept).logits
        wanted = targets[:, -kept:]
        there = wanted != IGNORED
        return torch.nn.functional.cross_entropy(logits[there].float(), wanted[there], reduction="none")
