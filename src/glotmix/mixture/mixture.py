"""A mixture: an exact, ordered list of rows, with its counts per task and language and the hash of its content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, field_validator

from glotmix.errors import GlotmixError, UserError
from glotmix.language import Language
from glotmix.mixture.select import Selector
from glotmix.pool.parquet import read_parquet
from glotmix.pool.row import ROW_SCHEMA, TASKS, Pool

ROWS, MANIFEST = "rows.parquet", "manifest.json"


class MixtureSpec(BaseModel):
    """How many rows of each task and language; specs that ask for the same rows are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: Mapping[str, Mapping[str, int]]  # task -> language -> rows
    items: Literal["shared", "disjoint"] = "shared"
    seed: int = 0
    repeat: bool = False
    split: Literal["train", "validation", "test"] = "train"

    @field_validator("counts")
    @classmethod
    def _canonical(cls, counts: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
        """Sorted, without zeros."""
        for task, by_language in counts.items():
            if task not in TASKS:
                raise UserError(f"unknown task {task!r}; the tasks are {', '.join(TASKS)}")
            for language, rows in by_language.items():
                Language.get(language)
                if rows < 0:
                    raise UserError(f"{task} in {language}: {rows} rows; give 0 or more")
        kept = {task: {tag: rows for tag, rows in sorted(counts[task].items()) if rows} for task in sorted(counts)}
        if not any(kept.values()):
            raise UserError("the mixture has no rows; ask for at least one")
        return {task: by_language for task, by_language in kept.items() if by_language}


class TooFewRows(UserError):
    """A mixture asks for more rows of a language than the pool has."""

    def __init__(self, language: str, message: str) -> None:
        super().__init__(message)
        self.language = language


@dataclass(frozen=True, eq=False)
class Mixture:
    """`rows` has the columns of `ROW_SCHEMA`, ordered by task, language and rank; a repeated row stands there again."""

    spec: MixtureSpec
    pool: str
    rows: pl.DataFrame

    @property
    def row_ids(self) -> list[str]:
        return self.rows["row_id"].to_list()

    def counts(self) -> pl.DataFrame:
        """Rows per task and language."""
        return self.rows.group_by("task", "language").agg(rows=pl.len().cast(pl.Int64)).sort("task", "language")

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the tasks, ids and messages of the rows in order: what a training can see of a mixture."""
        digest = hashlib.sha256()
        for row in self.rows.select("task", "row_id", "messages").iter_rows():
            digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        return digest.hexdigest()

    def manifest(self) -> dict[str, Any]:
        return {
            "pool": self.pool,
            "spec": self.spec.model_dump(),
            "rows": len(self.rows),
            "distinct_rows": self.rows["row_id"].n_unique(),
            "counts": self.counts().to_dicts(),
            "content_hash": self.content_hash,
        }

    def write(self, folder: Path) -> None:
        """Writes rows and manifest into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.rows.write_parquet(folder / ROWS)
        text = json.dumps(self.manifest(), indent=1, ensure_ascii=False)
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> "Mixture":
        """The mixture `write` left there.

        Raises:
            GlotmixError: its files are missing, or are not what was written.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            rows = read_parquet(folder / ROWS)
            mixture = Mixture(MixtureSpec.model_validate(manifest["spec"]), manifest["pool"], rows)
            intact = rows.schema == ROW_SCHEMA and mixture.content_hash == manifest["content_hash"]
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            intact = False
        if not intact:
            raise GlotmixError(f"{folder}: not the mixture that was written there; remove the folder and run again")
        return mixture


def build_mixture(spec: MixtureSpec, pool: Pool) -> Mixture:
    """The rows of a spec, exactly.

    Raises:
        TooFewRows: more rows than the pool has (unless `repeat`).
        UserError: one row id for several rows.
    """
    selector = Selector(pool, spec.split, spec.items, spec.seed)
    cells = [(task, tag, rows) for task, by_language in spec.counts.items() for tag, rows in by_language.items()]
    rows = pl.concat([_cell_rows(spec, selector, *cell) for cell in cells])
    if rows["row_id"].n_unique() < rows.select("task", "language", "item_id").n_unique():
        raise UserError(f"pool {pool.name}: one row_id stands for several rows; import the pool again")
    return Mixture(spec, pool.name, rows)


def _cell_rows(spec: MixtureSpec, selector: Selector, task: str, language: str, rows: int) -> pl.DataFrame:
    """The first `rows` of the ranking; with `repeat`, the whole ranking over and over and then its first rows."""
    ranking = selector.ranking(task, language)
    chosen = list(islice(ranking, rows))
    if len(chosen) < rows and not (spec.repeat and chosen):
        fix = f"ask for at most {len(chosen)}, or set repeat: true" if chosen else "leave it out or use another pool"
        has = f"pool {selector.pool.name} has {len(chosen)}{' of its own' if spec.items == 'disjoint' else ''}"
        raise TooFewRows(language, f"{task} in {language}: {rows} {spec.split} rows asked for, {has}; {fix}")
    found = selector.pool.take(task, language, spec.split, chosen)
    assert found["item_id"].to_list() == chosen
    return found if len(chosen) == rows else found[[rank % len(chosen) for rank in range(rows)]]
