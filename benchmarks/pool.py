"""How fast rows get into a pool: `python benchmarks/pool.py --rows 10000000 [--keep DIR]`.

1. Makes a file in mCoT-MATH's layout: JSON lines, some 600 bytes of text a row, parallel over 10 languages.
2. Imports it with glotmix, in a process of its own whose peak memory is reported.
3. Does the conversion alone (no checks, no duplicates, no quarantine, no files per language) with `datasets`, likewise.
4. Takes 15,000 rows per language out of the pool.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from glotmix.pool import open_pool
from glotmix.pool.importers import import_pool

LANGUAGES = ("en", "es", "fr", "de", "ru", "zh", "ja", "th", "sw", "bn")
SENTENCES = 2_000  # different ones per language
CHUNK = 20_000  # items


class Measured(NamedTuple):
    seconds: float
    peak_bytes: int


def generate(path: Path, rows: int) -> None:
    """Rows of one item follow each other by language, chunk by chunk."""
    lab = open_pool("lab")
    items = lab.item_ids("math", "en", "train")[:SENTENCES]
    banks = {tag: lab.take("math", tag, "train", items)["messages"] for tag in LANGUAGES}
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, rows // len(LANGUAGES), CHUNK):
            numbers = np.arange(start, min(start + CHUNK, rows // len(LANGUAGES)))
            picks = [rng.integers(0, SENTENCES, len(numbers)) for _ in range(4)]
            for tag, bank in banks.items():
                made_rows(tag, bank, numbers, picks).write_ndjson(file)


def made_rows(tag: str, bank: pl.Series, numbers: np.ndarray, picks: list[np.ndarray]) -> pl.DataFrame:
    asked = bank.list.get(0).struct.field("content")
    answered = bank.list.get(1).struct.field("content")
    question = pl.concat_str([asked.gather(pick) for pick in picks[:2]], separator=" ")
    answer = pl.concat_str([asked.gather(pick) for pick in picks[2:]] + [answered.gather(picks[0])], separator="\n")
    ids = pl.format("{}-{}", pl.lit(tag), pl.Series(numbers))
    return pl.select(question=question, answer=answer, ids=ids).rename({"ids": "lang-id"})


def with_glotmix(path: Path, out: Path) -> None:
    report = import_pool("mcot-math", path, out)
    assert report.rejected.is_empty()


def with_datasets(path: Path, out: Path) -> None:
    """The same columns, batched, with its cache in the output folder."""
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()

    def convert(batch: dict[str, list[str]]) -> dict[str, list[object]]:
        pairs = [each.split("-") for each in batch["lang-id"]]
        texts = zip(batch["question"], batch["answer"], strict=True)
        return {
            "row_id": [f"mcot-math-{number}:{tag}" for tag, number in pairs],
            "item_id": [f"mcot-math-{number}" for _, number in pairs],
            "language": [tag for tag, _ in pairs],
            "messages": [
                [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
                for question, answer in texts
            ],
            "reference": [answer.rpartition(" ")[2] for answer in batch["answer"]],
        }

    loaded = load_dataset("json", data_files=str(path), split="train", cache_dir=str(out))
    loaded.map(convert, batched=True, remove_columns=loaded.column_names).to_parquet(out / "rows.parquet")


def take(pool_folder: Path, _: Path) -> None:
    pool = open_pool(str(pool_folder))
    for tag in LANGUAGES:
        items = pool.item_ids("math", tag, "train")
        chosen = items.sample(min(15_000, len(items)), seed=0)
        assert len(pool.take("math", tag, "train", chosen)) == len(chosen)


def measured(work: Callable[[Path, Path], None], path: Path, out: Path) -> Measured:
    """In a fresh process, so that the peak is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, work, path, out).result()


def _measure(work: Callable[[Path, Path], None], path: Path, out: Path) -> Measured:
    start = time.perf_counter()
    work(path, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(time.perf_counter() - start, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="keep the pool in this folder")
    parser.add_argument("--no-datasets", action="store_true", help="leave the comparison out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.keep and arguments.keep.parent) as temporary:
        folder = Path(temporary)
        file, pool = folder / "train.jsonl", arguments.keep or folder / "pool"
        generate(file, arguments.rows)
        works = {"import": measured(with_glotmix, file, pool)}
        if not arguments.no_datasets:
            works["datasets, conversion alone"] = measured(with_datasets, file, folder / "datasets")
        works["take 15,000 x 10 languages"] = measured(take, pool, folder)
        show(arguments.rows, file.stat().st_size, works)


def show(rows: int, size: int, works: dict[str, Measured]) -> None:
    table = Table("what", "seconds", "rows/s", "peak MB", "x import", title=f"{rows:,} rows, {size / 1e9:.2f} GB")
    for name, (seconds, peak) in works.items():
        ratio = seconds / works["import"].seconds
        table.add_row(name, f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{peak / 1e6:,.0f}", f"{ratio:.2f}")
    Console().print(table)
    print(json.dumps({name: work._asdict() for name, work in works.items()}))


if __name__ == "__main__":
    main()
