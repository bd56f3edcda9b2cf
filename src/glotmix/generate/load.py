"""A model folder to a model and its tokenizer, for training and for generation alike.

1. No code that comes with a model is run.
2. Every weight comes from the folder: transformers would make up those that are missing, at random and in silence.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from glotmix.errors import UserError


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return tokenizer


def load_model(folder: Path, precision: str) -> Any:
    """The causal language model of a folder, its weights in `precision` (float32 or bfloat16).

    Raises:
        UserError: weights that the config asks for are missing, or have another shape.
    """
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
    return model
