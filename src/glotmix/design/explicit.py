"""Explicit: mixtures written out in the study file."""

from collections.abc import Iterator

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Explicit


def settings(design: Explicit, scope: Scope) -> Iterator[Setting]:
    if design.baseline is not None and design.baseline not in design.mixtures:
        has = ", ".join(sorted(design.mixtures))
        raise scope.refuse("baseline", f"no mixture {design.baseline!r}; there are {has}")
    for name, mixture in sorted(design.mixtures.items()):
        scope.check_tasks(f"mixtures.{name}", mixture)
        for by_language in mixture.values():
            scope.check_known(f"mixtures.{name}", by_language)
        counts: dict[str, dict[str, int]] = {task: mixture[task] for task in scope.tasks if task in mixture}
        if not any(counts.values()):
            raise scope.refuse(f"mixtures.{name}", "no rows; give {task: {language: rows}}")
        yield Setting(name, counts, baseline=(design.baseline or "") if name != design.baseline else "")
