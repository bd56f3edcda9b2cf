"""How far the gradient of a step moves with how it is computed: `python benchmarks/exactness.py`.

1. The reference is the definition: 64 rows one by one, each by the model's own code, summed and divided once.
2. Every variant computes the gradient of the same rows: `|g - reference| / |reference|`, over all parameters together.
3. Models of random weights, but for the lab's. In float32 a difference of 1e-6 is rounding; the last line is what the
   same sum gives if micro-batches are averaged instead (what most trainers once did), to see what an error looks like.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file
from torch.distributed.tensor import DTensor

from glotmix.generate.load import load_model
from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.spec import Recipe
from glotmix.train.attention import ROWS
from glotmix.train.batch import collate, micro_batches, target_tokens
from glotmix.train.learner import Learner
from glotmix.train.loss import TargetLoss
from training_work import lab_rows

SMALL = {"vocab_size": 2048, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3}
SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 0}
WINDOW = {"sliding_window": 16, "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}
CONFIGS: dict[str, Callable[[], Any]] = {
    "Llama": lambda: transformers.LlamaConfig(**SMALL),
    "Qwen3": lambda: transformers.Qwen3Config(**SMALL, head_dim=16, tie_word_embeddings=True),
    "Cohere": lambda: transformers.CohereConfig(**SMALL, logit_scale=0.25),
    "Gemma3": lambda: transformers.Gemma3TextConfig(**SMALL, **WINDOW, head_dim=16),
}
BUDGET, CHUNK = 512, 100  # tokens of a micro-batch, targets of a chunk of logits
SHARDED = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP"}
Gradient = dict[str, torch.Tensor]


def built(name: str) -> Any:
    if name == "lab-1m":
        return load_model(model_path(name), "float32")
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(CONFIGS[name]())


def by_definition(model: Any, rows: list[Encoded]) -> Gradient:
    targets = sum(target_tokens(row, "answer") for row in rows)
    for row in rows:
        logits = model(torch.tensor([row.ids]), use_cache=False).logits[0, row.prompt_tokens - 1 : -1]
        wanted = torch.tensor(row.ids[row.prompt_tokens :])
        (torch.nn.functional.cross_entropy(logits, wanted, reduction="sum") / targets).backward()
    return gradient_of(model)


def by_loss(model: Any, rows: list[Encoded], tokens: int, *, padded: bool, chunk: int, averaged: bool) -> Gradient:
    """As a learner on one device does it, every choice being made here."""
    model.set_attn_implementation(ROWS)
    module = TargetLoss(model, chunk * SMALL["vocab_size"]).train()
    parts = micro_batches(rows, tokens, padded=padded)
    for part in parts:
        losses = module(collate([rows[place] for place in part], "answer", padded=padded))
        whole = sum(target_tokens(row, "answer") for row in rows)
        (losses.mean() / len(parts) if averaged else losses.sum() / whole).backward()
    return gradient_of(model)


def by_learner(model: Any, rows: list[Encoded], checkpointing: bool) -> Gradient:
    recipe = Recipe(steps=1, tokens_per_micro_batch=BUDGET, gradient_checkpointing=checkpointing)
    learner = Learner(model, recipe)
    learner.accumulate_gradient(rows)
    return gradient_of(learner.model)


def gradient_of(model: Any) -> Gradient:
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {name: part.full_tensor() if isinstance(part, DTensor) else part for name, part in found.items()}


def by_two_processes(name: str, environment: dict[str, str]) -> Gradient:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "gradient.safetensors"
        alone = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | environment
        subprocess.run([*torchrun, __file__, "--model", name, "--out", str(out)], env=alone, check=True)
        return load_file(out)


def one_of_two(name: str, out: Path) -> None:
    found = by_learner(built(name), lab_rows(64), checkpointing=False)
    if os.environ["RANK"] == "0":
        save_file(found, out)


def variants(name: str, rows: list[Encoded]) -> dict[str, Gradient]:
    every, many = 10**9, 10**6

    def loss(tokens: int, *, padded: bool, chunk: int = many, averaged: bool = False) -> Gradient:
        return by_loss(built(name), rows, tokens, padded=padded, chunk=chunk, averaged=averaged)

    return {
        "64 x 1": loss(1, padded=True),
        "1 x 64, padded": loss(every, padded=True),
        f"by budget of {BUDGET} tokens, padded": loss(BUDGET, padded=True),
        "1 x 64, end to end": loss(every, padded=False),
        f"by budget of {BUDGET} tokens, end to end": loss(BUDGET, padded=False),
        f"end to end, logits {CHUNK} at a time": loss(every, padded=False, chunk=CHUNK),
        "the learner's own choice": by_learner(built(name), rows, checkpointing=False),
        "with gradient checkpointing": by_learner(built(name), rows, checkpointing=True),
        "2 processes, copies (DDP)": by_two_processes(name, {}),
        "2 processes, shards (FSDP2)": by_two_processes(name, SHARDED),
        "not exact: micro-batches averaged": loss(BUDGET, padded=False, averaged=True),
    }


def distance(found: Gradient, wanted: Gradient) -> float:
    assert found.keys() == wanted.keys()
    apart = sum((found[name].double() - wanted[name].double()).square().sum() for name in wanted)
    return float((apart / sum(part.double().square().sum() for part in wanted.values())) ** 0.5)


def main() -> None:
    torch.set_num_threads(1)
    rows, names = lab_rows(64), ["lab-1m", *CONFIGS]
    found = {name: variants(name, rows) for name in names}
    wanted = {name: by_definition(built(name), rows) for name in names}
    lengths = sorted(len(row.ids) for row in rows)
    table = Table(title=f"64 rows of {lengths[0]} to {lengths[-1]} tokens, float32: relative difference of gradients")
    for column in ("variant", *names):
        table.add_column(column)
    for variant in found["lab-1m"]:
        table.add_row(variant, *(f"{distance(found[name][variant], wanted[name]):.1e}" for name in names))
    Console(width=120).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="what one of two processes trains")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.out:
        one_of_two(asked.model, asked.out)
    else:
        main()
