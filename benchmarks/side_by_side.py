"""Many small runs on one machine: `python benchmarks/side_by_side.py`. Rows a second of all runs together.

K runs of one model, each with rows and an order of its own, 64 rows a step, float32; the same steps of each:

1. one after another, in one process that computes with all threads;
2. side by side, in as many processes as there are threads, each computing with one: what `glotmix run` does;
3. fused: one program trains all K at once, their weights stacked (`torch.func.stack_module_state`, `vmap`).

Fused takes the same steps: the loss of each run divided by its own targets, clipped by its own norm. Its losses are
compared with those of the others first: a speed is of no interest if they differ. Rounds alternate; medians are shown.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import torch
from rich.console import Console
from rich.table import Table
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.utils.rnn import pad_sequence

from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import Encoded
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train.encode import encode_rows
from glotmix.train.learner import Learner

LANGUAGES = ("en", "es", "ar", "ja", "ko", "te", "th", "zh")
BATCH_ROWS = 64
IGNORED = -100  # the label of what is no target
RECIPE = Recipe(steps=1, batch_rows=BATCH_ROWS, learning_rate=1e-3)

Steps = list[list[Encoded]]  # the rows of each step


def rows_of(model: str, run: int, steps: int) -> Steps:
    pool, each = LabPool(), BATCH_ROWS // len(LANGUAGES)
    tokenizer, taken = load_tokenizer(model_path(model)), []
    for step in range(steps):
        first = (run * steps + step) * each
        frames = [pool.take("math", tag, "train", _items(pool, tag, first, each)) for tag in LANGUAGES]
        taken.append([row for frame in frames for row in encode_rows(frame, RECIPE, tokenizer).by_id.values()])
    return taken


def _items(pool: LabPool, tag: str, first: int, count: int) -> list[str]:
    items = list(pool.item_ids("math", tag, "train"))
    return [items[place % len(items)] for place in range(first, first + count)]


def separate(model: str, runs: Sequence[Steps]) -> list[list[float]]:
    """One run after another; the losses of each run's steps."""
    return [_separate(model, steps) for steps in runs]


def _separate(model: str, steps: Steps) -> list[float]:
    learner = Learner(load_model(model_path(model), "float32"), RECIPE)
    return [learner.step(rows, RECIPE.learning_rate).loss for rows in steps]


def fused(model: str, runs: Sequence[Steps]) -> list[list[float]]:
    """All runs at once."""
    models = [load_model(model_path(model), "float32").train() for _ in runs]
    parameters, buffers = stack_module_state(models)
    optimizer = torch.optim.AdamW(parameters.values(), lr=RECIPE.learning_rate, weight_decay=0.0, fused=True)

    def loss(weights: dict[str, torch.Tensor], held: dict[str, torch.Tensor], ids: torch.Tensor, labels: torch.Tensor):
        logits = functional_call(models[0], (weights, held), kwargs={"input_ids": ids, "use_cache": False}).logits
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return losses / (labels != IGNORED).sum()

    found = []
    for rows in zip(*runs, strict=True):
        ids, labels = _padded([row for of_run in rows for row in of_run], len(runs))
        losses = vmap(loss, randomness="different")(parameters, buffers, ids, labels)
        losses.sum().backward()
        _clip(parameters)
        optimizer.step()
        optimizer.zero_grad()
        found.append(losses.tolist())
    return [list(of_run) for of_run in zip(*found, strict=True)]


def _padded(rows: Sequence[Encoded], runs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What is read, and what is to be said after each token: (runs, rows, tokens)."""
    whole = [torch.tensor(row.ids) for row in rows]
    targets = [
        ids.clone().index_fill(0, torch.arange(row.prompt_tokens), IGNORED)
        for row, ids in zip(rows, whole, strict=True)
    ]
    read, said = pad_sequence(whole, batch_first=True), pad_sequence(targets, batch_first=True, padding_value=IGNORED)
    return read[:, :-1].unflatten(0, (runs, -1)), said[:, 1:].unflatten(0, (runs, -1))


def _clip(parameters: dict[str, torch.Tensor]) -> None:
    """Each run by the norm of its own gradient."""
    gradients = [weight.grad for weight in parameters.values()]
    squares = sum(gradient.flatten(1).square().sum(1) for gradient in gradients)  # (runs,)
    scale = (RECIPE.max_gradient_norm / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))


WAYS: dict[str, Callable[[str, Sequence[Steps]], list[list[float]]]] = {"separate": separate, "fused": fused}


def serve(way: str, model: str, first: int, runs: int, steps: int, threads: int) -> None:
    """A process that is ready, and then trains once for every line it reads."""
    torch.set_num_threads(threads)
    prepared = [rows_of(model, run, steps) for run in range(first, first + runs)]
    WAYS[way](model, [of_run[:1] for of_run in prepared])
    print("ready", flush=True)
    for _ in sys.stdin:
        losses = WAYS[way](model, prepared)
        print(" ".join(f"{loss:.6f}" for of_run in losses for loss in of_run), flush=True)


class Way:
    """`processes` processes that share the runs, each with its share of the threads."""

    def __init__(self, way: str, processes: int, model: str, runs: int, steps: int, threads: int) -> None:
        share = runs // processes
        told = [(way, model, number * share, share, steps, threads // processes) for number in range(processes)]
        self.processes = [
            subprocess.Popen(
                [sys.executable, __file__, "--serve", *map(str, each)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for each in told
        ]
        for process in self.processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"

    def train(self) -> tuple[float, list[float]]:
        """Seconds, and the losses of all steps of all runs."""
        began = time.perf_counter()
        for process in self.processes:
            print(file=process.stdin, flush=True)
        losses = [float(loss) for process in self.processes for loss in process.stdout.readline().split()]
        return time.perf_counter() - began, losses

    def close(self) -> None:
        for process in self.processes:
            process.stdin.close()
            process.wait()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", nargs="+", default=["lab-1m"])
    options.add_argument("--runs", type=int, default=4)
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--serve", nargs=6)
    asked = options.parse_args()
    if asked.serve:
        way, model, *numbers = asked.serve
        return serve(way, model, *map(int, numbers))
    table = Table(
        "model",
        "way",
        "rows/s",
        "ratio",
        title=f"{asked.runs} runs, {asked.threads} threads, torch {torch.__version__}",
    )
    for model in asked.models:
        for name, speed, ratio in compare(model, asked.runs, asked.steps, asked.rounds, asked.threads):
            table.add_row(model, name, f"{speed:,.0f}", f"{ratio:.2f}")
    Console().print(table)
    return None


def compare(model: str, runs: int, steps: int, rounds: int, threads: int) -> list[tuple[str, float, float]]:
    """Each way with its rows a second, and how many times those of the first."""
    shapes = {"one after another": ("separate", 1), "side by side": ("separate", threads), "fused": ("fused", 1)}
    seconds: dict[str, list[float]] = {name: [] for name in shapes}
    expected: list[float] = []
    with ExitStack() as stack:
        ways = {name: Way(way, count, model, runs, steps, threads) for name, (way, count) in shapes.items()}
        for way in ways.values():
            stack.callback(way.close)
        for number in range(rounds):
            for name in list(ways)[:: 1 if number % 2 else -1]:
                took, losses = ways[name].train()
                seconds[name].append(took)
                expected = expected or losses
                torch.testing.assert_close(losses, expected, rtol=1e-3, atol=1e-4)
    speeds = {name: runs * steps * BATCH_ROWS / statistics.median(taken) for name, taken in seconds.items()}
    return [(name, speed, speed / speeds["one after another"]) for name, speed in speeds.items()]


if __name__ == "__main__":
    main()
