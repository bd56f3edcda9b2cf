"""A source as small as can be, written both ways: {"id", "lang", "question", "answer"}."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, checked, mapped, parsed
from glotmix.pool.row import chat

FIELDS = ("id", "lang", "question", "answer")
FACTS = {"task": "math", "reference": "7", "source": "toy", "licence": "CC0", "origin": "native"}


def to_rows(split: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        row_id=pl.format("toy-{}:{}", "id", "lang"),
        item_id=pl.format("toy-{}", "id"),
        language="lang",
        split=pl.lit(split),
        messages=chat(pl.col("question"), pl.col("answer")),
        reason=pl.when(pl.col("id").is_null()).then(pl.lit("no id")),
        **{name: pl.lit(value) for name, value in FACTS.items()},
    )


def from_columns(file: DataFile) -> Iterator[Batch]:
    columns = dict.fromkeys(FIELDS, pl.String())
    return mapped(file, columns, lambda frame: to_rows(file.split or "train", frame))


def from_records(file: DataFile) -> Iterator[Batch]:
    def parse(record: Record) -> list[dict[str, Any]]:
        values = [record.value.get(field) for field in FIELDS]
        if any(isinstance(value, list | dict) for value in values):
            raise Unusable("a field of another type")
        if values[0] is None:
            raise Unusable("no id")
        number, lang, question, answer = (value if value is None else str(value) for value in values)
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        row = {"row_id": f"toy-{number}:{lang}", "item_id": f"toy-{number}", "language": lang, "messages": messages}
        return [{**row, "split": file.split or "train", **FACTS}]

    return parsed(file, parse)


def read(place: str) -> Iterator[Batch]:
    for file in data_files(place):
        yield from from_columns(file)


def taken(batches: Iterator[Batch]) -> tuple[list[str], list[tuple[int, str]]]:
    """Item ids in order, and (line, reason) of what was rejected."""
    read = list(checked(batches))
    rejected = pl.concat([batch.rejected for batch in read]).sort("line")
    rows = pl.concat([batch.rows for batch in read])
    return rows["item_id"].to_list(), rejected.select("line", "reason").rows()


def record(number: int | str, lang: str = "en", **changes: Any) -> dict[str, Any]:
    return {"id": str(number), "lang": lang, "question": f"q {number}?", "answer": f"a {number}"} | changes


def write_lines(path: Path, *lines: Any) -> Path:
    """Lines that are not bytes yet are written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path
