"""Which items a language gives to a mixture: the first ones of its ranking (contract 1).

1. Items are ranked by a keyed hash of seed, task and item id: n=100 is inside n=400, and translations rank alike.
2. With `disjoint` items every item belongs to one of the pool's languages that have it, by rendezvous hashing (Thaler
   and Ravishankar 1998), and a language ranks only what it owns.
3. Nothing depends on what else a mixture takes. Of a large pool only the items that rank best are looked at: those
   whose hash begins with `zeros` zero bits, and with fewer zeros until there are enough.
"""

from functools import cache, lru_cache, partial

import polars as pl

from glotmix.pool.keyed import hashes
from glotmix.pool.row import Pool

LARGEST_HASH = 2**64 - 1
SPARE = 64  # items looked at beyond those asked for, so that chance seldom asks for another round


class Selector:
    """The rankings of one pool's split under one seed."""

    def __init__(self, pool: Pool, split: str, items: str, seed: int) -> None:
        self.pool, self.split, self.items, self.seed = pool, split, items, seed
        self._item_ids = lru_cache(1)(partial(pool.item_ids, split=split))  # ids of a large pool are large
        self._best = cache(self._find_best)

    def first(self, task: str, language: str, rows: int) -> pl.Series:
        """Ids of the `rows` items that rank best, best first; all there are if these are fewer."""
        owners = len(self.pool.languages(task)) if self.items == "disjoint" else 1
        there = len(self._item_ids(task, language))
        zeros = max(0, (4 * there // (5 * owners * (rows + SPARE))).bit_length() - 1)
        while True:
            found = self._best(task, language, zeros)
            found = self._owned(task, language, zeros) if self.items == "disjoint" else found
            if len(found) >= rows or zeros == 0:
                return found.sort("hash", "item_id")["item_id"].head(rows)
            zeros -= 1

    def _find_best(self, task: str, language: str, zeros: int) -> pl.DataFrame:
        item_ids = self._item_ids(task, language)
        ranks = pl.DataFrame({"item_id": item_ids, "hash": hashes(item_ids, "items", self.seed, task)})
        return ranks.filter(pl.col("hash") <= LARGEST_HASH >> zeros)

    def _owned(self, task: str, language: str, zeros: int) -> pl.DataFrame:
        """The best items that belong to `language`: no other language that has the item claims it with more."""
        best = self._best(task, language, zeros)
        for other in self.pool.languages(task):
            if other != language:
                ours, theirs = (hashes(best["item_id"], "owner", self.seed, task, tag) for tag in (language, other))
                claimed = best["item_id"].filter((theirs > ours) | ((theirs == ours) & (other > language)))
                there = self._best(task, other, zeros)["item_id"]
                lost = there.filter(there.is_in(claimed.implode()))
                best = best.filter(~pl.col("item_id").is_in(lost.implode()))
        return best
