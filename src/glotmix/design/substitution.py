"""Substitution: at a fixed total, for every n, n rows of each training language in place of anchor rows."""

from collections.abc import Iterator

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Substitution
from glotmix.spec.words import per_task


def settings(design: Substitution, scope: Scope) -> Iterator[Setting]:
    languages = scope.some_train()
    for rows in design.rows_per_language:
        added = dict.fromkeys(languages, rows)
        for task in scope.tasks:
            if (total := per_task(design.total_rows, task)) < rows * len(languages):
                most = total // len(languages)
                raise scope.refuse(
                    "rows_per_language",
                    f"{rows} rows of {len(languages)} languages are more than the {total} rows of {task} in all;"
                    f" give at most {most}",
                )
        yield Setting(
            name=f"n={rows}",
            counts={
                task: {scope.anchor: per_task(design.total_rows, task) - rows * len(languages)} | added
                for task in scope.tasks
            },
            baseline="n=0" if rows and 0 in design.rows_per_language else "",
        )
