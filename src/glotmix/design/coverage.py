"""Coverage: every mixture is a set of languages with equal rows of each; the baseline is the anchor alone.

A mixture is named by its languages, so a set that two entries of `sets` give is one setting.
"""

from collections.abc import Iterator

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Coverage, LanguageSet
from glotmix.spec.words import per_task


def settings(design: Coverage, scope: Scope) -> Iterator[Setting]:
    scope.check_known("core", design.core)
    found = {languages for entry in design.sets for languages in _checked_sets(design, entry, scope)}
    baseline = scope.anchor if frozenset({scope.anchor}) in found else ""
    for languages in sorted(found, key=lambda languages: (len(languages), _named(languages, scope.anchor))):
        names = _named(languages, scope.anchor)
        yield Setting(
            name="+".join(names),
            counts={task: dict.fromkeys(names, per_task(design.rows_per_language, task)) for task in scope.tasks},
            baseline=baseline if languages != {scope.anchor} else "",
        )


def _checked_sets(design: Coverage, entry: LanguageSet, scope: Scope) -> list[frozenset[str]]:
    scope.check_known("sets.with", entry.plus)
    if both := sorted({*entry.plus} & {*design.core, scope.anchor}):
        raise scope.refuse("sets.with", f"{both[0]!r} is in the core or the anchor already; remove it")
    sets = [frozenset(languages) for languages in _sets(design.core, entry, scope.anchor)]
    if not all(sets) or not sets:
        raise scope.refuse("sets", f"{entry.take} of the core {', '.join(design.core)} leaves no language; name more")
    return sets


def _sets(core: tuple[str, ...], entry: LanguageSet, anchor: str) -> Iterator[set[str]]:
    plus = {*entry.plus}
    match entry.take:
        case "anchor":
            yield {anchor, *plus}
        case "bilingual":
            yield from ({anchor, tag, *plus} for tag in core if tag != anchor)
        case "leave_one_out":
            yield from ({*core, *plus} - {tag} for tag in core)
        case "all":
            yield {*core, *plus}
        case "growing":
            yield from ({*core[:size], *plus} for size in range(1, len(core) + 1))


def _named(languages: frozenset[str], anchor: str) -> list[str]:
    return sorted(languages, key=lambda tag: (tag != anchor, tag))
