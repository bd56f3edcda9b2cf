"""Summaries: how close an output is to the reference, by character n-grams (chrF).

chrF needs no word segmenter, so it means the same in every script: identical text 1, no shared character 0.
The value is what counts; `correct` means identical text, and `wrong` means scored and not identical, no more.
Source: Popović 2015, https://aclanthology.org/W15-3049, as implemented by sacrebleu.

>>> score("A dog ran  home", "A dog ran home", language="en").verdict
'correct'
>>> partly = score("A dog ran off", "A dog ran home", language="en")
>>> partly.verdict, 0.5 < partly.value < 1
('wrong', True)
"""

from functools import cache
from typing import Any

from glotmix.task.score import Score, choose_verdict, tidy, tidy_reference

VERSION = 2
CHARACTERS_READ = 20_000  # an output that long has a value near zero, whatever follows


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """chrF (character order 6, word order 0) of the tidied texts, divided by 100."""
    summary, expected = tidy(output[:CHARACTERS_READ]), tidy_reference(reference[:CHARACTERS_READ])
    metric, rule = _chrf()
    chrf = metric.sentence_score(summary, [expected]).score / 100
    verdict, detected = choose_verdict(
        correct=summary == expected,
        finished=finished,
        answered=any(map(str.isalnum, summary)),
        language=language,
        prose=summary,
        reference_prose=expected,
    )
    return Score(chrf, verdict, summary, {"chrf": chrf}, rule, detected)


@cache
def _chrf() -> tuple[Any, str]:
    import sacrebleu  # slow to import, and only this task needs it
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(char_order=6, word_order=0), f"chrF2|nc:6|nw:0|space:no|sacrebleu:{sacrebleu.__version__}"
