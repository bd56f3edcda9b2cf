"""transformers' own models in the shapes that `benchmarks/scale.py` computes with, of random weights."""

from typing import Any

from transformers import AutoModelForCausalLM, CohereConfig, Gemma3TextConfig, LlamaConfig, Qwen3Config

from scale import Shape

CONFIGS = {"llama": LlamaConfig, "cohere": CohereConfig, "qwen3": Qwen3Config, "gemma3": Gemma3TextConfig}


def model_of(shape: Shape) -> Any:
    config = CONFIGS[shape.kind](
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        head_dim=shape.head,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return AutoModelForCausalLM.from_config(config)
