"""What a study found, per model, task and setting, with 95 % intervals and what can be concluded.

1. Every setting is compared with its own baseline, and with its controls, on the test items that all runs have.
2. Seen languages are the setting's own; a setting trained on the anchor alone is measured on the study's.
3. A table of means, from elsewhere, gives the same findings, with intervals from its counts of items and its seeds.
4. An interval that includes zero is no evidence of "no difference": the note gives what could have been seen.
5. Beside its settings a study has averages over the settings of a design, peaks and fits. Each n, target or comparison
   of a question by itself is what its own function gives (`compare`, `scale`, `coverage`, ...).
6. What is concluded holds for all settings of a finding together (`declared.py`); each interval stands for its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from glotmix.analysis.answer import Part, answer
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import bounded, interval
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
    measure,
    quantities,
)
from glotmix.analysis.questions.attribution import of_attribution
from glotmix.analysis.questions.contrasts import of_groups
from glotmix.analysis.questions.correlation import of_correlation
from glotmix.analysis.questions.coverage import of_bilingual
from glotmix.analysis.questions.diversity import of_diversity
from glotmix.analysis.questions.efficiency import of_efficiency
from glotmix.analysis.questions.interference import of_interference
from glotmix.analysis.questions.noise_floor import of_noise_floor
from glotmix.analysis.questions.oscillation import of_oscillations
from glotmix.analysis.questions.peak import of_peaks
from glotmix.analysis.questions.plateau import of_plateaus
from glotmix.analysis.questions.pooled import of_regression
from glotmix.analysis.questions.saturation import of_saturations
from glotmix.analysis.questions.scale import of_sizes
from glotmix.analysis.questions.verdicts import of_verdicts
from glotmix.analysis.questions.zero_shot import of_zero_shot
from glotmix.analysis.scores import Scores, read_scores
from glotmix.analysis.table import ACCURACY_SCHEMA

_RATIOS = (RELATIVE, GAP_CLOSED)


def findings(results: pl.DataFrame, anchor: str | None = None, declared: Declared | None = None) -> pl.DataFrame:
    """All findings (`FINDINGS_SCHEMA`). `anchor`, if given, must be the table's.

    Args:
        results: a results table, or a table of means (no column `item_id`).
        declared: what was fixed beforehand; see `Declared` for what holds otherwise.

    Raises:
        UserError: the table is neither (see `check_results`, `check_means`), or its anchor is another language.
    """
    return answer(PARTS, results, declared, anchor)


def transfer(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Gains over the baseline and beyond volume: seen, unseen, anchor; and seen minus unseen."""
    gains = (SEEN_GAIN, UNSEEN_GAIN, ANCHOR_GAIN, GAIN_DIFFERENCE)
    return _named((*gains, SEEN_BEYOND, UNSEEN_BEYOND, ANCHOR_BEYOND), results, declared)


def gap(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """The gap between seen and unseen languages at each setting, and its change since the baseline."""
    return _named((GAIN_DIFFERENCE, GAP), results, declared)


def relative(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """Performance relative to the anchor at each setting, and the part of the gap to the anchor that was closed."""
    return _named((RELATIVE, GAP_CLOSED), results, declared)


def of_settings(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """All that is asked of single settings (`quantities.py`)."""
    for scores in tables:
        for setting, own in enumerate(scores.settings):
            for quantity in quantities(scores, setting):
                yield Finding(
                    quantity.name,
                    scores.model,
                    scores.task,
                    own.name,
                    quantity.definition,
                    measure(scores, quantity),
                    compared_with=quantity.other.name if quantity.other else "",
                    unit="ratio" if quantity.name in _RATIOS else "score",
                    null=None if quantity.name == RELATIVE else 0.0,
                    note=scores.note,
                )


PARTS: tuple[Part, ...] = (
    of_settings,
    of_plateaus,
    of_saturations,
    of_oscillations,
    of_peaks,
    of_efficiency,
    of_correlation,
    of_verdicts,
    of_diversity,
    of_bilingual,
    of_zero_shot,
    of_groups,
    of_interference,
    of_sizes,
    of_regression,
    of_attribution,
    of_noise_floor,
)


def _named(names: tuple[str, ...], results: pl.DataFrame, declared: Declared | None) -> pl.DataFrame:
    return answer([of_settings], results, declared).filter(pl.col("name").is_in(names))


def accuracy_by_language(results: pl.DataFrame) -> pl.DataFrame:
    """Mean score per model, task, setting and language (`ACCURACY_SCHEMA`), with Wilson intervals over items and seeds.

    Where no setting of the model and task has a second seed, the luck of runs is assumed (`noise.py`).
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
    numbers = (float(x) if np.isfinite(x) else None for x in (found.estimate, found.low, found.high))
    return scores.languages[column], scores.roles[column], *numbers, found.n, scores.seeds[setting]
