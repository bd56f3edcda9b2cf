"""Zero-shot against direct: a target withheld from a mixture of many languages, against a bilingual one that has it.

1. For a target t and a setting s of 3 or more languages without t: a(t, s) - a(t, direct), paired by item. Direct is
   the setting of the same design and rows per language with the anchor and t alone; if t is the anchor, the mean over
   all bilingual settings.
2. As in study 2 ("English is Not All You Need", section 4.3): the share of comparisons in which zero-shot is not
   significantly worse (unadjusted p below 5 %), by resource level of the target and languages of the mixture.
3. "Not significantly worse" is no evidence of "as good": a study too small to see anything finds it always. So beside
   it the share that is equivalent within the declared margin, by two one-sided tests (Schuirmann 1987), and how many
   of the comparisons could have seen a loss of that size.

The shares are counts of this study; Wilson's interval takes their comparisons as independent. The setting of many
languages also has more rows and steps than the bilingual one (see `diversity.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, interval, wilson
from glotmix.analysis.scores import Array, Scores, Setting
from glotmix.errors import UserError
from glotmix.language import Language


@dataclass(frozen=True)
class _Compared:
    scores: Scores
    column: int
    setting: int
    direct: list[int]
    found: Interval

    @property
    def target(self) -> str:
        return self.scores.languages[self.column]

    @property
    def kind(self) -> tuple[str, int]:
        """The target's resource level, or that it is the anchor, and how many languages the mixture has."""
        level = "anchor" if self.scores.roles[self.column] == "anchor" else f"{_resource(self.target)}-resource"
        return level, len(self.scores.settings[self.setting].train_languages)

    @property
    def worse(self) -> bool:
        return self.found.estimate < 0 and self.found.p() < 1 - LEVEL

    @property
    def better(self) -> bool:
        return self.found.estimate > 0 and self.found.p() < 1 - LEVEL


def of_each_target(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Every comparison by itself."""
    return (_finding(one) for scores in tables for one in _compared(scores))


def of_zero_shot(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """The shares of all comparisons."""
    found = [one for scores in tables for one in _compared(scores)]
    groups: dict[tuple[str, int], list[_Compared]] = defaultdict(list)
    for one in found:
        if not np.isnan(one.found.standard_error):
            groups[one.kind].append(one)
    models = {one.scores.model for one in found}
    model = found[0].scores.model if len(models) == 1 else ""
    for (level, languages), members in sorted(groups.items()):
        yield from _shares(members, f"{level} target, {languages} languages", model, declared.margin)


def _compared(scores: Scores) -> Iterator[_Compared]:
    for index, setting in enumerate(scores.settings):
        if len(setting.train_languages) < 3 or setting.control_of:
            continue
        for column, tag in enumerate(scores.languages):
            direct = [at for at, own in enumerate(scores.settings) if _direct(scores, own, setting, tag)]
            if direct and tag not in setting.train_languages:
                found = interval(scores, [index, *direct], _difference(column))
                yield _Compared(scores, column, index, direct, found)


def _direct(scores: Scores, own: Setting, withheld: Setting, tag: str) -> bool:
    """Whether `own` is the anchor and one language, the target among them, in the same design."""
    anchors = {one for one, role in scores.tested.items() if role == "anchor"}
    trained = set(own.train_languages)
    like = own.design == withheld.design and own.rows_per_language == withheld.rows_per_language
    return like and not own.control_of and len(trained) == 2 and set() < anchors < trained and tag in trained


def _difference(column: int) -> Callable[[Array], float]:
    return lambda means: float(means[0, column] - means[1:, column].mean())


def _finding(one: _Compared) -> Finding:
    scores, target = one.scores, one.target
    direct = " ".join(scores.settings[index].name for index in one.direct)
    mean = "the mean of the same over" if len(one.direct) > 1 else "the same at"
    told = f"a({target}, s), withheld from s, minus {mean} {direct}, trained on it"
    where = scores.model, scores.task, scores.settings[one.setting].name
    return Finding("zero-shot minus direct", *where, told, one.found, compared_with=direct, note=scores.note)


def _shares(members: Sequence[_Compared], which: str, model: str, margin: float) -> Iterator[Finding]:
    n, tasks = len(members), {one.scores.task for one in members}
    task = members[0].scores.task if len(tasks) == 1 else ""
    worse, better = sum(one.worse for one in members), sum(one.better for one in members)
    equal = sum(one.found.within(margin) for one in members)
    visible = [one.found.detectable for one in members]
    power = f"a loss of {margin:g} would have been seen in {sum(loss <= margin for loss in visible)} of {n}"
    reach = f"the smallest loss to be seen is {min(visible):.3f} to {max(visible):.3f}"
    told = "share of comparisons in which zero-shot minus direct is"
    for name, count, formula, note in (
        (
            "not significantly worse than direct",
            n - worse,
            "not below 0 at p < 5 %",
            f"{better} better, {worse} worse of {n}",
        ),
        ("equivalent to direct", equal, f"inside +- {margin:g} by two one-sided tests at 5 %", f"{equal} of {n}"),
    ):
        yield Finding(
            f"zero-shot {name}, {which}", model, task, "", f"{told} {formula}",
            wilson(count, n, "comparisons"), unit="share", null=None, note=f"{note}; {power}; {reach}",
        )  # fmt: skip


def _resource(tag: str) -> str:
    try:
        return Language.get(tag).resource
    except UserError:  # a name of its own, in a table from elsewhere
        return "unknown"
