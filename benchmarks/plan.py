"""How fast `glotmix plan` answers for the 220 runs of english-not-all: `python benchmarks/plan.py`.

1. As `glotmix init` leaves it: no pool, no models.
2. With a pool of its shape: 10 languages x 10,000 math rows and 3,024 of API calls, held-out rows, 600 bytes a row.
3. With that pool and five models (the lab's, under other names), so that tokens are counted too.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import yaml
from rich.console import Console
from rich.table import Table

from glotmix.lab.models import model_path
from glotmix.pool.row import ROW_SCHEMA
from glotmix.pool.write import add_to_pool
from glotmix.study.presets import init_study

LANGUAGES = ("en", "es", "ja", "bn", "sw", "fr", "th", "de", "ru", "zh", "te")
ROWS = {
    "math": {"train": 10_000, "validation": 200, "test": 250},
    "api_calls": {"train": 3_024, "validation": 150, "test": 399},
}
QUESTION = "Ana has 12 apples and gives 5 of them to Ben, who had 7 before. How many apples do they have now? "
ANSWERS = {"math": ("The answer is ", "."), "api_calls": ('{"name": "add_agenda", "arguments": {"number": ', "}}")}


def write_pool(folder: Path) -> None:
    for task, by_split in ROWS.items():
        add_to_pool(folder, pl.concat([rows(task, tag, *part) for tag in LANGUAGES for part in by_split.items()]))


def rows(task: str, tag: str, split: str, count: int) -> pl.DataFrame:
    number = pl.int_range(count).cast(pl.String)
    start, end = ANSWERS[task]
    answer = pl.lit(start) + number + end
    texts = [("user", pl.lit(f"{tag} ") + number + f" {QUESTION * 5}"), ("assistant", answer)]
    messages = pl.concat_list(pl.struct(pl.lit(role).alias("role"), text.alias("content")) for role, text in texts)
    frame = pl.select(
        item_id=pl.lit(f"{task}-{split}-") + number,
        task=pl.lit(task),
        language=pl.lit(tag),
        split=pl.lit(split),
        messages=messages,
        reference=number if task == "math" else answer,
        source=pl.lit("made up"),
        licence=pl.lit("CC0-1.0"),
        origin=pl.lit("generated"),
        answer_language=pl.lit(None),
    )
    return frame.with_columns(row_id=pl.col("item_id") + f":{tag}").select(ROW_SCHEMA.names()).cast(dict(ROW_SCHEMA))


def studies(folder: Path) -> Iterator[tuple[str, Path]]:
    study = folder / "study"
    file = init_study(study, "english-not-all")
    yield "no pool, no models", study
    write_pool(study / "pool")
    yield "pool", study
    spec = yaml.safe_load(file.read_text(encoding="utf-8"))
    spec["evaluation"]["max_new_tokens"] = 64
    for name in spec["models"]:
        shutil.copytree(model_path("lab-1m"), study / name)
        (study / name / "generation_config.json").write_text(f'{{"name": "{name}"}}')  # each of its own content
    file.write_text(yaml.safe_dump(spec), encoding="utf-8")
    yield "pool and models", study


def measured(study: Path) -> tuple[float, float]:
    """Seconds on the clock and of processor time."""
    began, used = time.monotonic(), processor_seconds()
    subprocess.run([sys.executable, "-m", "glotmix", "plan", str(study)], check=True, capture_output=True)
    return time.monotonic() - began, processor_seconds() - used


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3, help="how often each plan is made; the best counts")
    times = parser.parse_args().times
    table = Table("english-not-all, 220 runs", "seconds", "of processor time", box=None)
    with tempfile.TemporaryDirectory() as folder:
        for name, study in studies(Path(folder)):
            clock, processor = map(min, zip(*(measured(study) for _ in range(times)), strict=True))
            table.add_row(name, f"{clock:.2f}", f"{processor:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
