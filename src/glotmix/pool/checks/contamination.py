"""Training and validation rows that give away a test row: of this pool, or of another that a study will be judged on.

A row is contaminated if one of these holds, looked for in this order:

1. its **item** is tested, in whatever language: the same item id in the same task;
2. its **text** is tested: the same key (see `text`), that is the same prompt but for spacing, case, punctuation and the
   format of numbers; or the same request, that is the prompt without the lines that many prompts of its cell share;
3. at least **half of the grams** of a test prompt stand in it, and at least 25 of them: a phrase of some 30 characters,
   so that short prompts are left to 1. and 2. Grams that many prompts of a test set share
   do not count, in whatever test set. For a long test prompt 1,000 of its grams stand, those of the lowest hash.

Half is where GSM8K's own train and test files part: 4 of 7,473 training questions reach it, all of them a test question
with other names or numbers, and the next ones share a plot at most (docs/checks.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.checks.finding import ROWS_SCHEMA, Examined, Finding
from glotmix.pool.checks.reading import Cell, batches, cells, count, fixed_lines, request, sample, scan
from glotmix.pool.checks.text import common, grams, key, portions
from glotmix.pool.folder import FolderPool

OVERLAP = 0.5
LEAST_SHARED = 25
MOST_GRAMS = 1_000
SAMPLE = 1_000  # prompts from which their shared lines are known
_SAYS = "it gives away a test item: drop the row, or leave that item out of the test"


def contamination(examined: Examined) -> Iterator[Finding]:
    """Rows of the splits that train or choose, against every test row."""
    tested = _tested([examined.pool, *examined.evaluation])
    for cell in cells(examined.pool):
        if cell.split != "test":
            found = [tested.matches(cell.task, batch) for batch in batches(_keyed(examined.pool, cell))]
            rows = pl.concat([ROWS_SCHEMA.to_frame(), *found]).sort("row_id")
            of = count(examined.pool, cell)
            yield Finding("contamination", "error", cell, _SAYS, rows, of, of)
        examined.done(cell)


def _keyed(pool: FolderPool, cell: Cell) -> pl.LazyFrame:
    fixed = fixed_lines(sample(pool, cell, SAMPLE, "prompt")["prompt"])
    texts = {"key": key(pl.col("prompt")), "request": key(request(pl.col("prompt"), fixed))}
    return scan(pool, cell).select("row_id", "item_id", **texts)


@dataclass(frozen=True)
class Tested:
    """What must not be trained on: items, distinct texts, and the grams that tell one of these from others."""

    items: pl.DataFrame  # task, item_id, other
    texts: pl.DataFrame  # test (its number), key, other
    grams: pl.DataFrame  # gram, test, size: how many of them its text has

    def matches(self, task: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The contaminated ones of `rows` (row_id, item_id, key, request), with the columns of ROWS_SCHEMA."""
        same_item = rows.join(self.items.filter(task=task), on="item_id").with_columns(detail=pl.lit("same item"))
        same_text, same_request = (
            rows.join(self.texts, left_on=name, right_on="key").with_columns(detail=pl.lit(f"same {said}"))
            for name, said in (("key", "text"), ("request", "request"))
        )
        overlapping = [self._overlapping(part) for part in portions(rows, rows["key"].str.len_chars())]
        parts = (same_item, same_text, same_request, *overlapping)
        found = pl.concat(part.select(ROWS_SCHEMA.names()) for part in parts)
        return found.unique("row_id", keep="first", maintain_order=True)

    def _overlapping(self, rows: pl.DataFrame) -> pl.DataFrame:
        shared = grams(rows["key"]).join(self.grams, on="gram").group_by("text", "test", "size").len("shared")
        enough = (pl.col("shared") >= LEAST_SHARED) & (pl.col("shared") >= OVERLAP * pl.col("size"))
        close = shared.filter(enough).with_columns(share=pl.col("shared") / pl.col("size")).join(self.texts, on="test")
        best = close.sort("share", "other", descending=[True, False]).unique("text", keep="first", maintain_order=True)
        detail = pl.format("{} of the test prompt's text", pl.col("share").round(2))
        return best.select("other", row_id=rows["row_id"].gather(best["text"]), detail=detail)


def _tested(pools: Sequence[FolderPool]) -> Tested:
    """The test rows of the pools, of which the first may have none.

    Raises:
        UserError: an evaluation pool without test rows.
    """
    items, texts, tested, fixed = [_NO_ITEMS], _NO_TEXTS, [_NO_GRAMS], [_NO_GRAMS["gram"]]
    for number, pool in enumerate(pools):
        own = cells(pool, "test")
        if number and not own:
            raise UserError(f"evaluation pool {pool.folder}: it has no test rows; name one that has")
        for cell in own:
            rows = _keyed(pool, cell).rename({"row_id": "other"}).collect(engine="streaming").sort("other")
            items.append(rows.select("item_id", "other", task=pl.lit(cell.task)))
            every = pl.concat(rows.select("other", key=name) for name in ("request", "key"))
            once = every.drop_nulls("key").unique("key", keep="first", maintain_order=True)
            new = once.join(texts, on="key", how="anti", maintain_order="left")
            new = new.with_row_index("test", offset=len(texts)).select(texts.columns)
            texts = pl.concat([texts, new])
            found = pl.concat([_NO_GRAMS, *map(_sketch, portions(new, new["key"].str.len_chars()))])
            tested.append(found)
            fixed.append(common(found, len(new)))
    telling = pl.concat(tested).filter(~pl.col("gram").is_in(pl.concat(fixed).implode()))
    first = pl.concat(items).unique(["task", "item_id"], keep="first", maintain_order=True)
    return Tested(first, texts, telling.with_columns(size=pl.len().over("test")))


def _sketch(texts: pl.DataFrame) -> pl.DataFrame:
    """The grams of each text, or those of the lowest hash: `gram` and the text's number `test`."""
    found = grams(texts["key"]).filter(pl.col("gram").rank("ordinal").over("text") <= MOST_GRAMS)
    return found.select("gram", texts["test"].gather(found["text"]))


_NO_ITEMS = pl.DataFrame(schema={"item_id": pl.String, "other": pl.String, "task": pl.String})
_NO_TEXTS = pl.DataFrame(schema={"test": pl.UInt32, "key": pl.String, "other": pl.String})
_NO_GRAMS = pl.DataFrame(schema={"gram": pl.UInt64, "test": pl.UInt32})
