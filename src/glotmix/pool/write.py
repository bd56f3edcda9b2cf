"""Adding rows to a pool folder, however many there are.

1. Rows are staged in a hidden folder of the pool; then come the rows the pool has of the same tasks and languages.
2. Of an item the first row stays: new before old, so importing a file twice changes nothing, and of several new ones
   the first; the others are rejected as duplicates.
3. The finished files take their place only then, by a list of moves that the next import ends if this one is killed.
   `pool.json` is taken away first and written last.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout

from glotmix.errors import GlotmixError, UserError
from glotmix.pool.folder import MANIFEST, scan_rows, split_file
from glotmix.pool.intake import REJECTED_SCHEMA, Batch, DataFile, shown_row
from glotmix.pool.keyed import hashes
from glotmix.pool.parquet import RowGroups, scan_parquet, slices
from glotmix.pool.row import ROW_SCHEMA, SPLITS, TASKS
from glotmix.pool.stage import Stage
from glotmix.version import version

REJECTED = "rejected.parquet"
MOVES = "moves.json"  # in the staging folder: once it is there, the import is ended, by whomever
COUNTS_SCHEMA = pl.Schema({"task": pl.String(), "language": pl.String(), "split": pl.String(), "rows": pl.Int64()})


class PoolWriter:
    """Takes batches of sound rows; `finish` makes them part of the pool, of which nothing is touched before.

    Of the new training rows, `validation_rows` per task and language are held out: the items that come first by a keyed
    hash of their ids, so that no seed moves them. An item held out in one language is held out in all of them, those
    that are in the pool already too.
    """

    def __init__(self, out: Path, staging: Path, validation_rows: int = 0) -> None:
        self.out, self.staging, self.validation_rows = out, staging, validation_rows
        self.counts: Counter[tuple[str, str, str]] = Counter()  # new rows per task, language, split
        self.reasons: Counter[str] = Counter()  # rejected records
        self.replaced = 0
        self.moved = 0  # rows that were in the pool to train on and are held out now
        self._files: list[str] = []
        self._cells: set[tuple[str, str]] = set()
        self._stage = Stage(staging / "rows.arrows")
        self.held = HeldOut(validation_rows, _validation_items(out))
        self._rejected = RowGroups(staging / REJECTED)

    def add(self, batch: Batch) -> None:
        """Stages the rows of one batch.

        Raises:
            UserError: a row of an unknown task, language or split.
            GlotmixError: the folder can't be written.
        """
        if batch.file.name not in self._files:
            self._files.append(batch.file.name)
        for task, language, split in batch.rows.select("task", "language", "split").unique().rows():
            split_file(self.out, task, language, split)  # refuses names that could lead out of the pool
            self._cells.add((task, language))
        with _faults(self.out):
            self.held.add(batch.rows)
            file = pl.lit(self._files.index(batch.file.name), pl.Int32)
            self._stage.add(batch.rows.with_columns(file.alias("file"), batch.lines.alias("line")))
            self._reject(batch.rejected)

    def _reject(self, rejected: pl.DataFrame) -> None:
        self.reasons.update(dict(rejected.group_by("reason").len().rows()))
        self._rejected.add(rejected)

    def finish(self, progress: Callable[[int], object] = lambda rows: None) -> None:
        """Makes the rows part of the pool; `progress` is told how many new rows are written.

        Raises:
            UserError: a file of the pool can't be read, or holding out leaves nothing to train on.
            GlotmixError: the folder can't be written.
        """
        with _faults(self.out):
            pool_counts(self.out)  # refuses a pool with a broken file before anything is done to it
            held = self.held.items()
            self._cells |= self._cells_to_hold_out()
            self._stage_old_rows()
            planned = {self.out / REJECTED: self._rejected}
            for task, language in sorted(self._cells):
                planned |= self._settle(task, language, held)
                progress(self.counts.total())
            self._check_held()
            self._keep_old_rejections()
            for file in planned.values():
                file.close()
            self._take_place(planned)

    def _cells_to_hold_out(self) -> set[tuple[str, str]]:
        """Tasks and languages of the pool with training rows of items that are newly held out."""
        found = set()
        for (task,), chosen in self.held.chosen.group_by("task"):
            chosen_items = pl.col("item_id").is_in(chosen["item_id"].implode())
            for path in self.out.glob(f"{task}/*/train.parquet"):
                if scan_rows(path).select(chosen_items.any()).collect().item():
                    found.add((str(task), path.parent.name))
        return found

    def _stage_old_rows(self) -> None:
        for task, language in sorted(self._cells):
            for split in SPLITS:
                path = split_file(self.out, task, language, split)
                for rows in slices(scan_rows(path)) if path.exists() else ():
                    old = {"file": pl.lit(None, pl.Int32), "line": pl.lit(None, pl.Int64)}
                    self._stage.add(rows.with_columns(**old))

    def _settle(self, task: str, language: str, held: pl.DataFrame) -> dict[Path, RowGroups]:
        """Writes the new files of a task and language beside the pool."""
        held_items = held.filter(task=task)["item_id"]
        chosen_items = self.held.chosen.filter(task=task)["item_id"]
        files = {split: RowGroups(self.staging / f"{task}.{language}.{split}.parquet") for split in SPLITS}
        for staged in self._stage.ranges(task, language):
            rows = _in_order(staged)
            first, new = rows["item_id"].is_first_distinct(), rows["file"].is_not_null()
            self.replaced += len(rows.filter(~first & ~new))
            self._reject(self._duplicates(rows.filter(~first & new)))
            of_new = pl.col("item_id").is_in(held_items.implode())
            of_old = pl.col("item_id").is_in(chosen_items.implode())
            held_out = (pl.col("split") == "train") & pl.when(new).then(of_new).otherwise(of_old)
            kept = rows.with_columns(held_out=held_out).filter(first)
            self.moved += len(kept.filter("held_out", pl.col("file").is_null()))
            kept = kept.with_columns(split=pl.when("held_out").then(pl.lit("validation")).otherwise("split"))
            for split_name, file in files.items():
                of_split = kept.filter(split=split_name)
                self.counts[task, language, split_name] += of_split["file"].count()
                file.add(of_split.select(ROW_SCHEMA.names()))
        return {split_file(self.out, task, language, split): file for split, file in files.items()}

    def _duplicates(self, rows: pl.DataFrame) -> pl.DataFrame:
        names = pl.Series(self._files, dtype=pl.String)
        shown = rows.with_columns(names.gather(rows["file"]).alias("file"), reason=pl.lit("duplicate id"))
        return shown.with_columns(raw=pl.lit(None, pl.String)).select("file", "line", "reason", raw=shown_row())

    def _keep_old_rejections(self) -> None:
        """Those of other files than were read now."""
        if (self.out / REJECTED).exists():
            for old in slices(scan_parquet(self.out / REJECTED)):
                self._rejected.add(old.filter(~pl.col("file").is_in(self._files)))

    def _check_held(self) -> None:
        for task, language in self._cells if self.validation_rows else ():
            if not self.counts[task, language, "train"] and self.counts[task, language, "validation"]:
                rows = self.counts[task, language, "validation"]
                raise UserError(
                    f"validation_rows {self.validation_rows}: of {rows} rows ({task}, {language}) "
                    "some must stay for training"
                )

    def _take_place(self, planned: dict[Path, RowGroups]) -> None:
        names = {path: file.path.name if file.rows else None for path, file in planned.items()}
        moves = {str(path.relative_to(self.out)): name for path, name in names.items()}
        written = self.staging / f"{MOVES}.new"
        written.write_text(json.dumps(moves), encoding="utf-8")
        written.replace(self.staging / MOVES)
        _end_import(self.out, self.staging)


def _end_import(out: Path, staging: Path) -> None:
    """Does what `MOVES` lists and removes the folder; stopped anywhere, it can be begun again."""
    (out / MANIFEST).unlink(missing_ok=True)
    for target, name in json.loads((staging / MOVES).read_text(encoding="utf-8")).items():
        path = out / target
        if name is None:
            path.unlink(missing_ok=True)
        elif (staging / name).exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(path)
    manifest = {"name": out.resolve().name, "glotmix": version(), "counts": pool_counts(out).to_dicts()}
    written = staging / MANIFEST
    written.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    written.replace(out / MANIFEST)
    (staging / MOVES).unlink()


def add_to_pool(out: Path, rows: pl.DataFrame) -> int:
    """Adds rows that are in memory, replacing those of the same item. Returns how many rows were replaced.

    Raises:
        UserError: a row of an unknown task, language or split, or a file of the pool that can't be read.
        GlotmixError: the folder can't be written.
    """
    empty = pl.Series(dtype=pl.Int64).extend_constant(None, len(rows))
    with pool_writer(out) as writer:
        memory = DataFile("rows in memory", "", "")
        writer.add(Batch(memory, rows, empty, empty.cast(pl.String), REJECTED_SCHEMA.to_frame()))
        writer.finish()
    return writer.replaced


class HeldOut:
    """What is held out: `chosen`, the items of new training rows that come first by their hash, `count` in each task
    and language, and what the pool holds out in other languages."""

    def __init__(self, count: int, there: pl.DataFrame) -> None:
        self.count = count
        self._there = there
        self.chosen = there.clear()

    def add(self, rows: pl.DataFrame) -> None:
        ids = rows.select("split", *self.chosen.columns)
        self._there = self._there.join(ids, on=self.chosen.columns, how="anti")  # such a row is replaced
        if self.count:
            both = pl.concat([self.chosen, ids.filter(split="train").drop("split")]).unique()
            ordered = both.with_columns(hash=hashes(both["item_id"], "validation")).sort("hash", "item_id")
            self.chosen = ordered.group_by("task", "language").head(self.count).select(self.chosen.columns)

    def items(self) -> pl.DataFrame:
        """Columns task and item_id."""
        return pl.concat([self.chosen, self._there]).select("task", "item_id").unique()


def _validation_items(pool: Path) -> pl.DataFrame:
    """Task, language and item_id of the rows of a pool that are for validation."""
    columns = ["task", "language", "item_id"]
    files = [file for task in TASKS for file in pool.glob(f"{task}/*/validation.parquet")]
    rows = [scan_rows(file).select(columns).collect() for file in files]
    return pl.concat([ROW_SCHEMA.to_frame().select(columns), *rows])


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """By a hash of the item, so that the order of imports leaves no trace; rows of one item stay as they came."""
    key = hashes(rows["item_id"], "pool").alias("hash")
    return rows.with_columns(key).sort("hash", "item_id", maintain_order=True).drop("hash")


def pool_counts(pool: Path) -> pl.DataFrame:
    """Rows per task, language and split."""
    counts = [
        (task, file.parent.name, split, scan_rows(file).select(pl.len()).collect().item())
        for task in TASKS
        for split in SPLITS
        for file in pool.glob(f"{task}/*/{split}.parquet")
    ]
    return pl.DataFrame(counts, schema=COUNTS_SCHEMA, orient="row").sort("task", "language", "split")


@contextmanager
def pool_writer(out: Path, validation_rows: int = 0) -> Iterator[PoolWriter]:
    """A writer with its staging folder in the pool, which is removed at the end, whatever the end.

    Raises:
        UserError: another import into the pool is running.
        GlotmixError: the folder can't be written.
    """
    staging = out / ".import"  # in the pool: nothing can be moved from one disk to another in one step
    new = not out.exists()
    with _faults(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".import.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"{out}: another import into this pool is running; wait for it") from None
    try:
        with _faults(out):
            if (staging / MOVES).exists():  # of an import that was killed
                _end_import(out, staging)
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
        yield PoolWriter(out, staging, validation_rows)
    finally:
        if not (staging / MOVES).exists():
            shutil.rmtree(staging, ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        if new:
            with suppress(OSError):
                out.rmdir()  # nothing was imported into it


@contextmanager
def _faults(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise GlotmixError(f"{out}: can't write the pool ({error}); free space or choose another folder") from error
