"""Pools made for tests, row by row."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
import pytest

from glotmix.pool import ROW_SCHEMA
from glotmix.pool.checks.text import grams
from glotmix.pool.folder import MANIFEST, FolderPool, split_file

Rows = list[dict[str, object]]


def row(
    item_id: str, prompt: str, answer: str | None = "3 + 4 = 7. The answer is 7.", reference: str = "7", **facts: str
) -> dict[str, object]:
    """English training row of a math problem, unless `facts` (task, language, split, source) say otherwise."""
    facts = {"task": "math", "language": "en", "split": "train", "source": "toy"} | facts
    messages = [{"role": "user", "content": prompt}]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    told = {"item_id": item_id, "messages": messages, "reference": reference, "licence": "CC0", "origin": "native"}
    return {"row_id": f"{item_id}:{facts['language']}", **told, **facts}


def write_pool(folder: Path, rows: Sequence[dict[str, object]]) -> FolderPool:
    """The rows in the order given, as a pool."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows, schema=ROW_SCHEMA)
    for (task, language, split), part in frame.group_by("task", "language", "split", maintain_order=True):
        path = split_file(folder, str(task), str(language), str(split))
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_parquet(path)
    (folder / MANIFEST).write_text("{}")
    return FolderPool(folder)


def gsm8k(data: Path, split: str, rows: int | None = None) -> list[tuple[str, str, str]]:
    """Question, worked solution and final number of GSM8K."""
    lines = (data / "gsm8k" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()[:rows]
    records = [json.loads(line) for line in lines]
    parts = [(record["question"], *record["answer"].rpartition("####")) for record in records]
    return [(question, solution.strip(), number.strip().replace(",", "")) for question, solution, _, number in parts]


def gsm8k_rows(problems: Iterable[tuple[str, str, str]], split: str, name: str = "gsm8k") -> Rows:
    return [
        row(f"{name}-{split}-{n}", question, f"{solution}\nThe answer is {number}.", number, split=split, source=name)
        for n, (question, solution, number) in enumerate(problems)
    ]


MGSM = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


def mgsm_rows(data: Path, languages: Sequence[str] = MGSM) -> Rows:
    rows = []
    for tag in languages:
        lines = (data / "mgsm" / f"mgsm_{tag}.tsv").read_text(encoding="utf-8").splitlines()
        for n, (question, number) in enumerate(line.split("\t") for line in lines):
            facts = {"language": tag, "split": "test", "source": "mgsm"}
            rows.append(row(f"mgsm-{n}", question, number, number.replace(",", ""), **facts))
    return rows


def small_portions(monkeypatch: pytest.MonkeyPatch, check: str, characters: int) -> list[int]:
    """Lets a check look at so many characters at once; how many it takes each time is added to the list."""
    monkeypatch.setattr("glotmix.pool.checks.text.AT_ONCE", characters)
    at_once: list[int] = []

    def counting(keys: pl.Series) -> pl.DataFrame:
        at_once.append(int(keys.str.len_chars().sum()))
        return grams(keys)

    monkeypatch.setattr(f"glotmix.pool.checks.{check}.grams", counting)
    return at_once
