"""A setting: one point of a design before controls and seeds; and what every kind of design is written out from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from glotmix.errors import UserError

Counts = Mapping[str, Mapping[str, int]]  # task -> language -> rows
Available = Callable[[str, str], int]  # task, language -> training rows of the pool


@dataclass(frozen=True)
class Setting:
    """One mixture; `baseline` names the setting it is compared with, "" if it is a baseline itself.

    `distinct`: how many different rows a language has, where its rows come from fewer than its count.
    """

    name: str
    counts: Counts
    baseline: str = ""
    distinct: Counts = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What a design varies over. `key` is where the design stands in the study file; languages and tasks are sorted."""

    key: str
    anchor: str
    train: tuple[str, ...]
    tasks: tuple[str, ...]
    repeat: bool = False
    available: Available | None = None

    def refuse(self, setting: str, message: str) -> UserError:
        """The error for a bad value of one of the design's keys."""
        return UserError(f"{self.key}.{setting}: {message}")

    def some_train(self) -> tuple[str, ...]:
        """The training languages.

        Raises:
            UserError: there are none.
        """
        if not self.train:
            raise UserError(f"{self.key}: languages.train is empty; name training languages")
        return self.train

    def check_tasks(self, setting: str, tasks: Iterable[str]) -> None:
        """Refuses tasks the design does not have."""
        for task in tasks:
            if task not in self.tasks:
                raise self.refuse(setting, f"{task} is not among the tasks {', '.join(self.tasks)}; add or remove it")

    def check_known(self, setting: str, tags: Iterable[str]) -> None:
        """Refuses languages that are neither the anchor nor a training language."""
        for tag in tags:
            if tag != self.anchor and tag not in self.train:
                raise self.refuse(setting, f"{tag!r} is not a training language; add it to languages.train")
