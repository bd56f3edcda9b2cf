"""Controls: what a cell is held against to tell the languages from what comes with them.

1. `same_rows`: the anchor alone, with as many rows as the cell has: was it the languages, or the volume?
2. `same_steps`: the baseline's mixture, trained for as many steps as the cell: was it the languages, or the updates?
3. `fixed_total`: the cell's languages in the cell's proportions, with the baseline's rows in all: what do they add when
   nothing else grows? Every language has the whole rows of its share; what that leaves over goes to the anchor, or,
   where there is no anchor, one row each to the first languages by tag.

Controls of several cells that come out equal are one cell.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from glotmix.design.cell import Cell
from glotmix.design.setting import Scope
from glotmix.spec import Recipe, optimizer_steps


def controls(kinds: Iterable[str], cells: Iterable[Cell], scope: Scope, recipe: Recipe) -> list[Cell]:
    """The control cells of a design, for every cell that has a baseline.

    Raises:
        UserError: no cell has a baseline, or a control would be what is there already.
    """
    by_name = {cell.name: cell for cell in cells}
    pairs = [(cell, by_name[cell.baseline]) for cell in by_name.values() if cell.baseline]
    found: list[Cell] = []
    for kind in kinds:
        if not pairs:
            raise scope.refuse(
                "controls", f"{kind} needs a baseline, and the design has none; add it (n=0, the anchor alone)"
            )
        made = [control for pair in pairs for control in _made(kind, *pair, scope, recipe)]
        if not made:
            raise scope.refuse("controls", f"{kind} is the baseline or the cell itself throughout; remove it")
        found += _merged(made)
    return found


def _made(kind: str, cell: Cell, baseline: Cell, scope: Scope, recipe: Recipe) -> Iterator[Cell]:
    """The control of a cell, unless it would be the cell or its baseline once more."""
    counts, steps = cell.counts, None
    if kind == "same_rows":
        counts = {task: {cell.anchor: sum(by_language.values())} for task, by_language in counts.items()}
    elif kind == "fixed_total":
        counts = _fixed_total(cell, baseline, scope)
    else:
        counts, steps = baseline.counts, optimizer_steps(recipe, cell.total_rows)
        if steps == optimizer_steps(recipe, baseline.total_rows):
            return
    if steps is None and counts in (cell.counts, baseline.counts):
        return
    yield replace(
        cell,
        name=f"{cell.name} {kind.replace('_', ' ')}",
        counts=counts,
        steps=steps,
        control_of=(cell.name,),
    )


def _fixed_total(cell: Cell, baseline: Cell, scope: Scope) -> Mapping[str, Mapping[str, int]]:
    if cell.counts.keys() != baseline.counts.keys():
        raise scope.refuse(
            "controls", f"fixed_total: {cell.name} and its baseline {baseline.name} have not the same tasks; remove it"
        )
    counts = {
        task: scaled(by_language, sum(baseline.counts[task].values()), cell.anchor)
        for task, by_language in cell.counts.items()
    }
    for task, by_language in counts.items():
        if none := [tag for tag, rows in by_language.items() if not rows]:
            total = sum(by_language.values())
            raise scope.refuse(
                "controls", f"fixed_total of {cell.name}: {total} rows of {task} leave none for {none[0]}; remove it"
            )
    return counts


def scaled(counts: Mapping[str, int], total: int, anchor: str) -> dict[str, int]:
    """The same proportions with `total` rows in all.

    >>> scaled({"en": 1000, "es": 400, "fr": 400}, 1000, "en")
    {'en': 556, 'es': 222, 'fr': 222}
    """
    all_rows = sum(counts.values())
    whole = {tag: rows * total // all_rows for tag, rows in counts.items()}
    left = total - sum(whole.values())
    if anchor in whole:
        return whole | {anchor: whole[anchor] + left}
    return whole | {tag: whole[tag] + 1 for tag in sorted(whole)[:left]}


def _merged(made: Iterable[Cell]) -> list[Cell]:
    """Equal controls as one, named after the first cell it is a control of."""
    found: list[Cell] = []
    for control in made:
        nameless = replace(control, name="", control_of=())
        for place, other in enumerate(found):
            if replace(other, name="", control_of=()) == nameless:
                found[place] = replace(other, control_of=(*other.control_of, *control.control_of))
                break
        else:
            found.append(control)
    return found
