"""Settings as a reader compares them: those of one design that share a baseline are one family."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from glotmix.analysis.scores import Scores, Setting


@dataclass(frozen=True)
class Family:
    """Settings in the order to show them; a control comes after what it controls."""

    design: str
    baseline: str
    settings: tuple[Setting, ...]

    @cached_property
    def mixtures(self) -> tuple[Setting, ...]:
        """All but the controls."""
        return tuple(setting for setting in self.settings if not setting.control_of)

    def at(self, name: str) -> Setting | None:
        return next((setting for setting in self.settings if setting.name == name), None)

    @property
    def curved(self) -> bool:
        """Whether rows per language are all that varies, so that a curve over them has a meaning."""
        rows = [setting.rows_per_language for setting in self.mixtures]
        languages = {setting.train_languages for setting in self.mixtures if setting.rows_per_language}
        return len(rows) > 1 and len(set(rows)) == len(rows) and len(languages) <= 1

    @property
    def furthest(self) -> Setting | None:
        """The setting with the most rows beside the anchor's; None if there is nothing but a baseline."""
        compared = [setting for setting in self.mixtures if setting.name != self.baseline]
        return max(compared, key=lambda own: (own.rows_per_language, own.total_rows or 0), default=None)


def families(tables: Iterable[Scores]) -> list[Family]:
    """Of all models of one task. A baseline that nothing is compared with has no family but its design's rest."""
    by_name: dict[str, Setting] = {}
    baselines: dict[str, str] = {}
    for scores in tables:
        for index, setting in enumerate(scores.settings):
            by_name.setdefault(setting.name, setting)
            found = scores.baseline(index)
            baselines[setting.name] = setting.baseline or "" if found is None else scores.settings[found].name
    used = {baseline for name, baseline in baselines.items() if baseline != name}
    found_families: dict[tuple[str, str], list[Setting]] = {}
    for name, setting in by_name.items():
        baseline = baselines[name] if baselines[name] in used else ""
        found_families.setdefault((setting.design, baseline), []).append(setting)
    return [Family(*key, tuple(settings)) for key, settings in found_families.items()]


def averaged(scores: Scores) -> Iterator[tuple[Family, list[int]]]:
    """Families, and the indices of what one number for all of one is of: its settings, baseline and controls apart."""
    for family in families([scores]):
        names = {setting.name for setting in family.mixtures} - {family.baseline}
        if places := [index for index, setting in enumerate(scores.settings) if setting.name in names]:
            yield family, places


def short(name: str) -> str:
    """A setting's name within its design."""
    return name.rpartition("/")[2]
