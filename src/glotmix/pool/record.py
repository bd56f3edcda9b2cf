"""What is read of files of others: a data file, its records, and the reasons why one can't be used."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Unusable(Exception):
    """Why a record can't become rows, in few words: reasons are counted."""


class LeftOut(Unusable):
    """A record of this source that no row can hold as things are; a file of nothing else is no wrong file."""


@dataclass(frozen=True)
class DataFile:
    """One file of a source.

    `url` is for fsspec; `format` is jsonl, json, csv, tsv, parquet, lines or blocks. `split` and `config` (a hub
    configuration or sub-folder, often the language) are "" where the layout tells none.
    """

    name: str
    url: str
    format: str
    split: str = ""
    config: str = ""


class Found(NamedTuple):
    """One record as read: its first line (item or row of what has no lines) from 1, and a reason if it has no value."""

    line: int
    value: Any
    raw: str | None  # None: the value itself is what was there
    reason: str = ""
