"""Made-up studies of language mixtures, several models and tasks, whose true accuracies are known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from glotmix.analysis.table import RESULTS_SCHEMA

CORE = ("en", "es", "ja", "bn", "sw")
MORE = ("fr", "de", "ru", "zh", "th")
TESTED = (*CORE, "te")
BILINGUAL = (("en",), *(("en", tag) for tag in CORE[1:]))
_BUT_ONE = tuple(tuple(tag for tag in CORE if tag != without) for without in CORE)
STUDY_2 = (  # its 22 mixtures
    *BILINGUAL,
    *_BUT_ONE,
    CORE,
    *((*core, *MORE[:2]) for core in _BUT_ONE),
    *((*core, *MORE) for core in _BUT_ONE),
    (*CORE, *MORE),
)
Level = Callable[[str, str, Sequence[str], str], float]  # model, task, mixture, target -> expected accuracy


def mixture_study(
    level: Level,
    *,
    models: Mapping[str, int],
    tasks: Iterable[str] = ("math",),
    mixtures: Sequence[Sequence[str]] = STUDY_2,
    items: int = 60,
    seeds: int = 1,
    ease: float = 1.0,
    luck: float = 0.0,
    seed: int = 0,
) -> pl.DataFrame:
    """A results table. `ease` and `luck` are the spreads of items and runs on the probit scale."""
    random = np.random.default_rng(seed)
    parts = []
    for task in tasks:
        eased = random.normal(0, ease, items)
        for model, mixture, run in product(models, mixtures, range(seeds)):
            levels = np.array([level(model, task, mixture, target) for target in TESTED])
            constant = ndtri(levels) * np.sqrt(1 + ease**2 + luck**2) + random.normal(0, luck)
            right = random.random((len(TESTED), items)) < ndtr(constant[:, None] + eased)
            parts.append(_run(model, models[model], task, mixture, run, right))
    unknown = [pl.lit(None).alias(name) for name in RESULTS_SCHEMA if name not in parts[0].columns]
    return pl.concat(parts).with_columns(unknown).select(RESULTS_SCHEMA.names()).cast(RESULTS_SCHEMA)


def _run(model: str, parameters: int, task: str, mixture: Sequence[str], run: int, right: np.ndarray) -> pl.DataFrame:
    languages, items = right.shape
    setting = "mix/" + "+".join(mixture)
    return pl.DataFrame(
        {
            "language": np.repeat(TESTED, items),
            "item_id": np.tile([f"item-{item}" for item in range(items)], languages),
            "value": right.ravel().astype(float),
        }
    ).with_columns(
        study=pl.lit("mixtures"),
        run=pl.lit(f"{model}/{task}/{setting}/{run}"),
        model=pl.lit(model),
        parameters=pl.lit(parameters, pl.Int64),
        task=pl.lit(task),
        setting=pl.lit(setting),
        baseline=pl.lit("" if mixture == ("en",) else "mix/en"),
        control_of=pl.lit([], pl.List(pl.String())),
        train_languages=pl.lit(list(mixture)),
        anchor_rows=pl.lit(100 * ("en" in mixture)),
        rows_per_language=pl.lit(100 * (mixture != ("en",))),
        total_rows=pl.lit(100 * len(mixture)),
        seed=pl.lit(run),
        role=pl.col("language").replace_strict(
            {tag: "anchor" if tag == "en" else "seen" if tag in CORE else "unseen" for tag in TESTED}
        ),
        verdict=pl.when(pl.col("value") == 1).then(pl.lit("correct")).otherwise(pl.lit("wrong")),
    )
