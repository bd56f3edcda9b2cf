"""Availability: a fixed total shared out by the rows each language really has, the anchor included.

1. `anchor`: all of it to the anchor, the baseline of the others.
2. `proportional`: a language's share is (its rows)^(1/temperature); at temperature 1 what sampling from all rows gives,
   above 1 small languages have more. Counts are whole by largest remainder, ties by tag.
3. `unimax`: as uniform as possible, no language more than `max_epochs` times its rows (Chung et al. 2023, UniMax,
   algorithm 1, in whole rows).

A language that gets more rows than it has repeats those, also if the pool has others.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Availability
from glotmix.spec.words import per_task


def settings(design: Availability, scope: Scope) -> Iterator[Setting]:
    scope.some_train()
    scope.check_tasks("available", design.available or ())
    limits = {task: _limits(design, scope, task) for task in scope.tasks}
    for allocate in design.allocate:
        counts = {task: _allocated(design, allocate, limits[task], scope, task) for task in scope.tasks}
        yield Setting(
            name=allocate,
            counts=counts,
            baseline="anchor" if allocate != "anchor" and "anchor" in design.allocate else "",
            distinct=limits,
        )


def _limits(design: Availability, scope: Scope, task: str) -> dict[str, int]:
    """Rows that each language has."""
    languages = (scope.anchor, *scope.train)
    if design.available is not None:
        limits = {str(task): rows for task, rows in design.available.items()}.get(task, {})
        scope.check_known(f"available.{task}", limits)
    elif scope.available is not None:
        limits = {tag: scope.available(task, tag) for tag in languages}
    else:
        raise scope.refuse("available", "there is no pool to ask; give {task: {language: rows}}")
    for tag in languages:
        if not limits.get(tag):
            raise scope.refuse("available", f"{tag} has no rows of {task}; give some, or leave {tag} out of train")
    return {tag: limits[tag] for tag in languages}


def _allocated(
    design: Availability, allocate: str, limits: Mapping[str, int], scope: Scope, task: str
) -> Mapping[str, int]:
    total = per_task(design.total_rows, task)
    if allocate == "unimax":
        if total > (most := design.max_epochs * sum(limits.values())):
            raise scope.refuse(
                "total_rows",
                f"{total} of {task}, but the languages have {most} in {design.max_epochs} epochs; lower it",
            )
        counts = unimax(limits, total, design.max_epochs)
    else:
        counts = {scope.anchor: total} if allocate == "anchor" else proportional(limits, total, design.temperature)
        if not scope.repeat and (over := sorted(tag for tag in counts if counts[tag] > limits[tag])):
            asked = f"{allocate} asks for {counts[over[0]]} rows of {task} in {over[0]}, which has {limits[over[0]]}"
            raise scope.refuse("total_rows", f"{asked}; lower it, or set repeat: true")
    if none := sorted(tag for tag, rows in counts.items() if not rows):
        raise scope.refuse("total_rows", f"{total} of {task} are too few: {allocate} leaves {none[0]} none; raise it")
    return counts


def unimax(limits: Mapping[str, int], total: int, max_epochs: int) -> dict[str, int]:
    """Whole rows per language, `total` in all: as uniform as possible under `max_epochs * limits`.

    From the smallest language up, each takes an equal part of what is left, or all that it may; so rows that do not
    divide go to the larger languages.

    >>> unimax({"en": 100, "sw": 5, "th": 30}, total=60, max_epochs=2)
    {'sw': 10, 'th': 25, 'en': 25}
    """
    assert total <= max_epochs * sum(limits.values())
    counts, left = {}, total
    smallest_first = sorted(limits, key=lambda tag: (limits[tag], tag))
    for place, tag in enumerate(smallest_first):
        counts[tag] = min(max_epochs * limits[tag], left // (len(smallest_first) - place))
        left -= counts[tag]
    return counts


def proportional(limits: Mapping[str, int], total: int, temperature: float = 1.0) -> dict[str, int]:
    """Whole rows per language, `total` in all, in proportion to `limits ** (1 / temperature)`.

    >>> proportional({"en": 100, "sw": 1}, total=22, temperature=2.0)
    {'en': 20, 'sw': 2}
    """
    largest = max(limits.values())  # relative to it no power is too large for a float
    shares = {tag: Fraction(rows, largest) for tag, rows in limits.items()}
    weights = {
        tag: share if temperature == 1 else Fraction(float(share) ** (1 / temperature)) for tag, share in shares.items()
    }
    exact = {tag: weight * total / sum(weights.values()) for tag, weight in weights.items()}
    counts = {tag: int(rows) for tag, rows in exact.items()}
    largest_first = sorted(exact, key=lambda tag: (counts[tag] - exact[tag], tag))
    for tag in largest_first[: total - sum(counts.values())]:
        counts[tag] += 1
    return counts
