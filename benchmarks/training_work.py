"""What `training.py` trains on: models, and rows about as long as real ones."""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, Qwen3Config

from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import Encoded, encode_all
from glotmix.lab.models import SIZES, model_path
from glotmix.pool.lab import LabPool
from glotmix.study.presets import init_study
from glotmix.study.study import Study
from glotmix.train.batch import target_tokens

LENGTHS = {0: 40, 10: 95, 25: 140, 50: 220, 75: 400, 90: 760, 95: 1100, 99: 1850, 100: 2048}  # percentile: tokens
LAB_ROWS = [("math", "en"), ("math", "bn"), ("instructions", "de"), ("api_calls", "ja"), ("summarization", "ko")]
SHAPES = {  # hidden size, layers, query heads, inner size, vocabulary
    "tiny": (128, 4, 4, 384, 2048),
    "Qwen3-0.6B": (1024, 28, 16, 3072, 151_936),
    "Qwen3-1.7B": (2048, 28, 16, 6144, 151_936),
    "Qwen3-4B": (2560, 36, 32, 9728, 151_936),
}
STUDY = {  # the preset's models: parameters
    "Qwen/Qwen3-0.6B-Base": 0.6e9, "Qwen/Qwen3-1.7B-Base": 1.7e9, "Qwen/Qwen3-8B-Base": 8.2e9,
    "google/gemma-3-1b-pt": 1.0e9, "google/gemma-3-4b-pt": 3.9e9,
}  # fmt: skip

Steps = list[list[Encoded]]


@dataclass(frozen=True)
class Work:
    model: str
    device: str
    steps: Steps

    def make(self, attention: str = "sdpa") -> Any:
        if self.model in SIZES:
            return load_model(model_path(self.model), "float32").to(self.device)
        torch.manual_seed(0)
        with torch.device(self.device):
            return AutoModelForCausalLM.from_config(config(self.model), attn_implementation=attention)

    @property
    def counted(self) -> list[Encoded]:
        return [row for step in self.steps[1:] for row in step]


def config(name: str) -> Any:
    hidden, layers, heads, inner, vocabulary = SHAPES[name]
    return Qwen3Config(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner,
        num_key_value_heads=min(heads, 8), head_dim=128 if hidden >= 1024 else 32, vocab_size=vocabulary,
        tie_word_embeddings=True, max_position_embeddings=40_960, rope_theta=1e6,
    )  # fmt: skip


def operations(model: Any, rows: Iterable[Encoded]) -> float:
    """Floating-point operations of a forward and a backward pass."""
    shape = model.config
    head = shape.vocab_size * shape.hidden_size
    body = sum(p.numel() for p in model.parameters() if p.ndim > 1) - head * (1 if shape.tie_word_embeddings else 2)
    attention = shape.num_hidden_layers * shape.num_attention_heads * shape.head_dim
    return float(
        sum(
            6 * (body * len(row.ids) + head * target_tokens(row, "answer")) + 6 * attention * len(row.ids) ** 2
            for row in rows
        )
    )


def lab_rows(count: int) -> list[Encoded]:
    """Of the lab's own pool: 27 to 243 tokens."""
    pool, tokenizer = LabPool(), load_tokenizer(model_path("lab-1m"))
    each = -(-count // len(LAB_ROWS))
    taken = [pool.take(*kind, "train", list(pool.item_ids(*kind, "train"))[:each]) for kind in LAB_ROWS]
    rows = [row for kind in taken for row in encode_all(kind["messages"].to_list(), "plain", tokenizer)]
    return [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[:count]]


def long_rows(count: int, vocabulary: int, longest: int) -> list[Encoded]:
    """Random tokens: as many as GSM8K's rows have below the median; above it the tail is that of chats as assumed."""
    rng = np.random.default_rng(0)
    lengths = np.interp(rng.uniform(0, 100, count), list(LENGTHS), list(LENGTHS.values())).astype(int)
    prompts = rng.uniform(0.2, 0.7, count)  # GSM8K: 45 % on average
    tokens = [rng.integers(0, vocabulary, min(length, longest)).tolist() for length in lengths]
    return [Encoded(tuple(ids), int(len(ids) * share)) for ids, share in zip(tokens, prompts, strict=True)]


def hours(speeds: dict[int, float], mean_row: float) -> str:
    """Of all trainings of english-not-all: each model as many operations a second as the measured one nearest in size.

    `speeds`: tokens a second of glotmix by the parameters of a model.
    """
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        study = Study.load(init_study(Path(folder) / "study", "english-not-all"))
        for run in (runs := study.planned.runs):
            size = STUDY[run.model.entry]
            nearest = min(speeds, key=lambda measured: abs(math.log(measured / size)))
            tokens = run.steps * study.spec.recipe.batch_rows * mean_row
            seconds += tokens / speeds[nearest] * size / nearest
    return f"english-not-all: {len(runs)} trainings, rows of {mean_row:.0f} tokens: {seconds / 3600:,.0f} hours"
