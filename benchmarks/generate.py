"""Tokens a second of our transformers backend against lm-eval's `hf` model: `python benchmarks/generate.py`.

1. The same model (lab-1m, float32), prompts (8 languages x 100 of the lab's math problems), end token and longest
   answer; the whole call is timed on both sides, tokenizing and decoding included.
2. The outputs are compared first: a speed is of no interest if the texts differ.
3. Rounds alternate in order, so that a busy machine slows both; medians and their ratio are printed, by threads.

lm-eval's batches have the sizes of `--batches`. Its `auto` tries sizes from 64 down with batches of the model's full
length, at every call: it ends at 64 here, after that time.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from rich.console import Console
from rich.table import Table

from glotmix.generate.answer import end_tokens
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import encode_prompt, plain_prompt
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.pool.row import asked

FOLDER = model_path("lab-1m")
LANGUAGES = ("en", "es", "ar", "hi", "ja", "te", "th", "zh")
Conversation = list[dict[str, str]]


def conversations(items: int) -> list[Conversation]:
    pool = LabPool()
    taken = [pool.take("math", tag, "test", list(pool.item_ids("math", tag, "test"))[:items]) for tag in LANGUAGES]
    return [asked(messages) for rows in taken for messages in rows["messages"].to_list()]


def ours(prompts: list[Conversation], longest: int) -> Callable[[], list[str]]:
    backend = TransformersBackend(FOLDER)
    return lambda: [out.text for out in backend.generate(prompts, template="plain", max_new_tokens=longest)]


def theirs(prompts: list[Conversation], longest: int, batch_size: int) -> Callable[[], list[str]]:
    tokenizer = load_tokenizer(FOLDER)
    model = HFLM(load_model(FOLDER, "float32").eval(), tokenizer=tokenizer, batch_size=batch_size, device="cpu")
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
    parser.add_argument("--longest", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128], help="rows of lm-eval's batches")
    settings = parser.parse_args()

    prompts, console, tokenizer = conversations(settings.items), Console(), load_tokenizer(FOLDER)
    ways = {
        "glotmix": ours(prompts, settings.longest),
        **{f"lm-eval hf, batches of {size}": theirs(prompts, settings.longest, size) for size in settings.batches},
    }
    outputs = {name: call() for name, call in ways.items()}  # also warms up
    for name, texts in outputs.items():
        same = sum(text == own for text, own in zip(texts, outputs["glotmix"], strict=True))
        console.print(f"{name}: {same} of {len(prompts)} outputs as glotmix's")
        assert same == len(prompts)

    ended = len(end_tokens(FOLDER, "plain", tokenizer))
    assert ended == 1, "one end token, the same for both"
    tokens = sum(len(tokenizer(text, add_special_tokens=False).input_ids) for text in outputs["glotmix"])
    tokenizing = seconds(lambda: [str(encode_prompt(prompt, "plain", tokenizer)) for prompt in prompts])
    console.print(f"{len(prompts)} prompts, {tokens} tokens written; tokenizing the prompts: {tokenizing:.3f} s")

    table = Table("threads", "backend", "seconds", "tokens/s", "glotmix is faster by", title="medians")
    for threads in settings.threads:
        torch.set_num_threads(threads)
        for name, median in (medians := measure(ways, settings.rounds)).items():
            ratio = f"{median / medians['glotmix']:.2f} x" if name != "glotmix" else ""
            table.add_row(str(threads), name, f"{median:.2f}", f"{tokens / median:,.0f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
