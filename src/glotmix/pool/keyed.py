"""Keyed hashes: the only source of chance in what is selected and in which order it is trained on.

A hash depends on its key and one id, never on which other ids there are, so adding or removing ids moves no other.
XXH3 is not meant to resist an adversary: ids that someone chose to collide are merely ranked by their names.
"""

import hashlib
import json
from collections.abc import Iterable

import polars as pl
import polars_hash as plh


def hashes(ids: pl.Series, *key: str | int) -> pl.Series:
    """UInt64, one per id: XXH3-64 of its UTF-8, seeded with the first 8 bytes of BLAKE2b of the key (as JSON).

    >>> hashes(pl.Series(["a", "b"]), "order", 0).to_list()
    [12680276975513357756, 13666730740263391863]
    """
    seed = int.from_bytes(hashlib.blake2b(json.dumps(key).encode(), digest_size=8).digest(), "big")
    return ids.to_frame("id").select(plh.col("id").nchash.xxh3_64(seed=seed)).to_series()


def ranked(ids: pl.Series | Iterable[str], *key: str | int) -> list[str]:
    """The ids in the order of their keyed hashes, whatever order they come in.

    >>> ranked(["a", "b", "c"], 0) == ranked(["c", "a", "b"], 0)
    True
    """
    ids = ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String)
    return pl.DataFrame({"id": ids, "hash": hashes(ids, *key)}).sort("hash", "id")["id"].to_list()
