"""Mixtures out of a pool. What they share, the first rows of a task and language, is ranked, read and hashed once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from glotmix.errors import UserError
from glotmix.mixture.mixture import Mixture, MixtureSpec
from glotmix.mixture.select import Selector
from glotmix.pool.content import row_hashes
from glotmix.pool.row import Pool

Ranking = tuple[str, str, int]  # split, items, seed
Cell = tuple[Ranking, str, str]  # of a task and language


class TooFewRows(UserError):
    """A mixture asks for more rows of a language than the pool has."""

    def __init__(self, language: str, message: str) -> None:
        super().__init__(message)
        self.language = language


@dataclass(frozen=True)
class Prefix:
    """The first rows of a ranking and their hashes; fewer than were asked for if there are no more."""

    rows: pl.DataFrame
    hashes: pl.Series

    def first(self, rows: int) -> "Prefix":
        return Prefix(self.rows[:rows], self.hashes[:rows])


class MixtureBuilder:
    """Builds mixtures of one pool.

    Args:
        specs: mixtures that will be built; each prefix is then read once, at its longest. Others may be built too.
    """

    def __init__(self, pool: Pool, specs: Iterable[MixtureSpec] = ()) -> None:
        self.pool = pool
        self._selectors: dict[Ranking, Selector] = {}
        self._prefixes: dict[Cell, Prefix] = {}
        self._longest: dict[Cell, int] = defaultdict(int)
        for spec in specs:
            for cell, _, rows in _cells(spec):
                self._longest[cell] = max(self._longest[cell], rows)

    def build(self, spec: MixtureSpec) -> Mixture:
        """The rows of a spec, exactly.

        Raises:
            TooFewRows: more rows than the pool has (unless `repeat`).
            UserError: one row id for several rows.
        """
        parts, distinct = [], 0
        for cell, rows, wanted in _cells(spec):
            prefix = self._prefix(cell, wanted)
            there = min(wanted, len(prefix.rows))
            if there < wanted and not (spec.repeat and there):
                raise _too_few(self.pool.name, spec, *cell[1:], wanted, there)
            distinct += there
            parts += [prefix.first(there)] * (rows // there) + [prefix.first(rows % there)]
        mixture = Mixture(
            spec,
            self.pool.name,
            pl.concat([part.rows for part in parts]),
            pl.concat([part.hashes for part in parts]),
        )
        if mixture.rows["row_id"].n_unique() < distinct:
            raise UserError(f"pool {self.pool.name}: one row_id stands for several rows; import the pool again")
        return mixture

    def _prefix(self, cell: Cell, rows: int) -> Prefix:
        """At least `rows` rows, if there are as many."""
        longest = max(rows, self._longest[cell])
        if cell not in self._prefixes or longest > self._longest[cell]:
            ranking, task, language = cell
            selector = self._selectors.setdefault(ranking, Selector(self.pool, *ranking))
            chosen = selector.first(task, language, longest)
            found = self.pool.take(task, language, selector.split, chosen)
            assert found["item_id"].to_list() == chosen.to_list()
            self._prefixes[cell] = Prefix(found, row_hashes(found))
            self._longest[cell] = longest
        return self._prefixes[cell]


def build_mixture(spec: MixtureSpec, pool: Pool) -> Mixture:
    """The rows of one spec, exactly; for several mixtures of a pool, `MixtureBuilder` does less work."""
    return MixtureBuilder(pool).build(spec)


def _cells(spec: MixtureSpec) -> list[tuple[Cell, int, int]]:
    """Each with its rows, and of how many different ones they are made."""
    ranking = (spec.split, spec.items, spec.seed)
    return [
        ((ranking, task, tag), rows, spec.distinct.get(task, {}).get(tag, rows))
        for task, counts in spec.counts.items()
        for tag, rows in counts.items()
    ]


def _too_few(pool: str, spec: MixtureSpec, task: str, language: str, rows: int, there: int) -> TooFewRows:
    fix = f"ask for at most {there}, or set repeat: true" if there else "leave it out or use another pool"
    has = f"pool {pool} has {there}{' of its own' if spec.items == 'disjoint' else ''}"
    return TooFewRows(language, f"{task} in {language}: {rows} {spec.split} rows asked for, {has}; {fix}")
