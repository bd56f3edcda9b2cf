"""AdamW, with weight decay on matrices and embeddings alone: gains and biases are not pulled to 0."""

from collections.abc import Iterable
from typing import Any

import torch

from glotmix.spec import Recipe


def make_optimizer(model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """For the parameters of the model that are trained."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(groups(trained, recipe.weight_decay), lr=recipe.learning_rate, fused=True)


def groups(parameters: Iterable[torch.nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: what decays, and what does not."""
    decayed: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for parameter in parameters:
        (decayed if parameter.ndim > 1 else others).append(parameter)
    found = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in found if group["params"]]
