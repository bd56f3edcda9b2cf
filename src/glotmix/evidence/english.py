"""Study 2: what its printed rates, gains and coefficients allow, without the accuracies that it does not print."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.special import ndtri

from glotmix.analysis.interval import LEVEL, POWER, Interval, bounded, wilson
from glotmix.analysis.noise import MANY
from glotmix.evidence.check import FOLLOWS, MARGIN, NOT, UNCLEAR, Claim, Outcome, Recomputed, half_unit
from glotmix.evidence.rules import differs, needs, only, resolves, same
from glotmix.evidence.tables import ENGLISH, printed

MODELS, TASKS = 5, 2
_ROWS_OF = ("math_train_examples", "api_train_examples")
ITEMS = {"API calling": 399, "Math": 250}
_ACCURACIES = "accuracies by run and language"
_NEEDS = {  # claims that only accuracies can show
    "more languages": ("accuracy rises or holds as languages are added, at 1B and above", "4.2, Figs 2 8"),
    "low-resource languages": ("low-resource languages keep gaining while high-resource ones flatten", "4.2, Figs 2 8"),
    "0.6B peak": ("API calling at 0.6B peaks at 4 or 5 languages and then declines", "4.2"),
    "direct above transfer": ("direct exposure gains more than transfer", "4.1, Fig 3"),
    "zero-shot t tests": ("zero-shot is not significantly worse by two-sided t tests", "4.3, Figs 4 9"),
    "gains spread": ("gains spread over pairs of languages, not tied to some", "appendix B, Fig 7"),
    "tuning helps": ("nearly any tuning beats the base model", "appendix B, Fig 7"),
    "clusters": ("the coefficients' intervals hold for other models and items", "table 3"),
    "R2": ("the regression explains 80.5 % out of sample", "table 3"),
}


def claims() -> Iterator[Claim]:
    yield from _design()
    yield from _win_rates()
    yield from _gains()
    yield from _zero_shot()
    yield from _regression()
    for name, (claim, where) in _NEEDS.items():
        yield _claim(name, claim, where, _ACCURACIES, "", partial(needs, ENGLISH, _ACCURACIES))


def _claim(name: str, claim: str, where: str, quantity: str, said: str, rule: Callable[[], Outcome]) -> Claim:
    return Claim(ENGLISH, name, claim, where, quantity, said, rule)


def _exactly(said: str, value: float) -> Callable[[], Outcome]:
    return lambda: same(said, only(Recomputed.exact(value)))


def _rows(name: str) -> list[dict[str, Any]]:
    return printed(ENGLISH, name).to_dicts()


def _design() -> Iterator[Claim]:
    mixtures = _rows("mixtures")
    count = len(mixtures)
    yield _claim("mixtures", "22 mixtures", "3, Fig 1", "mixtures of the reconstruction", "22", _exactly("22", count))
    runs = count * MODELS * TASKS
    yield _claim(
        "runs", "220 fine-tuned models", "Fig 1", "mixtures × 5 models × 2 tasks", "220", _exactly("220", runs)
    )
    evaluated = {row["code"] for row in _rows("languages")}
    yield _claim("languages", "11 languages", "table 1", "languages listed", "11", _exactly("11", len(evaluated)))
    yield _claim(
        "steps",
        "steps that 6 epochs of batches of 512 make",
        "3, derived table",
        "6 × rows / 512 − steps of the table; the largest",
        "0",
        _exactly("0", _off_steps()),
    )
    yield _claim(
        "diversity",
        "the gain of more languages is one of diversity",
        "4.2, table 3",
        "correlation of languages and training rows over the 22 mixtures",
        "",
        _separable,
    )
    small = [size for size in _sizes() if size <= 1]
    yield _claim(
        "small models",
        "only the 0.6B model declines (results); models at or below 1B do (conclusion)",
        "4.2, conclusion",
        "models at or below 1B, where the results name one",
        "1",
        _exactly("1", len(small)),
    )


def _off_steps() -> float:
    off = [6 * row["train_examples"] / 512 - row["steps_6_epochs_approx"] for row in _rows("training_budget")]
    return float(max(off, key=abs))


def _sizes() -> list[float]:
    models = next(row["value"] for row in _rows("hyperparameters") if row["item"] == "Models")
    return [float(size) for size in re.findall(r"([\d.]+)B", models)]


def _separable() -> Outcome:
    mixtures = _rows("mixtures")
    languages = [row["n_languages"] for row in mixtures]
    found = min(np.corrcoef(languages, [row[name] for row in mixtures])[0, 1] for name in _ROWS_OF)
    verdict = UNCLEAR if found > 1 - 1e-9 else FOLLOWS
    told = "rows and updates grow with languages, one for one: no mixture tells them apart"
    return Outcome(f"{found:.3f}", "exact", verdict, told if verdict == UNCLEAR else "they vary apart")


def _cells() -> dict[str, int]:
    """Comparisons of a bilingual run with the English-only one: of every model and task, by what the target is."""
    evaluated = {row["code"] for row in _rows("languages") if row["evaluated"] == "yes"}
    pairs = [set(row["languages"].split()) for row in _rows("mixtures") if row["n_languages"] == 2]
    absent = sum(len(evaluated - pair) for pair in pairs)
    targets = {"EN": len(pairs), "Non-EN direct exposure": len(pairs), "Non-EN cross-lingual transfer": absent}
    return {name: count * MODELS * TASKS for name, count in targets.items()}


def _win_rates() -> Iterator[Claim]:
    for row in _rows("win_rates"):
        setting, cells = row["setting"], _cells()[row["setting"]]
        numbers = [f"{row[name]:.1f}" for name in ("win_rate_pct", "ci95_low", "ci95_high")]
        found = wilson(round(row["win_rate_pct"] / 100 * cells), cells, "cells")
        said = f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"
        yield _claim(
            f"win rate {setting}",
            f"win rate over English-only, {setting}, with its Wilson interval",
            "table 2",
            f"Wilson's interval of the nearest count of {cells} cells (bilinguals × targets × models × tasks)",
            said,
            partial(_same_interval, numbers, found, cells),
        )
        yield _claim(
            f"win rate {setting} above half",
            f"bilingual training wins more often than not, {setting}",
            "table 2",
            f"the same, were the cells of a model and task one: {MODELS * TASKS} in all",
            said,
            partial(_above_half, found),
        )


def _same_interval(numbers: list[str], found: Interval, cells: int) -> Outcome:
    values = [100 * value for value in (found.estimate, found.low, found.high)]
    off = [abs(value - float(number)) for value, number in zip(values, numbers, strict=True)]
    verdict = FOLLOWS if max(off) <= half_unit(numbers[0]) + 1e-9 else NOT
    shown = f"{values[0]:.1f} [{values[1]:.1f}, {values[2]:.1f}]"
    told = f"{round(found.estimate * cells)} of {cells} gives a largest difference of {max(off):.2f}"
    return Outcome(shown, "exact", verdict, told)


def _above_half(found: Interval) -> Outcome:
    """Cells share runs, test items and the English-only run; at worst those of a model and task say one thing."""
    groups = MODELS * TASKS
    share = found.estimate
    clustered = bounded(replace(found, standard_error=float(np.sqrt(share * (1 - share) / groups)), n=groups))
    above = replace(clustered, estimate=share - 0.5, low=clustered.low - 0.5, high=clustered.high - 0.5, basis="")
    return differs(above)


def _gains() -> Iterator[Claim]:
    for row in _rows("bilingual_gain"):
        task, setting, gain, items = row["task"], row["setting"], row["median_gain_points"], row["test_items"]
        digits = 2 if task == "API calling" else 1
        said = f"{gain:.{digits}f}"
        yield _claim(
            f"gain {task} {setting}",
            f"median gain of bilingual training, {task}, {setting}, in points",
            "4.1, Fig 3",
            f"the nearest half of an answer of {items} items",
            said,
            partial(_on_grid, said, round(gain * items / 50) * 50 / items, items),
        )


def _on_grid(said: str, nearest: float, items: int) -> Outcome:
    seen = f"one comparison of two runs sees {_detectable(items):.1f} points in 4 of 5 cases"
    return replace(_exactly(said, nearest)(), uncertainty=f"exact; {seen}")


def _detectable(items: int) -> float:
    """In points, of two independent accuracies near 50 %."""
    quantiles = float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))
    return 100 * quantiles * float(np.sqrt(2 * 0.25 / items))


def _zero_shot() -> Iterator[Claim]:
    for row in _rows("zero_shot_vs_direct"):
        if not row["recovered_count"]:
            continue
        group, levels = row["target_group"].split(" (")[0], row["train_languages"]
        languages = 1 if group == "English" else 2
        cells = 2 * TASKS * languages
        said = f"{row['share_not_worse_pct']:g}"
        yield _claim(
            f"zero-shot {group} {levels}",
            f"share not significantly worse than direct training, {group}, {levels} languages",
            "4.3",
            f"the nearest count of {cells} cells (2 models × 2 tasks × {languages})",
            said,
            _exactly(said, 100 * round(row["share_not_worse_pct"] / 100 * cells) / cells),
        )
    for task, items in ITEMS.items():
        yield _claim(
            f"zero-shot {task} as good",
            f"not significantly worse means as good, {task}",
            "4.3",
            f"smallest difference of two accuracies over {items} items, against the margin",
            "",
            partial(resolves, _detectable(items), 100 * MARGIN, "one comparison"),
        )


def _regression() -> Iterator[Claim]:
    terms = {row["feature"]: row for row in _rows("regression") if row["ci_2.5"] is not None}
    for name, row in terms.items():
        coefficient, low, high = row["coef"], row["ci_2.5"], row["ci_97.5"]
        yield _claim(
            f"coefficient {name}",
            f"coefficient of {name.replace('_', ' ')} with its interval",
            "table 3",
            "middle of the interval − coefficient",
            f"{coefficient:.3f} [{low:.3f}, {high:.3f}]",
            partial(_centred, coefficient, low, high),
        )
    coverage, included = terms["sqrt(L/Lmax)"], terms["eval_language_in_training"]
    reach = 1 - float(np.sqrt(1 / 10))
    yield _claim(
        "coverage",
        "more training languages help beyond including the target",
        "table 3",
        "coefficient of sqrt(L/Lmax) × (1 − sqrt(1/10)): from 1 to 10 languages",
        "",
        lambda: differs(_scaled(coverage, reach)),
    )
    yield _claim(
        "inclusion above coverage",
        "including the target is worth more than going from 1 to 10 languages",
        "table 3",
        "coefficient of inclusion − that of coverage from 1 to 10, as if independent",
        "",
        lambda: differs(_minus(_scaled(included, 1), _scaled(coverage, reach))),
    )


def _centred(coefficient: float, low: float, high: float) -> Outcome:
    off = (low + high) / 2 - coefficient
    rounding = 2 * half_unit("0.000")
    inside = low <= coefficient <= high
    told = (
        "centred" if abs(off) <= rounding + 1e-9 else f"skewed by {abs(off) / (high - low) * 2:.0%} of its half-width"
    )
    verdict = FOLLOWS if inside else NOT
    place = "inside" if inside else "outside"
    return Outcome(
        f"{off:.4f}".replace("-", "−"), f"rounding ±{rounding:.3f}", verdict, f"{place} its interval, {told}"
    )


def _scaled(row: dict[str, Any], by: float) -> Interval:
    coefficient, low, high = (by * row[name] for name in ("coef", "ci_2.5", "ci_97.5"))
    error = (high - low) / (2 * float(ndtri((1 + LEVEL) / 2)))
    return Interval(coefficient, low, high, error, MANY, 0, "", "the printed interval, cells as if independent")


def _minus(one: Interval, other: Interval) -> Interval:
    error = float(np.hypot(one.standard_error, other.standard_error))
    estimate, half = one.estimate - other.estimate, float(ndtri((1 + LEVEL) / 2)) * error
    return replace(one, estimate=estimate, low=estimate - half, high=estimate + half, standard_error=error)
