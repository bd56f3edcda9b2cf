"""AdamW, with weight decay on matrices and embeddings alone: gains and biases are not pulled to 0."""

from collections.abc import Iterable
from typing import Any

import torch

from glotmix.spec import Recipe


def make_optimizer(model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """For the parameters of the model that are trained."""
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    parameters = groups(trained, recipe.weight_decay)
    if recipe.optimizer == "adamw_8bit":
        from glotmix.train.adamw_8bit import AdamW8bit  # an optional library

        return AdamW8bit(parameters, lr=recipe.learning_rate)
    return torch.optim.AdamW(parameters, lr=recipe.learning_rate, fused=True)


def groups(parameters: Iterable[tuple[str, torch.nn.Parameter]], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups of named parameters: what decays, and what does not. Norms of attention heads may be matrices."""
    decayed: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in parameters:
        (decayed if parameter.ndim > 1 and "norm" not in name else others).append(parameter)
    found = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in found if group["params"]]
