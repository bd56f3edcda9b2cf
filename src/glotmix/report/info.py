"""What a report needs to know of a study beyond its results, so that it can be written for runs made anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from glotmix.analysis.declared import Declared
from glotmix.analysis.selection import RUN_SCHEMA

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
        "value": pl.Float64(),
        "detected": pl.String(),  # language of the answer; empty or null: not known
        "answer_language": pl.String(),  # in which it is wanted; null: in `language`
    }
)
LOSSES_SCHEMA = pl.Schema({**RUN_SCHEMA, "step": pl.Int64(), "value": pl.Float64()})


@dataclass(frozen=True)
class Trainings:
    """Of every run that is done: `selection` (`SELECTION_SCHEMA`); `curves` (`CURVE_SCHEMA` with the run, and
    `selected`); `losses` (`LOSSES_SCHEMA`), the mean training loss up to each checkpoint."""

    selection: pl.DataFrame
    curves: pl.DataFrame
    losses: pl.DataFrame


@dataclass(frozen=True)
class SettingSummary:
    """One cell of a design, named `setting` in the results; `total_rows` counts over all tasks.

    `rows` says how many rows each task has in which languages, for people.
    """

    setting: str
    design: str
    rows: str
    total_rows: int
    optimizer_steps: int
    seeds: tuple[int, ...]
    baseline: str = ""
    control_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """`trained` counts the parameters that training changes: fewer than all with adapters; None if not known."""

    name: str
    parameters: int
    content_hash: str
    trained: int | None = None


@dataclass(frozen=True)
class LongerRows:
    """Shares of a model's training and validation rows, over all its trainings, that were longer than max_tokens."""

    model: str
    task: str
    language: str
    training: float
    validation: float


@dataclass(frozen=True)
class JudgeCost:
    """The distinct calls behind all judged answers, with their tokens; `money` if prices are known."""

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    money: float | None = None


@dataclass(frozen=True)
class Cost:
    """Of all runs together: training rows and tokens as the optimizer saw them, seconds of work, and the judge.

    `validating` is the share of the seconds that went into measuring checkpoints.
    """

    rows: int
    tokens: int | None = None
    seconds: float | None = None
    judge: JudgeCost | None = None
    validating: float | None = None


@dataclass(frozen=True)
class StudyInfo:
    """`roles` maps every evaluated language (a tag) to anchor, seen or unseen, in the order to show them.

    `failures` says of runs that failed why they did.
    `designs` gives the kind of every design, under "" if there is only one. `longer_rows` has the tasks and languages
    with rows that were dropped or truncated. `declared` is what findings were concluded with.
    """

    name: str
    question: str
    designs: Mapping[str, str]
    settings: tuple[SettingSummary, ...]
    planned_runs: int
    failures: Mapping[str, str]
    roles: Mapping[str, str]
    models: tuple[ModelCard, ...]
    recipe: Mapping[str, str]
    longer_rows: tuple[LongerRows, ...]
    spec_yaml: str
    pool: str
    commands: tuple[str, ...]
    cost: Cost
    glotmix_version: str
    trainings: Trainings | None = None
    declared: Declared = field(default_factory=Declared)
