"""Study 1: its rank correlations of seen and unseen means (table 2). Which points they run over is not stated.

Spearman's coefficient is computed over every natural choice of points, with what the tables' rounding allows. Where a
figure plots the means and the tables give its lines, the plotted means count: they have two digits more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from glotmix.analysis.interval import LEVEL, from_draws
from glotmix.analysis.noise import draws
from glotmix.analysis.scores import Array, Scores, read_scores
from glotmix.evidence.check import FOLLOWS, NOT, UNCLEAR, Claim, Outcome, Recomputed
from glotmix.evidence.figures import READ, plotted_mean
from glotmix.evidence.rules import beyond_noise, differs, exceeds, gives, only, same
from glotmix.evidence.series import SEEN, UNSEEN, Series, mean, series
from glotmix.evidence.tables import GUIDE, ITEMS, printed, table

_QUANTITY = "Spearman's coefficient of mean seen and mean unseen"


def spearman(seen: Array, unseen: Array) -> Array:
    """Over the last axis: Pearson's correlation of ranks, ties at their mean."""
    ranks = [rankdata(values.round(12), axis=-1) for values in (seen, unseen)]
    first, second = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    norm = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.asarray(np.divide((first * second).sum(axis=-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0))


def p_value(rho: float, points: int) -> float:
    """Two-sided, of no correlation, from t with n - 2 degrees (as usual software prints it)."""
    if points < 3:
        return 1.0
    return float(2 * student.sf(abs(rho) * np.sqrt((points - 2) / (1 - rho**2)), points - 2))


Points = Callable[[bool], tuple[Array, Array]]  # seen and unseen values: as printed, or draws of what rounding allows
_DRAWN = 1000


@cache
def readings(model: str, task: str) -> Mapping[str, tuple[Recomputed, int]]:
    """By choice of points: the coefficient, and how many points it has."""
    return {name: _reading(points) for name, points in _choices(model, task).items()}


def _choices(model: str, task: str) -> dict[str, Points]:
    single = series(model, task)
    choices: dict[str, Points] = {"8 settings": _means_of([single])}
    if model == "Aya23-7B":
        mixes = [series(model, task, design) for design in ("latin", "non-latin")]
        choices["with script mixes"] = _means_of([single, *mixes])
    if model != "Llama3.1-8B":
        multi = series(model, task, "multi")
        choices["with multi-task"] = _means_of([single, multi])
        choices["multi-task alone"] = _means_of([multi])
    if model == "Aya23-7B":
        choices["all series"] = _means_of([single, *mixes, multi])
    choices["seen with English"] = _means_of([single], [0, *SEEN])
    choices["every pair of languages"] = _pairs(single)
    return choices


def _means_of(group: list[Series], seen: list[int] = SEEN) -> Points:
    def points(rounded: bool) -> tuple[Array, Array]:
        first, second = (
            np.concatenate([_mean_of(own, columns, rounded) for own in group], axis=-1) for columns in (seen, UNSEEN)
        )
        return first, second

    return points


def _mean_of(own: Series, columns: list[int], rounded: bool) -> Array:
    """(settings,), or (draws, settings): what the tables allow, or a figure where it says more."""
    line = plotted_mean(own, columns)
    if line is None:
        return mean(columns)(_tables(own, rounded))
    random = np.random.default_rng(len(columns))
    read = random.uniform(-READ, READ, (_DRAWN, len(line.values))) if rounded else 0.0
    return np.asarray(line.values + read)


def _tables(own: Series, rounded: bool) -> Array:
    return own.roundings[:_DRAWN] if rounded else own.means


def _pairs(own: Series) -> Points:
    def points(rounded: bool) -> tuple[Array, Array]:
        tables = _tables(own, rounded)
        seen, unseen = np.broadcast_arrays(tables[..., SEEN, None], tables[..., None, UNSEEN])
        flat = (*tables.shape[:-2], -1)
        return seen.reshape(flat), unseen.reshape(flat)

    return points


def _reading(points: Points, of: Callable[[Array, Array], Array] = spearman) -> tuple[Recomputed, int]:
    seen, unseen = points(False)
    rounded = of(*points(True))
    low, high = np.quantile(rounded, [0.025, 0.975])
    likely, possible = (float(low), float(high)), (float(rounded.min()), float(rounded.max()))
    return Recomputed(float(of(seen, unseen)), likely, possible), seen.shape[-1]


def claims() -> Iterator[Claim]:
    table = {(model, task): (rho, p) for model, task, rho, p in printed(GUIDE, "spearman").iter_rows()}
    for (model, task), (rho, p) in table.items():
        yield from _of(model, task, f"{rho:.2f}", p)
    yield Claim(
        GUIDE,
        "R5 one choice",
        "all nine coefficients are over one choice of points",
        "table 2",
        "how many of the nine each choice of points gives, of those it exists for",
        "9",
        _one_choice,
    )
    for task in ITEMS:
        small, large = table["Aya23-7B", task][0], table["Aya23-35B", task][0]
        yield Claim(
            GUIDE,
            f"R5 {task} scale as printed",
            f"{task}: the correlation falls with scale",
            "table 2",
            "printed coefficient, 7B − 35B",
            "above 0",
            partial(exceeds, 0, Recomputed.exact(small - large)),
        )
        yield Claim(
            GUIDE,
            f"R5 {task} scale",
            f"{task}: the correlation falls with scale, beyond noise",
            "table 2",
            f"{_QUANTITY} over the 8 settings, 7B − 35B",
            "",
            partial(_falls, task),
        )


def _of(model: str, task: str, rho: str, p: str) -> Iterator[Claim]:
    found = readings(model, task)
    yield Claim(
        GUIDE,
        f"R5 {task} {model} number",
        f"{model}, {task}: rank correlation of seen and unseen",
        "table 2",
        f"{_QUANTITY}, over {len(found)} choices of points",
        rho,
        partial(_number, model, task, rho),
    )
    yield Claim(
        GUIDE,
        f"R5 {task} {model} p",
        f"{model}, {task}: p of the correlation",
        "table 2",
        "p of the printed coefficient (t, n − 2 degrees) at the points of each choice that gives it, or of any",
        p,
        lambda: _p_as_printed(rho, p, found),
    )
    yield Claim(
        GUIDE,
        f"R5 {task} {model}",
        f"{model}, {task}: unseen languages track seen ones",
        "table 2",
        f"{_QUANTITY} over the 8 settings",
        "",
        lambda: _tracks(model, task),
    )


@cache
def _drawn(model: str, task: str) -> tuple[Array, Array]:
    """The 8 single-task settings: their means, and draws of them (draws, settings, languages)."""
    scores: Scores = next(read_scores(table(GUIDE).filter(model=model, task=task)))
    places = [index for index, setting in enumerate(scores.settings) if setting.design == "single"]
    return scores.means[places], draws(scores)[:, places]


def _rho(means: Array) -> Array:
    return spearman(mean(SEEN)(means), mean(UNSEEN)(means))


def _tracks(model: str, task: str) -> Outcome:
    """Against what luck and items that seen and unseen means share make where settings do not differ."""
    means, drawn = _drawn(model, task)
    return beyond_noise(float(_rho(means)), _rho(drawn - means + means.mean(axis=0)), 2)


def _number(model: str, task: str, rho: str) -> Outcome:
    found = same(rho, {name: number for name, (number, _) in readings(model, task).items()})
    linear, _ = _reading(_means_of([series(model, task)]), _linear)
    if found.verdict == NOT and gives(rho, linear):
        return replace(
            found, reason=f"{found.reason}; the linear coefficient of the 8 settings, {linear.value:.3f}, gives it"
        )
    return found


def _linear(seen: Array, unseen: Array) -> Array:
    first, second = (each - each.mean(axis=-1, keepdims=True) for each in (seen, unseen))
    return np.asarray((first * second).sum(axis=-1) / np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1)))


def _p_as_printed(rho: str, p: str, found: Mapping[str, tuple[Recomputed, int]]) -> Outcome:
    """Over the points of the choices that give the coefficient. Where none does, any may be its points."""
    given = {name: points for name, (number, points) in found.items() if same(rho, only(number)).verdict == FOLLOWS}
    asked = given or {name: points for name, (_, points) in found.items()}
    values = {name: p_value(float(rho), points) for name, points in asked.items()}
    agreeing, one_sided = (
        [name for name, value in values.items() if (value / sides < 1 - LEVEL) == p.startswith("<")] for sides in (1, 2)
    )
    sure = bool(agreeing) if given else len(agreeing) == len(values)
    verdict = FOLLOWS if sure else UNCLEAR if agreeing or one_sided else NOT
    reason = {
        FOLLOWS: f"as printed over {'; '.join(agreeing[:1]) if given else 'all choices of points'}",
        UNCLEAR: f"as printed over {agreeing[0]}, and the points are not known"
        if agreeing
        else f"as printed over {'; '.join(one_sided[:1])} if one-sided; the sides are not stated",
        NOT: f"no choice {'that gives it ' * bool(given)}agrees, one-sided or two-sided",
    }
    shown = "; ".join(f"{name} ({asked[name]} points) {value:.3f}" for name, value in values.items())
    needed = next(points for points in range(3, 10_000) if p_value(float(rho), points) < 1 - LEVEL)
    return Outcome(shown, f"at least {needed} points for p < 0.05", verdict, reason[verdict])


def _one_choice() -> Outcome:
    table = printed(GUIDE, "spearman").select("model", "task", "spearman_rho").rows()
    counts: dict[str, list[bool]] = {}
    for model, task, rho in table:
        for name, (number, _) in readings(model, task).items():
            counts.setdefault(name, []).append(gives(f"{rho:.2f}", number))
    shown = "; ".join(f"{name} {sum(met)} of {len(met)}" for name, met in counts.items())
    whole = [name for name, met in counts.items() if all(met) and len(met) == len(table)]
    reason = f"{whole[0]} gives all" if whole else f"no choice of points gives all {len(table)}"
    return Outcome(shown, "within the rounding of the tables", FOLLOWS if whole else NOT, reason)


def _falls(task: str) -> Outcome:
    (small, drawn_small), (large, drawn_large) = (_drawn(model, task) for model in ("Aya23-7B", "Aya23-35B"))
    drawn = _rho(drawn_small) - _rho(drawn_large)
    return differs(
        from_draws(float(_rho(small) - _rho(large)), drawn, len(small), basis="draws", counted="settings"), 2
    )
