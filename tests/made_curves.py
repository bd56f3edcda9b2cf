"""Tables of means whose seen and unseen languages follow a curve over rows per language."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from glotmix.analysis.curves import Curve, curves
from glotmix.analysis.scores import read_scores

ROLES = {"en": "anchor", "es": "seen", "fr": "seen", "pt": "unseen"}


def means(levels: Mapping[int, float], stderr: float | None = 0.001, anchor: float = 0.8, **named: str) -> pl.DataFrame:
    """All languages but the anchor score `levels[rows per language]`."""
    rows = [
        {
            "model": "made",
            "task": "math",
            "setting": f"n={n}",
            "seed": 0,
            "rows_per_language": n,
            "train_languages": ["en", "es", "fr"] if n else ["en"],
            "language": tag,
            "role": role,
            "value": anchor if role == "anchor" else level,
            "stderr": stderr,
        }
        for n, level in levels.items()
        for tag, role in ROLES.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"stderr": pl.Float64}).with_columns(
        pl.lit(value).alias(name) for name, value in named.items()
    )


def curve(rows: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Curve:
    """A curve of seen languages with the noise given, (draws, settings)."""
    found = replace(_flat(tuple(map(int, rows))), drawn=y + noise)
    found.__dict__["y"] = y
    return found


@cache
def _flat(rows: tuple[int, ...]) -> Curve:
    return next(curves(next(read_scores(means(dict.fromkeys(rows, 0.5))))))


def saturated(rows: np.ndarray, start: float, gain: float, saturation: float) -> np.ndarray:
    return start + gain * (1 - 20 ** (-np.asarray(rows, float) / saturation))
