"""What sources of math problems have in common: the final number, and the line that states it in each language."""

import re
from typing import Any

from glotmix.pool.quarantine import Unusable

# After MGSM's own exemplars where the language has them.
_FINAL_LINES = {
    "en": "The answer is {}.",
    "es": "La respuesta es {}.",
    "fr": "La réponse est {}.",
    "de": "Die Antwort ist {}.",
    "pt": "A resposta é {}.",
    "ru": "Ответ: {}.",
    "zh": "答案是{}。",
    "ja": "答えは{}です。",
    "ko": "답은 {}입니다.",
    "th": "คำตอบคือ {}",
    "sw": "Jibu ni {}.",
    "bn": "উত্তর হলো {}।",
    "te": "సమాధానం {}.",
    "ar": "الجواب هو {}.",
}


def final_line(language: str, number: str) -> str:
    """The sentence that states the answer; the number alone in a language we have no sentence for.

    >>> final_line("ja", "18")
    '答えは18です。'
    """
    return _FINAL_LINES.get(language, "{}").format(number)


def final_number(text: str) -> str:
    """The number without thousands commas.

    >>> final_number(" 1,080 ")
    '1080'
    """
    if not re.fullmatch(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?", text.strip()):
        raise Unusable("answer is not a number")
    return text.strip().replace(",", "")


def math_row(item_id: str, language: str, question: str, solution: str, number: str, **facts: str) -> dict[str, Any]:
    """One row; `facts` are split, source, licence and origin."""
    if not question.strip():
        raise Unusable("empty question")
    answer = f"{solution}\n{final_line(language, number)}".strip()
    messages = [{"role": "user", "content": question.strip()}, {"role": "assistant", "content": answer}]
    identity = {"row_id": f"{item_id}:{language}", "item_id": item_id, "task": "math", "language": language}
    return {**identity, "messages": messages, "reference": number, **facts}
