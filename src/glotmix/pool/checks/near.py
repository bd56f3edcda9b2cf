"""Pairs of texts that are nearly the same: candidates by a sketch, each then compared exactly.

1. Near means: the same numbers, the same answer, and a Jaccard index of their grams (see `text`) of at least 0.8. A
   prompt with other numbers or another answer is another problem, however much of the rest agrees.
2. Candidates come from MinHash in bands (Broder 1997; by rensa): 20 bands of 5 hashes miss a pair at 0.8 in 4 of 10,000
   cases, one at 0.85 in 1 of 100,000. No pair rests on the sketch alone.
3. Texts with fewer than 12 grams of their own are too short for a share of them to mean much: they form no pair.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmix.pool.checks.text import GRAM, common, grams, numbers, portions, similarity, some

SIMILAR = 0.8
BANDS, BAND_HASHES = 20, 5
LEAST_GRAMS = 12
LEAST_CHARACTERS = LEAST_GRAMS + GRAM - 1
PAIRS_SCHEMA = pl.Schema({"junior": pl.UInt32(), "senior": pl.UInt32(), "alike": pl.Float64()})


def near_pairs(texts: pl.DataFrame) -> pl.DataFrame:
    """Each text that is near one before it, with its partner.

    Args:
        texts: `at` (its place: a senior has a lower one), `split` (a number), `key` and `answer` (a hash).

    Returns:
        PAIRS_SCHEMA: of several partners the one in the highest split, of those the one most like it.
    """
    texts = texts.filter(pl.col("key").str.len_chars() >= LEAST_CHARACTERS)
    seen = some(texts["key"])
    fixed = common(grams(seen), len(seen))
    same = pl.struct("answer", numbers(pl.col("key"))).hash()
    pairs = _candidates(texts.select("at", "split", "key", same=same), fixed)
    compared = [_compared(part, texts, fixed) for part in portions(pairs, pairs["characters"])]
    near = pl.concat([_NO_PAIRS, *compared]).filter(pl.col("alike") >= SIMILAR)
    ranked = near.sort("junior", "split", "alike", "senior", descending=[False, True, True, False])
    return ranked.unique("junior", keep="first", maintain_order=True).drop("split")


_NO_PAIRS = PAIRS_SCHEMA.to_frame().with_columns(split=pl.lit(0, pl.UInt8))


def _compared(pairs: pl.DataFrame, texts: pl.DataFrame, fixed: pl.Series) -> pl.DataFrame:
    for side in ("junior", "senior"):
        own = texts.select("at", pl.exclude("at").name.suffix(f"_{side}"))
        pairs = pairs.join(own, left_on=side, right_on="at", maintain_order="left")
    alike = similarity(pairs["key_junior"], pairs["key_senior"], fixed)
    return pairs.select("junior", "senior", alike=alike, split="split_senior")


def _candidates(texts: pl.DataFrame, fixed: pl.Series) -> pl.DataFrame:
    """Pairs that share a band, their numbers and answer: each text of a run with the first of every split.

    Columns senior, junior and `characters` of both.
    """
    characters = texts.select("at", characters=pl.col("key").str.len_chars())
    parts = portions(texts, characters["characters"])
    bands = pl.concat([_bands(texts.clear(), fixed), *(_bands(part, fixed) for part in parts)])
    pairs = []
    for band in range(BANDS):
        run = bands.select("at", "split", band=f"band {band}").filter(pl.col("band").is_duplicated())
        first = run.group_by("band", "split").agg(senior=pl.col("at").min()).drop("split")
        pairs.append(run.join(first, on="band").filter(pl.col("at") > pl.col("senior")).select("senior", junior="at"))
    every = pl.concat(pairs).unique().sort("junior", "senior")
    for side in ("junior", "senior"):
        every = every.join(
            characters.rename({"at": side, "characters": side + "_characters"}), on=side, maintain_order="left"
        )
    return every.select("senior", "junior", characters=pl.col("junior_characters") + pl.col("senior_characters"))


def _bands(texts: pl.DataFrame, fixed: pl.Series) -> pl.DataFrame:
    """`at`, `split` and one hash per band, of the texts with enough grams of their own."""
    from rensa import RMinHash

    own = grams(texts["key"]).filter(~pl.col("gram").is_in(fixed.implode()))
    own = own.filter(pl.len().over("text") >= LEAST_GRAMS).sort("text")
    sizes = own.group_by("text", maintain_order=True).len()
    ends = np.cumsum(sizes["len"].to_numpy(), dtype=np.uint64)
    offsets = np.concatenate([np.zeros(1, np.uint64), ends])
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(own["gram"].to_numpy(), offsets, BANDS * BAND_HASHES, 0)
    digests = np.array(matrix.to_rows(), dtype=np.uint32).reshape(-1, BANDS, BAND_HASHES)
    rows = texts[sizes["text"]]
    hashed = {f"band {band}": _hash(digests[:, band], rows["same"]) for band in range(BANDS)}
    return rows.select("at", "split", **hashed)


def _hash(digests: NDArray[np.uint32], same: pl.Series) -> pl.Series:
    return pl.DataFrame(digests, schema=[str(n) for n in range(BAND_HASHES)]).with_columns(same).hash_rows()
