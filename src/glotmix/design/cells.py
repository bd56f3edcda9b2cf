"""A study's designs written out: one cell per mixture to be trained on, with its models, seeds and comparisons."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from glotmix.design import availability, coverage, explicit, groups, increments, ratio, substitution
from glotmix.design.cell import Cell
from glotmix.design.controls import controls
from glotmix.design.setting import Available, Scope, Setting
from glotmix.errors import UserError
from glotmix.spec import Design, Seeds, StudySpec
from glotmix.spec.words import check_tasks

_SETTINGS: Mapping[str, Callable[[Any, Scope], Iterator[Setting]]] = {
    "increments": increments.settings,
    "groups": groups.settings,
    "coverage": coverage.settings,
    "ratio": ratio.settings,
    "substitution": substitution.settings,
    "availability": availability.settings,
    "explicit": explicit.settings,
}


def cells(spec: StudySpec, available: Available | None = None) -> tuple[Cell, ...]:
    """The cells of all designs, each design's controls after its other cells.

    Args:
        available: how many training rows the pool has of a task in a language; `availability` designs need it.

    Raises:
        UserError: a design, a control or a seed that can't be.
    """
    found = [
        cell
        for name, design in sorted(spec.named_designs.items())
        for cell in _of_design(spec, name, design, available)
    ]
    assert len({cell.name for cell in found}) == len(found)
    return _with_seeds(found, spec.seeds)


def _of_design(spec: StudySpec, name: str, design: Design, available: Available | None) -> list[Cell]:
    scope = _scope(spec, name, design, available)
    models = _some(design.models, spec.models, f"{scope.key}.models")
    found = []
    for part, setting in _by_task(design, scope):
        prefix = "".join(f"{word}/" for word in (name, part) if word)
        counts = {
            task: {tag: rows for tag, rows in sorted(setting.counts[task].items()) if rows} for task in setting.counts
        }
        cell = Cell(
            name=prefix + setting.name,
            design=name,
            models=models,
            counts=counts,
            anchor=scope.anchor,
            items=design.items or spec.items,
            repeat=scope.repeat,
            distinct=setting.distinct,
            baseline=prefix + setting.baseline if setting.baseline else "",
        )
        found.append(cell)
    return [*found, *controls(design.controls, found, scope, spec.recipe)]


def _scope(spec: StudySpec, name: str, design: Design, available: Available | None) -> Scope:
    """Raises: UserError: the design narrows the study to what is not in it, or lacks a number for one of its tasks."""
    key = f"designs.{name}" if name else "design"
    tasks = sorted(_some(design.tasks, spec.tasks, f"{key}.tasks"))
    train = sorted(_some(getattr(design, "train", None), spec.languages.train, f"{key}.train"))
    for field in ("anchor_rows", "rows_per_language", "total_rows"):
        try:
            check_tasks(f"{key}.{field}", getattr(design, field, None), tasks)
        except ValueError as error:
            raise UserError(str(error)) from None
    repeat = spec.repeat if design.repeat is None else design.repeat
    return Scope(key, spec.languages.anchor, tuple(train), tuple(tasks), repeat, available)


def _some(chosen: tuple[str, ...] | None, known: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Those chosen, in the order the study names them; all if nothing was chosen."""
    for name in chosen or ():
        if name not in known:
            raise UserError(f"{key}: the study has no {name!r}; use some of {', '.join(known)}")
    return tuple(name for name in known if chosen is None or name in chosen)


def _by_task(design: Design, scope: Scope) -> Iterator[tuple[str, Setting]]:
    """The settings of a design; with `single`, each task's own, under the task's name if there are several."""
    settings = list(_SETTINGS[design.kind](design, scope))
    if design.task_mode == "multi":
        yield from (("", setting) for setting in settings)
        return
    for task in scope.tasks:
        own = [replace(setting, counts={task: setting.counts[task]}) for setting in settings if task in setting.counts]
        names = {setting.name for setting in own}
        for setting in own:
            baseline = setting.baseline if setting.baseline in names else ""
            yield task if len(scope.tasks) > 1 else "", replace(setting, baseline=baseline)


def _with_seeds(cells: list[Cell], seeds: Seeds) -> tuple[Cell, ...]:
    """Each cell with its own seeds; a control also has those of the cells it is a control of."""
    at: dict[str, set[int]] = {cell.name: set(seeds.everywhere) for cell in cells}
    for key, more in seeds.at.items():
        chosen = [cell for cell in cells if _is_at(cell, key)]
        if not chosen:
            raise _no_cell(key, cells)
        for cell in chosen:
            at[cell.name].update(more)
    for cell in cells:
        at[cell.name].update(*(at[name] for name in cell.control_of))
    return tuple(replace(cell, seeds=tuple(sorted(at[cell.name]))) for cell in cells)


def _is_at(cell: Cell, key: int | str) -> bool:
    if isinstance(key, str):
        return fnmatchcase(cell.name, key)
    return not cell.control_of and _rows_per_language(cell) == key


def _rows_per_language(cell: Cell) -> int:
    return max(map(cell.rows_per_language, cell.counts))


def _no_cell(key: int | str, cells: Iterable[Cell]) -> UserError:
    if isinstance(key, str):
        near = difflib.get_close_matches(key, [cell.name for cell in cells], n=1, cutoff=0)
        return UserError(f"seeds.at: no cell has a name like {key!r}; one that is there: {near[0]!r}")
    known = sorted({_rows_per_language(cell) for cell in cells if not cell.control_of})
    return UserError(f"seeds.at: no cell has {key} rows per language; use one of {', '.join(map(str, known))}")
