"""What a study found, per model, task and setting, in score units (0 to 1) with 95 % intervals.

1. Every setting is compared with its own baseline, and with its controls, on the test items that all runs have.
2. Seen languages are the setting's own; a setting trained on the anchor alone is measured on the study's.
3. An interval that includes zero is no evidence of "no difference": the note gives what could have been seen.
4. Each interval stands for its own finding: of twenty true zeros, one is expected to lie outside its interval.
"""

import numpy as np
import polars as pl

from glotmix.analysis.interval import Interval, bounded, interval
from glotmix.analysis.quantities import (
    ANCHOR_BEYOND,
    ANCHOR_GAIN,
    GAIN_DIFFERENCE,
    GAP,
    GAP_CLOSED,
    RELATIVE,
    SEEN_BEYOND,
    SEEN_GAIN,
    UNSEEN_BEYOND,
    UNSEEN_GAIN,
    Quantity,
    measure,
    quantities,
)
from glotmix.analysis.scores import Scores, read_scores
from glotmix.analysis.table import ACCURACY_SCHEMA, FINDINGS_SCHEMA
from glotmix.errors import UserError


def findings(results: pl.DataFrame, anchor: str | None = None) -> pl.DataFrame:
    """All findings (`FINDINGS_SCHEMA`) by model, task and setting. `anchor`, if given, must be the table's.

    Raises:
        UserError: the table is not a results table (see `check_results`), or its anchor is another language.
    """
    return _findings(results, anchor)


def transfer(results: pl.DataFrame, anchor: str | None = None) -> pl.DataFrame:
    """Gains over the baseline and beyond volume: seen, unseen, anchor; and seen minus unseen."""
    gains = (SEEN_GAIN, UNSEEN_GAIN, ANCHOR_GAIN, GAIN_DIFFERENCE)
    return _findings(results, anchor, (*gains, SEEN_BEYOND, UNSEEN_BEYOND, ANCHOR_BEYOND))


def gap(results: pl.DataFrame, anchor: str | None = None) -> pl.DataFrame:
    """The gap between seen and unseen languages at each setting, and its change since the baseline."""
    return _findings(results, anchor, (GAIN_DIFFERENCE, GAP))


def relative(results: pl.DataFrame, anchor: str | None = None) -> pl.DataFrame:
    """Performance relative to the anchor at each setting, and the part of the gap to the anchor that was closed."""
    return _findings(results, anchor, (RELATIVE, GAP_CLOSED))


def accuracy_by_language(results: pl.DataFrame) -> pl.DataFrame:
    """Mean score per model, task, setting and language (`ACCURACY_SCHEMA`), with Wilson intervals over items and seeds.

    Where no setting of the model and task has a second seed, they cover the choice of test items only.
    """
    rows = [
        (scores.model, scores.task, setting.name, setting.rows_per_language, *_cell(scores, index, column))
        for scores in read_scores(results)
        for index, setting in enumerate(scores.settings)
        for column in range(len(scores.languages))
    ]
    return pl.DataFrame(rows, ACCURACY_SCHEMA, orient="row")


def _cell(scores: Scores, setting: int, column: int) -> tuple[str | int | float | None, ...]:
    found = bounded(interval(scores, [setting], lambda means: float(means[0, column])))
    seeds = len(scores.values[setting])
    return scores.languages[column], scores.roles[column], *_numbers(found), found.n, seeds


def _findings(results: pl.DataFrame, anchor: str | None, names: tuple[str, ...] | None = None) -> pl.DataFrame:
    rows = []
    for scores in read_scores(results):
        _check_anchor(scores, anchor)
        asked = [quantity for setting in range(len(scores.settings)) for quantity in quantities(scores, setting)]
        for quantity in asked:
            if names is None or quantity.name in names:
                found = measure(scores, quantity)
                where = (quantity.name, scores.model, scores.task, scores.settings[quantity.setting].name)
                told = (quantity.other.name if quantity.other else "", quantity.definition)
                rows.append((*where, *told, *_numbers(found), found.n, _note(scores, quantity, found)))
    return pl.DataFrame(rows, FINDINGS_SCHEMA, orient="row")


def _check_anchor(scores: Scores, anchor: str | None) -> None:
    tags = [scores.languages[column] for column in scores.columns("anchor")]
    if len(tags) > 1 or (anchor and tags and tags != [anchor]):
        fix = f"give it to {anchor!r} only" if anchor else "give it to one language"
        raise UserError(f"results table: role 'anchor' is given to {' and '.join(tags)}; {fix}")


def _numbers(found: Interval) -> tuple[float | None, float | None, float | None]:
    estimate, low, high = (float(x) if np.isfinite(x) else None for x in (found.estimate, found.low, found.high))
    return estimate, low, high


def _note(scores: Scores, quantity: Quantity, found: Interval) -> str:
    parts = [found.note, scores.note]
    if found.low <= 0 <= found.high and (quantity.other or not quantity.level.ratio):
        seen = f"{found.detectable:.3f} is the smallest difference seen in 4 of 5 studies like it"
        parts.insert(0, f"cannot tell at this size: {seen}")
    return "; ".join(filter(None, parts))
