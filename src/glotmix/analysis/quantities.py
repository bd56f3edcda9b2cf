"""What is asked of a study, each quantity with its formula.

1. a(l, s) is the mean score, over test items and seeds, of language l at setting s. A level is a number made of these.
2. A gain is a level minus the same at the baseline, which the results table names for every setting.
3. Seen languages are those that the setting trains on, the anchor apart, and unseen ones all others. A setting that
   trains on the anchor alone has none; it is measured on the study's, so that it can be compared with the others.
4. A gain beyond volume is a level minus the same at a control of the setting, trained on fewer languages for as many
   rows or steps. (A control with the setting's own languages at the baseline's total needs none: all that it gains is
   beyond volume.)

Study 1 ("The Post-Trainer's Guide to Multilingual Training Data") takes R(s) and its gain from single runs; with
several seeds the means are taken before the ratio, because a mean of ratios of small scores is biased upwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glotmix.analysis.interval import Interval, exponential, interval, undefined
from glotmix.analysis.scores import Array, Scores, Setting

SEEN_GAIN = "gain of seen languages"
UNSEEN_GAIN = "gain of unseen languages"
ANCHOR_GAIN = "gain of the anchor"
GAIN_DIFFERENCE = "seen gain minus unseen gain"
GAP = "seen-unseen gap"
RELATIVE = "relative to anchor"
GAP_CLOSED = "gap to anchor closed"
SEEN_BEYOND = "seen gain beyond volume"
UNSEEN_BEYOND = "unseen gain beyond volume"
ANCHOR_BEYOND = "anchor gain beyond volume"

# name: the level it is, or is a difference of; findings list them in this order
_GAINS = {SEEN_GAIN: "seen", UNSEEN_GAIN: "unseen", ANCHOR_GAIN: "anchor", GAIN_DIFFERENCE: "gap"}
_LEVELS = {GAP: "gap", RELATIVE: "relative"}
_RATIO_GAINS = {GAP_CLOSED: "relative"}
BEYOND = {SEEN_BEYOND: "seen", UNSEEN_BEYOND: "unseen", ANCHOR_BEYOND: "anchor"}
_NAMED = 8  # settings, in a definition
_GROUPS = {"anchor": {"anchor"}, "seen": {"seen"}, "unseen": {"unseen"}, "other": {"seen", "unseen"}}


@dataclass(frozen=True)
class Level:
    """`of` maps (settings, languages) means to one number per setting; `absent` says why the table cannot give it."""

    formula: str
    of: Callable[[Array], Array]
    absent: str
    ratio: bool = False


@dataclass(frozen=True)
class Other:
    """What a setting is compared with; `setting` is its index, None where it is `absent`."""

    name: str
    setting: int | None
    remark: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Quantity:
    """A level of a setting, or its difference to another setting."""

    name: str
    setting: int
    level: Level
    other: Other | None = None

    @property
    def definition(self) -> str:
        if self.other is None:
            return self.level.formula
        return f"{self.level.formula}, minus the same at {self.other.name}{self.other.remark}"

    @property
    def absent(self) -> str:
        return self.level.absent or (self.other.absent if self.other else "")

    @property
    def settings(self) -> list[int]:
        """Indices of the one or two settings whose means `of` takes."""
        other = self.other.setting if self.other else None
        return [self.setting] if other is None else [self.setting, other]

    def of(self, means: Array) -> float:
        levels = self.level.of(means)
        return float(levels[0] if self.other is None else levels[0] - levels[1])


def quantities(scores: Scores, setting: int) -> tuple[Quantity, ...]:
    """All that is asked of one setting.

    Raises:
        UserError: see `Scores.baseline`.
    """
    levels, baseline = _levels(scores, setting), _baseline(scores, setting)

    def each(names: Mapping[str, str], other: Other | None) -> Iterator[Quantity]:
        return (Quantity(name, setting, levels[level], other) for name, level in names.items())

    plain = each(_LEVELS, None)
    asked = plain if baseline is None else (*each(_GAINS, baseline), *plain, *each(_RATIO_GAINS, baseline))
    return *asked, *(quantity for control in _controls(scores, setting) for quantity in each(BEYOND, control))


def mean_of(asked: Sequence[Quantity], languages: int) -> tuple[list[int], Callable[[Array], float]]:
    """The settings, each once, and the mean of some quantities of one kind as a function of their means."""
    settings = list(dict.fromkeys(setting for quantity in asked for setting in quantity.settings))
    places = [[settings.index(setting) for setting in quantity.settings] for quantity in asked]

    def of(means: Array) -> float:
        return float(np.mean([quantity.of(means[own]) for quantity, own in zip(asked, places, strict=True)]))

    if asked[0].level.ratio:
        return settings, of
    units = np.eye(len(settings) * languages).reshape(-1, len(settings), languages)
    weights = np.array([of(unit) for unit in units]).reshape(len(settings), languages)  # `of` is linear, and slower
    return settings, lambda means: float((weights * means).sum())


def told_of(scores: Scores, asked: Sequence[Quantity]) -> str:
    """The definition of the mean of some quantities of one kind."""
    first, names = asked[0], [scores.settings[quantity.setting].name for quantity in asked]
    alike = all(quantity.definition == first.definition for quantity in asked)
    own = first.definition if alike else f"{first.name}, each of a setting's own languages"
    over = " ".join(names) if len(names) <= _NAMED else f"the {len(names)} settings {names[0]} ... {names[-1]}"
    return f"{own}, mean over s = {over}"


def measure(scores: Scores, *asked: Quantity) -> Interval:
    """The quantity, or the mean of several, with its interval; undefined where the table cannot give it, and why."""
    if absent := next((quantity.absent for quantity in asked if quantity.absent), ""):
        return undefined(absent)
    settings, of = mean_of(asked, len(scores.languages))
    return _ratio(scores, settings, of, asked[0].other) if asked[0].level.ratio else interval(scores, settings, of)


def _ratio(scores: Scores, settings: list[int], of: Callable[[Array], float], other: Other | None) -> Interval:
    """A ratio needs an anchor score that can be told from 0 (or Fieller's interval for it would be infinite).

    A level is never negative and has its interval on the log scale; a difference can be, and has not.
    """
    column = scores.columns("anchor")[0]
    anchors = [interval(scores, [setting], lambda means: float(means[0, column])) for setting in settings]
    zero = any(anchor.estimate == 0 for anchor in anchors)
    if not all(anchor.low > 0 for anchor in anchors):
        estimate = np.nan if zero else of(scores.means[settings])
        return undefined("the anchor scores too near 0 for a ratio to it", anchors[0].n, estimate)
    if other:
        return interval(scores, settings, of)
    if of(scores.means[settings]) == 0:
        return undefined("every other language scores 0", anchors[0].n, estimate=0.0)
    return exponential(interval(scores, settings, lambda means: float(np.log(of(means)))))


def _baseline(scores: Scores, setting: int) -> Other | None:
    """None if the setting is a baseline itself."""
    found = scores.baseline(setting)
    if found is not None:
        return None if found == setting else Other(scores.settings[found].name, found)
    named = scores.settings[setting].baseline
    if named:
        return Other(named, None, absent=f"no run of the baseline {named} in the table")
    return Other("the baseline", None, absent="no setting with 0 rows per language")


def _controls(scores: Scores, setting: int) -> Iterator[Other]:
    own = scores.settings[setting]
    for index, control in enumerate(scores.settings):
        if own.name in control.control_of and control.train_languages != own.train_languages:
            yield Other(control.name, index, f", a control trained on {' '.join(control.train_languages)}")


def _levels(scores: Scores, setting: int) -> dict[str, Level]:
    """By name; every formula names its languages."""
    own = scores.settings[setting]
    group_of = language_groups(scores, own)
    groups = {
        name: [column for column, tag in enumerate(scores.languages) if group_of[tag] in parts]
        for name, parts in _GROUPS.items()
    }
    tags = {name: " ".join(scores.languages[at] for at in columns) or "none" for name, columns in groups.items()}
    whose = "" if _trained_beside_anchor(scores, own) else "study's "
    by_transfer = f" (by transfer: no rows in {tags['anchor']})" if own.anchor_rows == 0 else ""

    def mean(group: str) -> Callable[[Array], Array]:
        return lambda means: means[:, groups[group]].mean(axis=1)

    def level(formula: str, of: Callable[[Array], Array], *needs: str, ratio: bool = False) -> Level:
        empty = next((group for group in needs if not groups[group]), None)
        return Level(formula, of, _why_absent(scores, set(group_of.values()), empty) if empty else "", ratio)

    over = {group: f"the {whose}{group} languages ({tags[group]})" for group in ("seen", "unseen")}
    return {
        "seen": level(f"mean of a(l, s) over {over['seen']}", mean("seen"), "seen"),
        "unseen": level(f"mean of a(l, s) over {over['unseen']}", mean("unseen"), "unseen"),
        "anchor": level(f"a({tags['anchor']}, s){by_transfer}", mean("anchor"), "anchor"),
        "gap": level(
            f"mean of a(l, s) over {over['seen']} minus that over {over['unseen']}",
            lambda means: mean("seen")(means) - mean("unseen")(means),
            "seen",
            "unseen",
        ),
        "relative": level(
            f"R(s) = mean of a(l, s) / a({tags['anchor']}, s) over the other languages ({tags['other']})",
            lambda means: mean("other")(means) / mean("anchor")(means),
            "anchor",
            "other",
            ratio=True,
        ),
    }


def language_groups(scores: Scores, setting: Setting) -> dict[str, str]:
    """Of every language tested: anchor, seen or unseen at the setting; by the study if it trains on the anchor only."""
    trained = _trained_beside_anchor(scores, setting)
    own = {tag: "seen" if tag in trained else "unseen" for tag, role in scores.tested.items() if role != "anchor"}
    return {**scores.tested, **own} if trained else dict(scores.tested)


def _trained_beside_anchor(scores: Scores, setting: Setting) -> set[str]:
    return {tag for tag in setting.train_languages if scores.tested.get(tag) != "anchor"}


def _why_absent(scores: Scores, tested: set[str], group: str) -> str:
    if tested & _GROUPS[group]:
        return f"no {group} language in every run"
    if group == "seen" and all(setting.rows_per_language == 0 for setting in scores.settings):
        return "no setting trains on another language than the anchor"
    return f"no {group} language is evaluated"
