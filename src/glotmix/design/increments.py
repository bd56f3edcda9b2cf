"""Increments: a fixed count of anchor rows and, for every n, n rows of each training language.

The total grows with n, so that languages and volume grow together; the controls tell them apart.
"""

from collections.abc import Iterable, Iterator

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Groups, Increments
from glotmix.spec.words import per_task


def settings(design: Increments, scope: Scope) -> Iterator[Setting]:
    if set(design.rows_per_language) != {0} and not scope.train:
        raise scope.refuse(
            "rows_per_language",
            f"{', '.join(map(str, design.rows_per_language))} rows, but languages.train is empty; "
            "name training languages, or give [0] to train on the anchor only",
        )
    return steps(design, scope, scope.train)


def steps(design: Increments | Groups, scope: Scope, languages: Iterable[str], prefix: str = "") -> Iterator[Setting]:
    """The settings of some languages by rising n; the baseline is n=0 if that is among them."""
    for rows in design.rows_per_language:
        added = dict.fromkeys(languages, rows) if rows else {}
        yield Setting(
            name=f"{prefix}n={rows}",
            counts={task: {scope.anchor: per_task(design.anchor_rows, task)} | added for task in scope.tasks},
            baseline=f"{prefix}n=0" if rows and 0 in design.rows_per_language else "",
        )
