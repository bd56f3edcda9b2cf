r"""What sources of math problems share, so that training and test rows of all of them look alike.

1. The prompt is mCoT's: `Question:`, the problem, `Answer:`, and last the line of the problem's language that asks for
   steps (github.com/laihuiyuan/mCoT, data/prompt.txt; ar, ko and pt are ours). In a language without such a line the
   prompt ends with `Answer:`.
2. An answer states its number in a last sentence, worded as MGSM's exemplars and mCoT-MATH word it.
3. The reference is that number as `glotmix.task.math` reads it, written plainly: 1234.5.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from glotmix.pool.intake import Unusable
from glotmix.task import get_task
from glotmix.task.numbers import clean, find_numbers, parse_number, write_number


class Wording(NamedTuple):
    steps: str
    final: str


_WORDINGS: Mapping[str, Wording] = {
    "en": Wording("Let's think step by step.", "The answer is {}."),
    "es": Wording("Pensemos paso a paso.", "La respuesta es {}."),
    "fr": Wording("Réfléchissons étape par étape.", "La réponse est {}."),
    "de": Wording("Denken wir Schritt für Schritt.", "Die Antwort ist {}."),
    "pt": Wording("Vamos pensar passo a passo.", "A resposta é {}."),
    "ru": Wording("Давайте думать поэтапно.", "Ответ: {}."),
    "zh": Wording("让我们一步步思考。", "答案是{}。"),
    "ja": Wording("段階的に考えてみましょう。", "答えは{}です。"),
    "ko": Wording("단계별로 생각해 봅시다.", "답은 {}입니다."),
    "th": Wording("ลองคิดทีละขั้นตอน", "คำตอบคือ {}"),
    "sw": Wording("Hebu fikiria hatua kwa hatua.", "Jibu ni {}."),
    "bn": Wording("আসুন ধাপে ধাপে চিন্তা করি।", "উত্তর হল {}।"),
    "te": Wording("అంచెలంచెలుగా ఆలోచిద్దాం.", "సమాధానం {}."),
    "ar": Wording("لنفكر خطوة بخطوة.", "الجواب هو {}."),
}
WORDED = tuple(_WORDINGS)  # languages whose answers are understood
_ENDING = 200  # characters, the last of an answer, in which its number is announced
_NOUNS = r"\b(?:answer|respuesta|resposta|réponse|antwort|ответ|jibu)|উত্তর|సమాధానం|คำตอบ|答え|答案|답|الجواب|الإجابة"
_ANNOUNCED = rf"(?is)^.*((?:{_NOUNS}|\\boxed|####).*)$"
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_DRESS = re.compile(r"\\(?:boxed|text|[%$!,;])")
_ALGEBRA = re.compile(r"[A-Za-z]\d|\d[A-Za-z]|[\\^_]")


def prompt(language: str, question: str) -> str:
    """
    >>> prompt("es", "¿Cuánto es 2 + 2?")
    'Question:\\n¿Cuánto es 2 + 2?\\nAnswer:\\nPensemos paso a paso.'
    """
    steps = _WORDINGS[language].steps if language in _WORDINGS else ""
    return f"Question:\n{question.strip()}\nAnswer:\n{steps}".strip()


def prompts(language: pl.Expr, question: pl.Expr) -> pl.Expr:
    """`prompt` of whole columns."""
    steps = language.replace_strict({tag: wording.steps for tag, wording in _WORDINGS.items()}, default="")
    return pl.format("Question:\n{}\nAnswer:\n{}", question.str.strip_chars(), steps).str.strip_chars()


def final_line(language: str, number: str) -> str:
    """The sentence that states the answer; the number alone in a language we have no sentence for.

    >>> final_line("ja", "18")
    '答えは18です。'
    """
    return (_WORDINGS[language].final if language in _WORDINGS else "{}").format(number)


def plain_number(text: str) -> str:
    """A number written as in English, without thousands commas and idle zeros.

    >>> plain_number(" 1,080 "), plain_number("8.0")
    ('1080', '8')
    """
    value = parse_number(text, "en")
    if value is None:
        raise Unusable("answer is not a number")
    return write_number(value)


def announced_numbers(answers: pl.Series, languages: pl.Series) -> pl.Series:
    """The number that each answer announces last, as the scorer reads it; null where that is not one plain number.

    Endings repeat, so that each is read once and rows are not looked at one by one.
    """
    ending = answers.str.strip_chars_end().str.tail(_ENDING).str.extract(_ANNOUNCED, 1)
    endings = pl.DataFrame({"ending": ending, "language": languages})
    read = endings.unique().drop_nulls()
    numbers = [_announced(*row) for row in read.iter_rows()]
    read = read.with_columns(pl.Series("number", numbers, dtype=pl.String))
    return endings.join(read, on=["ending", "language"], how="left", maintain_order="left")["number"]


def announced_number(answer: str, language: str) -> str | None:
    """`announced_numbers` of one answer.

    >>> announced_number("16 - 3 - 4 = 9 und 9 * 2 = 18. Die Antwort ist 1.800 €.", "de")
    '1800'
    >>> announced_number("The answer is 5x.", "en"), announced_number("So x is 5.", "en")
    (None, None)
    """
    found: str | None = announced_numbers(pl.Series([answer]), pl.Series([language]))[0]
    return found


def _announced(ending: str, language: str) -> str | None:
    plain = _DRESS.sub(" ", _FRACTION.sub(r"\1/\2", clean(ending)))
    if language not in _WORDINGS or _ALGEBRA.search(plain) or len(list(find_numbers(plain, language))) != 1:
        return None
    score = get_task("math").score(ending, "0", language=language)
    return None if score.rule.startswith(("last number", "no number")) else score.parsed


def math_row(item_id: str, language: str, question: str, answer: str, number: str, **facts: str) -> dict[str, Any]:
    """One row; `facts` are split, source, licence and origin.

    Raises:
        Unusable: there is no question.
    """
    if not question.strip():
        raise Unusable("empty question")
    messages = [{"role": "user", "content": prompt(language, question)}, {"role": "assistant", "content": answer}]
    identity = {"row_id": f"{item_id}:{language}", "item_id": item_id, "task": "math", "language": language}
    return {**identity, "messages": messages, "reference": number, **facts}
