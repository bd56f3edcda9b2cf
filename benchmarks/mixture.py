"""How fast a mixture comes out of a pool: `python benchmarks/mixture.py [--pool DIR | --rows 2000000] [--no-datasets]`.

1. The pool is a folder that `glotmix pool import` made, or is made here, as benchmarks/pool.py makes it.
2. glotmix builds 75,000 rows (5 languages x 15,000), hashes them and writes them.
3. The same selection with `datasets` on the same files: load, filter by language, shuffle with a seed, select,
   concatenate, write; and once more told that every language has a file of its own, so that nothing is filtered.

Each in a fresh process; its peak is the resident memory of the process and its children.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from glotmix.mixture import MixtureSpec, build_mixture
from glotmix.pool import open_pool
from pool import generate, with_glotmix

LANGUAGES = ("en", "es", "fr", "zh", "sw")
ROWS = 15_000  # of each; with disjoint items a pool of 10 languages needs some 1.6 million rows for that
SAMPLED_EVERY = 0.01  # seconds


class Measured(NamedTuple):
    seconds: float
    peak_bytes: int


def shared(pool: Path, out: Path) -> None:
    _build(pool, out, "shared")


def disjoint(pool: Path, out: Path) -> None:
    _build(pool, out, "disjoint")


def _build(pool: Path, out: Path, items: str) -> None:
    spec = MixtureSpec.model_validate({"counts": {"math": dict.fromkeys(LANGUAGES, ROWS)}, "items": items})
    mixture = build_mixture(spec, open_pool(str(pool)))
    mixture.write(out)
    assert len(set(mixture.row_ids)) == ROWS * len(LANGUAGES)


def filtered(pool: Path, out: Path) -> None:
    from datasets import concatenate_datasets

    def is_of(tag: str) -> Callable[[list[str]], list[bool]]:
        return lambda languages: [language == tag for language in languages]

    loaded = _load([str(file) for file in sorted(pool.glob("math/*/train.parquet"))], out)
    parts = [loaded.filter(is_of(tag), input_columns=["language"], batched=True) for tag in LANGUAGES]
    concatenate_datasets([_sampled(part) for part in parts]).to_parquet(out / "rows.parquet")


def one_file_each(pool: Path, out: Path) -> None:
    from datasets import concatenate_datasets

    parts = [_load(str(pool / "math" / tag / "train.parquet"), out) for tag in LANGUAGES]
    concatenate_datasets([_sampled(part) for part in parts]).to_parquet(out / "rows.parquet")


def _load(files: str | list[str], out: Path) -> Any:
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(out / "cache"))


def _sampled(part: Any) -> Any:
    return part.shuffle(seed=0).select(range(ROWS))


WORKS = {
    "glotmix, shared items": shared,
    "glotmix, disjoint items": disjoint,
    "datasets, filter": filtered,
    "datasets, a file each": one_file_each,
}


def measured(work: Callable[[Path, Path], None], pool: Path, out: Path) -> Measured:
    """Wall time includes starting Python and importing libraries."""
    start = time.perf_counter()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(pool, out))
    process.start()
    peak = 0
    while process.is_alive():
        peak = max(peak, _resident(process.pid))
        process.join(SAMPLED_EVERY)
    assert process.exitcode == 0
    return Measured(time.perf_counter() - start, peak)


def _resident(pid: int | None) -> int:
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def make_pool(folder: Path, rows: int) -> Path:
    generate(folder / "train.jsonl", rows)
    with_glotmix(folder / "train.jsonl", folder / "pool")
    return folder / "pool"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, help="a pool with rows of math in en, es, fr, zh and sw")
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the pool that is made, if none is given")
    parser.add_argument("--no-datasets", action="store_true", help="leave the comparison out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.pool and arguments.pool.resolve().parent) as temporary:
        pool = arguments.pool or make_pool(Path(temporary), arguments.rows)
        done = {}
        for name, work in WORKS.items():
            if name.startswith("glotmix") or not arguments.no_datasets:
                out = Path(temporary) / work.__name__
                out.mkdir()
                done[name] = measured(work, pool, out)
        rows = json.loads((pool / "pool.json").read_text())["counts"]
        show(sum(count["rows"] for count in rows), done)


def show(rows: int, done: dict[str, Measured]) -> None:
    title = f"{len(LANGUAGES) * ROWS:,} rows out of {rows:,}"
    table = Table("what", "seconds", "peak MB", "x time", "x memory", title=title)
    first = next(iter(done.values()))
    for name, (seconds, peak) in done.items():
        ratios = (f"{seconds / first.seconds:.1f}", f"{peak / first.peak_bytes:.1f}")
        table.add_row(name, f"{seconds:.1f}", f"{peak / 1e6:,.0f}", *ratios)
    Console().print(table)
    print(json.dumps({name: each._asdict() for name, each in done.items()}))


if __name__ == "__main__":
    main()
