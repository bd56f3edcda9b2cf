"""How fast a training step is, against TRL's SFTTrainer: `python benchmarks/training.py`.

1. The same model, rows, order, rows a step (64, of lengths like real ones), targets and learning rate on both sides.
   Both run whole steps: micro-batches made and padded, forward, backward, clipping, AdamW. Tokenizing is timed apart.
2. TRL at its defaults: 8 rows at once, gradient checkpointing, bfloat16; on CPU also in float32, glotmix's own default.
   TRL at its best: without checkpointing, the rows of each step sorted by length for it (its own `group_by_length`
   takes them from other steps), as many at once as is fastest; on CUDA also without padding, if flash-attn is there.
   Each is compared with the fastest way of glotmix in the same precision.
3. Rounds alternate in order, so that a busy machine slows all; the first step of each is not counted. Medians.
4. The losses are compared first: a speed is of no interest if the work is not the same.
5. On CUDA the models are random ones of real shapes; on CPU the lab's. Weights and optimizer are float32 everywhere.
   With more than one thread there also are as many glotmix workers of one thread, which is how a study runs there.

A row of T tokens, t of them targets, costs 6 (B T + H t) + 6 L D T^2 floating-point operations: B parameters of the
body's matrices, H of the head, L layers of D numbers in all query heads, half of T x T being masked. What is computed
twice (gradient checkpointing) counts once, and padding not at all. The study's hours are those of its trainings alone.
"""

import argparse
import gc
import json
import logging
import statistics
import tempfile
import time
import warnings
from typing import Any

import torch
import transformers
import trl
from datasets import Dataset, disable_progress_bars
from rich.console import Console
from rich.table import Table
from trl import SFTConfig, SFTTrainer

from glotmix.errors import GlotmixError
from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import Encoded, encode_all
from glotmix.lab.models import SIZES, model_path
from glotmix.pool.lab import LabPool
from training_ways import BATCH_ROWS, Clock, Timed, Way, ways
from training_work import SHAPES, Work, hours, lab_rows, long_rows, operations

H100 = 989e12  # H100 and H200: dense bfloat16 products a second, as NVIDIA says


def measure(found: dict[str, Way], work: Work, rounds: int) -> dict[str, list[Timed]]:
    """What does not fit into memory has no times."""
    taken: dict[str, list[Timed]] = {name: [] for name in found}
    for number in range(rounds):
        for name in list(found)[:: 1 if number % 2 == 0 else -1]:
            try:
                taken[name].append(found[name](work))
            except (torch.OutOfMemoryError, GlotmixError):
                found = {other: way for other, way in found.items() if other != name}
            gc.collect()
            torch.cuda.empty_cache()
    return taken


def products(device: str) -> float:
    """Floating-point operations a second of one large matrix product: what the chip does at best."""
    size, dtype = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    clock = Clock()
    for _ in range(21):
        torch.mm(one, other)
        clock.on_step_end()
    pace = statistics.median(b - a for a, b in zip(clock.times, clock.times[1:], strict=False))
    return 2 * size**3 / pace


def tokenizing(count: int) -> str:
    """Both get texts and make token ids: glotmix its rows, TRL its data set of prompts and completions."""
    pool, tokenizer = LabPool(), load_tokenizer(model_path("lab-1m"))
    rows = pool.take("math", "en", "train", list(pool.item_ids("math", "en", "train"))[:count])["messages"].to_list()
    began = time.perf_counter()
    ours = [row.ids for row in encode_all(rows, "plain", tokenizer)]
    seconds = [time.perf_counter() - began]

    class Prepared(SFTTrainer):  # type: ignore[misc]
        def _prepare_dataset(self, *args: Any, **others: Any) -> Any:
            began = time.perf_counter()
            found = super()._prepare_dataset(*args, **others)
            seconds.append(time.perf_counter() - began)
            return found

    texts = [{"prompt": row[0]["content"] + "\n", "completion": row[1]["content"]} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(folder, report_to="none", use_cpu=True)
        trainer = Prepared(
            Work("lab-1m", "cpu", []).make(), arguments, None, Dataset.from_list(texts), processing_class=tokenizer
        )
    same = sum([*row] == theirs for row, theirs in zip(ours, trainer.train_dataset["input_ids"], strict=True))
    return (
        f"tokenizing {len(rows):,} rows of math: glotmix {seconds[0]:.2f} s, TRL {seconds[1]:.2f} s"
        f" ({seconds[1] / seconds[0]:.0f} x); {same:,} rows have the same tokens"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=("cpu", "cuda"), default=device)
    parser.add_argument(
        "--models", nargs="+", choices=(*SIZES, *SHAPES), help="default: the lab's on CPU, Qwen3 on CUDA"
    )
    parser.add_argument("--steps", type=int, default=4, help="of 64 rows, the first of which is not counted")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="on CPU")
    settings = parser.parse_args()
    quiet()
    console = Console(width=150)
    console.print(f"torch {torch.__version__}, transformers {transformers.__version__}, TRL {trl.__version__}")
    models = settings.models or ([*SIZES] if settings.device == "cpu" else [*SHAPES][1:])
    speeds = {}
    for model in models:
        for name, rows in row_sets(model, settings.steps * BATCH_ROWS).items():
            steps = [rows[first : first + BATCH_ROWS] for first in range(0, len(rows), BATCH_ROWS)]
            work = Work(model, settings.device, steps)
            for threads in [1] if settings.device == "cuda" else settings.threads:
                torch.set_num_threads(threads)
                taken = measure(ways(settings.device, threads), work, settings.rounds)
                title = f"{model}, {name}, threads: {threads}"
                parameters, speed = show(console, title, work, taken)
                speeds[parameters] = speed
    if not {*models} & {*SIZES}:
        console.print(hours(speeds, statistics.mean(len(row.ids) for row in rows)))
    if settings.device == "cpu":
        console.print(tokenizing(10_000))


def row_sets(model: str, count: int) -> dict[str, list[Encoded]]:
    if model in SIZES:
        return {"lab rows": lab_rows(count), "chat and math lengths to 512": long_rows(count, 2048, 512)}
    return {"chat and math lengths to 2,048": long_rows(count, SHAPES[model][-1], 2048)}


def show(console: Console, title: str, work: Work, taken: dict[str, list[Timed]]) -> tuple[int, float]:
    """Prints the table, and gives the model's parameters and the tokens a second of glotmix.

    Raises:
        AssertionError: another way has another loss.
    """
    rows, tokens, model = len(work.counted), sum(len(row.ids) for row in work.counted), work.make()
    needed, best = operations(model, work.counted), products(work.device)
    seconds = {name: statistics.median(each.seconds for each in times) for name, times in taken.items() if times}
    columns = ("rows/s", "tokens/s", "TFLOP/s", "of products", "of 989", "peak GB", "glotmix is faster by")
    table = Table("", *columns, title=title)
    for name, times in taken.items():
        if not times:
            table.add_row(name, "out of memory")
            continue
        ours = fastest(seconds, name.rpartition(" ")[2])
        check_loss(name, times[0].loss, taken[ours][0].loss)
        pace = needed / seconds[name]
        cells = (
            f"{rows / seconds[name]:.1f}", f"{tokens / seconds[name]:,.0f}", f"{pace / 1e12:.3f}", f"{pace / best:.1%}",
            f"{pace / H100:.1%}", f"{times[0].peak_bytes / 1e9:.1f}", f"{seconds[name] / seconds[ours]:.2f} x",
        )  # fmt: skip
        table.add_row(name, *cells)
    console.print(table)
    console.print(json.dumps({name: [round(each.seconds, 3) for each in times] for name, times in taken.items()}))
    return sum(weight.numel() for weight in model.parameters()), tokens / seconds[fastest(seconds, "bfloat16")]


def fastest(seconds: dict[str, float], precision: str) -> str:
    """The way of glotmix that takes the fewest."""
    ours = (name for name in seconds if name.startswith("glotmix") and name.endswith(precision))
    return min(ours, key=lambda name: seconds[name])


def check_loss(name: str, loss: float, ours: float) -> None:
    allowed = 1e-4 if name.endswith("float32") else 1e-2
    assert abs(loss / ours - 1) < allowed, f"{name}: loss {loss}, glotmix's {ours}"


def quiet() -> None:
    disable_progress_bars()
    warnings.simplefilter("ignore")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)


if __name__ == "__main__":
    main()
