"""A study to put designs into."""

from collections.abc import Sequence
from typing import Any

from glotmix.design import Cell, cells
from glotmix.spec import StudySpec

STUDY: dict[str, Any] = {
    "name": "s", "models": ["m"], "pool": "lab", "tasks": ["math"],
    "languages": {"anchor": "en", "train": ["zh", "es"], "evaluate": ["en", "es", "pt"]},
    "design": {"kind": "increments", "anchor_rows": 100, "rows_per_language": [0, 10, 40]},
    "recipe": {"epochs": 1, "batch_rows": 10},
}  # fmt: skip


def study(design: dict[str, Any] | None = None, train: Sequence[str] = ("zh", "es"), **changes: Any) -> StudySpec:
    languages = {"languages": {"anchor": "en", "train": list(train), "evaluate": ["en", "es", "pt"]}}
    given = {"design": design or STUDY["design"]} if "designs" not in changes else {"design": None}
    return StudySpec.model_validate(STUDY | languages | given | changes)


def counts(found: Sequence[Cell], task: str = "math") -> dict[str, dict[str, int]]:
    return {cell.name: dict(cell.counts[task]) for cell in found}


def written(design: dict[str, Any], train: Sequence[str] = ("zh", "es"), **changes: Any) -> dict[str, dict[str, int]]:
    """The counts of a design's cells, by name."""
    return counts(cells(study(design, train, **changes)))
