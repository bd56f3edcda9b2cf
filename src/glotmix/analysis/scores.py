"""Scores of one model and task as dense arrays, with test items matched by id across settings and languages.

A test row (one item in one language) is used if every run has a value for it, so that all settings are compared on the
same rows.
Languages may have different items: translations share an item id and stay together, other items stand alone.
A table of means has one "item" in each language, the mean, and what is known of its variance beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmix.analysis.table import ROLES, VERDICTS, checked, codes, words
from glotmix.errors import UserError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Kinds = NDArray[np.int8]


@dataclass(frozen=True)
class Setting:
    """What a results table says of a setting; `baseline` is None in a table without that column."""

    name: str
    rows_per_language: int
    anchor_rows: int | None
    total_rows: int | None
    train_languages: tuple[str, ...]
    baseline: str | None
    control_of: tuple[str, ...]
    optimizer_steps: int | None = None
    train_tasks: tuple[str, ...] = ()  # empty: not told

    @property
    def design(self) -> str:
        """What stands before the last / of its name."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, eq=False)
class Scores:
    """Settings are ordered by design, baseline, rows and name, controls after what they control; languages by role and
    tag."""

    model: str
    parameters: int | None
    task: str
    settings: tuple[Setting, ...]
    languages: tuple[str, ...]
    roles: tuple[str, ...]  # by the study's training languages
    values: tuple[Array, ...]  # per setting: (seeds, languages, items), 0 where not used
    used: Mask  # (languages, items)
    tested: Mapping[str, str]  # every language that some run was evaluated in, with its role
    note: str  # what was left out
    verdicts: tuple[Kinds, ...] = ()  # per setting: (seeds, languages, items), places in VERDICTS, -1 where not told
    sampling: Array | None = None  # of a table of means: (settings, languages), variance of each by the choice of items
    counts: Array | None = None  # of a table of means: (languages,), test items, NaN where nobody told

    def columns(self, role: str) -> list[int]:
        return [index for index, own in enumerate(self.roles) if own == role]

    @cached_property
    def means(self) -> Array:
        """(settings, languages): mean over seeds and items."""
        return np.stack([value.mean(axis=0).sum(axis=1) / self.used.sum(axis=1) for value in self.values])

    @property
    def replicated(self) -> tuple[int, ...]:
        """Settings with more than one seed."""
        return tuple(index for index, value in enumerate(self.values) if len(value) > 1)

    @property
    def items(self) -> Array:
        """(languages,): test items, NaN where a table of means does not tell."""
        return self.used.sum(axis=1).astype(float) if self.counts is None else self.counts

    @property
    def seeds(self) -> tuple[int, ...]:
        """Runs of every setting."""
        return tuple(len(value) for value in self.values)

    def place(self, name: str) -> int | None:
        """The index of a setting, None if the table has no run of it."""
        return next((index for index, setting in enumerate(self.settings) if setting.name == name), None)

    def baseline(self, setting: int) -> int | None:
        """The setting it is compared with: itself for a baseline, None if the table has none for it.

        Raises:
            UserError: the table names no baselines, and several settings have 0 rows per language.
        """
        named = self.settings[setting].baseline
        return self._anchor_only if named is None else self.place(named) if named else setting

    @property
    def _anchor_only(self) -> int | None:
        found = [index for index, setting in enumerate(self.settings) if setting.rows_per_language == 0]
        if len(found) > 1:
            names = ", ".join(self.settings[index].name for index in found)
            raise UserError(
                f"results table: settings {names} all have 0 rows per language; keep the baseline only, "
                "or name each setting's in a column 'baseline'"
            )
        return found[0] if found else None


def read_scores(results: pl.DataFrame) -> Iterator[Scores]:
    """The scores of each model and task of a results table or a table of means, ordered by model and task.

    Raises:
        UserError: see `check_results` and `check_means`; or a setting or language is described in two ways.
    """
    means = "item_id" not in results.columns
    table = checked(results, means)
    table = table.with_columns(item_id=pl.lit("mean")) if means else table
    tested = table.select("model", "task").unique().cast(pl.String).sort("model", "task").rows()
    for model, task in tested:
        part = table.filter(pl.col("model") == model, pl.col("task") == task) if len(tested) > 1 else table
        yield _arrange(model, task, part, means)


def _arrange(model: str, task: str, part: pl.DataFrame, means: bool) -> Scores:
    settings = _settings(part)
    runs = _distinct(part, "setting", "seed")
    rank = pl.col("role").replace_strict({role: place for place, role in enumerate(ROLES)})
    languages = _distinct(part.with_columns(rank=rank), "rank", "language", "role")
    _one_meaning(languages, "language", "role")
    places = _places(part, runs, languages)
    cube = _cube(part["value"], places, np.nan)
    complete: Mask = np.logical_not(np.isnan(cube).any(axis=0))
    kept: Mask = np.any(complete, axis=1)
    used = complete[kept]
    values = np.where(used, cube[:, kept], 0.0)
    cells = [(runs["setting"] == setting.name).to_numpy() for setting in settings]
    kinds = _verdicts(part, places, used, kept)
    kept_languages = languages.filter(pl.Series(kept))
    return Scores(
        model,
        _parameters(part),
        task,
        settings,
        tuple(kept_languages["language"]),
        tuple(kept_languages["role"]),
        tuple(values[of] for of in cells),
        used,
        dict(languages.select("language", "role").iter_rows()),
        _left_out(_distinct(part, "language", "item_id"), complete, languages.filter(~kept)["language"].to_list()),
        verdicts=tuple(kinds[of] for of in cells),
        **(_known_of_means(part, settings, kept_languages) if means else {}),
    )


def _parameters(part: pl.DataFrame) -> int | None:
    told = part["parameters"].drop_nulls().to_list() if "parameters" in part.columns else []
    return told[0] if told else None


def _known_of_means(part: pl.DataFrame, settings: Sequence[Setting], languages: pl.DataFrame) -> dict[str, Array]:
    """`sampling` of a run's mean is its standard error's, or p (1 - p) / n: what shares of right answers have, and at
    most what other scores from 0 to 1 have (Bhatia & Davis 2000). `counts` are the test items of each language.
    """
    stderr, count = (
        pl.col(name) if name in part.columns else pl.lit(None, pl.Float64) for name in ("stderr", "n_items")
    )
    of_counts = pl.col("value") * (1 - pl.col("value")) / count
    known = part.with_columns(variance=pl.coalesce(stderr**2, of_counts), count=count.cast(pl.Float64))
    cells = known.group_by(pl.col("setting", "language").cast(pl.String)).agg(
        pl.col("variance").mean(), pl.col("count").min()
    )
    names = {"setting": [setting.name for setting in settings]}
    order = pl.DataFrame(names).join(languages.select(pl.col("language").cast(pl.String)), how="cross")
    placed = order.join(cells, on=["setting", "language"], how="left", maintain_order="left")
    shape = (len(settings), len(languages))
    variances, counts = (placed[name].cast(pl.Float64).to_numpy().reshape(shape) for name in ("variance", "count"))
    return {"sampling": variances, "counts": counts.min(axis=0)}


def _settings(part: pl.DataFrame) -> tuple[Setting, ...]:
    """A setting means the same in all its runs, whatever the order of its languages."""
    meanings = [name for name in Setting.__dataclass_fields__ if name in part.columns]
    told = part.select("setting", *meanings).unique()
    lists = [name for name in ("train_tasks", "train_languages", "control_of") if name in meanings]
    alike = [(pl.col(name) if told.schema[name] == pl.List else words(name)).list.sort() for name in lists]
    described = told.with_columns(pl.col("^optimizer_steps$").max().over("setting"), *alike).unique()
    for meaning in meanings:
        _one_meaning(described.select("setting", meaning).unique().sort("setting", meaning), "setting", meaning)
    return _ordered([_setting(row) for row in described.iter_rows(named=True)])


def _setting(row: Mapping[str, Any]) -> Setting:
    return Setting(
        name=row["setting"],
        rows_per_language=row["rows_per_language"],
        anchor_rows=row.get("anchor_rows"),
        total_rows=row.get("total_rows"),
        optimizer_steps=row.get("optimizer_steps"),
        train_tasks=tuple(row.get("train_tasks") or ()),
        train_languages=tuple(row.get("train_languages") or ()),
        baseline=row.get("baseline"),
        control_of=tuple(row.get("control_of") or ()),
    )


def _ordered(settings: list[Setting]) -> tuple[Setting, ...]:
    by_name = {setting.name: setting for setting in settings}

    def place(setting: Setting) -> tuple[Any, ...]:
        controlled = [by_name[name] for name in setting.control_of if name in by_name]
        after = min(map(_place, controlled), default=_place(setting))
        return after, bool(controlled), setting.name

    return tuple(sorted(settings, key=place))


def _place(setting: Setting) -> tuple[str, str, int, int, str]:
    baseline = setting.name if setting.baseline == "" else setting.baseline or ""
    return setting.design, baseline, setting.rows_per_language, setting.total_rows or 0, setting.name


def _distinct(part: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return part.select(columns).unique().sort(columns)


def _one_meaning(table: pl.DataFrame, key: str, meaning: str) -> None:
    twice = table.filter(table[key].is_duplicated())
    if len(twice):
        name, meanings = twice[key][0], twice.filter(pl.col(key) == twice[key][0])[meaning].to_list()
        raise UserError(f"results table: {key} {name!r} has several values of {meaning} {meanings}; give it one")


Places = tuple[tuple[int, ...], tuple[Any, ...]]  # the shape (runs, languages, items), and where each record goes


def _places(part: pl.DataFrame, runs: pl.DataFrame, languages: pl.DataFrame) -> Places:
    items = part["item_id"].unique().cast(pl.String).sort()
    placed = part.select("setting", "seed").join(
        runs.with_row_index("r"), on=["setting", "seed"], maintain_order="left"
    )
    where = placed["r"], codes(part["language"], languages["language"]), codes(part["item_id"], items)
    return (len(runs), len(languages), len(items)), tuple(axis.to_numpy() for axis in where)


def _cube(column: pl.Series, places: Places, empty: float) -> Array:
    """(runs, languages, items), `empty` where there is no record, NaN where one has no value."""
    shape, where = places
    cube = np.full(shape, empty)
    cube[where] = column.to_numpy()
    return cube


def _verdicts(part: pl.DataFrame, places: Places, used: Mask, kept: Mask) -> Kinds:
    """(runs, languages, items): all -1 in a table without verdicts."""
    if "verdict" not in part.columns:
        return np.full((places[0][0], *used.shape), np.int8(-1))
    kinds = part["verdict"].replace_strict({name: at for at, name in enumerate(VERDICTS)}, default=-1)
    cube = _cube(kinds.fill_null(-1), places, -1).astype(np.int8)
    return np.where(used, cube[:, kept], np.int8(-1))


def _left_out(test_rows: pl.DataFrame, complete: Mask, lost: list[str]) -> str:
    total = len(test_rows)
    dropped = total - int(complete.sum())
    if not dropped:
        return ""
    whole = f", all of {' '.join(lost)} among them" if lost else ""
    return f"{dropped} of {total} test rows left out, not every run has them{whole}"
