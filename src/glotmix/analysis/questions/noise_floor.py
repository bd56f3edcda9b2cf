"""How far apart do two runs come that are the same but for their seed?

From settings with several seeds, for a run's mean score x over the languages of a role and for one typical language:

1. sd = sqrt(sum over settings and seeds of (x - mean of its setting)^2 / sum over settings of (seeds - 1)), pooled; its
   95 % limits are sd sqrt(f / q) with the chi-squared quantiles q of f degrees of freedom.
2. The floor, 1.96 sqrt(2) sd: what two single runs of one setting differ by in 1 of 20 pairs. A smaller difference
   between two runs is no finding, whatever its test items say. Its upper limit is the floor to go by with few seeds.
3. A run's luck is what is left of sd^2 once the chance of its single answers is taken off (`noise.py`, 2.), with the
   limits of 1. shifted as much (crossed components; Searle, Casella & McCulloch 1992). The items' part is what another
   choice of test items would change in a run's mean: seeds share the items, so it is not in sd. Its limits come from
   how unequally the items add to it, on the logarithmic scale.
4. The differences of the table (gains over baselines) below the floor: each against 1.96 sd sqrt(1/m + 1/k), for means
   of m and k runs. Its limits are Wilson's, of the count at the lower and at the upper limit of sd.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import stdtrit
from scipy.stats import chi2

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, undefined, wilson
from glotmix.analysis.noise import parts
from glotmix.analysis.quantities import ANCHOR_GAIN, SEEN_GAIN, UNSEEN_GAIN, quantities
from glotmix.analysis.scores import Array, Scores
from glotmix.analysis.table import ROLES

NOISE = "noise of a run"  # this and the next three: with a colon and of what
LUCK = "noise of a run, its luck"
ITEMS = "noise of a run, its test items"
FLOOR = "noise floor of two runs"
BELOW = "differences below the noise floor"
_GAINS = {SEEN_GAIN: "seen", UNSEEN_GAIN: "unseen", ANCHOR_GAIN: "anchor"}
_WHO = {"anchor": "the anchor", "seen": "seen languages", "unseen": "unseen languages"}
_NORMAL = 1.959964


class Spread(NamedTuple):
    """Variances of a run's score: between seeds, and of that the chance of single answers; by the choice of items."""

    between: float
    chance: float
    items: float
    items_error: float  # standard error of `items`; NaN: a table of means
    degrees: int
    n: int

    def limits(self) -> tuple[float, float]:
        """Of the variance between seeds."""
        low, high = chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], self.degrees)
        return self.between * self.degrees / float(low), self.between * self.degrees / float(high)


def noise_floor(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """How much a run's score varies by its seed, and which differences of the table are smaller than that."""
    return answer([of_noise_floor], results, declared)


def of_noise_floor(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        if not scores.replicated:
            why = "no setting has two seeds, so a difference of two runs may be luck; train one again with another seed"
            yield _finding(scores, FLOOR, "1.96 sqrt(2) sd of runs that differ in their seed alone", undefined(why))
            continue
        groups = {role: scores.columns(role) for role in ROLES if scores.columns(role)}
        for role, columns in groups.items():
            tags = " ".join(scores.languages[at] for at in columns)
            of, who = f"a run's mean over the {role} languages ({tags})", _WHO[role]
            yield from _of_score(scores, spread(scores, columns), who, of)
            yield from _parts(scores, spread(scores, columns), who, of)
        each = [spread(scores, [column]) for column in range(len(scores.languages))]
        between, chance, items, error = (float(np.mean(column)) for column in list(zip(*each, strict=True))[:4])
        mean = Spread(between, chance, items, error, each[0].degrees, each[0].n)
        yield from _of_score(scores, mean, "one language", "a run's score in one language, on average over all")
        yield from _below(scores, {role: spread(scores, columns) for role, columns in groups.items()})


def spread(scores: Scores, columns: Sequence[int]) -> Spread:
    """Of the mean over some languages, pooled over the settings with several seeds."""
    slopes = np.zeros((1, len(scores.languages)))
    slopes[0, columns] = 1 / len(columns)
    weights = np.array([scores.seeds[index] - 1 for index in scores.replicated])
    found = [(_between(scores, index, columns), *_chance(scores, index, slopes)) for index in scores.replicated]
    between, chance, items = (float(weights @ each) / weights.sum() for each in zip(*found, strict=True))
    n = parts(scores, scores.replicated[:1], slopes).n
    return Spread(between, chance, items, _items_error(scores, columns, weights), int(weights.sum()), n)


def _between(scores: Scores, setting: int, columns: Sequence[int]) -> float:
    """Variance between the seeds of a setting."""
    runs = scores.values[setting].sum(axis=2) / scores.used.sum(axis=1)  # (seeds, languages)
    return float(runs[:, columns].mean(axis=1).var(ddof=1))


def _chance(scores: Scores, setting: int, slopes: Array) -> tuple[float, float]:
    """Of one run: its variance by the chance of single answers, and by the choice of items, which includes that."""
    seeds, found = scores.seeds[setting], parts(scores, [setting], slopes)
    return found.chance * seeds, found.items + found.chance * (seeds - 1)


def _items_error(scores: Scores, columns: Sequence[int], weights: Array) -> float:
    """The variance by the choice of items is a sum over items, as sure as they are alike, and a mean over runs,
    as luck moves shares of right answers and their variance with them."""
    if scores.sampling is not None:
        return np.nan
    used, squares, luck = scores.used[columns], [], []
    for index in scores.replicated:
        runs, counts = scores.values[index][:, columns], used.sum(axis=1)
        off = (runs / counts[:, None] - runs.sum(axis=2, keepdims=True) / counts[:, None] ** 2) * used
        of_items = off.mean(axis=1)[:, used.any(axis=0)] ** 2  # (seeds, items)
        squares.append(of_items.mean(axis=0))
        luck.append(of_items.sum(axis=1).var(ddof=1) / len(runs))
    shares = weights / weights.sum()
    each = shares @ np.array(squares)
    return float(np.sqrt(len(each) * each.var(ddof=1) + shares**2 @ luck)) if len(each) > 1 else np.nan


def _of_score(scores: Scores, one: Spread, who: str, of: str) -> Iterator[Finding]:
    around = (one.between, *one.limits())
    definition = f"standard deviation between seeds of {of}, pooled over all settings with several seeds"
    yield _finding(scores, f"{NOISE}: {who}", definition, _deviation(scores, one, around))
    definition = f"1.96 sqrt(2) sd of {of}: two runs of one setting differ by more in 1 of 20 pairs"
    floor = _deviation(scores, one, around, _NORMAL * float(np.sqrt(2)))
    told = f"with the upper limit of sd: {floor.high:.3f}" if one.between else ""
    yield _finding(scores, f"{FLOOR}: {who}", definition, floor, told)


def _parts(scores: Scores, one: Spread, who: str, of: str) -> Iterator[Finding]:
    luck = [variance - one.chance for variance in (one.between, *one.limits())]
    definition = f"standard deviation between seeds of {of}, beyond the chance of its single answers"
    yield _finding(scores, f"{LUCK}: {who}", definition, _deviation(scores, one, luck))
    if one.items_error > 0:
        yield _finding(
            scores, f"{ITEMS}: {who}", f"standard deviation of {of} by the choice of test items", _of_items(one)
        )


def _deviation(scores: Scores, one: Spread, variances: Sequence[float], factor: float = 1.0) -> Interval:
    """The root of a variance and its limits."""
    runs = one.degrees + len(scores.replicated)
    estimate, low, high = (factor * float(np.sqrt(max(0.0, variance))) for variance in variances)
    if not high:
        return undefined("the runs of a setting do not differ beyond chance; test more items or seeds", runs, estimate)
    error = (high - low) / (2 * _NORMAL)
    return Interval(estimate, low, high, error, one.degrees, runs, "", "chi-squared, seeds", "runs")


def _of_items(one: Spread) -> Interval:
    deviation, error = float(np.sqrt(one.items)), one.items_error / one.items / 2  # of its logarithm
    low, high = (deviation * float(np.exp(way * stdtrit(one.n - 1, (1 + LEVEL) / 2) * error)) for way in (-1, 1))
    return Interval(deviation, low, high, deviation * error, one.n - 1, one.n, "", "items")


def _below(scores: Scores, spreads: dict[str, Spread]) -> Iterator[Finding]:
    gains = [
        (
            abs(each.of(scores.means[each.settings])),
            _GAINS[each.name],
            sum(1 / scores.seeds[at] for at in each.settings),
        )
        for index in range(len(scores.settings))
        for each in quantities(scores, index)
        if each.name in _GAINS and not each.absent and _GAINS[each.name] in spreads
    ]
    if not gains:
        return
    size, roles, runs = (np.array(column) for column in zip(*gains, strict=True))
    of_role = {role: np.array([one.between, *one.limits()]) for role, one in spreads.items()}
    floors = _NORMAL * np.sqrt(np.stack([of_role[role] for role in roles], axis=1) * runs)  # (3, differences)
    share, low, high = (wilson(int(count), len(gains), "differences") for count in (size < floors).sum(axis=1))
    found = replace(share, low=low.low, high=high.high, basis="Wilson, at the limits of sd")
    definition = (
        f"share of the gains ({', '.join(sorted(set(roles)))}) at all settings that are below their noise floor"
    )
    told = f"{share.estimate:.0%} are below the floor, {high.estimate:.0%} with the upper limit of sd"
    yield _finding(scores, BELOW, f"{definition}, 1.96 sd sqrt(1/m + 1/k)", found, told, unit="share")


def _finding(
    scores: Scores, name: str, definition: str, found: Interval, note: str = "", unit: str = "score"
) -> Finding:
    joined = "; ".join(filter(None, (note, scores.note)))
    return Finding(name, scores.model, scores.task, "", definition, found, unit=unit, null=None, note=joined)
