"""Results tables of made-up runs with several designs, tasks or models; accuracies are true ones, items are shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from glotmix.analysis.table import RESULTS_SCHEMA

ROLES = {"en": "anchor", "es": "seen", "fr": "seen", "ja": "seen", "zh": "seen", "pt": "unseen", "ko": "unseen"}


@dataclass(frozen=True)
class Made:
    """A setting of one model and task. `accuracy` is one number for every language, or one for each."""

    setting: str
    accuracy: float | Mapping[str, float]
    rows: int = 0
    languages: tuple[str, ...] = ("en",)
    baseline: str = ""
    tasks: tuple[str, ...] | None = ("math",)
    anchor_rows: int = 1000
    seeds: int = 1
    model: str = "m"
    parameters: int | None = None
    luck: float = 0.0

    @property
    def total_rows(self) -> int:
        return (self.anchor_rows + self.rows * (len(self.languages) - 1)) * len(self.tasks or ("",))


def made(settings: Sequence[Made], items: int = 100, seed: int = 0, ease: float = 1.0) -> pl.DataFrame:
    """One draw of answers, right or wrong, as a results table of the task math."""
    random = np.random.default_rng(seed)
    easy = random.normal(0, ease, items)
    parts = [_run(own, run, easy, random) for own in settings for run in range(own.seeds)]
    return pl.concat(parts)


def _run(own: Made, run: int, easy: np.ndarray, random: np.random.Generator) -> pl.DataFrame:
    levels = own.accuracy if isinstance(own.accuracy, Mapping) else dict.fromkeys(ROLES, own.accuracy)
    spread = np.sqrt(1 + easy.var() + own.luck**2)
    constant = ndtri(np.clip(list(levels.values()), 1e-9, 1 - 1e-9)) * spread + random.normal(0, own.luck)
    right = random.random((len(levels), len(easy))) < ndtr(constant[:, None] + easy)
    answers = pl.DataFrame(
        {
            "language": np.repeat(list(levels), len(easy)),
            "item_id": np.tile([f"item-{item}" for item in range(len(easy))], len(levels)),
            "value": right.ravel().astype(float),
        }
    )
    told = answers.with_columns(
        study=pl.lit("made"),
        run=pl.lit(f"{own.model}/{own.setting}/{run}"),
        model=pl.lit(own.model),
        parameters=pl.lit(own.parameters),
        task=pl.lit("math"),
        setting=pl.lit(own.setting),
        baseline=pl.lit(own.baseline),
        control_of=pl.lit([], pl.List(pl.String())),
        train_tasks=pl.lit(own.tasks and list(own.tasks), pl.List(pl.String())),
        train_languages=pl.lit(list(own.languages)),
        anchor_rows=pl.lit(own.anchor_rows),
        rows_per_language=pl.lit(own.rows),
        total_rows=pl.lit(own.total_rows),
        seed=pl.lit(run),
        role=pl.col("language").replace_strict(ROLES),
        verdict=pl.when(pl.col("value") == 1).then(pl.lit("correct")).otherwise(pl.lit("wrong")),
    )
    unknown = [pl.lit(None).alias(name) for name in RESULTS_SCHEMA if name not in told.columns]
    return told.with_columns(unknown).select(RESULTS_SCHEMA.names()).cast(RESULTS_SCHEMA)
