"""Groups: increments within each group of languages, by script, family or resource level, or as named.

Every group has its own n=0: the same anchor-only mixture, declared once per group and trained once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from glotmix.design.increments import steps
from glotmix.design.setting import Scope, Setting
from glotmix.language import Language
from glotmix.spec.designs import Groups


def settings(design: Groups, scope: Scope) -> Iterator[Setting]:
    for name, languages in sorted(_groups(design, scope).items()):
        yield from steps(design, scope, languages, prefix=f"{name} ")


def _groups(design: Groups, scope: Scope) -> Mapping[str, Sequence[str]]:
    if design.groups is not None:
        for name, languages in design.groups.items():
            scope.check_known(f"groups.{name}", languages)
            if scope.anchor in languages:
                raise scope.refuse(f"groups.{name}", f"has the anchor {scope.anchor!r}; every group has it: remove it")
        return design.groups
    found = defaultdict(list)
    for tag in scope.some_train():
        value = str(getattr(Language.get(tag), str(design.by)))
        if value == "unknown":
            raise scope.refuse("by", f"the {design.by} of {tag} is not known; name the groups with `groups`")
        found[value].append(tag)
    return found
