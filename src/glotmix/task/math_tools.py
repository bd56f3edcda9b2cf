"""What two common tools would score, for readers who compare with them: their rules, next to ours in `Score.metrics`.

1. `lm_eval_flexible_extract`: lm-eval 0.4.13, filter `flexible-extract` of its MGSM tasks (version 4.0). Of the runs
   of ASCII digits, `$`, `,` and `.` (two characters or more, or one digit) the last counts, and the metric ignores
   punctuation, so that it is the run's digits that are compared: 1.8 is 18 there.
2. `simple_evals_mgsm`: github.com/openai/simple-evals, mgsm_eval.py. Behind the last occurrence of the language's
   answer word, commas dropped, the last number counts, compared as text without trailing zeros of its decimals. It
   knows MGSM's 11 languages; in others the metric is absent.

Both are given the output up to the next problem, where the tools' own runs end it by a stop string ("Question:").
"""

import re
import string

_RUN = re.compile(r"[.,$0-9]+")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBER = re.compile(r"\d+\.?\d*")
ANSWER_WORDS = {
    "bn": "উত্তর",
    "de": "Antwort",
    "en": "Answer",
    "es": "Respuesta",
    "fr": "Réponse",
    "ja": "答え",
    "ru": "Ответ",
    "sw": "Jibu",
    "te": "సమాధానం",
    "th": "คำตอบ",
    "zh": "答案",
}


def metrics(output: str, reference: str, language: str) -> dict[str, float]:
    """Their scores, 0 or 1, by the names above.

    >>> metrics("Answer: 1.8", "18", "en")
    {'lm_eval_flexible_extract': 1.0, 'simple_evals_mgsm': 0.0}
    """
    scores = {"lm_eval_flexible_extract": float(flexible_extract(output, reference))}
    base = language.partition("-")[0]
    if base in ANSWER_WORDS:
        scores["simple_evals_mgsm"] = float(simple_evals(output, reference, base))
    return scores


def flexible_extract(output: str, reference: str) -> bool:
    """lm-eval's `flexible-extract` and `exact_match` with case and punctuation ignored."""
    runs = (match[0][::-1] for match in _RUN.finditer(output[::-1]))
    last = next((run for run in runs if len(run) > 1 or run.isdecimal()), "invalid")
    return last.translate(_NO_PUNCTUATION) == reference.lower().translate(_NO_PUNCTUATION)


def simple_evals(output: str, reference: str, language: str) -> bool:
    """simple-evals' rule for one of MGSM's languages."""
    _, word, behind = output.rpartition(ANSWER_WORDS[language])
    numbers = _NUMBER.findall(behind.replace(",", "")) if word else []
    last = numbers[-1].rstrip(".") if numbers else ""
    if "." in last:
        last = last.rstrip("0").rstrip(".")
    return last == reference.replace(",", "")
