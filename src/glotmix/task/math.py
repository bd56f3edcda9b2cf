r"""Math word problems: an output is right if its final answer is the reference number, exactly.

The final answer is the number of the last place that announces one, else the last number of the output:

1. `\boxed{18}`, `#### 18` on a line of its own;
2. a phrase: "The answer is 18", 答えは18個です, คำตอบคือ 11; the number may follow some words later in that sentence;
3. a label: "Answer: 18 (3×6)"; the number follows at once and no other number stands on that line outside brackets,
   which tells a label from the heading of a worked solution ("Answer: 2 cans of 3 balls is 6 balls ...").

Where an equation stands there (5 + 6 = 11), its result is the answer. How marks between digits are read, see `numbers`;
a point before three digits is settled by the language of the output, the one asked for unless it is positively another.
A right number is correct whatever language surrounds it.

>>> score("Insgesamt 3 × 6 = 18. Die Antwort lautet 18,00 €.", "18", language="de").verdict
'correct'
>>> score("Die Antwort lautet 1,8.", "18", language="de").verdict
'wrong'
"""

import re

from glotmix.errors import UserError
from glotmix.task.language_check import detect
from glotmix.task.numbers import Number, clean, find_numbers, parse_number, write_number
from glotmix.task.score import Score, choose_verdict

VERSION = 2
CHARACTERS_READ = 100_000  # from the end, where answers are

# (noun, verb that may follow it), for the languages of MGSM, the lab and both published studies
_ANNOUNCED = {
    "en": (r"\banswer", r"is\b|equals\b"),
    "es": (r"\brespuesta", r"es\b"),
    "pt": (r"\bresposta", r"é\b"),
    "fr": (r"\bréponse", r"est\b"),
    "it": (r"\brisposta", r"è\b"),
    "de": (r"\bantwort", r"ist\b|lautet\b"),
    "ru": (r"\bответ", ""),
    "sw": (r"\bjibu", r"ni\b"),
    "id": (r"\bjawaban(?:nya)?", r"adalah\b"),
    "tr": (r"\bcevap", ""),
    "ar": ("الإجابة|الجواب", r"هي\b|هو\b"),
    "hi": ("उत्तर", ""),
    "bn": ("উত্তর", "হলো|হল"),
    "te": ("సమాధానం", ""),
    "th": ("คำตอบ", "คือ"),
    "ko": ("답", "은"),
    "ja": ("答え", "は"),
    "zh": ("答案", "是|为|為"),
}
_NOUN = "|".join(noun for noun, _ in _ANNOUNCED.values())
_VERB = "|".join(verb for _, verb in _ANNOUNCED.values() if verb)
_ONE_WORD = r"(?:\s[^\W\d]{1,12})?"  # the final answer, la respuesta final
_PLACE = re.compile(
    rf"(?P<boxed>\\boxed\s*\{{)|(?P<mark>####)|(?:{_NOUN})(?:(?P<phrase>{_ONE_WORD}\s*(?:{_VERB}))"
    rf"|(?P<label>{_ONE_WORD}\W{{0,3}}[:：]|(?=\W{{0,9}}\d)))",
    re.IGNORECASE,
)
_NAMES = {"boxed": "boxed answer", "mark": "#### line", "phrase": "answer phrase", "label": "answer label"}
_WINDOW = 200  # characters after a place in which its number stands
_SENTENCE_END = re.compile(r"[\n。।！？!?]|\.(?=\s|$)")
_OPERATOR = re.compile(r"\s*[^\W\d_]{0,12}\s*[-+−－*×x·÷/:=＝＋]\s*[$€£]?\s*")
_BRACKETS = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]")
_POINT_AND_THREE = re.compile(r"(?<![\d.])\d{1,3}\.\d{3}(?!\d)")


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if the final answer equals the reference number (written as in English: 1,234.5), else 0."""
    expected = parse_number(reference, "en")
    if expected is None:
        raise UserError(f"math reference {reference!r:.80} is not a number such as 1234 or 0.5; fix the row")
    text = _without_latex(clean(output[-CHARACTERS_READ:]))
    marks = (detect(output, language) or language) if _POINT_AND_THREE.search(text) else language
    answer, place = _final_answer(text, marks)
    correct = answer is not None and answer.value == expected
    verdict, detected = choose_verdict(
        correct=correct, finished=finished, answered=answer is not None, language=language, prose=output
    )
    return Score(
        value=float(correct),
        verdict=verdict,
        parsed="" if answer is None else write_number(answer.value),
        metrics={},
        rule=f"{place}; marks as in {marks}",
        detected=detected,
    )


def _without_latex(text: str) -> str:
    text = text.replace("{,}", ",").replace("\\,", "\u202f")
    return re.sub(r"\\[dt]?frac\{(\d{1,40})\}\{(\d{1,40})\}", r"\1/\2", text)


def _final_answer(text: str, language: str) -> tuple[Number | None, str]:
    for place in reversed(list(_PLACE.finditer(text))):
        kind = str(place.lastgroup)
        answer = _answer_at(kind, text[place.end() : place.end() + _WINDOW], language)
        if answer is not None:
            return answer, _NAMES[kind]
    numbers = list(find_numbers(text, language))
    return (numbers[-1], "last number") if numbers else (None, "no number")


def _answer_at(kind: str, window: str, language: str) -> Number | None:
    """The number announced before `window`; None if what stands there is no announcement after all."""
    window = window.lstrip()
    if kind == "boxed":
        return _first_result(window.split("}")[0], language)
    if kind == "phrase":
        return _first_result(_SENTENCE_END.split(window.lstrip(" \n:：*"))[0], language)
    line = _BRACKETS.sub(" ", window).lstrip().split("\n")[0]
    if not re.match(r"\W*\d", line):
        return None  # "Answer: Roger started with 5 balls", a solution's heading
    answer = _first_result(line, language)
    rest = line[answer.end :] if answer else ""
    if re.search(r"\w" if kind == "mark" else r"\d", rest):
        return None  # "#### 2. Second step" and "Answer: 2 cans of 3 balls": the line goes on
    return answer


def _first_result(text: str, language: str) -> Number | None:
    """The first number, or the result of the equation it begins; `end` is where all of that ends."""
    numbers = list(find_numbers(text, language))
    if not numbers:
        return None
    chain, signs = [numbers[0]], [""]
    for number in numbers[1:]:
        between = text[chain[-1].end : number.start]
        if not _OPERATOR.fullmatch(between):
            break
        chain.append(number)
        signs.append(between)
    result = chain[-1] if re.search("[=＝]", signs[-1]) else chain[0]
    return result._replace(end=chain[-1].end)
