r"""What sources of math problems share, so that training and test rows of all of them look alike.

1. `math_prompts` says how a problem is asked and how its answer is worded.
2. The reference is that number as `glotmix.task.math` reads it, written plainly: 1234.5.
"""

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from glotmix.pool.intake import Unusable
from glotmix.pool.sources.math_prompts import MCOT, WORDED, answered_in, ask
from glotmix.task import get_task
from glotmix.task.latex import without_latex
from glotmix.task.numbers import clean, find_numbers, parse_number, write_number

_ENDING = 200  # characters, the last of an answer, in which its number is announced
_NOUNS = r"\b(?:answer|respuesta|resposta|réponse|antwort|ответ|jibu)|উত্তর|సమాధానం|คำตอบ|答え|答案|답|الجواب|الإجابة"
_ANNOUNCED = rf"(?is)^.*((?:{_NOUNS}|\\boxed|####).*)$"
_ALGEBRA = re.compile(r"[A-Za-z]\d|\d[A-Za-z]|[\\^_]")


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
    plain = without_latex(clean(ending)).replace("\\boxed", " ")
    if language not in WORDED or _ALGEBRA.search(plain) or len(list(find_numbers(plain, language))) != 1:
        return None
    score = get_task("math").score(ending, "0", language=language)
    return None if score.rule.startswith(("last number", "number on the first line", "no number")) else score.parsed


def exchange(question: str, answer: str) -> list[dict[str, str]]:
    """The user's message and the answer to it."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def math_row(
    item_id: str,
    language: str,
    question: str,
    answer: str,
    number: str,
    *,
    prompt: str = MCOT,
    shots: Sequence[dict[str, str]] = (),
    **facts: str,
) -> dict[str, Any]:
    """One row; `shots` are the messages before its question, `facts` are split, source, licence and origin.

    Raises:
        Unusable: there is no question.
        UserError: the prompt has no words in this language.
    """
    if not question.strip():
        raise Unusable("empty question")
    messages = [*shots, *exchange(ask(language, question, prompt), answer)]
    identity = {"row_id": f"{item_id}:{language}", "item_id": item_id, "task": "math", "language": language}
    wanted = answered_in(language, prompt)
    answer_language = None if wanted == language else wanted
    return {**identity, "messages": messages, "reference": number, "answer_language": answer_language, **facts}
