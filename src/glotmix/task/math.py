r"""Math word problems: an output is right if its final answer is the reference number, exactly.

The final answer is the number of the last place that announces one (see `answer_phrases`), else one alone on the first
line with text below, else that of the last line that has one. What follows a heading like "Question:" is
another problem, which a base model goes on with, and not read.

1. `\boxed{18}`, `#### 18` on a line of its own;
2. a phrase: "The answer is 18", 答えは18個です, "18 is the answer"; the number may follow some words later;
3. a label: "Answer: 18 (3×6)"; the number follows at once and no other number stands on that line outside brackets,
   which tells a label from the heading of a worked solution ("Answer: 2 cans of 3 balls is 6 balls ...");
4. a correction: an answer taken back in words ("Wait, that is wrong: 9 + 9 = 18") is the result of the equation, or
   else the first number, behind them; numbers behind an answer that is not taken back do not count.

Where an equation stands there (5 + 6 = 11), its result is the answer. What announces several numbers or none of its
own, a range (18-20), a list (18, 20) or an unfinished expression (3 × 6), is `malformed`. How marks between digits are
read, see `numbers`; a point before three digits is settled by the language of the output, the one asked for unless it
is positively another. A right number is correct whatever language surrounds it.

>>> score("Insgesamt 3 × 6 = 18. Die Antwort lautet 18,00 €.", "18", language="de").verdict
'correct'
>>> score("Die Antwort lautet 1,8.", "18", language="de").verdict
'wrong'
"""

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from glotmix.errors import UserError
from glotmix.task import math_tools
from glotmix.task.answer_phrases import Place, correction, fold, places, up_to_next_problem
from glotmix.task.equations import Equation, equations
from glotmix.task.language_check import detect
from glotmix.task.latex import in_braces, without_latex
from glotmix.task.numbers import clean, list_han, parse_number, write_number
from glotmix.task.score import Score, choose_verdict

VERSION = 2
CHARACTERS_READ = 100_000  # from the end, where answers are
_NAMES = {"boxed": "boxed answer", "mark": "#### line", "phrase": "answer phrase", "label": "answer label"}
_NAMES |= {"before": "answer before phrase", "correction": "correction", "first": "number on the first line"}
_NAMES |= {"last": "last number", "none": "no number"}
_WINDOW = 200  # characters after a place in which its number stands
_REST = 2_000  # characters read behind a correction
_SENTENCE_END = re.compile(r"[\n。।！？!?]|\.(?=\s|$)")
_BRACKETS = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]")
_AFTERTHOUGHT = re.compile(r"(?<=[\w%€]) ?(?:\([^()]{1,99}\)|（[^（）]{1,99}）)[\W_]*$")  # 18 (3×6).
_POINT_AND_THREE = re.compile(r"\d\.\d{3}(?!\d)")
_BEFORE_LABELLED = re.compile(r"[\W_]*(?:(?:US|USD|EUR|Rs|约|約|약)[\W_]*)?")
_BETWEEN = re.compile(  # the numbers of a list or a range
    r"[,;、，；]|or|and|to|o|y|e|a|ou|et|à|oder|und|bis|или|и|до|au|na|hadi|atau|dan|sampai|veya|ve|ila|أو|و|إلى|या|और|से|"
    "বা|ও|এবং|থেকে|లేదా|మరియు|నుండి|หรือ|และ|ถึง|또는|과|와|と|か|から|或|或者|和|到|至"
)
_CUT_OFF = re.compile(r"(?<![\d.,])[\d.,]{1,60}$")
_LETTER = re.compile(r"[^\W\d_]")


class Answer(NamedTuple):
    """What an output states; `value` is None if that is not one number."""

    value: Fraction | None
    text: str
    place: str


def read_reference(reference: str) -> Fraction:
    """The reference number.

    Raises:
        UserError: it is none.
    """
    value = parse_number(reference, "en")
    if value is None:
        raise UserError(f"math reference {reference!r:.80} is not a number such as 1234 or 0.5; fix the row")
    return value


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if the final answer equals the reference number (written as in English: 1,234.5), else 0.

    `metrics` has what other tools would say of it, see `math_tools`. An output that goes on with a problem of its own
    counts as finished before that.
    """
    expected = read_reference(reference)
    own = up_to_next_problem(output)
    finished = finished or own != output
    text = without_latex(clean(own[-CHARACTERS_READ:]))
    answer, marks = _final_answer(text, language, finished), language
    if _POINT_AND_THREE.search(answer.text):
        marks = _language_of(own, language)
        answer = _final_answer(text, marks, finished)
    correct = answer.value == expected
    verdict, detected = choose_verdict(
        correct=correct,
        finished=finished,
        answered=answer.place != "none",
        language=language,
        prose=own,
        well_formed=answer.value is not None,
    )
    return Score(
        value=float(correct),
        verdict=verdict,
        parsed=answer.text if answer.value is None else write_number(answer.value),
        metrics=math_tools.metrics(own, reference, language),
        rule=f"{_NAMES[answer.place]}; marks as in {marks}",
        detected=detected,
    )


def _language_of(output: str, language: str) -> str:
    """The language that settles marks: the one asked for, with its region, unless the output is in another."""
    detected = detect(output, language)
    return detected if detected and detected != language.partition("-")[0] else language


def _final_answer(text: str, language: str, finished: bool) -> Answer:
    """What is announced last; where the end is cut off, a number there counts if nothing before it is announced."""
    whole = text if finished else _CUT_OFF.sub("", text)
    return _announced(whole, language) or _announced(text, language) or _unannounced(text, language)


def _announced(text: str, language: str) -> Answer | None:
    folded = fold(text)
    for place in places(folded):
        answer = _answer_at(place, text, language)
        if answer is not None:
            return _corrected(text, correction(folded, place.start), language) or answer
    return None


def _unannounced(text: str, language: str) -> Answer:
    return _first_line(text, language) or _last_number(text, language)


def _answer_at(place: Place, text: str, language: str) -> Answer | None:
    """The answer announced there; None if what stands there is no announcement after all."""
    if place.kind == "before":
        sentence = _SENTENCE_END.split(text[max(0, place.start - _WINDOW) : place.start])[-1]
        return _stated(sentence, language, place.kind, last=True)
    window = text[place.start : place.start + _WINDOW].lstrip()
    if place.kind == "boxed":
        content = _BRACKETS.sub(" ", in_braces(window)).replace("{", " ").replace("}", " ")
        return _stated(content, language, place.kind, alone=True)
    if place.kind == "phrase":
        return _stated(_SENTENCE_END.split(window.lstrip(" \n:：*_"))[0], language, place.kind)
    return _labelled(place, text, language)


def _labelled(place: Place, text: str, language: str) -> Answer | None:
    """The number at a label or mark; None for a heading: "Answer: 2 cans of 3 balls", "#### 2. Add"."""
    window = text[place.start : place.start + _WINDOW]
    line, _, below = _BRACKETS.sub(" ", window).lstrip().partition("\n")
    equation = next(iter(equations(line, language, announced=True)), None)
    if equation is None or equation.result is None or not _BEFORE_LABELLED.fullmatch(line[: equation.start]):
        return None
    rest = line[equation.end :]
    listed = re.match(r"[.)]\s*\w", rest) and (place.kind == "mark" or "\n" in window[: window.find(line)])
    heading = place.kind == "mark" and re.match(r"\s*(?:\w+\W+){2}\w", rest)
    solution = equation.signs and re.search("[=＝]", below)
    return (
        None
        if re.search(r"\d", rest) or listed or heading or solution
        else Answer(equation.result, equation.text, place.kind)
    )


def _stated(text: str, language: str, kind: str, *, last: bool = False, alone: bool = False) -> Answer | None:
    """What the first (or `last`) equation of `text` states; `alone`: nothing else may be a number there."""
    found = list(equations(text, language, announced=True))
    if not found:
        return None
    if _is_list(text, found) or (alone and len(found) > 1):
        return Answer(None, text.strip()[:_WINDOW], kind)
    equation = found[-1 if last else 0]
    return Answer(equation.result, equation.text, kind)


def _is_list(text: str, found: list[Equation]) -> bool:
    """Whether the text ends with its numbers and only commas or such words stand between them: 18, 20 or 22."""
    between = [text[one.end : next_one.start].strip(" $€£¥₹") for one, next_one in pairwise(found)]
    listed = all(_BETWEEN.fullmatch(mark) for mark in between)
    return bool(between) and listed and not _LETTER.search(text, found[-1].end)


def _corrected(text: str, start: int | None, language: str) -> Answer | None:
    """The number behind words that take an answer back at `start`; None if there is none."""
    if start is None:
        return None
    found = [one for one in equations(text[start : start + _REST], language) if one.result is not None]
    if not found:
        return None
    solved = [one for one in found if one.signs]
    chosen = solved[-1] if solved else found[0]
    return Answer(chosen.result, chosen.text, "correction")


def _first_line(text: str, language: str) -> Answer | None:
    """A number alone on the first line, with an explanation below it."""
    line, _, below = text.strip().partition("\n")
    if _LETTER.search(line) or not _LETTER.search(below):
        return None
    found = equations(line[:_WINDOW], language, announced=True)
    alone = len(found) == 1 and not found[0].signs
    return Answer(found[0].result, found[0].text, "first") if alone else None


def _last_number(text: str, language: str) -> Answer:
    for line in reversed(text.splitlines()):
        bare = not _LETTER.search(line)
        shorter = _AFTERTHOUGHT.sub("", line)
        found = list(equations(shorter, language, announced=bare) or equations(line, language, announced=bare))
        if found and bare and text.strip() == line.strip() and (found[-1].result is None or _is_list(line, found)):
            return Answer(None, line.strip()[:_WINDOW], "last")
        found = [one for one in found if ":" not in one.signs] or found  # "2 hours, from 9:00 to 11:00"
        if found:
            return Answer(found[-1].result, found[-1].text, "last")
    return _han_alone(text.strip())


def _han_alone(text: str) -> Answer:
    """十八个 as the whole output; characters inside a longer text without digits are words."""
    for number in list_han(text[:_WINDOW]):
        if number.start == 0 and len(text) - number.end <= len("個です。"):
            return Answer(number.value, text, "last")
    return Answer(None, "", "none")
