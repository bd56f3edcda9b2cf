"""What more languages give beyond what more rows give.

1. A setting with more languages has more rows and steps than its baseline too, so its gain is not that of languages.
2. gain = volume + beyond. With a control on fewer languages and the setting's rows or steps (same rows, same steps):
   volume = a(control) - a(baseline), beyond = a(setting) - a(control). With a control on the setting's languages and
   the baseline's rows (fixed total): beyond = a(control) - a(baseline), volume = a(setting) - a(control).
3. The share beyond volume is beyond / gain, with Fieller's interval (`ratio.py`), per setting, control and group: seen,
   unseen, anchor. It may lie outside 0 to 1: either part may harm. Refused where the gain cannot be told from 0.

Study 2 ("English is Not All You Need") has no such control: languages, rows and steps all rise together in it. A design
like it gets one finding, which says so.
"""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.families import Family, families
from glotmix.analysis.interval import interval, undefined
from glotmix.analysis.quantities import BEYOND, language_groups
from glotmix.analysis.ratio import ratio
from glotmix.analysis.scores import Array, Scores

VOLUME = "gain by volume"
_BEYOND = {group: name for name, group in BEYOND.items()}
_SETTING, _BASELINE, _CONTROL = range(3)  # places in the means that a formula gets


def diversity(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The gain of every setting that has a control: by volume, beyond volume, and the share beyond it."""
    return answer([_of_splits], results, declared)


def of_diversity(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """What `diversity` gives, less what the gains of settings and controls (`quantities.py`) give already."""
    return (one for one in _of_splits(tables, declared) if one.name not in BEYOND)


def _of_splits(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    for scores in tables:
        for index, own in enumerate(scores.settings):
            baseline = scores.baseline(index)
            for control, other in enumerate(scores.settings):
                if own.name in other.control_of and baseline is not None:
                    yield from _split(scores, (index, baseline, control))
    yield from map(_unknown, _confounded(families(tables)))


def _split(scores: Scores, settings: tuple[int, int, int]) -> Iterator[Finding]:
    own = scores.settings[settings[_SETTING]]
    trained = [set(scores.settings[index].train_languages) for index in settings]
    if trained[_SETTING] == trained[_BASELINE]:
        return  # no language is added, or nobody told
    fixed_total = trained[_CONTROL] == trained[_SETTING]
    group_of = language_groups(scores, own)
    for group in BEYOND.values():
        if columns := [at for at, tag in enumerate(scores.languages) if group_of[tag] == group]:
            yield from _of_group(scores, settings, group, columns, fixed_total)


def _of_group(
    scores: Scores, settings: tuple[int, int, int], group: str, columns: list[int], fixed_total: bool
) -> Iterator[Finding]:
    names = [scores.settings[index].name for index in settings]
    tags = " ".join(scores.languages[at] for at in columns)
    to_control, from_control = (_CONTROL, _BASELINE), (_SETTING, _CONTROL)
    beyond, volume = (to_control, from_control) if fixed_total else (from_control, to_control)
    where = scores.model, scores.task, names[_SETTING]

    def change(last: int, first: int) -> Callable[[Array], float]:
        return lambda means: float((means[last] - means[first])[columns].mean())

    for name, (last, first) in ((f"{group} {VOLUME}", volume), (_BEYOND[group], beyond)):
        told = f"mean of a(l, {names[last]}) over {tags}, minus the same at {names[first]}"
        found = interval(scores, settings, change(last, first))
        yield Finding(name, *where, told, found, compared_with=names[first], note=scores.note)
    gain = change(_SETTING, _BASELINE)
    told = f"({names[beyond[0]]} - {names[beyond[1]]}) / (s - {names[_BASELINE]}), each the mean of a(l, .) over {tags}"
    share = ratio(scores, settings, change(*beyond), gain, f"gain of {tags}")
    yield Finding(
        f"share of {group} gain beyond volume", *where, told, share, names[_CONTROL], "ratio", None, scores.note
    )


def _confounded(found: Sequence[Family]) -> Iterator[str]:
    """Designs without a control in which languages and rows differ together from the baseline's."""
    controlled = {family.design for family in found for setting in family.settings if setting.control_of}
    for design in dict.fromkeys(family.design for family in found):
        if design not in controlled and any(map(_grows, (one for one in found if one.design == design))):
            yield design


def _grows(family: Family) -> bool:
    baseline = family.at(family.baseline)
    return baseline is not None and any(
        len(setting.train_languages) > len(baseline.train_languages) and setting.total_rows != baseline.total_rows
        for setting in family.mixtures
    )


def _unknown(design: str) -> Finding:
    found = undefined("languages, rows and steps rise together; add a control: same_rows, same_steps or fixed_total")
    told = "(s - control) / (s - baseline): what languages give that as many rows or steps do not"
    return Finding("share of gain beyond volume", "", "", design, told, found, unit="ratio", null=None)
