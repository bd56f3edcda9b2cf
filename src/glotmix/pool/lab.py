"""The embedded pool: the lab's items, rendered when asked for."""

from collections.abc import Sequence
from functools import cache

import polars as pl

from glotmix.errors import UserError
from glotmix.lab import world
from glotmix.lab.languages import TAGS
from glotmix.lab.render import render
from glotmix.pool.row import ROW_SCHEMA


class LabPool:
    """100,000 training, 2,000 validation and 2,000 test items per task, in 14 languages, parallel throughout."""

    name = "lab"

    def languages(self, task: str) -> tuple[str, ...]:
        return tuple(sorted(TAGS)) if task in world.TASKS else ()

    def item_ids(self, task: str, language: str, split: str) -> pl.Series:
        return _item_ids(task, split) if language in self.languages(task) else pl.Series(dtype=pl.String)

    def take(self, task: str, language: str, split: str, item_ids: Sequence[str] | pl.Series) -> pl.DataFrame:
        numbers = world.numbers(split)
        rows = []
        for item_id in item_ids:
            number = world.number_of(item_id)
            if number not in numbers or language not in self.languages(task) or item_id != world.item_id(task, number):
                raise UserError(f"pool lab has no item {item_id!r} of task {task!r} in {language!r}, split {split!r}")
            rendered = render(world.item(task, number), language)
            rows.append(
                {
                    "row_id": f"{item_id}:{language}",
                    "item_id": item_id,
                    "task": task,
                    "language": language,
                    "split": split,
                    "messages": [
                        {"role": "user", "content": rendered.prompt},
                        {"role": "assistant", "content": rendered.answer},
                    ],
                    "reference": rendered.reference,
                    "source": "glotmix lab",
                    "licence": "Apache-2.0",
                    "origin": "generated",
                }
            )
        return pl.DataFrame(rows, schema=ROW_SCHEMA)


@cache
def _item_ids(task: str, split: str) -> pl.Series:
    return pl.Series([world.item_id(task, number) for number in world.numbers(split)], dtype=pl.String)
