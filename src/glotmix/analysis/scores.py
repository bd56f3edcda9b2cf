"""Item scores of one model and task as dense arrays, with test items matched by id across settings and languages.

A test row (one item in one language) is used if every run has it, so that all settings are compared on the same rows.
Languages may have different items: translations share an item id and stay together, other items stand alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmix.analysis.table import ROLES, check_results
from glotmix.errors import UserError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """Settings are ordered by rows per language, languages by role and tag."""

    model: str
    task: str
    settings: tuple[str, ...]
    rows_per_language: tuple[int, ...]
    languages: tuple[str, ...]
    roles: tuple[str, ...]
    values: tuple[Array, ...]  # per setting: (seeds, languages, items), 0 where not used
    used: Mask  # (languages, items)
    tested: frozenset[str]  # roles that some run was evaluated in
    trains: bool  # on rows of other languages than the anchor
    note: str  # what was left out

    def columns(self, role: str) -> list[int]:
        return [index for index, own in enumerate(self.roles) if own == role]

    @cached_property
    def means(self) -> Array:
        """(settings, languages): mean over seeds and items."""
        return np.stack([value.mean(axis=0).sum(axis=1) / self.used.sum(axis=1) for value in self.values])

    @property
    def replicated(self) -> tuple[int, ...]:
        """Settings with more than one seed."""
        return tuple(index for index, value in enumerate(self.values) if len(value) > 1)

    @property
    def anchor_only(self) -> int | None:
        """The setting with no rows of any training language.

        Raises:
            UserError: there are several.
        """
        found = [index for index, rows in enumerate(self.rows_per_language) if rows == 0]
        if len(found) > 1:
            names = ", ".join(self.settings[index] for index in found)
            raise UserError(f"results table: settings {names} all have 0 rows per language; keep the baseline only")
        return found[0] if found else None


def read_scores(results: pl.DataFrame) -> Iterator[Scores]:
    """The scores of each model and task of a results table, ordered by model and task.

    Raises:
        UserError: see `check_results`; or a setting or language is described in two ways.
    """
    for (model, task), part in sorted(check_results(results).group_by("model", "task")):
        yield _arrange(str(model), str(task), part)


def _arrange(model: str, task: str, part: pl.DataFrame) -> Scores:
    runs = _distinct(part, "rows_per_language", "setting", "seed")
    settings = _distinct(part, "rows_per_language", "setting")
    rank = pl.col("role").replace_strict({role: place for place, role in enumerate(ROLES)})
    languages = _distinct(part.with_columns(rank=rank), "rank", "language", "role")
    _one_meaning(settings, "setting", "rows_per_language")
    _one_meaning(languages, "language", "role")
    cube = _cube(part, runs, languages, _distinct(part, "item_id"))
    complete: Mask = np.logical_not(np.isnan(cube).any(axis=0))
    kept: Mask = np.any(complete, axis=1)
    used = complete[kept]
    values = np.where(used, cube[:, kept], 0.0)
    return Scores(
        model,
        task,
        tuple(settings["setting"]),
        tuple(settings["rows_per_language"]),
        tuple(languages["language"].filter(pl.Series(kept))),
        tuple(languages["role"].filter(pl.Series(kept))),
        tuple(values[(runs["setting"] == setting).to_numpy()] for setting in settings["setting"]),
        used,
        frozenset(languages["role"]),
        any(rows > 0 for rows in settings["rows_per_language"]),
        _left_out(cube, complete, languages.filter(~kept)["language"].to_list()),
    )


def _distinct(part: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return part.select(columns).unique().sort(columns)


def _one_meaning(table: pl.DataFrame, key: str, meaning: str) -> None:
    twice = table.filter(table[key].is_duplicated())
    if len(twice):
        name, meanings = twice[key][0], twice.filter(pl.col(key) == twice[key][0])[meaning].to_list()
        raise UserError(f"results table: {key} {name!r} has several values of {meaning} {meanings}; give it one")


def _cube(part: pl.DataFrame, runs: pl.DataFrame, languages: pl.DataFrame, items: pl.DataFrame) -> Array:
    """(runs, languages, items), NaN where there is no record."""
    cube = np.full((len(runs), len(languages), len(items)), np.nan)
    placed = (
        part.join(runs.with_row_index("r"), on=["setting", "seed"])
        .join(languages.with_row_index("l"), on="language")
        .join(items.with_row_index("i"), on="item_id")
    )
    cube[placed["r"].to_numpy(), placed["l"].to_numpy(), placed["i"].to_numpy()] = placed["value"].to_numpy()
    return cube


def _left_out(cube: Array, complete: Mask, lost: list[str]) -> str:
    known = ~np.isnan(cube).all(axis=0)
    dropped, total = int((known & ~complete).sum()), int(known.sum())
    if not dropped:
        return ""
    whole = f", all of {' '.join(lost)} among them" if lost else ""
    return f"{dropped} of {total} test rows left out, not every run has them{whole}"
