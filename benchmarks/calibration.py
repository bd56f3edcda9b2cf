"""How often intervals and conclusions are right, where the truth is known: `python benchmarks/calibration.py`.

1. A scenario is a study as it really is (`glotmix.analysis.simulate`). `--studies` are drawn from it, and all that
   `findings` asks is asked of each. What is true is what it finds in a table that has every expected accuracy exactly.
   Noise, correlations, win rates and R2 are of measured means: true is what other studies give on average (noise: as
   the root of the mean square, with 20 seeds in place of several).
2. Of every finding: how often the 95 % interval covers the truth; how often a study has at least one false finding of
   that name ("higher" or "lower" of a true zero), in one model and task; how often a true difference is found; how
   often "no difference" is said of one that matters (the margin or more); how often there is no interval, with the
   reason told.
3. Beside it, what methods in use today conclude from the same studies.

Resamples are 1,000 instead of 10,000, to save time: limits from them are a little less steady than those of users.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

from glotmix.analysis import noise
from glotmix.analysis.answer import Part
from glotmix.analysis.declared import Declared, concluded
from glotmix.analysis.findings import PARTS
from glotmix.analysis.questions.correlation import of_correlation
from glotmix.analysis.questions.coverage import of_bilingual
from glotmix.analysis.questions.noise_floor import BELOW, of_noise_floor
from glotmix.analysis.questions.pooled import of_regression
from glotmix.analysis.scores import Scores
from glotmix.analysis.simulate import Study, Truth, saturating

ROLES = {
    "en": "anchor",
    **dict.fromkeys(("es", "fr", "ja", "zh"), "seen"),
    **dict.fromkeys(("ar", "pt", "te"), "unseen"),
}
LOW = (0.60, 0.30, 0.35, 0.20, 0.20, 0.25, 0.30, 0.15)
HIGH = (0.62, 0.55, 0.60, 0.45, 0.45, 0.33, 0.42, 0.18)
MARGIN = Declared().margin
_MEASURED = (
    "noise of|noise floor of|correlation|wins|win rate|R2"  # what a table without noise cannot tell the truth of
)
_OTHERS, _SEEDS = 60, 20  # other studies, and seeds of a setting in them, that tell it
_KEY = ("name", "model", "task", "setting", "compared_with", "definition")
Truths = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Scenario:
    """`means`: whatever is drawn is handed over as a table of means over items. `part`: of --studies, where each takes
    long."""

    told: str
    study: Study
    means: bool = False
    part: float = 1.0

    def tables(self, seed: int) -> list[Scores]:
        drawn = self.study.scores(seed)
        return [as_means(scores) for scores in drawn] if self.means else drawn


def levels(*values: float) -> dict[str, float]:
    return {tag: round(value, 3) for tag, value in zip(ROLES, values, strict=True)}


def truth(accuracy: Mapping[int, Mapping[str, float]], seeds: int | Mapping[int, int] = 3, **known: object) -> Truth:
    counts = dict.fromkeys(accuracy, seeds) if isinstance(seeds, int) else seeds
    usual = {"items": 200, "item": 1.5, "item_by_setting": 0.5, "run": 0.1, "run_by_language": 0.05}
    return Truth(accuracy, ROLES, counts, **(usual | known))


def between(share: float) -> dict[str, float]:
    return levels(*(low + share * (high - low) for low, high in zip(LOW, HIGH, strict=True)))


def curve(rows: Sequence[int], scale: float, bumps: Sequence[float] = ()) -> dict[int, dict[str, float]]:
    rise = [saturating(n, 0, 1, scale) for n in rows]
    return {n: between(share + bump) for n, share, bump in zip(rows, rise, bumps or [0] * len(rows), strict=True)}


EQUAL = dict.fromkeys((0, 100, 200, 400), between(0.5))
RISING = {0: between(0), 100: between(0.5), 400: between(1)}
PAIR = {0: between(0), 400: between(1)}
ROWS = (0, 50, 100, 200, 400, 800, 1600)
BORROWED = {0: 4, 100: 1, 200: 1, 400: 1}
COLLAPSED = {0: {"malformed": 0.05}, 400: {"malformed": 0.2, "wrong_language": 0.05}}
LUCKY = {"run": 0.25, "run_by_language": 0.1}
ASSUMED = {"run": 0.073, "run_by_language": 0.073}  # probit: 1.5 points at 40 %


def one(told: str, *truths: Truth, **known: Any) -> Scenario:
    return Scenario(told, Study(truths), **known)


def designs(multi: float, single: float) -> tuple[Truth, ...]:
    """Multi- and single-task settings at equal task rows; the number is how far towards HIGH they come."""
    tasks = {"multi": ("math", "api_calls"), "single": ("math",)}
    return tuple(
        truth({0: between(0), 100: between(best / 2), 400: between(best)}, design=name, train_tasks=tasks[name])
        for name, best in (("multi", multi), ("single", single))
    )


def sizes(trend: float) -> tuple[Truth, ...]:
    """Four models whose gain grows by `trend` of the way per tenfold parameters."""
    return tuple(
        truth({0: between(0), 400: between(0.5 + trend * place)}, model=f"m{place}", parameters=10 ** (7 + place))
        for place in range(4)
    )


def bilingual(gain: float) -> tuple[Truth, ...]:
    """Five models, each trained on the anchor alone and with one language more: nine tenths of the gain of LOW to HIGH
    where the setting trains it, all times `gain`."""

    def added(tag: str) -> dict[str, float]:
        own, other = between(0.9 * gain), between(0.3 * gain)
        return {each: (own if each == tag else other)[each] for each in ROLES}

    return tuple(
        each
        for place in range(5)
        for each in (
            truth({0: between(0)}, 1, model=f"m{place}", parameters=10 ** (7 + place), **ASSUMED),
            *(
                truth(
                    {400: added(tag)}, 1, model=f"m{place}", parameters=10 ** (7 + place), design=f"en+{tag}",
                    baseline="n=0", train_languages=("en", tag), **ASSUMED,
                )
                for tag in ("es", "fr", "ja", "zh")
            ),
        )
    )  # fmt: skip


SCENARIOS = {
    "null": one("four settings of which none differs", truth(EQUAL)),
    "gains": one("gains at 100 and 400 rows", truth(RISING)),
    "1 seed": one("as much luck of runs as is assumed where nobody can measure it", truth(PAIR, 1, **ASSUMED)),
    "1 seed, null": one("the same, where nothing differs", truth(EQUAL, 1, **ASSUMED)),
    "1 seed, more luck": one("three times as much: must fail", truth(EQUAL, 1, run=0.22, run_by_language=0.22)),
    "1 seed, means": one("as much as is assumed, a table of means", truth(EQUAL, 1, **ASSUMED), means=True),
    "2 seeds": one("much seed noise", truth(PAIR, 2, **LUCKY)),
    "3 seeds": one("much seed noise", truth(PAIR, 3, **LUCKY)),
    "5 seeds": one("much seed noise", truth(PAIR, 5, **LUCKY)),
    "borrowed": one("much seed noise, four seeds of the baseline, else one", truth(EQUAL, BORROWED, **LUCKY)),
    "50 items": one("few test items", truth(RISING, items=50)),
    "floor": one("all accuracies 3 %", truth(dict.fromkeys((0, 100, 400), levels(*[0.03] * 8)), items=100)),
    "ceiling": one("all accuracies 97 %", truth(dict.fromkeys((0, 100, 400), levels(*[0.97] * 8)), items=100)),
    "disjoint": one("every language has items of its own", truth(RISING, translated=False)),
    "means": one("a table of means with counts of items", truth(RISING), means=True),
    "means, null": one("the same, where nothing differs", truth(EQUAL), means=True),
    "plateau": one("a curve that is flat from 200 rows on", truth(curve(ROWS, 45), 2, items=500)),
    "still rising": one("a curve that rises to the end", truth(curve(ROWS, 1200), 2, items=500)),
    "oscillation": one("a flat curve with real dents", truth(curve(ROWS, 45, (0, 0, 0.4, -0.4, 0.4, -0.4, 0)), 2)),
    "interference": one("two tasks trained at once: half the gain", *designs(0.5, 1.0)),
    "no interference": one("two tasks trained at once: the same gain", *designs(1.0, 1.0)),
    "format collapse": one(
        "trained models lose a fifth of answers to format, none to ability",
        truth({0: between(0.5), 400: between(0.5)}, unreadable=COLLAPSED),
    ),
    "bilingual": one("anchor with one language more, gains everywhere", *bilingual(1.0), part=0.5),
    "bilingual, null": one("the same, gains nowhere", *bilingual(0.0), part=0.5),
    "sizes": one("gains that grow with model size", *sizes(0.2)),
    "sizes, null": one("gains that do not", *sizes(0.0)),
}  # fmt: skip


def as_means(scores: Scores) -> Scores:
    """What is left of a table when only its means are published."""
    counts = scores.used.sum(axis=1)
    means = tuple(value.sum(axis=2, keepdims=True) / counts[:, None] for value in scores.values)
    sampling = np.stack([(mean * (1 - mean)).mean(axis=(0, 2)) for mean in means]) / counts
    used = np.ones((len(scores.languages), 1), bool)
    return replace(scores, values=means, used=used, verdicts=(), sampling=sampling, counts=counts.astype(float))


def found(tables: Sequence[Scores], parts: Sequence[Part]) -> pl.DataFrame:
    declared = Declared()
    return concluded([each for part in parts for each in part(tables, declared)], declared)


def average(scenario: Scenario) -> Truths:
    """Of what is asked of measured means, the average over other studies."""
    others = range(10**6, 10**6 + _OTHERS)
    plain = [found(scenario.tables(seed), (of_correlation, of_bilingual, of_regression)) for seed in others]
    more = tuple(
        replace(own, seeds={rows: _SEEDS if count > 1 else 1 for rows, count in own.seeds.items()})
        for own in scenario.study.truths
    )
    seeded = replace(scenario, study=Study(more))
    noisy = [found(seeded.tables(seed), (of_noise_floor,)) for seed in others[: _OTHERS // 4]]
    asked = pl.concat([*plain, *noisy]).filter(pl.col("name").str.contains(_MEASURED))
    size = pl.col("estimate")
    root = pl.when(pl.col("name").str.starts_with("noise").first()).then((size**2).mean().sqrt()).otherwise(size.mean())
    rows = asked.group_by(_KEY).agg(root).drop_nulls().iter_rows()
    return {tuple(key): value for *key, value in rows}


@dataclass
class Tally:
    """Of one kind of finding in one scenario."""

    asked: int = 0
    known: int = 0
    covered: int = 0
    families: int = 0
    false: int = 0
    different: int = 0
    seen: int = 0
    matters: int = 0
    dismissed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def judged(found: pl.DataFrame, true: Truths, average: Truths) -> dict[str, Tally]:
    """Of one study's findings, by name."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    wrong: dict[tuple[str, ...], bool] = {}
    for row in found.iter_rows(named=True):
        key = tuple(row[name] for name in _KEY)
        is_true, covers = true.get(key), average.get(key, true.get(key))
        if covers is None:
            continue
        tally, said = tallies[row["name"]], row["conclusion"]
        tally.asked += 1
        if row["low"] is not None and row["high"] is not None:
            tally.known += 1
            tally.covered += row["low"] - 1e-9 <= covers <= row["high"] + 1e-9
        if is_true is None and said and row["unit"] == "correlation":
            is_true = 0.0  # nothing varies but by chance
        if said and is_true is not None:
            difference = is_true - _null(row["unit"])
            sign = "higher" if difference > 1e-3 else "lower" if difference < -1e-3 else "none"
            if sign == "none":
                family = (row["name"], row["model"], row["task"])
                wrong[family] = wrong.get(family, False) or said in ("higher", "lower")
            tally.different += sign != "none"
            tally.seen += said == sign
            tally.matters += abs(difference) >= MARGIN
            tally.dismissed += said == "no difference" and abs(difference) >= MARGIN
    for (name, *_), mistake in wrong.items():
        tallies[name].families += 1
        tallies[name].false += mistake
    return dict(tallies)


def _null(unit: str) -> float:
    return {"factor": 1.0, "share": 0.5}.get(unit, 0.0)


# What is done today: each says how often, of the chances to be wrong, it is.
Naive = Callable[[Sequence[Scores], Sequence[Scores]], tuple[int, int]]  # (mistakes, chances) in one study


def _of_settings(scores: Scores, truth: Scores) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Answers after and before, (seeds, languages, items) of the seen languages, and the true gain, per setting."""
    seen = scores.columns("seen")
    for index in range(len(scores.settings)):
        base = scores.baseline(index)
        if base is not None and base != index:
            gain = (truth.means[index] - truth.means[base])[seen].mean()
            yield scores.values[index][:, seen], scores.values[base][:, seen], float(gain)


def _starred(test: Callable[[np.ndarray, np.ndarray], float]) -> Naive:
    """A star at any setting, where nothing differs."""

    def naive(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
        chances = mistakes = 0
        for scores, true in zip(tables, truths, strict=True):
            stars = [test(*answers) < 0.05 for *answers, gain in _of_settings(scores, true) if abs(gain) < 1e-3]
            chances += bool(stars)
            mistakes += any(stars)
        return mistakes, chances

    return naive


def _cells(after: np.ndarray, before: np.ndarray) -> float:
    """Every answer of every run and language an independent one."""
    return float(stats.ttest_ind(after.ravel(), before.ravel()).pvalue)


def _languages(after: np.ndarray, before: np.ndarray) -> float:
    """Items paired, every translation an independent pair, runs averaged."""
    pairs = (after.mean(axis=0) - before.mean(axis=0)).ravel()
    return float(stats.ttest_1samp(pairs, 0).pvalue) if pairs.std() > 0 else 1.0


def _items(after: np.ndarray, before: np.ndarray) -> float:
    """A right test of the first run's items, alone: neither seeds nor the other settings."""
    pairs = (after[0] - before[0]).mean(axis=0)
    return float(stats.ttest_1samp(pairs, 0).pvalue) if pairs.std() > 0 else 1.0


def _single_runs(after: np.ndarray, before: np.ndarray) -> float:
    """Two runs, compared by eye: more than the margin is a difference."""
    return float(abs(after[0].mean() - before[0].mean()) < MARGIN)


def _not_worse(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
    """ "Not significantly different, so the same", of gains that matter."""
    chances = mistakes = 0
    for scores, true in zip(tables, truths, strict=True):
        for after, before, gain in _of_settings(scores, true):
            chances += abs(gain) >= MARGIN
            mistakes += abs(gain) >= MARGIN and _cells(after[:1, :1], before[:1, :1]) >= 0.05
    return mistakes, chances


def _overlap(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
    """ "The intervals overlap, so they are the same", of gains that matter in single languages."""
    chances = mistakes = 0
    for scores, true in zip(tables, truths, strict=True):
        for after, before, gain in _of_settings(scores, true):
            n = after.shape[2]
            for column in range(after.shape[1]):
                one, two = after[0, column].mean(), before[0, column].mean()
                reach = 1.96 * (np.sqrt(one * (1 - one) / n) + np.sqrt(two * (1 - two) / n))
                chances += abs(gain) >= MARGIN
                mistakes += abs(gain) >= MARGIN and abs(one - two) <= reach
    return mistakes, chances


def _argmax(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
    """The best setting by eye, of means over all seeds, is another than the truly best or its equals."""
    chances = mistakes = 0
    for scores, true in zip(tables, truths, strict=True):
        columns = scores.columns("seen")
        means, really = (each.means[:, columns].mean(axis=1) for each in (scores, true))
        chances += np.ptp(really) > 1e-3
        mistakes += really[means.argmax()] < really.max() - 1e-3
    return mistakes, chances


def _plateau(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
    """The first setting within the margin of the best, by eye, is not where the true curve comes within the margin."""
    chances = mistakes = 0
    for scores, true in zip(tables, truths, strict=True):
        columns = scores.columns("seen")
        eyed, really = (
            int((means >= means.max() - MARGIN).argmax())
            for means in (each.means[:, columns].mean(axis=1) for each in (scores, true))
        )
        chances += len(true.settings) > 4
        mistakes += len(true.settings) > 4 and eyed != really
    return mistakes, chances


def _regression(tables: Sequence[Scores], truths: Sequence[Scores]) -> tuple[int, int]:
    """Least squares on all rows (run x language), rows independent: a slope on log rows where there is none."""
    chances = mistakes = 0
    for scores, true in zip(tables, truths, strict=True):
        if np.ptp(true.means, axis=0).max() > 1e-3:
            continue
        rows = np.log10([1 + setting.rows_per_language for setting in scores.settings])
        runs = [(x, each) for x, value in zip(rows, scores.values, strict=True) for each in value.sum(axis=2)]
        x = np.repeat([x for x, _ in runs], len(scores.languages))
        y = np.concatenate([each / scores.used.sum(axis=1) - scores.means.mean(axis=0) for _, each in runs])
        chances += 1
        mistakes += stats.linregress(x, y).pvalue < 0.05
    return mistakes, chances


NAIVE: dict[str, Naive] = {
    "t test, answers independent: false star": _starred(_cells),
    "t test, translations independent: false star": _starred(_languages),
    "stars per setting, one run, no control of many: false star": _starred(_items),
    "two runs by eye: false difference": _starred(_single_runs),
    "regression of rows: false slope": _regression,
    "'not significant' = same: difference missed": _not_worse,
    "intervals overlap = same: difference missed": _overlap,
    "best setting by eye: wrong": _argmax,
    "plateau by eye: wrong": _plateau,
}

Outcome = tuple[dict[str, Tally], dict[str, tuple[int, int]]]


class Simulation:
    """A scenario with what is true in it."""

    def __init__(self, name: str) -> None:
        self.scenario = SCENARIOS[name]
        self.expected = self.scenario.study.expected()
        facts = found(self.expected, PARTS).filter(pl.col("name") != BELOW)  # whose truth is that of the study's runs
        self.true = {tuple(row[name] for name in _KEY): row["estimate"] for row in facts.iter_rows(named=True)}
        self.average = average(self.scenario)

    def __call__(self, seed: int) -> Outcome:
        drawn = self.scenario.study.scores(seed)
        facts = found(self.scenario.tables(seed), PARTS)
        naive = {name: method(drawn, self.expected) for name, method in NAIVE.items()}
        return judged(facts, self.true, self.average), naive


_held: dict[str, Simulation] = {}  # of a worker process


def _prepare(name: str, draws: int) -> None:
    noise.DRAWS = draws
    _held["only"] = Simulation(name)


def _run(seed: int) -> Outcome:
    return _held["only"](seed)


Tallies = dict[str, Tally]


def simulated(name: str, given: argparse.Namespace, console: Console) -> tuple[Tallies, dict[str, np.ndarray]]:
    tallies: Tallies = defaultdict(Tally)
    naive: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2, int))
    with get_context("fork").Pool(given.workers, _prepare, (name, given.draws)) as pool:
        studies = range(round(SCENARIOS[name].part * given.studies))
        outcomes = pool.imap_unordered(_run, studies, chunksize=5)
        for findings, wrong in track(outcomes, name, len(studies), console=console):
            for kind, tally in findings.items():
                tallies[kind] += tally
            for method, counts in wrong.items():
                naive[method] += counts
    return tallies, naive


def share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="per scenario: 1000 take some 20 minutes")
    parser.add_argument("--scenario", choices=list(SCENARIOS), nargs="*", default=list(SCENARIOS))
    parser.add_argument("--draws", type=int, default=1000, help="resamples of every study")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    console, progress = Console(width=150), Console(stderr=True)
    for name in given.scenario:
        table = Table("finding", "asked", "no interval", "coverage", "false", "power", "wrongly 'no difference'")
        usual = Table("method in use today", "wrong")
        tallies, naive = simulated(name, given, progress)
        for kind, tally in tallies.items():
            table.add_row(
                kind, str(tally.asked), share(tally.asked - tally.known, tally.asked),
                share(tally.covered, tally.known), share(tally.false, tally.families),
                share(tally.seen, tally.different), share(tally.dismissed, tally.matters),
            )  # fmt: skip
        for method, (mistakes, chances) in naive.items():
            if chances:
                usual.add_row(method, share(mistakes, chances))
        scenario = SCENARIOS[name]
        told = f"{name}: {scenario.told} ({round(scenario.part * given.studies)} studies, {given.draws} resamples)"
        console.print(told, table, usual)


if __name__ == "__main__":
    main()
