"""What the runs of a study read, each under the key of its step: mixtures, validation rows, test rows.

1. With the pool, a key is made from the content of the rows; the rows are kept beside it.
2. Without the pool, a key is made from what the spec asks for: enough to count runs and to see which are the same
   training, and never equal to a key made from content.
"""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from glotmix.analysis.selection import SCORE
from glotmix.design import Cell
from glotmix.errors import UserError
from glotmix.mixture import Mixture, MixtureBuilder, MixtureSpec, TooFewRows
from glotmix.pool import Pool
from glotmix.pool.content import content_hash
from glotmix.pool.keyed import ranked
from glotmix.spec import StudySpec, per_task
from glotmix.study.identity import key
from glotmix.task import get_task

# A change of code that changes results adds one here; what was computed before is then computed anew.
MIXTURE_VERSION = ROWS_VERSION = 1


class FromSpec:
    """Inputs while the pool is not there: what the spec asks for."""

    def __init__(self, spec: StudySpec, missing: UserError) -> None:
        self.spec, self.missing, self.pool = spec, missing, Path(spec.pool).name
        self.mixtures: dict[str, Mixture] = {}
        self.rows: dict[str, pl.DataFrame] = {}

    def available(self, task: str, language: str) -> int:
        raise UserError(f"design: an availability design is made from the rows of the pool; {self.missing}")

    def prepare(self, cells: Collection[Cell]) -> None:
        """There is nothing to read."""

    def mixture(self, cell: Cell) -> str:
        wanted = mixture_spec(self.spec, cell).model_dump(exclude={"repeat"})  # that it may repeat changes no row
        return key("mixture", MIXTURE_VERSION, asked=wanted)

    def validation(self, cell: Cell) -> str:
        return ""  # within a study, the mixture says which

    def test(self, task: str, language: str) -> str:
        return ""


class FromPool:
    """Inputs as the pool has them. What two runs read in common is read once.

    Held-out rows are prefixes of a keyed ranking, like training rows. Test items that all evaluated languages share
    come first, so that languages are compared on the same problems as far as the pool allows.
    """

    def __init__(self, spec: StudySpec, source: Pool) -> None:
        self.spec, self.source, self.pool = spec, source, source.name
        self.missing: UserError | None = None
        self.mixtures: dict[str, Mixture] = {}
        self.rows: dict[str, pl.DataFrame] = {}
        self._builder = MixtureBuilder(source)
        self._items = cache(source.item_ids)
        self._ranked = cache(self._rank)
        self._validation = cache(self._take_validation)
        self._test = cache(self._take_test)

    def available(self, task: str, language: str) -> int:
        return len(self._items(task, language, "train"))

    def prepare(self, cells: Collection[Cell]) -> None:
        """Tells what will be asked for.

        Raises:
            UserError: the pool lacks a task, or a language in which it is trained or evaluated.
        """
        self._builder = MixtureBuilder(self.source, [mixture_spec(self.spec, cell) for cell in cells])
        for task in sorted({task for cell in cells for task in cell.counts}):
            train = {tag for cell in cells for tag in cell.counts.get(task, ())}
            anchor = self.spec.languages.anchor
            asked = {"anchor": train & {anchor}, "train": train - {anchor}, "evaluate": self.spec.languages.evaluate}
            self._check_languages(task, asked)

    def _check_languages(self, task: str, asked: Mapping[str, Collection[str]]) -> None:
        known = self.source.languages(task)
        if not known:
            raise UserError(f"tasks: pool {self.pool!r} has no rows of {task}; choose another task or pool")
        for where, tags in asked.items():
            if lacking := sorted(set(tags) - set(known)):
                has = f"pool {self.pool!r} has no {lacking[0]} rows of {task}; it has {', '.join(known)}"
                raise UserError(f"languages.{where}: {has}")

    def mixture(self, cell: Cell) -> str:
        try:
            mixture = self._builder.build(mixture_spec(self.spec, cell))
        except TooFewRows as few:
            raise UserError(f"{_setting(self.spec, cell, few.language)}: {few}") from None
        name = key("mixture", MIXTURE_VERSION, content=mixture.content_hash)
        self.mixtures[name] = mixture
        return name

    def validation(self, cell: Cell) -> str:
        return self._validation(validated(self.spec, cell))

    def _take_validation(self, places: tuple[tuple[str, str], ...]) -> str:
        """Rows that select a checkpoint."""
        setting = "recipe.select.rows_per_language"
        wanted = self.spec.recipe.select.rows_per_language
        parts = [self._held_out((task, tag, "validation"), per_task(wanted, task), setting) for task, tag in places]
        rows = pl.concat(parts)
        if self.spec.recipe.select.metric == SCORE:
            self._check_scorable(rows)
        return self._keep(rows)

    def _check_scorable(self, rows: pl.DataFrame) -> None:
        """No judge is asked during training: every row needs a reference."""
        for task, row_id, reference in rows.select("task", "row_id", "reference").iter_rows():
            try:
                get_task(task).read_reference(reference or "")
            except UserError as error:
                raise UserError(
                    f"recipe.select.metric: task_score can't score validation row {row_id!r} of pool {self.pool!r}:"
                    f" {error}; or select by validation_loss"
                ) from None

    def test(self, task: str, language: str) -> str:
        return self._test(task, language)

    def _take_test(self, task: str, language: str) -> str:
        wanted = per_task(self.spec.evaluation.items_per_language, task)
        rows = self._held_out((task, language, "test"), wanted, "evaluation.items_per_language")
        judged = task == "instructions" and self.spec.evaluation.judge is not None
        for reference in () if judged else rows["reference"].fill_null(""):
            if task == "instructions" and not reference.strip():
                raise UserError(
                    f"evaluation.judge: pool {self.pool!r} has instructions in {language} without a reference, which "
                    "only a judge can score; name one, or import rows with references"
                )
            get_task(task).read_reference(reference)  # refuses one that nothing can be scored against
        return self._keep(rows)

    def _keep(self, frame: pl.DataFrame) -> str:
        name = key("rows", ROWS_VERSION, content=content_hash(frame))
        self.rows[name] = frame
        return name

    def _held_out(self, where: tuple[str, str, str], count: int, setting: str) -> pl.DataFrame:
        """Rows of `count` items."""
        task, language, split = where
        found = len(self._items(*where))
        if found < count:
            other = " or name other languages in recipe.select.languages" if split == "validation" else ""
            raise UserError(
                f"{setting}: {count} asked for, pool {self.pool!r} has {found} {split} rows of {task} in {language}; "
                f"ask for at most {found}{other}"
                if found
                else f"{setting}: pool {self.pool!r} has no {split} rows of {task} in {language}; import some{other}"
            )
        return self.source.take(task, language, split, self._ranked(*where)[:count])

    def _rank(self, task: str, language: str, split: str) -> list[str]:
        """The keyed ranking; of test items those that every evaluated language has come first."""
        order = ranked(self._items(task, language, split), self.spec.data_seed, task, split)
        if split != "test":
            return order
        shared = set.intersection(*(set(self._items(task, tag, "test")) for tag in self.spec.languages.evaluate))
        return sorted(order, key=lambda item: item not in shared)


def mixture_spec(spec: StudySpec, cell: Cell) -> MixtureSpec:
    return MixtureSpec(
        counts=cell.counts, distinct=cell.distinct, items=cell.items, seed=spec.data_seed, repeat=cell.repeat
    )


def validated(spec: StudySpec, cell: Cell) -> tuple[tuple[str, str], ...]:
    """Task and language of the rows that select a checkpoint: those that the mixture has, or the recipe names."""
    named = spec.recipe.select.languages
    return tuple(
        (task, tag)
        for task, counts in sorted(cell.counts.items())
        for tag in sorted(counts if named == "mixture" else named)
    )


def _setting(spec: StudySpec, cell: Cell, language: str) -> str:
    """Where the study file asks for the rows of a language."""
    key = f"designs.{cell.design}" if cell.design else "design"
    field = "anchor_rows" if language == cell.anchor else "rows_per_language"
    design = spec.named_designs[cell.design]
    return f"{key} ({cell.name})" if cell.control_of or not hasattr(design, field) else f"{key}.{field}"
