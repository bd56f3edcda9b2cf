"""Which items a language gives to a mixture: the first ones of its ranking (contract 1).

The ranking is by a keyed hash of seed, task and item id, so n=100 is inside n=400 and translations of one item rank
alike. With `disjoint` items every item belongs to one of the pool's languages that have it, by rendezvous hashing
(Thaler and Ravishankar 1998), and a language ranks only what it owns. Nothing depends on what else a mixture takes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache

from glotmix.pool.keyed import keyed_hash, ranked
from glotmix.pool.row import Pool


class Selector:
    """The rankings of one pool's split under one seed; what the pool says is asked once."""

    def __init__(self, pool: Pool, split: str, items: str, seed: int) -> None:
        self.pool, self.split, self.items, self.seed = pool, split, items, seed
        self._held = cache(self._ask_pool)

    def ranking(self, task: str, language: str) -> Iterable[str]:
        """The item ids a language may give, best first; owned ones are found as they are asked for."""
        order = _ranked_once(tuple(self.pool.item_ids(task, language, self.split)), self.seed, task)
        if self.items == "shared":
            return order
        rivals = {tag: self._held(task, tag) for tag in self.pool.languages(task) if tag != language}
        return owned(order, language, rivals, self.seed, task)

    def _ask_pool(self, task: str, language: str) -> Collection[str]:
        return _as_set(tuple(self.pool.item_ids(task, language, self.split)))


# Parallel languages, and the cells of a design, have the same items: ranked and held once.
_as_set = lru_cache(maxsize=32)(frozenset[str])


@lru_cache(maxsize=32)
def _ranked_once(item_ids: tuple[str, ...], seed: int, task: str) -> Sequence[str]:
    return ranked(item_ids, "items", seed, task)


def owned(
    items: Iterable[str], language: str, rivals: Mapping[str, Collection[str]], seed: int, task: str
) -> Iterator[str]:
    """The items that belong to `language`: no rival that has the item hashes higher for it."""
    claims = {tag: keyed_hash("owner", seed, task, tag) for tag in (language, *rivals)}
    for item in items:
        claim = (claims[language](item), language)
        if all((claims[tag](item), tag) < claim for tag, theirs in rivals.items() if item in theirs):
            yield item
