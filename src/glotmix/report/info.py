"""What a report needs to know of a study beyond its results, so that it can be written for runs made anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

SAMPLES_SCHEMA = pl.Schema(
    {
        "model": pl.String(),
        "task": pl.String(),
        "setting": pl.String(),
        "seed": pl.Int64(),
        "language": pl.String(),
        "item_id": pl.String(),
        "prompt": pl.String(),
        "reference": pl.String(),
        "output": pl.String(),
        "parsed": pl.String(),
        "verdict": pl.String(),
    }
)


@dataclass(frozen=True)
class SettingSummary:
    """One cell of the design; `rows_per_language` counts per task, `total_rows` over all tasks."""

    setting: str
    rows_per_language: int
    total_rows: int
    optimizer_steps: int
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class ModelCard:
    name: str
    parameters: int
    content_hash: str


@dataclass(frozen=True)
class Cost:
    """Of all runs together: training rows and tokens as the optimizer saw them, and seconds of work."""

    rows: int
    tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class StudyInfo:
    """`roles` maps every evaluated language (a tag) to anchor, seen or unseen, in the order to show them.

    `truncated_rows` is the most rows that any training cut to max_tokens.
    """

    name: str
    question: str
    settings: tuple[SettingSummary, ...]
    roles: Mapping[str, str]
    models: tuple[ModelCard, ...]
    recipe: Mapping[str, str]
    truncated_rows: int
    spec_yaml: str
    pool: str
    commands: tuple[str, ...]
    cost: Cost
    glotmix_version: str
