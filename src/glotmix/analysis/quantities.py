"""What is asked of a study of language increments, each quantity with its formula.

a(l, n) is the mean score, over test items and seeds, of language l at the setting with n rows per training language.
Study 1 ("The Post-Trainer's Guide to Multilingual Training Data") takes R(n) and its gain from single runs; with
several seeds the means are taken before the ratio, because a mean of ratios of small scores is biased upwards.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glotmix.analysis.interval import Interval, exponential, interval, undefined
from glotmix.analysis.scores import Array, Scores
from glotmix.analysis.table import ROLES

SEEN_GAIN = "gain of seen languages"
UNSEEN_GAIN = "gain of unseen languages"
ANCHOR_GAIN = "gain of the anchor"
GAIN_DIFFERENCE = "seen gain minus unseen gain"
GAP = "seen-unseen gap"
RELATIVE = "relative to anchor"
GAP_CLOSED = "gap to anchor closed"


@dataclass(frozen=True)
class Quantity:
    """`level` maps (settings, languages) means to one number per setting; a gain is its change since n = 0."""

    name: str
    definition: str
    needs: tuple[str, ...]  # groups of languages that must not be empty
    level: Callable[[Array], Array]
    gain: bool = False
    ratio: bool = False

    def of(self, means: Array) -> float:
        """The quantity from the means of its setting and, for a gain, of the anchor-only setting."""
        levels = self.level(means)
        return float(levels[0] - levels[1] if self.gain else levels[0])


def quantities(scores: Scores) -> tuple[Quantity, ...]:
    """In the order in which findings list them."""
    groups = _groups(scores)
    tags = {name: " ".join(scores.languages[column] for column in columns) for name, columns in groups.items()}

    def mean(group: str) -> Callable[[Array], Array]:
        return lambda means: means[:, groups[group]].mean(axis=1)

    def difference(means: Array) -> Array:
        return mean("seen")(means) - mean("unseen")(means)

    def ratio(means: Array) -> Array:
        return mean("other")(means) / mean("anchor")(means)

    gain = "mean over the {} languages ({}) of a(l, n) - a(l, 0)"
    gap = f"mean of a(l, n) over the seen languages ({tags['seen']}) minus that over the unseen ({tags['unseen']})"
    relative = f"R(n) = mean over the other languages ({tags['other']}) of a(l, n) / a({tags['anchor']}, n)"
    both, pair = ("seen", "unseen"), ("anchor", "other")
    return (
        Quantity(SEEN_GAIN, gain.format("seen", tags["seen"]), ("seen",), mean("seen"), gain=True),
        Quantity(UNSEEN_GAIN, gain.format("unseen", tags["unseen"]), ("unseen",), mean("unseen"), gain=True),
        Quantity(ANCHOR_GAIN, "a({0}, n) - a({0}, 0)".format(tags["anchor"]), ("anchor",), mean("anchor"), gain=True),
        Quantity(GAIN_DIFFERENCE, f"change since n = 0 of: {gap}", both, difference, gain=True),
        Quantity(GAP, gap, both, difference),
        Quantity(RELATIVE, relative, pair, ratio, ratio=True),
        Quantity(GAP_CLOSED, f"R(n) - R(0), where {relative}", pair, ratio, gain=True, ratio=True),
    )


def measure(scores: Scores, setting: int, quantity: Quantity) -> Interval:
    """The quantity at one setting; undefined, with the reason, where the table cannot give it."""
    absent = [group for group in quantity.needs if not _groups(scores)[group]]
    if absent:
        return undefined(_why_absent(scores, absent[0]))
    baseline = scores.anchor_only if quantity.gain else None
    if quantity.gain and baseline is None:
        return undefined("no setting with 0 rows per language")
    settings = [setting] if baseline is None else [setting, baseline]
    return _ratio(scores, settings, quantity) if quantity.ratio else interval(scores, settings, quantity.of)


def _ratio(scores: Scores, settings: list[int], quantity: Quantity) -> Interval:
    """A ratio needs an anchor score that can be told from 0 (or Fieller's interval for it would be infinite).

    A level is never negative and has its interval on the log scale; a gain can be, and has not.
    """
    column = scores.columns("anchor")[0]
    anchors = [interval(scores, [setting], lambda means: float(means[0, column])) for setting in settings]
    zero = any(anchor.estimate == 0 for anchor in anchors)
    if not all(anchor.low > 0 for anchor in anchors):
        estimate = np.nan if zero else quantity.of(scores.means[settings])
        return undefined("the anchor scores too near 0 for a ratio to it", anchors[0].n, estimate)
    if quantity.gain:
        return interval(scores, settings, quantity.of)
    if quantity.of(scores.means[settings]) == 0:
        return undefined("every other language scores 0", anchors[0].n, estimate=0.0)
    return exponential(interval(scores, settings, lambda means: float(np.log(quantity.of(means)))))


def _why_absent(scores: Scores, group: str) -> str:
    if scores.tested & ({"seen", "unseen"} if group == "other" else {group}):
        return f"no {group} language in every run"
    if group == "unseen" or (group == "seen" and not scores.trains):
        return f"the study declares no {group} language"
    return f"no {group} language is evaluated"


def _groups(scores: Scores) -> dict[str, list[int]]:
    roles = {role: scores.columns(role) for role in ROLES}
    return roles | {"other": roles["seen"] + roles["unseen"]}
