"""Summaries: how many of the reference's words an output has, in the same order (ROUGE-L, F1).

1. Words are cut by a segmenter of the language, named in every metric's name with its version (see `segment`): change
   the segmenter and the number is another one.
2. `value` is ROUGE-L; ROUGE-1, ROUGE-2, chrF (character n-grams, no segmenter) and the length ratio stand beside it.
   Compare any of them within a language only: words and characters carry more in some languages than in others.
3. Identical text scores 1, text without a common word 0. A reference without a word (only signs) is met by the same
   text and nothing else.
4. `correct` means a value of 1: the reference's words in its order. `wrong` means scored below 1, no more.

Only the first 10,000 characters and 1,000 words of an output count: the search for common words takes as long as both
texts' lengths multiplied. Counting is `rouge_score`'s own. Sources: Lin 2004, https://aclanthology.org/W04-1013;
Popović 2015, https://aclanthology.org/W15-3049, as implemented by sacrebleu.

>>> score("A dog  ran home.", "a dog ran home", language="en").verdict
'correct'
>>> partly = score("A dog ran off", "A dog ran home", language="en")
>>> partly.verdict, partly.value
('wrong', 0.75)
"""

from functools import cache
from typing import Any

from glotmix.task.score import Score, choose_verdict, read_reference, tidy
from glotmix.task.segment import segmenter

__all__ = ["VERSION", "read_reference", "score"]
VERSION = 2
CHARACTERS_READ = 10_000
WORDS_READ = 1_000
LENGTH_RATIO = "length ratio (characters)"
_ROUGE = {"rouge1": "rouge-1", "rouge2": "rouge-2", "rougeL": "rouge-l"}


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """ROUGE-L (F1) of the words; `metrics` has it with ROUGE-1, ROUGE-2, chrF and the length ratio."""
    output, reference = output[:CHARACTERS_READ], reference[:CHARACTERS_READ]
    summary, expected = tidy(output), read_reference(reference)
    rouge = _rouge(output, reference, language)
    rule, rouge_l = list(rouge.items())[-1]
    value = 1.0 if summary == expected else rouge_l
    verdict, detected = choose_verdict(
        correct=value == 1,
        finished=finished,
        answered=any(map(str.isalnum, summary)),
        language=language,
        prose=summary,
        reference_prose=expected,
    )
    metrics = rouge | _chrf(summary, expected) | {LENGTH_RATIO: len(summary) / len(expected)}
    return Score(value, verdict, summary, metrics, rule, detected)


def _rouge(output: str, reference: str, language: str) -> dict[str, float]:
    """By the metric's name, ROUGE-L last."""
    name, words = segmenter(language)
    found = _rouge_scorer().score(words(reference)[:WORDS_READ], words(output)[:WORDS_READ])
    return {f"{metric} ({name})": float(found[kind].fmeasure) for kind, metric in _ROUGE.items()}


def _chrf(summary: str, expected: str) -> dict[str, float]:
    metric, name = _chrf_scorer()
    return {name: metric.sentence_score(summary, [expected]).score / 100}


class _Cut:
    """For `rouge_score`: the words as they are."""

    def tokenize(self, words: list[str]) -> list[str]:
        return words


@cache
def _rouge_scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # slow to import, as is sacrebleu, and only this task needs them

    return RougeScorer(list(_ROUGE), tokenizer=_Cut())


@cache
def _chrf_scorer() -> tuple[Any, str]:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF(char_order=6, word_order=0)
    metric.sentence_score("a", ["a"])  # its signature needs one score first
    return metric, f"chrf ({metric.get_signature()})"
