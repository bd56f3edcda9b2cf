"""A design written out: one cell per mixture, with exact counts and the training seeds it is run with."""

from collections.abc import Mapping
from dataclasses import dataclass

from glotmix.errors import UserError
from glotmix.spec import StudySpec


@dataclass(frozen=True)
class Cell:
    """One mixture of a design. Row counts are per task; `train_languages` are those with rows, the anchor first."""

    name: str
    anchor_rows: int
    rows_per_language: int
    train_languages: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]  # task -> language -> rows
    seeds: tuple[int, ...]


def cells(spec: StudySpec) -> tuple[Cell, ...]:
    """The cells of a study's design, by rising rows per language.

    Raises:
        UserError: the design or the seeds name a cell that can't be.
    """
    _check(spec)
    return tuple(_increment(spec, rows) for rows in spec.design.rows_per_language)


def _increment(spec: StudySpec, rows: int) -> Cell:
    """A fixed count of anchor rows plus `rows` of each training language, in every task."""
    anchor = spec.languages.anchor
    added = tuple(sorted(spec.languages.train)) if rows else ()
    counts = {anchor: spec.design.anchor_rows} | dict.fromkeys(added, rows)
    return Cell(
        name=f"n={rows}",
        anchor_rows=spec.design.anchor_rows,
        rows_per_language=rows,
        train_languages=(anchor, *added),
        counts=dict.fromkeys(sorted(spec.tasks), counts),
        seeds=tuple(sorted({*spec.seeds.everywhere, *spec.seeds.at.get(rows, ())})),
    )


def _check(spec: StudySpec) -> None:
    known = ", ".join(map(str, spec.design.rows_per_language))
    for rows in spec.seeds.at:
        if rows not in spec.design.rows_per_language:
            raise UserError(f"seeds.at: {rows} is not in design.rows_per_language; use one of {known}")
    if not spec.languages.train and set(spec.design.rows_per_language) != {0}:
        raise UserError(
            f"design.rows_per_language: {known} rows, but languages.train is empty; "
            "name training languages, or give [0] to train on the anchor only"
        )
