"""Whose scores a contrast of two mixtures is about: languages by script, by family, and by what was trained on.

1. All languages but the anchor.
2. The groups that were declared beforehand; without any, the languages of Latin script and those of all others.
3. What of these neither mixture trains on, so that transfer is not lost among what was taught.
4. A family with a trained and an untrained language: the nearest that transfer can reach.
"""

from collections.abc import Sequence

from glotmix.analysis.declared import Declared
from glotmix.analysis.scores import Scores
from glotmix.analysis.series import Series
from glotmix.errors import UserError
from glotmix.language import Language

_LATIN = "Latn"


def targets(scores: Scores, series: tuple[Series, Series], declared: Declared) -> dict[str, tuple[list[int], bool]]:
    """By name: columns, and whether every n is asked for. Targets with the same languages are one, the first."""
    trained = {tag for own in series for tag in own.languages}
    tags = [tag for tag, role in zip(scores.languages, scores.roles, strict=True) if role != "anchor"]
    named = {
        "all languages but the anchor": set(tags),
        **({name: set(own) for name, own in declared.groups.items()} or _scripts(tags)),
    }
    asked = [(name, members, True) for name, members in named.items()]
    asked += [(f"{name}, trained by neither", members - trained, False) for name, members in named.items()]
    asked += [(name, members, False) for name, members in _families(tags, trained).items()]
    found: dict[tuple[int, ...], tuple[str, bool]] = {}
    for name, members, whole in asked:
        columns = tuple(column for column, tag in enumerate(scores.languages) if tag in members)
        if columns:
            found.setdefault(columns, (name, whole))
    return {name: (list(columns), whole) for columns, (name, whole) in found.items()}


def _scripts(tags: Sequence[str]) -> dict[str, set[str]]:
    scripts = {tag: language.script for tag, language in _languages(tags).items()}
    latin = {tag for tag, script in scripts.items() if script == _LATIN}
    return {"languages of Latin script": latin, "languages of other scripts": set(scripts) - latin}


def _families(tags: Sequence[str], trained: set[str]) -> dict[str, set[str]]:
    """Those with a trained and an untrained language."""
    families: dict[str, set[str]] = {}
    for tag, language in _languages(tags).items():
        families.setdefault(language.family, set()).add(tag)
    return {
        f"{family} languages": members
        for family, members in families.items()
        if family != "unknown" and members & trained and members - trained
    }


def _languages(tags: Sequence[str]) -> dict[str, Language]:
    """Tags of tables from elsewhere may be none: they belong to no script and no family."""
    found = {}
    for tag in tags:
        try:
            found[tag] = Language.get(tag)
        except UserError:
            continue
    return found
