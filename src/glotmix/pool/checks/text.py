"""When two texts are the same text: a key without spacing, case, punctuation and number format, and its grams.

1. The **key** of a text is its letters, digits and signs of arithmetic: "It costs $1,000.00!" and "it costs 1 000" have
   the key `itcosts1000`, but 1.5 is not 15, -5 is not 5, and 3 + 2 is not 3 - 2.
2. The **grams** of a text are the runs of 8 characters in its key. They need no words, so they mean the same in scripts
   without spaces. Each is one 64-bit number.
3. A gram that many texts share (the fixed phrases of a prompt) says nothing about two of them; `common` finds those.

A gram takes some hundred bytes of memory while it is made: `portions` keeps texts at once to a few million characters.
"""

import sys
import unicodedata
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

GRAM = 8  # characters; a power of two
AT_ONCE = 2_000_000  # characters
COMMON_SHARE = 0.05
COMMON_TEXTS = 5
GRAMS_SCHEMA = pl.Schema({"text": pl.UInt32(), "gram": pl.UInt64()})
_OTHERS = map(chr, range(0x80, sys.maxunicode + 1))
_DIGITS = {digit: str(unicodedata.decimal(digit)) for digit in _OTHERS if digit.isdecimal()}  # of all scripts
_SAME = {**_DIGITS, "ß": "ss", "−": "-", "–": "-", "×": "*", "÷": "/", "⁄": "/", "٫": ".", "٬": ","}
_NOUGHTS = r"(\d)[.,]00?(\D|$)"
_DECIMALS = r"(\d)[.,](\d{1,2}|\d{4,})([^\d.,]|[.,]\D|[.,]?$)"  # not the groups of 1,14,200
_MINUS = r"-(\s*\d)"
_DRESS = r"[^\p{L}\p{M}\p{N}+*/=<>^٫−]+"
_MULTIPLIER = 0x9E3779B97F4A7C15


def key(text: pl.Expr) -> pl.Expr:
    """What is left of a text without its dress: signs alone, such as emoji, if it has no more; null if it is blank."""
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_many(_SAME)
    numbers = plain.str.replace_all(_NOUGHTS, "$1$2").str.replace_all(_DECIMALS, "$1٫$2$3")
    bare = numbers.str.replace_all(_MINUS, "−$1").str.replace_all(_DRESS, "")
    signs = plain.str.replace_all(r"\s+", "")
    return pl.when(bare != "").then(bare).when(signs != "").then(signs)


def numbers(key: pl.Expr) -> pl.Expr:
    """The numbers in a key, as one text whatever their order."""
    return key.str.extract_all(r"\d+(?:٫\d+)?").list.sort().list.join(" ")


def portions(rows: pl.DataFrame, characters: pl.Series) -> Iterator[pl.DataFrame]:
    """The rows in their order, in parts of at most AT_ONCE characters and one row more."""
    part = characters.fill_null(0).cast(pl.Int64).cum_sum() // AT_ONCE
    start = 0
    for length in part.rle().struct.field("len"):
        yield rows.slice(start, length)
        start += length


def some(keys: pl.Series) -> pl.Series:
    """Every n-th text, so that they have some AT_ONCE characters."""
    return keys.gather_every(1 + int(keys.str.len_chars().sum()) // AT_ONCE)


def grams(keys: pl.Series) -> pl.DataFrame:
    """The distinct grams of each key: `text` is its place in the series. Keys shorter than a gram have none."""
    characters = np.frombuffer("".join(keys.fill_null("").to_list()).encode("utf-32-le"), dtype=np.uint32)
    lengths = keys.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
    hashed = _rolling(characters.astype(np.uint64))
    ends = np.cumsum(lengths)
    text = np.repeat(np.arange(len(keys), dtype=np.uint32), lengths)[: len(hashed)]
    inside = np.arange(len(hashed)) + GRAM <= ends[text]
    return pl.DataFrame({"text": text[inside], "gram": hashed[inside]}, schema=GRAMS_SCHEMA).unique()


def _rolling(characters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A polynomial hash (modulo 2^64) of every run of GRAM characters, by doubling; its bits are mixed at the end."""
    hashed, length = characters, 1
    while length < GRAM and len(hashed):
        factor = np.uint64(pow(_MULTIPLIER, length, 2**64))
        hashed, length = hashed[:-length] * factor + hashed[length:], 2 * length
    hashed = (hashed ^ (hashed >> np.uint64(32))) * np.uint64(_MULTIPLIER)
    mixed: NDArray[np.uint64] = hashed ^ (hashed >> np.uint64(29))
    return mixed


def common(found: pl.DataFrame, texts: int) -> pl.Series:
    """The grams that more than 5 and more than 5 % of the texts share."""
    limit = max(COMMON_TEXTS, int(COMMON_SHARE * texts))
    return found.group_by("gram").len().filter(pl.col("len") > limit)["gram"]


def similarity(keys: pl.Series, others: pl.Series, without: pl.Series) -> pl.Series:
    """Jaccard index of two texts, pair by pair: grams in both over grams in either, those of `without` left out."""
    one, two = (grams(side).filter(~pl.col("gram").is_in(without.implode())) for side in (keys, others))
    counts = [_sizes(part, len(keys)) for part in (one, two, one.join(two, on=["text", "gram"], how="semi"))]
    return counts[2] / (counts[0] + counts[1] - counts[2])


def _sizes(found: pl.DataFrame, texts: int) -> pl.Series:
    return pl.Series(np.bincount(found["text"].to_numpy(), minlength=texts))
