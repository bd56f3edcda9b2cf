"""A model folder to a model and its tokenizer, for training and for generation alike.

1. No code that comes with a model is run.
2. Every weight comes from the folder: transformers would make up those that are missing, at random and in silence.
3. What text never reaches, such as the tower of a model that also sees, is frozen: it is kept as it came.
4. Of a mixture of experts the loss that balances its experts is not computed: it is part of no loss here.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from glotmix.errors import UserError


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return tokenizer


def load_model(folder: Path, precision: str) -> Any:
    """The causal language model of a folder, its weights in `precision` (float32 or bfloat16).

    Raises:
        UserError: transformers has no causal language model of its kind, or weights that the config asks for are
            missing or have another shape.
    """
    _check_kind(folder)
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=getattr(torch, precision),
        use_safetensors=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # refused below, with the others
        output_loading_info=True,
    )
    model, found = loaded
    wrong = sorted({*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])})
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise UserError(
            f"models: the weights in {folder} lack {', '.join(wrong[:3])}{more}, or have them in another shape than"
            " config.json says; save the model there again with model.save_pretrained()"
        )
    _freeze_what_text_never_reaches(model)
    if hasattr(model.config, "output_router_logits"):
        model.config.output_router_logits = False
    return model


def positions(model: Any) -> int | None:
    """How many tokens a loaded model can read; None if its config doesn't tell."""
    found: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return found


def _check_kind(folder: Path) -> None:
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        known, kind = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING, config.model_type
    except ValueError as error:  # a kind that transformers never heard of
        told = str(error).splitlines()[0]
        fix = "take a model that transformers knows: no code that comes with one is run (trust_remote_code)"
        raise UserError(f"models: {folder}: {told}; {fix}") from None
    if not known:
        raise UserError(
            f"models: {folder} is a model of type {kind!r}, and transformers has no causal language model of that type;"
            " take one that has"
        )


def _freeze_what_text_never_reaches(model: Any) -> None:
    if model.config.get_text_config() is model.config:
        return
    text = (model.get_decoder(), model.get_output_embeddings())
    reached = {id(weight) for part in text for weight in part.parameters()}
    for weight in model.parameters():
        weight.requires_grad_(id(weight) in reached)
