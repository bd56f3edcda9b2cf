"""Weight decay falls on what transformers' own trainer lets decay, in the families that the studies train."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainingArguments

from glotmix.train.optimizer import groups

SIZES = {
    "vocab_size": 70, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
FAMILIES = {
    "llama": {},
    "cohere": {"use_qk_norm": True},  # its norms of heads are matrices
    "qwen2": {},  # has biases
    "qwen3": {"tie_word_embeddings": False},
    "gemma3_text": {},
    "gpt2": {"n_embd": 32, "n_head": 4, "n_layer": 2},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_norms_and_biases_do_not_decay_and_all_else_does(family: str, tmp_path) -> None:
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SIZES | FAMILIES[family]))
    trainer = Trainer(model, TrainingArguments(str(tmp_path), use_cpu=True, report_to=[]))
    theirs = set(trainer.get_decay_parameter_names(model))
    by_rate = {group["weight_decay"]: group["params"] for group in groups(model.named_parameters(), 0.1)}
    ours = {id(parameter) for parameter in by_rate[0.1]}
    assert {name for name, parameter in model.named_parameters() if id(parameter) in ours} == theirs & {
        name for name, _ in model.named_parameters()
    }
    assert sum(map(len, by_rate.values())) == len(list(model.parameters()))
    assert all(isinstance(parameter, torch.nn.Parameter) for part in by_rate.values() for parameter in part)
