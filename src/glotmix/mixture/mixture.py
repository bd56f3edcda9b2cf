"""A mixture: an exact, ordered list of rows, with its counts per task and language and the hash of its content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from glotmix.errors import GlotmixError, UserError
from glotmix.language import Language
from glotmix.pool.content import content_hash, hash_of_hashes, row_hashes
from glotmix.pool.parquet import read_parquet
from glotmix.pool.row import ROW_SCHEMA, TASKS, with_every_column
from glotmix.spec import Order, Recipe

ROWS, MANIFEST = "rows.parquet", "manifest.json"


class MixtureSpec(BaseModel):
    """How many rows of each task and language; specs that ask for the same rows are equal.

    `distinct` says of how many different rows a language's count is made, one pass after the other; without it, of as
    many. With `repeat` they may be fewer, if the pool has no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: Mapping[str, Mapping[str, int]]  # task -> language -> rows
    distinct: Mapping[str, Mapping[str, int]] = {}  # task -> language -> different rows
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

    @field_validator("distinct")
    @classmethod
    def _fewer(cls, distinct: Mapping[str, Mapping[str, int]], info: ValidationInfo) -> Mapping[str, Mapping[str, int]]:
        """Sorted, where they are fewer than the rows."""
        counts: Mapping[str, Mapping[str, int]] = info.data.get("counts", {})
        fewer = {
            task: {tag: distinct[task][tag] for tag, rows in by.items() if distinct.get(task, {}).get(tag, rows) < rows}
            for task, by in counts.items()
        }
        if none := [(task, tag) for task, by in fewer.items() for tag, rows in by.items() if rows < 1]:
            raise UserError(f"{' in '.join(none[0])}: no distinct rows to repeat; give 1 or more")
        return {task: by_language for task, by_language in fewer.items() if by_language}


@dataclass(frozen=True, eq=False)
class Mixture:
    """`rows` has the columns of `ROW_SCHEMA`, ordered by task, language and rank; a repeated row stands there again."""

    spec: MixtureSpec
    pool: str
    rows: pl.DataFrame
    row_hashes: pl.Series  # of what each row says, in the order of `rows`

    @property
    def row_ids(self) -> list[str]:
        return self.rows["row_id"].to_list()

    def counts(self) -> pl.DataFrame:
        """Rows per task and language."""
        return self.rows.group_by("task", "language").agg(rows=pl.len().cast(pl.Int64)).sort("task", "language")

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of what the rows say, in order: what a training can see of a mixture."""
        return hash_of_hashes(self.row_hashes)

    def manifest(self, tokens: pl.DataFrame | None = None) -> dict[str, Any]:
        """What the mixture is, as JSON.

        Args:
            tokens: `tokens_by_language` of the rows, to be told as well.
        """
        counts = self.counts() if tokens is None else self.counts().join(tokens, on=["task", "language"])
        return {
            "pool": self.pool,
            "spec": self.spec.model_dump(),
            "rows": len(self.rows),
            "distinct_rows": self.rows["row_id"].n_unique(),
            "counts": counts.sort("task", "language").to_dicts(),
            "ids_hash": content_hash(self.rows, ["row_id"]),
            "content_hash": self.content_hash,
        }

    def export(
        self,
        format: str,
        folder: Path,
        recipe: Recipe,
        model: str,
        seed: int = 0,
        order: Order = Order(),  # noqa: B008, frozen
        anchor: str = "",
        steps: int | None = None,
    ) -> None:
        """Writes a training on the mixture for another trainer to do; see `glotmix.mixture.export`."""
        from glotmix.mixture.export import export

        export(self, format, folder, recipe, model, seed, order, anchor, steps)

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
            rows = with_every_column(read_parquet(folder / ROWS))
            spec = MixtureSpec.model_validate(manifest["spec"])
            mixture = Mixture(spec, manifest["pool"], rows, row_hashes(rows))
            intact = rows.schema == ROW_SCHEMA and mixture.content_hash == manifest["content_hash"]
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            intact = False
        if not intact:
            raise GlotmixError(f"{folder}: not the mixture that was written there; remove the folder and run again")
        return mixture
