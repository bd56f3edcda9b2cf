"""Designs as a study file declares them: one class per kind. `glotmix.design` writes each out as cells.

All counts are rows per task; a count that may differ between tasks takes one number or `{task: number}`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from glotmix.spec.words import (
    Grid,
    Name,
    Names,
    Number,
    PerTask,
    Positive,
    Share,
    SomeTags,
    Spec,
    Tag,
    Tags,
    TaskName,
    Tasks,
    in_order,
    once,
)

Control = Literal["same_rows", "same_steps", "fixed_total"]
Items = Literal["shared", "disjoint"]


class _Design(Spec):
    """What every kind takes; what is left out is the study's."""

    models: Names | None = None
    tasks: Tasks | None = None
    task_mode: Literal["multi", "single"] = "multi"  # one run trains on all tasks, or one run per task
    items: Items | None = None
    repeat: bool | None = None
    controls: Annotated[tuple[Control, ...], AfterValidator(once), AfterValidator(in_order)] = ()


class _OverLanguages(_Design):
    """A kind that takes the study's training languages, or some of them."""

    train: SomeTags | None = None


class Increments(_OverLanguages):
    """A fixed count of anchor rows and, for every n, n rows of each training language."""

    kind: Literal["increments"]
    anchor_rows: PerTask
    rows_per_language: Grid


class Groups(_OverLanguages):
    """Increments within groups of languages: by what they share, or as named."""

    kind: Literal["groups"]
    anchor_rows: PerTask
    rows_per_language: Grid
    by: Literal["script", "family", "resource"] | None = None
    groups: Annotated[dict[Name, SomeTags], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Groups":
        if (self.by is None) == (self.groups is None):
            raise ValueError("give exactly one of by and groups")
        if self.groups is not None and self.train is not None:
            raise ValueError("groups name their languages; remove train")
        return self


class LanguageSet(Spec):
    """Sets of languages taken from the core, each with the same languages added."""

    take: Literal["anchor", "bilingual", "leave_one_out", "all", "growing"]
    plus: Tags = Field(default=(), alias="with")


class Coverage(_Design):
    """Which languages, at equal rows of each: every mixture is a set of languages."""

    kind: Literal["coverage"]
    core: SomeTags
    rows_per_language: PerTask
    sets: Annotated[tuple[LanguageSet, ...], Field(min_length=1), AfterValidator(once)]


class Ratio(_OverLanguages):
    """The anchor's share varied at a fixed total; the other languages have equal parts of the rest."""

    kind: Literal["ratio"]
    total_rows: PerTask
    anchor_share: Annotated[tuple[Share, ...], Field(min_length=1), AfterValidator(once), AfterValidator(in_order)]


class Substitution(_OverLanguages):
    """At a fixed total, for every n, n rows of each training language in place of anchor rows."""

    kind: Literal["substitution"]
    total_rows: PerTask
    rows_per_language: Grid


class Availability(_OverLanguages):
    """A fixed total shared out by the rows each language has: in the pool, or as `available` says."""

    kind: Literal["availability"]
    total_rows: PerTask
    allocate: Annotated[
        tuple[Literal["anchor", "proportional", "unimax"], ...],
        Field(min_length=1),
        AfterValidator(once),
        AfterValidator(in_order),
    ]
    temperature: Annotated[Number, Field(gt=0)] = 1.0  # of proportional: a language's share is rows^(1/temperature)
    max_epochs: Positive = 1  # of unimax: how often a row may come at most
    available: dict[TaskName, dict[Tag, Positive]] | None = None


class Explicit(_Design):
    """Mixtures written out: task, language, rows."""

    kind: Literal["explicit"]
    mixtures: Annotated[dict[Name, dict[TaskName, dict[Tag, Positive]]], Field(min_length=1)]
    baseline: Name | None = None


Design = Annotated[
    Increments | Groups | Coverage | Ratio | Substitution | Availability | Explicit, Field(discriminator="kind")
]
