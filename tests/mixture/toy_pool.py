"""Pools and mixtures of a few rows, for tests of what is selected and in which order."""

from collections.abc import Mapping, Sequence

import polars as pl

from glotmix.mixture import Mixture, MixtureSpec, build_mixture
from glotmix.pool import ROW_SCHEMA

TASKS = ("math", "summarization", "api_calls")
TAGS = ("en", "es", "ja", "sw", "zh")
PARALLEL = {tag: [f"item-{number}" for number in range(200)] for tag in TAGS}


class ToyPool:
    """The items of each language, the same in every task; `only` limits tasks. It counts what is taken."""

    name = "toy"

    def __init__(self, items: Mapping[str, Sequence[str]], only: Sequence[str] = TASKS) -> None:
        self.items, self.only, self.takes = items, only, 0

    def languages(self, task: str) -> tuple[str, ...]:
        return tuple(sorted(self.items)) if task in self.only else ()

    def item_ids(self, task: str, language: str, split: str) -> pl.Series:
        there = self.items.get(language, ()) if task in self.only else ()
        return pl.Series([f"{task}-{split}-{item}" for item in there], dtype=pl.String)

    def take(self, task: str, language: str, split: str, item_ids: Sequence[str] | pl.Series) -> pl.DataFrame:
        self.takes += 1
        facts = {"task": task, "language": language, "split": split, "source": "", "licence": "", "origin": ""}
        messages = [{"role": "user", "content": language}, {"role": "assistant", "content": task}]
        rows = [
            facts | {"row_id": f"{item}:{language}", "item_id": item, "messages": messages, "reference": ""}
            for item in item_ids
        ]
        return pl.DataFrame(rows, schema=ROW_SCHEMA)


POOL = ToyPool(PARALLEL)


def toy_mixture(counts: Mapping[str, Mapping[str, int]], repeat: bool = True) -> Mixture:
    return build_mixture(MixtureSpec(counts=counts, repeat=repeat), POOL)
