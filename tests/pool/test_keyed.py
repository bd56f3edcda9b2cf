"""Hashes that decide what is selected and what a row says: the same for ever, on every machine."""

import hashlib
import json

import polars as pl
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.pool import ROW_SCHEMA
from glotmix.pool.content import content_hash, hash_of_hashes, row_hashes
from glotmix.pool.keyed import hashes, ranked

texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=20)
keys = st.lists(st.text(max_size=5) | st.integers(0, 2**70), max_size=4)


@settings(max_examples=60, deadline=None)
@given(texts, keys)
def test_hashes_are_xxh3_of_the_id_seeded_with_the_key(ids: list[str], key: list[str | int]) -> None:
    seed = int.from_bytes(hashlib.blake2b(json.dumps(key).encode(), digest_size=8).digest(), "big")
    expected = [xxhash.xxh3_64_intdigest(text.encode(), seed) for text in ids]
    assert hashes(pl.Series(ids, dtype=pl.String), *key).to_list() == expected


def test_hashes_never_change() -> None:
    """Pinned: other hashes would silently change every study's rows."""
    found = hashes(pl.Series(["", "gsm8k-train-0001", "日本"]), "items", 0, "math")
    assert found.to_list() == [1542823571532323236, 8887737762009438495, 6858378831421055301]
    assert found.dtype == pl.UInt64


@settings(max_examples=60, deadline=None)
@given(texts, texts, keys)
def test_other_ids_change_no_rank(ids: list[str], others: list[str], key: list[str | int]) -> None:
    both = ranked([*others, *ids], *key)
    kept = set(ids)
    assert [text for text in both if text in kept] == ranked([text for text in [*ids, *others] if text in kept], *key)
    assert ranked(pl.Series(ids[::-1], dtype=pl.String), *key) == ranked(iter(ids), *key)


def row(**changes: object) -> dict[str, object]:
    messages = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    facts = dict.fromkeys(ROW_SCHEMA, "") | {"row_id": "a:en", "task": "math", "language": "en", "reference": "2"}
    return facts | {"messages": messages, "answer_language": None} | changes


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=ROW_SCHEMA)


def test_content_hashes_never_change() -> None:
    """Pinned: another hash would make every finished step count for nothing."""
    rows = table(row(), row(row_id='b\n"é\\日:en', reference=None))
    assert content_hash(rows) == "2db3e2588a20c391dfe81166ed2153bcdf075926e9542d31205ddeccd322be41"
    assert content_hash(table()) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"row_id": "a:es"},
        {"task": "api_calls"},
        {"language": "es"},
        {"reference": "3"},
        {"reference": None},
        {"answer_language": "es"},
        {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two "}]},
        {"messages": [{"role": "system", "content": "one"}, {"role": "assistant", "content": "two"}]},
        {"messages": [{"role": "user", "content": 'one"},{"role":"assistant","content":"two'}]},
        {"messages": []},
    ],
)
def test_whatever_a_row_says_is_in_its_hash(change: dict[str, object]) -> None:
    assert content_hash(table(row(**change))) != content_hash(table(row()))


def test_where_a_row_comes_from_is_not_in_its_hash() -> None:
    other = row(source="s", licence="l", origin="native", split="test", item_id="i")
    assert content_hash(table(other)) == content_hash(table(row()))


def test_a_table_is_hashed_by_its_row_hashes_in_order() -> None:
    one, two = row(), row(row_id="b:en")
    hashed = row_hashes(table(one, two))
    assert hash_of_hashes(hashed) == content_hash(table(one, two)) != content_hash(table(two, one))
    assert hash_of_hashes(hashed[:1]) == content_hash(table(one))
