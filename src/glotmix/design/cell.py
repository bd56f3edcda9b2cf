"""The cell: one mixture of a design, as it is planned, run and analysed."""

from dataclasses import dataclass, field

from glotmix.design.setting import Counts
from glotmix.spec.designs import Items


@dataclass(frozen=True)
class Cell:
    """One mixture of a design, with the models and training seeds it is run with.

    `name` is unique in the study: design/task/setting, without the parts that do not tell cells apart.
    `baseline` names the cell it is compared with ("": it is a baseline itself); `control_of` names the cells it is a
    control of. `steps` are its own optimizer steps (None: the recipe's). `distinct`: see `MixtureSpec`.
    """

    name: str
    design: str
    models: tuple[str, ...]
    counts: Counts  # task -> language -> rows, no zeros
    anchor: str
    items: Items
    repeat: bool
    distinct: Counts = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    steps: int | None = None
    baseline: str = ""
    control_of: tuple[str, ...] = ()

    def anchor_rows(self, task: str) -> int:
        return self.counts.get(task, {}).get(self.anchor, 0)

    def rows_per_language(self, task: str) -> int:
        """Rows of each training language other than the anchor; the largest if they differ, 0 if there are none."""
        return max((rows for tag, rows in self.counts.get(task, {}).items() if tag != self.anchor), default=0)

    @property
    def train_languages(self) -> tuple[str, ...]:
        """Those with rows, the anchor first if it has any."""
        tags = {tag for by_language in self.counts.values() for tag in by_language}
        return tuple(sorted(tags, key=lambda tag: (tag != self.anchor, tag)))

    @property
    def total_rows(self) -> int:
        return sum(sum(by_language.values()) for by_language in self.counts.values())
