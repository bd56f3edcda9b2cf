"""LoRA (Hu et al. 2021): small adapters are trained beside frozen weights, for users without the memory for more.

1. `with_adapters` puts a pair of matrices beside every linear layer but the head; they alone are trained and kept.
2. In bfloat16 the frozen layers are kept in it: what they compute is the same, in half the memory.
3. `merged` adds the trained adapters to the base model's own weights in float32: what comes out is an ordinary model.

There is no dropout: the loss of a row would depend on the micro-batch it is in.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from glotmix.generate.load import load_model
from glotmix.spec import Lora, Recipe

if TYPE_CHECKING:
    from peft import LoraModel


def with_adapters(model: Any, recipe: Recipe, seed: int) -> Any:
    """The model itself, changed in place if the recipe has LoRA; until it is trained it computes what it did."""
    if recipe.lora is None:
        return model
    with torch.random.fork_rng(devices=[]):  # the model is not on a device yet
        torch.manual_seed(seed)
        _wrapped(model, recipe.lora)
    if recipe.precision == "bfloat16":
        for module in model.modules():
            if hasattr(module, "lora_A"):
                module.get_base_layer().to(torch.bfloat16)
    return model


def merged(base: Path, lora: Lora, load: Callable[[Any], None]) -> Any:
    """The model in the folder, with adapters added to its weights that `load` puts into those of a model."""
    model = load_model(base, "float32")
    whole = _wrapped(model, lora)
    load(model)
    return whole.merge_and_unload()


def _wrapped(model: Any, lora: Lora) -> "LoraModel":
    from peft import LoraConfig, LoraModel

    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return LoraModel(model, config, "default")
