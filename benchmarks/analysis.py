"""Seconds and memory of analysis: a bootstrap of 304,000 item scores, and findings from ten million.

1. 10,000 cluster-bootstrap resamples of a study of 152 runs, 8 languages and 250 items (`noise.draws`, which adds the
   luck of runs), beside the plain way: a loop that draws items, selects their answers with pandas-like group-bys in
   polars, and takes the means of every setting and language. The plain way is timed on `--plain` resamples, and its
   seconds for 10,000 are that times 10,000 / `--plain`.
2. `findings` of that study, from its Parquet file.
3. `findings` of ten million item scores, from their Parquet file, and the same from CSV with `--csv`.

Each part runs in a process of its own; its peak memory is the whole process's (VmHWM; ru_maxrss
would begin with that of the process that made the tables).
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from glotmix.analysis import findings
from glotmix.analysis.noise import DRAWS, draws
from glotmix.analysis.read import read_table
from glotmix.analysis.scores import read_scores
from glotmix.analysis.table import RESULTS_SCHEMA

TAGS = ("en", "es", "fr", "ja", "zh", "ar", "ko", "pt", "de", "th")


@dataclass(frozen=True)
class Shape:
    tasks: int
    settings: int
    seeds: int
    languages: int
    items: int

    @property
    def answers(self) -> int:
        return self.tasks * self.settings * self.seeds * self.languages * self.items


STUDY = Shape(tasks=1, settings=38, seeds=4, languages=8, items=250)
LARGE = Shape(tasks=2, settings=40, seeds=5, languages=10, items=2500)


def write_results(path: Path, shape: Shape) -> None:
    """A results table with every column, run after run, of answers that rise with the rows per language."""
    tags = TAGS[: shape.languages]
    seen = tags[1 : 1 + shape.languages // 2]
    roles = {tag: "anchor" if tag == "en" else "seen" if tag in seen else "unseen" for tag in tags}
    random = np.random.default_rng(0)
    items = pl.DataFrame({"item_id": [f"mgsm/test/problem-{item:05}" for item in range(shape.items)]})
    cells = pl.DataFrame({"language": tags, "role": list(roles.values())}).join(items, how="cross")
    writer = None
    for task in range(shape.tasks):
        for rows in range(0, 100 * shape.settings, 100):
            for seed in range(shape.seeds):
                right = random.random(len(cells)) < 0.3 + 0.3 * (1 - np.exp(-rows / 400))
                run = _run(cells, f"task{task}", rows, seed, seen).with_columns(
                    value=pl.Series(right).cast(pl.Float64),
                    verdict=pl.Series(np.where(right, "correct", "wrong")),
                )
                table = run.select(RESULTS_SCHEMA.names()).cast(RESULTS_SCHEMA).to_arrow()  # type: ignore[arg-type]
                writer = writer or pq.ParquetWriter(path, table.schema)
                writer.write_table(table)
    assert writer
    writer.close()


def write_csv(results: Path, out: Path) -> None:
    lists = pl.col("train_tasks", "train_languages", "control_of").list.join(" ")
    pl.scan_parquet(results).drop("metrics").with_columns(lists).sink_csv(out)


def _run(cells: pl.DataFrame, task: str, rows: int, seed: int, seen: tuple[str, ...]) -> pl.DataFrame:
    known = {
        "study": "large", "run": f"m/n={rows}/seed={seed}", "model": "m", "parameters": 10**9, "task": task,
        "setting": f"n={rows}", "baseline": "n=0" if rows else "", "anchor_rows": 10_000, "rows_per_language": rows,
        "total_rows": 10_000 + rows * len(seen), "optimizer_steps": 300, "seed": seed, "parsed": "42",
        "output_tokens": 77, "detected": "en",
    }  # fmt: skip
    lists = {"control_of": [], "train_tasks": [task], "train_languages": ["en", *seen] if rows else ["en"]}
    unknown = [pl.lit(None, RESULTS_SCHEMA[name]).alias(name) for name in ("answer_language", "metrics")]
    texts = [pl.lit(value, pl.List(pl.String)).alias(name) for name, value in lists.items()]
    return cells.with_columns(*texts, *unknown, **{name: pl.lit(value) for name, value in known.items()})


def bootstrap(path: Path, _: int) -> None:
    (scores,) = read_scores(read_table(path).results)
    draws(scores)


def plain_bootstrap(path: Path, resamples: int) -> None:
    """As one would write it: items drawn with their answers, then a group-by."""
    answers = pl.read_parquet(path, columns=["setting", "language", "item_id", "value"])
    items = answers["item_id"].unique().sort()
    for seed in range(resamples):
        drawn = items.sample(len(items), with_replacement=True, seed=seed).to_frame()
        drawn.join(answers, on="item_id").group_by("setting", "language").agg(pl.col("value").mean())


def whole(path: Path, _: int) -> None:
    findings(read_table(path).results)


def _measured(work: Callable[[Path, int], None], path: Path, count: int, sender: object) -> None:
    start = time.perf_counter()
    work(path, count)
    seconds = time.perf_counter() - start
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20
    sender.send((seconds, peak))  # type: ignore[attr-defined]


def measure(work: Callable[[Path, int], None], path: Path, count: int = 0) -> tuple[float, float]:
    """Seconds and GiB, in a new process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe()
    process = context.Process(target=_measured, args=(work, path, count, sender))
    process.start()
    sender.close()  # or a process that fails is waited for
    found: tuple[float, float] = receiver.recv()
    process.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plain", type=int, default=40, help="resamples of the plain way [40]")
    parser.add_argument("--csv", action="store_true", help="the large table as CSV as well")
    given = parser.parse_args()
    console, table = Console(), Table("what", "answers", "seconds", "peak GiB", "ratio", box=None)
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("making tables") as doing:
        study, large = Path(folder) / "study.parquet", Path(folder) / "large.parquet"
        write_results(study, STUDY)
        write_results(large, LARGE)
        own: list[tuple[str, Shape, Callable[[Path, int], None], Path]] = [
            (f"{DRAWS:,} resamples", STUDY, bootstrap, study),
            ("findings of a study", STUDY, whole, study),
            ("findings of a large table", LARGE, whole, large),
        ]
        if given.csv:
            write_csv(large, table_file := large.with_suffix(".csv"))
            own.append(("the same, from CSV", LARGE, whole, table_file))
        for what, shape, work, path in own:
            doing.update(what)
            seconds, peak = measure(work, path)
            table.add_row(what, f"{shape.answers:,}", f"{seconds:.1f}", f"{peak:.2f}")
            if work is bootstrap:
                doing.update(f"{what}, the plain way")
                plain, peak = measure(plain_bootstrap, study, given.plain)
                plain *= DRAWS / given.plain
                ratio = f"{plain / seconds:.0f} x"
                table.add_row(f"{what}, the plain way", f"{shape.answers:,}", f"{plain:.1f}", f"{peak:.2f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
