"""What one added language gives: bilingual settings against the anchor alone, as study 2 counts them.

1. A cell is a target language at a bilingual setting (anchor + one language) of a model and task. Its gain is
   a(target, s) - a(target, the anchor alone). Cells are of three groups: target in training, target absent, anchor.
2. As in study 2 ("English is Not All You Need", table 2): the share of cells that win, strictly, with Wilson's interval
   (1927). It holds for independent cells. They are not: cells share runs, test items and models.
3. So the win rate is given again, ties counting half so that no difference is 0.5, by Wilson's interval on the number
   of independent cells that the study amounts to: 0.25 / variance of the win rate that noise alone gives, which is what
   `draws` show with all gains taken off. From 5 models on, what models differ by beyond that noise is added, with as
   many degrees of freedom (a model is a cluster: inclusion and exclusion as in Cameron, Gelbach & Miller 2011).
4. The median gain has the middle 95 % of resamples, from 5 models on of models too (crossed: Owen 2007).

Refused where nothing tells how much a mean varies. No finding where no bilingual setting has the anchor for baseline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, bounded, from_draws, undefined, wilson
from glotmix.analysis.noise import MANY, draws
from glotmix.analysis.questions.zero_shot import of_each_target, of_zero_shot
from glotmix.analysis.scores import Array, Scores

GROUPS = ("target in training", "target absent", "anchor")
MODELS = 5  # with fewer, models cannot stand for others
_UNKNOWN = "no n_items, no stderr and no second seed tell how much a mean varies"
_ROUNDING = 12  # digits: differences of equal means are ties


def coverage(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Win rates and median gains of bilingual settings, and zero-shot against direct (`FINDINGS_SCHEMA`)."""
    return answer([of_bilingual, of_each_target, of_zero_shot], results, declared)


@dataclass(frozen=True)
class _Cells:
    """Of one group. `noise` is how the gains might have come out had there been none."""

    gains: Array  # (cells,)
    noise: Array  # (draws, cells)
    models: tuple[str, ...]  # (cells,)

    @property
    def clusters(self) -> list[Array]:
        """Per model the share that each cell has in it of all cells: (models, cells)."""
        names = np.array(self.models)
        return [(names == name) / len(names) for name in dict.fromkeys(self.models)]


def of_bilingual(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Over all models; of every task, and of all tasks together."""
    found = [(scores, _cells(scores)) for scores in tables]
    tasks = list(dict.fromkeys(scores.task for scores, cells in found if cells))
    models = list(dict.fromkeys(scores.model for scores, cells in found if cells))
    for task in ["", *tasks] if len(tasks) > 1 else tasks:
        for group in GROUPS:
            parts = [cells[group] for scores, cells in found if task in ("", scores.task) and group in cells]
            if parts:
                yield from _of_group(_joined(parts), group, models[0] if len(models) == 1 else "", task)


def _cells(scores: Scores) -> dict[str, _Cells]:
    pairs = list(_bilingual(scores))
    if not pairs:
        return {}
    own, alone = (list(side) for side in zip(*pairs, strict=True))
    drawn = draws(scores)
    gains = scores.means[own] - scores.means[alone]
    noise = drawn[:, own] - drawn[:, alone] - gains  # (draws, pairs, languages)
    groups = np.array([[_group(scores, setting, tag) for tag in scores.languages] for setting in own])
    return {
        group: _Cells(gains[mask].round(_ROUNDING), noise[:, mask].round(_ROUNDING), (scores.model,) * int(mask.sum()))
        for group in GROUPS
        if (mask := groups == group).any()
    }


def _bilingual(scores: Scores) -> Iterator[tuple[int, int]]:
    """Settings with the anchor and one language, each with its baseline, the anchor alone."""
    anchors = {tag for tag, role in scores.tested.items() if role == "anchor"}
    for index, setting in enumerate(scores.settings):
        alone = scores.baseline(index)
        trained = set(setting.train_languages)
        bilingual = len(trained) == 2 and set() < anchors < trained and not setting.control_of
        if bilingual and alone is not None and set(scores.settings[alone].train_languages) == anchors:
            yield index, alone


def _group(scores: Scores, setting: int, tag: str) -> str:
    if scores.tested[tag] == "anchor":
        return "anchor"
    return "target in training" if tag in scores.settings[setting].train_languages else "target absent"


def _joined(parts: Sequence[_Cells]) -> _Cells:
    return _Cells(
        np.concatenate([part.gains for part in parts]),
        np.concatenate([part.noise for part in parts], axis=1),
        tuple(model for part in parts for model in part.models),
    )


def _of_group(cells: _Cells, group: str, model: str, task: str) -> Iterator[Finding]:
    n, wins, ties = len(cells.gains), int((cells.gains > 0).sum()), int((cells.gains == 0).sum())
    gain = "a(target, s) - a(target, anchor alone) over bilingual settings s (anchor + one language)"
    which = f"{gain}, {group}"
    told = f"{wins} wins and {ties} ties in {n} cells"
    naive = f"{told}; cells share runs, items and models, this interval takes them as independent"
    yield Finding(
        f"bilingual wins counted, {group}", model, task, "", f"share of cells with {which} > 0",
        wilson(wins, n, "cells"), unit="share", null=None, note=naive,
    )  # fmt: skip
    yield Finding(
        f"bilingual win rate, {group}", model, task, "", f"share of cells with {which} > 0, ties half",
        _win_rate(cells), unit="share", null=0.5, note=f"{told}{_by_noise(cells)}",
    )  # fmt: skip
    yield Finding(f"median bilingual gain, {group}", model, task, "", f"median of {which}", _median_gain(cells))


def _win_rate(cells: _Cells) -> Interval:
    n, rate = len(cells.gains), float(_rates(cells.gains))
    if np.isnan(cells.noise).any():
        return undefined(_UNKNOWN, n, rate)
    variance, degrees = float(np.var(_rates(cells.noise))), MANY
    if variance == 0:
        return undefined("no resample differs from another", n, rate)
    spread = 4 * rate * (1 - rate)  # of what it is at 0.5
    if len(cells.clusters) >= MODELS and spread > 0:
        between, few = float(_between(cells.gains, cells)) / spread, len(cells.clusters) - 1
        variance += max(0.0, between - float(_between(cells.noise, cells).mean()))
        degrees = max(float(few), few * (variance / between) ** 2) if between > 0 else MANY
    error, independent = float(np.sqrt(spread * variance)), max(1, round(0.25 / variance))
    plain = Interval(rate, np.nan, np.nan, error, degrees, independent, "", _basis(cells), "cells")
    return replace(bounded(plain), n=n)


def _rates(gains: Array) -> Array:
    """Win rates over the last axis, ties half."""
    rates: Array = 0.5 + np.sign(gains).mean(axis=-1) / 2
    return rates


def _between(gains: Array, cells: _Cells) -> Array:
    """The variance of win rates that the models' differences amount to."""
    halves = 0.5 + np.sign(gains) / 2 - _rates(gains)[..., None]
    sums = np.stack([halves @ share for share in cells.clusters])  # (models, ...)
    between: Array = (sums**2).sum(axis=0) * len(sums) / (len(sums) - 1)
    return between


def _by_noise(cells: _Cells) -> str:
    if np.isnan(cells.noise).any():
        return ""
    shares = (cells.noise > 0).mean(axis=1)
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return f"; with no gain anywhere noise alone wins {shares.mean():.0%} of cells ({low:.0%} to {high:.0%})"


def _median_gain(cells: _Cells) -> Interval:
    """Resamples are moved to the estimate: each draws the cells, spread by noise already, towards their mean."""
    estimate, n = float(np.median(cells.gains)), len(cells.gains)
    if np.isnan(cells.noise).any():
        return undefined(_UNKNOWN, n, estimate)
    drawn = _weighted_median(cells.gains + cells.noise, _models_taken(cells))
    return from_draws(estimate, drawn - np.median(drawn) + estimate, n, basis=_basis(cells), counted="cells")


def _models_taken(cells: _Cells) -> Array:
    """(draws, cells): how often each cell's model is drawn; once where there are too few models to draw from."""
    count, clusters = len(cells.noise), np.stack(cells.clusters) > 0
    if len(clusters) < MODELS:
        return np.ones((count, clusters.shape[1]))
    even = np.full(len(clusters), 1 / len(clusters))
    taken = np.random.default_rng(0).multinomial(len(clusters), even, size=count)
    return (taken @ clusters).astype(float)


def _weighted_median(values: Array, weights: Array) -> Array:
    """Over the last axis; between two values their middle, as numpy has it."""
    order = values.argsort(axis=1)
    ranked = np.take_along_axis(values, order, axis=1)
    reached = np.take_along_axis(weights, order, axis=1).cumsum(axis=1)
    half = reached[:, -1:] / 2
    low, high = (reached >= half).argmax(axis=1), (reached > half).argmax(axis=1)
    rows = np.arange(len(values))
    median: Array = (ranked[rows, low] + ranked[rows, high]) / 2
    return median


def _basis(cells: _Cells) -> str:
    return "items and seeds, models as clusters" if len(cells.clusters) >= MODELS else "items and seeds, these models"
