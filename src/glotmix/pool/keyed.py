"""Keyed hashes: the only source of chance in what is selected and in which order it is trained on.

A hash depends on its key and one id, never on which other ids there are, so adding or removing ids moves no other.
"""

import hashlib
import json
from collections.abc import Callable, Iterable


def keyed_hash(*key: str | int) -> Callable[[str], bytes]:
    """The function from an id to 8 bytes that belongs to this key."""
    secret = hashlib.blake2b(json.dumps(key).encode(), digest_size=32).digest()
    start = hashlib.blake2b(digest_size=8, key=secret)

    def hash_id(text: str) -> bytes:
        state = start.copy()
        state.update(text.encode())
        return state.digest()

    return hash_id


def ranked(ids: Iterable[str], *key: str | int) -> list[str]:
    """The ids in the order of their keyed hashes, whatever order they come in.

    >>> ranked(["a", "b", "c"], 0) == ranked(["c", "a", "b"], 0)
    True
    """
    hash_id = keyed_hash(*key)
    return sorted(ids, key=lambda text: (hash_id(text), text))
