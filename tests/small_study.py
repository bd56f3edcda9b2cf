"""A study folder small enough to be made anew for every test: made-up rows, and a model that only looks like one."""

import copy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from glotmix.pool.row import ROW_SCHEMA
from glotmix.pool.write import add_to_pool

LANGUAGES = ("de", "en", "es", "fr", "ja", "pt")
ITEMS = {"train": 60, "validation": 6, "test": 12}
FAKE_WORKER = (sys.executable, str(Path(__file__).parent / "fake_worker.py"))
SPEC: dict[str, Any] = {
    "name": "small",
    "models": ["model"],
    "pool": "pool",
    "tasks": ["math"],
    "languages": {"anchor": "en", "train": ["es", "fr"], "evaluate": ["en", "es", "fr", "pt"]},
    "design": {"kind": "increments", "anchor_rows": 10, "rows_per_language": [0, 5]},
    "seeds": [0, 1],
    "recipe": {"batch_rows": 4, "steps": 5, "checkpoint_every": 2, "select": {"rows_per_language": 4}},
    "evaluation": {"items_per_language": 10, "max_new_tokens": 8},
}


def row(task: str, language: str, split: str, number: int) -> dict[str, Any]:
    item = f"{task}-{split}-{number:03}"
    asked, answer = f"{language}: what is {number} + 1?", f"The answer is {number + 1}."
    return {
        "row_id": f"{item}-{language}",
        "item_id": item,
        "task": task,
        "language": language,
        "split": split,
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}],
        "reference": str(number + 1),
        "source": "made up",
        "licence": "CC0-1.0",
        "origin": "generated",
    }


def write_rows(pool: Path, rows: list[dict[str, Any]]) -> None:
    add_to_pool(pool, pl.DataFrame(rows, schema=ROW_SCHEMA))


def write_model(folder: Path, seed: int = 0) -> None:
    """What the plan looks at of a model; nothing that could be run."""
    folder.mkdir(parents=True)
    weights = np.random.default_rng(seed).standard_normal((4, 3), dtype=np.float32)
    save_file({"weight": weights}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "llama", "eos_token_id": 0}')
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


def write_spec(folder: Path, **changes: Any) -> Path:
    """A study file with some keys changed; `recipe__steps` is steps inside recipe; None removes the key."""
    spec = copy.deepcopy(SPEC)
    for path, value in changes.items():
        *outer, last = path.split("__")
        inner = spec
        for name in outer:
            inner = inner.setdefault(name, {})
        inner.pop(last, None) if value is None else inner.update({last: value})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    return folder


def make_study(folder: Path) -> Path:
    """The study of `SPEC` with its pool and model."""
    splits = [(split, number) for split, count in ITEMS.items() for number in range(count)]
    write_rows(folder / "pool", [row("math", tag, *place) for tag in LANGUAGES for place in splits])
    write_model(folder / "model")
    return write_spec(folder)
