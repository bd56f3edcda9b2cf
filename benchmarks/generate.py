"""Tokens a second of our transformers backend against lm-eval's `hf` model: `python benchmarks/generate.py`.

1. The same model (lab-1m, float32), prompts (8 languages x 100 of the lab's math problems), end token and longest
   answer; the whole call is timed on both sides, tokenizing and decoding included.
2. The outputs are compared first: a speed is of no interest if the texts differ.
3. Rounds alternate in order, so that a busy machine slows both; medians and their ratio are printed, by threads.
4. Two models: lab-1m, all of whose answers are short; and lab-1m with noise on its weights, some of whose answers run
   on to the limit, as those of weakly trained models do. There it counts that a row that has ended leaves its batch.

lm-eval's batches have the sizes of `--batches`. Its `auto` tries sizes from 64 down with batches of the model's full
length, at every call: it ends at 64 here, after that time.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file

from glotmix.generate.answer import end_tokens
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import encode_prompt, plain_prompt
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.pool.row import asked

NOISE = {"lab-1m": 0.0, "lab-1m with noise": 0.35}  # in standard deviations of each weight
LANGUAGES = ("en", "es", "ar", "ja", "ko", "te", "th", "zh")
Conversation = list[dict[str, str]]


def conversations(items: int) -> list[Conversation]:
    pool = LabPool()
    taken = [pool.take("math", tag, "test", list(pool.item_ids("math", tag, "test"))[:items]) for tag in LANGUAGES]
    return [asked(messages) for rows in taken for messages in rows["messages"].to_list()]


def noisy(folder: Path, noise: float) -> Path:
    shutil.copytree(model_path("lab-1m"), folder)
    random = torch.Generator().manual_seed(0)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if weight.ndim > 1:
            weights[name] = weight + noise * weight.std() * torch.randn(weight.shape, generator=random).to(weight.dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def ours(model: Path, prompts: list[Conversation], longest: int) -> Callable[[], list[str]]:
    backend = TransformersBackend(model)
    return lambda: [out.text for out in backend.generate(prompts, template="plain", max_new_tokens=longest)]


def theirs(folder: Path, prompts: list[Conversation], longest: int, batch_size: int) -> Callable[[], list[str]]:
    tokenizer = load_tokenizer(folder)
    model = HFLM(load_model(folder, "float32").eval(), tokenizer=tokenizer, batch_size=batch_size, device="cpu")
    stop: dict[str, Any] = {"until": [tokenizer.eos_token], "max_gen_toks": longest, "do_sample": False}
    texts = [plain_prompt(prompt) for prompt in prompts]
    requests = [Instance("generate_until", {}, (text, dict(stop)), place) for place, text in enumerate(texts)]
    return lambda: model.generate_until(requests, disable_tqdm=True)


def seconds(call: Callable[[], list[str]]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(ways: dict[str, Callable[[], list[str]]], rounds: int) -> dict[str, float]:
    """Median seconds of each way."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            taken[name].append(seconds(ways[name]))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100, help="of each language")
    parser.add_argument("--longest", type=int, default=128, help="tokens of an answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[64], help="rows of lm-eval's batches")
    settings = parser.parse_args()

    prompts, console = conversations(settings.items), Console()
    table = Table("model", "threads", "backend", "seconds", "tokens/s", "glotmix is faster by", title="medians")
    with tempfile.TemporaryDirectory() as temporary:
        for name, noise in NOISE.items():
            compare(noisy(Path(temporary) / name, noise), prompts, settings, console, table)
    console.print(table)


def compare(
    model: Path, prompts: list[Conversation], settings: argparse.Namespace, console: Console, table: Table
) -> None:
    ways = {"glotmix": ours(model, prompts, settings.longest)} | {
        f"lm-eval hf, {size}": theirs(model, prompts, settings.longest, size) for size in settings.batches
    }
    outputs = {name: call() for name, call in ways.items()}  # also warms up
    for name, texts in outputs.items():
        same = sum(text == own for text, own in zip(texts, outputs["glotmix"], strict=True))
        assert same == len(prompts), f"{name}: {same} of {len(prompts)} outputs are as glotmix's"
    tokenizer = load_tokenizer(model)
    assert len(end_tokens(model, "plain", tokenizer)) == 1, "one end token, the same for both"
    lengths = sorted(len(tokenizer(text, add_special_tokens=False).input_ids) for text in outputs["glotmix"])
    tokenizing = seconds(lambda: [str(encode_prompt(prompt, "plain", tokenizer)) for prompt in prompts])
    console.print(
        f"{model.name}: {len(prompts)} outputs, all the same; tokens: median {lengths[len(lengths) // 2]}, most"
        f" {lengths[-1]}, in all {sum(lengths):,}; tokenizing the prompts takes {tokenizing:.3f} s"
    )
    for threads in settings.threads:
        torch.set_num_threads(threads)
        for name, median in (medians := measure(ways, settings.rounds)).items():
            ratio = f"{median / medians['glotmix']:.2f} x" if name != "glotmix" else ""
            table.add_row(model.name, str(threads), name, f"{median:.2f}", f"{sum(lengths) / median:,.0f}", ratio)


if __name__ == "__main__":
    main()
