"""A printed curve: scores over rows per language, with what the rounding of its table does to it.

Every quantity is a function of means (..., settings, languages), asked of the printed table and of those that round to
it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import polars as pl

from glotmix.analysis.interval import LEVEL
from glotmix.analysis.scores import Array
from glotmix.evidence.check import Recomputed
from glotmix.evidence.tables import GUIDE, RATING, printed

Of = Callable[[Array], Array]
ENGLISH, SEEN, UNSEEN, OTHERS = [0], [1, 2, 3, 4], [5, 6, 7], [1, 2, 3, 4, 5, 6, 7]
LATIN, NON_LATIN = [1, 2, 7], [3, 4, 5, 6]
LANGUAGES = ("en", "es", "fr", "ja", "zh", "ar", "ko", "pt")
_TRAINED = {"single": "en+es+fr+ja+zh", "multi": "en+es+fr+ja+zh", "latin": "en+es+fr", "non-latin": "en+ja+zh"}
_ROUNDINGS = 4_000


def mean(columns: Sequence[int]) -> Of:
    return lambda means: np.asarray(means[..., list(columns)].mean(axis=-1))


def relative(means: Array) -> Array:
    """R(n): the other languages' mean over English of the same run."""
    return np.asarray(means[..., OTHERS].mean(axis=-1) / means[..., 0])


def gap(means: Array) -> Array:
    return np.asarray(means[..., SEEN].mean(axis=-1) - means[..., UNSEEN].mean(axis=-1))


def rise(of: Of) -> Of:
    """The maximum less the first: what the study calls the gap closed."""
    return lambda means: np.asarray(of(means).max(axis=-1) - of(means)[..., 0])


def peak(of: Of) -> Of:
    return lambda means: np.asarray(of(means).max(axis=-1))


def spread(of: Of) -> Of:
    return lambda means: np.asarray(np.ptp(of(means), axis=-1))


def roughness(of: Of) -> Of:
    """Root mean square of the steps between neighbours, over the square root of 2: a run's noise, if nothing moves."""
    return lambda means: np.asarray(np.sqrt((np.diff(of(means), axis=-1) ** 2).mean(axis=-1) / 2))


@dataclass(frozen=True)
class Series:
    model: str
    task: str
    design: str  # single | multi | latin | non-latin

    @cached_property
    def _printed(self) -> pl.DataFrame:
        multi = "multi" if self.design == "multi" else "single"
        own = printed(GUIDE, "scores").filter(
            model=self.model, task=self.task, setting=multi, train_languages=_TRAINED[self.design]
        )
        return own.pivot("eval_language", index="samples_per_non_english_language", values="value").sort(
            "samples_per_non_english_language"
        )

    @property
    def rows(self) -> list[int]:
        return self._printed["samples_per_non_english_language"].to_list()

    @property
    def unit(self) -> float:
        """The scale that scores are printed on."""
        return RATING if self.task == "IF" else 1

    @cached_property
    def means(self) -> Array:
        """(settings, languages) as printed, from 0 to 1."""
        return np.asarray(self._printed.select(LANGUAGES).to_numpy() / self.unit)

    @property
    def averages(self) -> Array:
        """(settings,): the paper's own."""
        return np.asarray(self._printed["Avg."].to_numpy() / self.unit)

    @cached_property
    def roundings(self) -> Array:
        """(draws, settings, languages): tables that round to the printed one, the extreme ones among them."""
        random = np.random.default_rng(0)
        drawn = random.uniform(-1, 1, (_ROUNDINGS, *self.means.shape))
        return np.asarray(self.means + 0.005 / self.unit * np.concatenate([drawn, _extremes(len(self.means))]))

    def at(self, n: int) -> int:
        return self.rows.index(n)

    def recomputed(self, of: Of, scale: float = 1) -> Recomputed:
        """A quantity of the printed table, with what its rounding allows."""
        found = np.sort(of(self.roundings[:_ROUNDINGS]) * scale)
        low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        extreme = np.append(found, of(self.roundings[_ROUNDINGS:]) * scale)
        return Recomputed(
            float(of(self.means)) * scale, (float(low), float(high)), (float(extreme.min()), float(extreme.max()))
        )


def _extremes(settings: int) -> Array:
    """(tables, settings, languages) of 1 and -1: groups of languages against each other, one setting against others."""
    groups = np.array([[1] * 8, [1] + [-1] * 7, [1] * 5 + [-1] * 3, [-1] + [1] * 4 + [-1] * 3])
    turns = np.vstack([np.ones(settings), 1 - 2 * np.eye(settings)])
    signs = turns[:, None, :, None] * groups[None, :, None, :]
    both = np.stack([signs, -signs]).reshape(-1, settings, 8)
    return np.asarray(both, np.float64)


def series(model: str, task: str, design: str = "single") -> Series:
    return _series(model, task, design)


@cache
def _series(model: str, task: str, design: str) -> Series:
    return Series(model, task, design)
