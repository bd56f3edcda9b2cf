"""Results tables of made-up studies whose true accuracies are known, to check that intervals cover them.

An answer is correct with probability Phi(x), where x adds up what the seven contracts call the levels of a study:

1. a constant of the setting and language, chosen so that the expected accuracy is exactly the one asked for;
2. an item's ease, shared by its translations and by all settings;
3. what a setting does to an item, shared by its translations;
4. a run's luck, shared by all languages, and its luck in each language.

All are normal, so the expectation of Phi(x) over all of them is Phi(constant / sqrt(1 + sum of their variances)).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from glotmix.analysis.scores import Array
from glotmix.analysis.table import RESULTS_SCHEMA


@dataclass(frozen=True)
class Truth:
    """A study as it really is. Spreads are standard deviations on the probit scale."""

    accuracy: Mapping[int, Mapping[str, float]]  # rows per language -> language -> expected accuracy
    roles: Mapping[str, str]  # language -> anchor | seen | unseen
    seeds: Mapping[int, int]  # rows per language -> number of seeds
    items: int = 200
    item: float = 1.0
    item_by_setting: float = 0.0
    run: float = 0.0
    run_by_language: float = 0.0

    @property
    def spread(self) -> float:
        levels = (1.0, self.item, self.item_by_setting, self.run, self.run_by_language)
        return float(np.sqrt(sum(level**2 for level in levels)))


def simulate(truth: Truth, seed: int) -> pl.DataFrame:
    """One study drawn from the truth, as a results table."""
    random = np.random.default_rng(seed)
    ease = random.normal(0, truth.item, truth.items)
    runs = []
    for rows, accuracy in truth.accuracy.items():
        eased = ease + random.normal(0, truth.item_by_setting, truth.items)
        for run in range(truth.seeds[rows]):
            answers = _answers(truth, accuracy, eased, random)
            runs.append(answers.with_columns(rows_per_language=pl.lit(rows), seed=pl.lit(run)))
    return _as_results(pl.concat(runs), truth.roles)


def _answers(truth: Truth, accuracy: Mapping[str, float], ease: Array, random: np.random.Generator) -> pl.DataFrame:
    """What one run scores on every item in every language."""
    constant = ndtri(np.array(list(accuracy.values()))) * truth.spread
    luck = random.normal(0, truth.run) + random.normal(0, truth.run_by_language, len(accuracy))
    correct = random.random((len(accuracy), truth.items)) < ndtr((constant + luck)[:, None] + ease)
    return pl.DataFrame(
        {
            "language": np.repeat(list(accuracy), truth.items),
            "item_id": np.tile([f"item-{item}" for item in range(truth.items)], len(accuracy)),
            "value": correct.ravel().astype(float),
        }
    )


def _as_results(answers: pl.DataFrame, roles: Mapping[str, str]) -> pl.DataFrame:
    n, seed = pl.col("rows_per_language"), pl.col("seed")
    anchor, seen = ([tag for tag, own in roles.items() if own == role] for role in ("anchor", "seen"))
    known = answers.with_columns(
        study=pl.lit("simulated"),
        run=pl.format("simulated/n={}/seed={}", n, seed),
        model=pl.lit("simulated"),
        task=pl.lit("math"),
        setting=pl.format("n={}", n),
        baseline=pl.when(n > 0).then(pl.lit("n=0")).otherwise(pl.lit("")),
        control_of=pl.lit([], pl.List(pl.String())),
        train_languages=pl.when(n > 0).then(pl.lit([*anchor, *seen])).otherwise(pl.lit(anchor)),
        role=pl.col("language").replace_strict(dict(roles)),
        verdict=pl.when(pl.col("value") == 1).then(pl.lit("correct")).otherwise(pl.lit("wrong")),
    )
    unknown = [pl.lit(None).alias(name) for name in RESULTS_SCHEMA if name not in known.columns]
    return known.with_columns(unknown).select(RESULTS_SCHEMA.names()).cast(RESULTS_SCHEMA)
