"""What is the best number of rows per language, what is it worth, and which others may be the best?

1. The gain at the peak is  max over n > 0 of y(n), minus y(0);  of R(n), performance relative to the anchor, it is what
   study 1 calls the gap closed.
2. The largest of several noisy scores is too large: choosing it is choosing luck. What the choice adds is estimated by
   doing it again in studies whose truth is known:  median over draws of  max(t + noise) - max(t),  with the noise of
   the curve's draws and t a curve without noise (the saturating one fitted to y, pulled towards y as far as y is
   rougher than noise makes it). It is taken off the estimate. The usual bootstrap correction has t = y, which lies too
   far apart itself and so corrects too little.
3. The interval allows for not knowing which setting is the best (`series.best_against_best`).
4. May be the best: every setting, 0 rows included, whose distance to the highest is not beyond what noise makes of
   equal settings (multiple comparisons with the best: Hsu 1984, Annals of Statistics 12:1136), each by its own noise.
   The true best is among them in 95 % of studies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.curves import Curve, curves, relative_curves, saturating
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, undefined
from glotmix.analysis.noise import draws
from glotmix.analysis.scores import Array, Scores
from glotmix.analysis.series import Levels, best_against_best

GAIN, CLOSED = "peak gain of", "peak gap to anchor closed"
_LEAST_NOISE = 0.1  # of the noisiest pair: draws of scores near 0 vary less than the truth may


@dataclass(frozen=True)
class Peak:
    """`best` is the size with the highest score, `plain` its gain as it stands, `found` the gain corrected for the
    choice, `p` of no gain, `contenders` the sizes that may be the best."""

    best: int
    plain: float
    found: Interval
    p: float
    contenders: tuple[int, ...]


def peak(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The gain at the best number of rows per language, corrected for the choice of the best."""
    return answer([of_peaks], results, declared)


def of_peaks(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        yield from (_gain(curve, f"{GAIN} {curve.group}", "score") for curve in curves(scores))
        yield from (_gain(curve, CLOSED, "ratio") for curve in relative_curves(scores))


def _gain(curve: Curve, name: str, unit: str) -> Finding:
    found = peak_of(curve)
    return Finding(
        name,
        curve.scores.model,
        curve.scores.task,
        curve.design,
        f"max over n > 0 of y(n), minus y(0), corrected for the choice of the largest; {curve.definition}",
        found.found,
        compared_with=curve.baseline,
        unit=unit,
        note=curve.note,
        p=found.p,
    )


def peak_of(curve: Curve) -> Peak:
    """The peak of one curve."""
    best = int(np.nanargmax(np.where(curve.rows > 0, curve.y, np.nan))) if not np.isnan(curve.y).all() else 0
    size, plain = int(curve.rows[best]), float(curve.y[best] - curve.y[0])
    if reason := _refused(curve):
        return Peak(size, plain, undefined(reason, curve.told.n, plain if curve.rows[0] == 0 else np.nan), np.nan, ())
    levels = Levels(curve.y, curve.noise, curve.told.n, f"resampled {curve.told.basis}, any contender the best")
    around, p = best_against_best(levels, range(1, len(curve.rows)), [0])
    contenders = tuple(int(rows) for rows in curve.rows[may_be_best(curve.y, curve.noise)])
    lifted = lift(curve)
    note = (
        f"highest at {size} rows, {plain:.3f} before {lifted:.3f} is taken off for the choice; "
        f"may be the best: {' '.join(map(str, contenders))}"
    )
    return Peak(size, plain, replace(around, estimate=plain - lifted, note=note), p, contenders)


def _refused(curve: Curve) -> str:
    if curve.rows[0] > 0:
        return "no setting with 0 rows per language to count the gain from"
    if curve.untold and not np.isnan(draws(curve.scores)).any():
        return "the anchor scores too near 0 for a ratio to it" if np.isnan(curve.drawn).any() else curve.untold
    return curve.untold


def lift(curve: Curve) -> float:
    """What choosing the largest adds. See 2. of this module."""
    values = curve.y[None]
    fit = saturating(curve.rows, values, curve.weights).fitted
    again = saturating(curve.rows, fit + curve.noise, curve.weights).fitted
    by_noise = float(np.median(((fit + curve.noise - again) ** 2).sum(axis=1)))
    rough = float(((values - fit) ** 2).sum())
    truth = (fit + (values - fit) * max(0.0, 1 - by_noise / rough) if rough > 0 else fit)[0]
    chosen = (truth + curve.noise)[:, 1:].max(axis=1)
    return float(np.median(chosen) - truth[1:].max())


def may_be_best(y: Array, noise: Array) -> list[int]:
    """Places that the highest does not beat. See 4. of this module."""
    shared = np.cov(noise, rowvar=False)
    apart = np.sqrt(np.maximum(np.diag(shared)[:, None] + np.diag(shared) - 2 * shared, 0))  # of two places' noise
    apart = np.maximum(apart, _LEAST_NOISE * apart.max() + np.finfo(float).tiny)
    return [place for place in range(len(y)) if not _beaten(y, noise, place, apart[place])]


def _beaten(y: Array, noise: Array, place: int, apart: Array) -> bool:
    ahead, chance = (y - y[place]) / apart, (noise - noise[:, [place]]) / apart
    return bool(ahead.max() > np.quantile(chance.max(axis=1), LEVEL))
