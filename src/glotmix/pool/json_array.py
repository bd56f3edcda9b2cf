"""The items of a JSON array, in blocks like lines: what stands between its commas, be it JSON or not."""

import re
from collections.abc import Iterator
from typing import BinaryIO

import polars as pl

from glotmix.pool.lines import BLOCK, LONGEST_LINE, decoded

LONGEST_ITEM = 64 * 2**20  # bytes
_STRING_OR_MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)


def item_blocks(stream: BinaryIO) -> Iterator[pl.DataFrame]:
    """The items, as frames of `line` (their number from 1), `raw, reason`. The array's `[` comes first in the stream.

    An item that is no JSON spoils none of its neighbours while its quotes and brackets pair; of one that never ends
    only the start is kept.
    """
    first, rest, ended = 1, stream.read(BLOCK).removeprefix(b"\xef\xbb\xbf").lstrip()[1:], False
    while not ended:
        items, rest, ended = _whole_items(rest)
        yield _frame(first, items)
        first += len(items)
        block = b"" if len(rest) > LONGEST_ITEM else stream.read(BLOCK)
        if not block:
            break
        rest += block
    if not ended or (rest := rest + stream.read(BLOCK)).strip():
        reason = "item too long" if len(rest) > LONGEST_ITEM else "broken JSON"
        broken = _frame(first, [rest[:LONGEST_LINE]])
        yield broken.with_columns(reason=pl.lit(f"{reason}; what follows it is not read"))


def _whole_items(text: bytes) -> tuple[list[bytes], bytes, bool]:
    """The items that end in the text, what is left of it, and whether the array ended.

    >>> _whole_items(b'{"a": "],"}, [1, 2], 3')
    ([b'{"a": "],"}', b'[1, 2]'], b' 3', False)
    >>> _whole_items(b"1]\\n")
    ([b'1'], b'\\n', True)
    """
    items, start, depth = [], 0, 0
    for found in _STRING_OR_MARK.finditer(text):
        mark = found[0]
        if mark in (b"{", b"["):
            depth += 1
        elif mark == b'"':  # a string that is not whole yet
            break
        elif depth and mark in (b"}", b"]"):
            depth -= 1
        elif not depth and mark in (b",", b"]"):
            items.append(text[start : found.start()].strip())
            start = found.end()
            if mark == b"]":
                return (items if items[-1] else items[:-1]), text[start:], True
    return items, text[start:], False


def _frame(first: int, items: list[bytes]) -> pl.DataFrame:
    texts = pl.DataFrame(list(map(decoded, items)), schema={"raw": pl.String, "reason": pl.String}, orient="row")
    return texts.insert_column(0, pl.Series("line", range(first, first + len(items)), dtype=pl.Int64))
