"""Which training language contributes how much to which target?

For every target l, over the settings s of one design (controls apart), an additive model by least squares:

    a(l, s) = c_l + sum over training languages k of beta_kl x_k(s) + e_l(s)

1. x_k(s) is 1 if s trains on k and 0 if not, where a language has the same rows wherever it is. Where they differ it is
   log10(1 + rows / 100): about nothing for a few rows, and then one for every tenfold. (Of presence, rows, their root
   and logarithms it predicts held-out runs of LITMUS best.)
2. beta_kl is estimable only if x_k is no combination of the others and the constant. Languages that always come
   together share one contribution that nothing can divide; that is a refusal, not a number.
3. Errors: test items and runs are crossed. Each item has its own beta, and their variance over items is the one part.
   The other is a sandwich clustered by setting, HC2 with degrees of freedom by Bell & McCaffrey (2002), less the items'
   chance in it, which the first part has counted (Cameron, Gelbach & Miller 2011). A table of means has the
   sandwich alone.
4. It is no more causal than its design: an additive model of the settings that were run. Each note says how much of the
   variation it explains, and, where items are known, how much more it leaves than their chance: luck of runs, or
   languages that help each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import polars as pl
from scipy.special import stdtrit
from scipy.stats import chi2

from glotmix.analysis.answer import answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import LEVEL, Interval, undefined
from glotmix.analysis.scores import Array, Scores, Setting
from glotmix.errors import UserError

CONTRIBUTION = "contribution of a training language"
_MOST = 100  # findings, beside those of other questions
_TINY = 1e-8


def attribution(
    results: pl.DataFrame, rows: pl.DataFrame | None = None, declared: Declared | None = None
) -> pl.DataFrame:
    """What each training language adds to each target, where the design identifies it.

    Args:
        results: a results table, or a table of means.
        rows: columns setting, language and rows, where a setting has not the same rows of all its languages.

    Raises:
        UserError: `results` is neither, or `rows` lacks a column or a setting.
    """
    return answer([partial(_of_attribution, rows=_checked(rows))], results, declared)


def of_attribution(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """What `attribution` gives where it is not much, else that it is there."""
    return _of_attribution(tables, declared, most=_MOST)


@dataclass(frozen=True, eq=False)
class Design:
    """`x` (settings, training languages): see 1. above."""

    name: str
    settings: list[int]
    languages: tuple[str, ...]
    x: Array
    measure: str

    @cached_property
    def matrix(self) -> Array:
        return np.hstack([np.ones((len(self.settings), 1)), self.x])

    @cached_property
    def solver(self) -> Array:
        """(1 + training languages, settings): what gives the constant and the betas."""
        own: Array = np.linalg.pinv(self.matrix).astype(float)
        return own

    @cached_property
    def rest(self) -> Array:
        """(settings, settings): what gives the residuals."""
        own: Array = np.eye(len(self.settings)) - self.matrix @ self.solver
        return own

    @property
    def degrees(self) -> int:
        return round(float(np.trace(self.rest)))

    def estimable(self, at: int) -> bool:
        unit = np.eye(1 + len(self.languages))[1 + at]
        return np.allclose(self.solver[1 + at] @ self.matrix, unit, atol=_TINY)

    def together(self, at: int) -> tuple[str, ...]:
        """The languages with the same rows as this one at every setting, it too."""
        return tuple(tag for tag, own in zip(self.languages, self.x.T, strict=True) if (own == self.x[:, at]).all())

    def sandwich(self, at: int) -> tuple[Array, float]:
        """By how much each squared residual counts (HC2), and the degrees of freedom of their sum. A setting that the
        fit passes through has no residual, and takes the mean of the others'."""
        weights, left = self.solver[1 + at] ** 2, np.diag(self.rest)
        own = left > _TINY
        each = np.divide(weights, left, out=np.zeros_like(left), where=own)
        each += weights[~own].sum() / self.degrees
        spread = (each[:, None] * self.rest**2 * each).sum()
        return each, float((each @ left) ** 2 / spread)


def designs(scores: Scores, rows: pl.DataFrame | None = None) -> Iterator[Design]:
    """Those with two settings or more that say what they train on; the anchor only where some setting lacks it."""
    by_name: dict[str, list[int]] = {}
    for index, own in enumerate(scores.settings):
        if not own.control_of:
            by_name.setdefault(own.design, []).append(index)
    for name, settings in by_name.items():
        told = {own.name: _rows(own, scores, rows) for own in (scores.settings[index] for index in settings)}
        languages = tuple(sorted({tag for own in told.values() for tag, count in own.items() if count}))
        counts = np.array([[own.get(tag, 0) for tag in languages] for own in told.values()], dtype=float)
        varied = [at for at in range(len(languages)) if np.ptp(counts[:, at]) > 0]
        if varied:
            x, measure = _measured(counts[:, varied])
            yield Design(name, settings, tuple(languages[at] for at in varied), x, measure)


def _rows(setting: Setting, scores: Scores, rows: pl.DataFrame | None) -> dict[str, int]:
    """Rows of every language that a setting trains on; 1 where a table does not tell those of the anchor."""
    if rows is not None:
        own = rows.filter(pl.col("setting") == setting.name)
        if not len(own):
            raise UserError(f"rows: none of setting {setting.name!r}; add one for each language that it trains on")
        return dict(own.select("language", "rows").iter_rows())
    anchors = {tag for tag, role in scores.tested.items() if role == "anchor"}
    anchor_rows = 1 if setting.anchor_rows is None else setting.anchor_rows
    return {tag: anchor_rows if tag in anchors else setting.rows_per_language for tag in setting.train_languages}


def _measured(counts: Array) -> tuple[Array, str]:
    if all(len(np.unique(own[own > 0])) == 1 for own in counts.T):
        return (counts > 0).astype(float), "rows of {k}, against none"
    return np.log10(1 + counts / 100), "tenfold of rows of {k}: x = log10(1 + rows / 100)"


def _of_attribution(
    tables: Sequence[Scores], declared: Declared, rows: pl.DataFrame | None = None, most: int | None = None
) -> Iterator[Finding]:
    yield from _refusals(tables, rows)
    found = [
        (scores, design, [at for at in range(len(design.languages)) if design.estimable(at)])
        for scores in tables
        for design in designs(scores, rows)
    ]
    count = sum(len(asked) * len(scores.languages) for scores, _, asked in found)
    for scores, design, asked in found:
        if asked and not design.degrees:
            many = f"{len(design.settings)} settings for as many terms"
            why = f"{many} leave none to tell an error from; add settings"
            yield _finding(scores, design, _all(design, asked), undefined(why))
        elif asked and most is not None and count > most:
            what = f"{len(asked)} training languages x {len(scores.languages)} targets"
            why = f"{what} are listed by glotmix.analysis.attribution alone"
            yield _finding(scores, design, _all(design, asked), undefined(why))
        elif asked:
            yield from _contributions(scores, design, asked)


def _refusals(tables: Sequence[Scores], rows: pl.DataFrame | None) -> Iterator[Finding]:
    """One for each group of languages that a design does not tell apart, whatever the model and task."""
    groups = {
        (design.name, design.together(at)): None
        for scores in tables
        for design in designs(scores, rows)
        for at in range(len(design.languages))
        if not design.estimable(at)
    }
    for name, group in groups:
        if len(group) > 1:
            named = f"{', '.join(group[:-1])} and {group[-1]}"
            why = f"{named} always come together; a design that adds them apart is needed: groups or coverage"
        else:
            why = f"the rows of {group[0]} follow from those of the other languages; vary them by themselves"
        definition = f"beta of {' '.join(group)}: what it adds to a(l, s)"
        yield Finding(CONTRIBUTION, "", "", name, definition, undefined(why))


def _contributions(scores: Scores, design: Design, asked: Sequence[int]) -> Iterator[Finding]:
    for target, tag in enumerate(scores.languages):
        answers = _answers(scores, design, target)
        note = "; ".join(filter(None, (_fit(scores, design, answers), scores.note)))
        for at in asked:
            language = design.languages[at]
            measure = design.measure.format(k=language)
            definition = (
                f"beta: what {language} adds to a({tag}, s), per {measure}; additive over the training languages"
            )
            found = contribution(design, answers, at, scores.sampling is None)
            yield _finding(scores, design, definition, found, f"{language} to {tag}", note)


def _answers(scores: Scores, design: Design, target: int) -> Array:
    """(settings, items): means over seeds."""
    used = scores.used[target]
    return np.stack([scores.values[index][:, target, used].mean(axis=0) for index in design.settings])


def contribution(design: Design, answers: Array, at: int, items_known: bool) -> Interval:
    """The beta of one training language for one target, from the (settings, items) `answers`."""
    weights, n = design.solver[1 + at], answers.shape[1]
    by_item, residuals = weights @ answers, design.rest @ answers
    each, degrees = design.sandwich(at)
    runs = float(each @ residuals.mean(axis=1) ** 2)
    several = items_known and n > 1
    items = float(by_item.var(ddof=1)) / n if several else 0.0
    chance = float(each @ residuals.var(axis=1, ddof=1)) / n if several else 0.0
    variance = items + max(0.0, runs - chance)
    if variance < _TINY**2:
        return undefined("nothing varies beside the design", len(answers), float(by_item.mean()))
    pooled = variance**2 / (items**2 / max(1, n - 1) + runs**2 / degrees)
    pooled = max(pooled, min(degrees, n - 1) if several else degrees)
    estimate, error = float(by_item.mean()), float(np.sqrt(variance))
    half = float(stdtrit(pooled, (1 + LEVEL) / 2)) * error
    basis = "items and settings" if several else "settings"
    return Interval(estimate, estimate - half, estimate + half, error, pooled, len(answers), "", basis, "settings")


def _fit(scores: Scores, design: Design, answers: Array) -> str:
    """How well the additive model fits one target."""
    residuals, means = design.rest @ answers, answers.mean(axis=1)
    left = float((residuals.mean(axis=1) ** 2).sum())
    total = float(((means - means.mean()) ** 2).sum())
    told = f"the additive fit explains {1 - left / total if total else 0:.0%} of the variance between settings"
    n = answers.shape[1]
    chance = float(residuals.var(axis=1, ddof=1).sum()) / n if scores.sampling is None and n > 1 else 0.0
    if not chance:
        return told
    p = float(chi2.sf(design.degrees * left / chance, design.degrees))
    return f"{told} and leaves {(left / chance) ** 0.5:.1f} times the chance of items (p = {p:.3f})"


def _all(design: Design, asked: Sequence[int]) -> str:
    return f"beta of {' '.join(design.languages[at] for at in asked)}: what each adds to a(l, s)"


def _finding(
    scores: Scores, design: Design, definition: str, found: Interval, pair: str = "", note: str = ""
) -> Finding:
    name = "/".join(filter(None, (design.name, pair)))
    return Finding(CONTRIBUTION, scores.model, scores.task, name, definition, found, note=note)


def _checked(rows: pl.DataFrame | None) -> pl.DataFrame | None:
    for column in ("setting", "language", "rows") if rows is not None else ():
        if rows is not None and column not in rows.columns:
            raise UserError(f"rows: no column {column!r}; it needs setting, language and rows")
    return rows
