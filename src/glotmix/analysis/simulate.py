"""Made-up studies whose true accuracies are known, to check that intervals cover them.

An answer is correct with probability Phi(x), where x adds up what the seven contracts call the levels of a study:

1. a constant of the setting and language, chosen so that the expected accuracy is exactly the one asked for;
2. an item's ease, shared by its translations and by all settings and models;
3. what a setting does to an item, shared by its translations;
4. a run's luck, shared by all languages, and its luck in each language.

All are normal, so the expectation of Phi(x) over all of them is Phi(constant / sqrt(1 + sum of their variances)). What
cannot be read, or is in another language, is so by a chance of its own and counts as wrong.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from glotmix.analysis.scores import Array, Kinds, Scores, read_scores
from glotmix.analysis.table import RESULTS_SCHEMA, VERDICTS

_CORRECT, _WRONG = VERDICTS.index("correct"), VERDICTS.index("wrong")
_EXPECTED_ITEMS = 1000


@dataclass(frozen=True)
class Truth:
    """One model, task and design as they really are. Spreads are standard deviations on the probit scale."""

    accuracy: Mapping[int, Mapping[str, float]]  # rows per language -> language -> expected share of readable answers
    roles: Mapping[str, str]  # language -> anchor | seen | unseen
    seeds: Mapping[int, int]  # rows per language -> number of seeds
    items: int = 200
    item: float = 1.0
    item_by_setting: float = 0.0
    run: float = 0.0
    run_by_language: float = 0.0
    translated: bool = True  # False: every language has items of its own
    unreadable: Mapping[int, Mapping[str, float]] = field(default_factory=dict)  # rows -> verdict -> share of answers
    model: str = "simulated"
    parameters: int | None = None
    task: str = "math"
    design: str = ""
    baseline: str = ""  # empty: the design's own setting without rows
    train_tasks: tuple[str, ...] = ()
    train_languages: tuple[str, ...] = ()  # empty: the anchor and all seen languages

    @property
    def spread(self) -> float:
        levels = (1.0, self.item, self.item_by_setting, self.run, self.run_by_language)
        return float(np.sqrt(sum(level**2 for level in levels)))

    def name(self, rows: int) -> str:
        return f"{self.design}/n={rows}" if self.design else f"n={rows}"

    @cached_property
    def items_by_language(self) -> list[list[str]]:
        names = [f"item-{item}" for item in range(self.items)]
        return [names if self.translated else [f"{tag}-{name}" for name in names] for tag in self.roles]


def saturating(rows: int, floor: float, ceiling: float, scale: float) -> float:
    """The accuracy at `rows` rows of a curve that has gone 63 % of its way at `scale`."""
    return float(ceiling - (ceiling - floor) * np.exp(-rows / scale))


def simulate(truth: Truth, seed: int) -> pl.DataFrame:
    """One study drawn from the truth, as a results table."""
    return Study((truth,)).table(seed)


@dataclass(frozen=True)
class Study:
    """Several truths in one table: models, tasks and designs. Those of one task answer the same items."""

    truths: tuple[Truth, ...]

    def table(self, seed: int) -> pl.DataFrame:
        """What `seed` drew, as a results table."""
        return pl.concat(_records(*run) for run in self._drawn(seed))

    def scores(self, seed: int) -> list[Scores]:
        """What `read_scores` makes of `table(seed)`, without the table."""
        return _filled(self._shapes, self._drawn(seed))

    def expected(self) -> list[Scores]:
        """A table in which every share of answers is the expected one: its estimates are the truth."""
        large = Study(tuple(replace(truth, items=_EXPECTED_ITEMS) for truth in self.truths))
        drawn = ((truth, rows, _expected(truth, rows)) for truth in large.truths for rows in truth.accuracy)
        return _filled(large._shapes, drawn)

    @cached_property
    def _shapes(self) -> list[Scores]:
        return list(read_scores(self.table(0)))

    def _drawn(self, seed: int) -> Iterator[tuple[Truth, int, Kinds]]:
        """(seeds, languages, items) of every setting."""
        random = np.random.default_rng(seed)
        eases: dict[str, Array] = {}
        for truth in self.truths:
            shape = (truth.items,) if truth.translated else (len(truth.roles), truth.items)
            if truth.task not in eases:
                eases[truth.task] = random.normal(0, truth.item, shape)
            for rows in truth.accuracy:
                eased = eases[truth.task] + random.normal(0, truth.item_by_setting, shape)
                yield truth, rows, np.stack([_answers(truth, rows, eased, random) for _ in range(truth.seeds[rows])])


def _filled(shapes: Sequence[Scores], drawn: Iterable[tuple[Truth, int, Kinds]]) -> list[Scores]:
    own = {(truth.model, truth.task, truth.name(rows)): (truth, kinds) for truth, rows, kinds in drawn}
    filled = []
    for shape in shapes:
        verdicts = tuple(_arranged(*own[shape.model, shape.task, setting.name], shape) for setting in shape.settings)
        values = tuple((each == _CORRECT).astype(float) for each in verdicts)
        filled.append(replace(shape, verdicts=verdicts, values=values))
    return filled


def _answers(truth: Truth, rows: int, ease: Array, random: np.random.Generator) -> Kinds:
    """(languages, items): the verdicts on what one run answers, as places in VERDICTS."""
    accuracy = np.array([truth.accuracy[rows][tag] for tag in truth.roles])
    constant = ndtri(accuracy) * truth.spread
    luck = random.normal(0, truth.run) + random.normal(0, truth.run_by_language, len(accuracy))
    correct = random.random((len(accuracy), truth.items)) < ndtr((constant + luck)[:, None] + ease)
    kinds = np.where(correct, _CORRECT, _WRONG).astype(np.int8)
    if truth.unreadable.get(rows):
        _spoil(kinds, truth.unreadable[rows], random.random(kinds.shape))
    return kinds


def _expected(truth: Truth, rows: int) -> Kinds:
    """(seeds, languages, items): the first items are right, and every verdict is spread evenly over right and wrong."""
    even = (np.arange(_EXPECTED_ITEMS) + 0.5) / _EXPECTED_ITEMS
    accuracy = np.array([truth.accuracy[rows][tag] for tag in truth.roles])
    kinds = np.where(even < accuracy[:, None], _CORRECT, _WRONG).astype(np.int8)
    golden = np.argsort(np.argsort((np.arange(_EXPECTED_ITEMS) * 0.6180339887) % 1)) + 0.5  # spread as evenly as can be
    _spoil(kinds, truth.unreadable.get(rows, {}), np.broadcast_to(golden / _EXPECTED_ITEMS, kinds.shape))
    return np.stack([kinds] * max(2, truth.seeds[rows]))  # that do not differ: no luck is assumed


def _spoil(kinds: Kinds, shares: Mapping[str, float], chance: Array) -> None:
    start = 0.0
    for verdict, share in shares.items():
        kinds[(start <= chance) & (chance < start + share)] = VERDICTS.index(verdict)
        start += share


def _arranged(truth: Truth, kinds: Kinds, shape: Scores) -> Kinds:
    """(seeds, languages, items) in the order of the table read, -1 where a language lacks an item."""
    order = [list(truth.roles).index(tag) for tag in shape.languages]
    arranged = np.full((len(kinds), *shape.used.shape), np.int8(-1))
    names = np.array(truth.items_by_language)[order]
    sorted_kinds = np.take_along_axis(kinds[:, order], names.argsort(axis=1)[None], axis=2)
    arranged[:, shape.used] = sorted_kinds.reshape(len(kinds), -1)
    return arranged


def _records(truth: Truth, rows: int, kinds: Kinds) -> pl.DataFrame:
    seeds, languages, items = kinds.shape
    tags = list(truth.roles)
    anchor, seen = ([tag for tag in tags if truth.roles[tag] == role] for role in ("anchor", "seen"))
    trained = list(truth.train_languages) or [*anchor, *seen]
    verdicts = pl.Series("verdict", np.array(VERDICTS)[kinds.ravel()], pl.String)
    known = pl.DataFrame(
        {
            "seed": np.repeat(np.arange(seeds), languages * items),
            "language": np.tile(np.repeat(tags, items), seeds),
            "item_id": np.tile(np.concatenate(truth.items_by_language), seeds),
            "verdict": verdicts,
        }
    ).with_columns(
        study=pl.lit("simulated"),
        run=pl.format("simulated/{}/seed={}", pl.lit(truth.name(rows)), "seed"),
        model=pl.lit(truth.model),
        parameters=pl.lit(truth.parameters),
        task=pl.lit(truth.task),
        setting=pl.lit(truth.name(rows)),
        baseline=pl.lit((truth.baseline or truth.name(0)) if rows else ""),
        control_of=pl.lit([], pl.List(pl.String())),
        train_tasks=pl.lit(list(truth.train_tasks) or None, pl.List(pl.String())),
        train_languages=pl.lit(trained if rows else anchor),
        rows_per_language=pl.lit(rows),
        role=pl.col("language").replace_strict(dict(truth.roles)),
        value=(pl.col("verdict") == "correct").cast(pl.Float64),
    )
    unknown = [pl.lit(None).alias(name) for name in RESULTS_SCHEMA if name not in known.columns]
    return known.with_columns(unknown).select(RESULTS_SCHEMA.names()).cast(RESULTS_SCHEMA)
