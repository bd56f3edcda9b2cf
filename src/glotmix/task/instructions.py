"""Short requests with one checkable answer: an output is right if it is the reference text, apart from its dress.

Dress is what a reader looks through: letter case, white space, quotes, bold type, the full stop at the end, the digits
of one script or another, and how a list is written: with any comma or semicolon, or a line per word, numbered or not.

>>> score("りんご、卵。", "りんご, 卵", language="ja").verdict
'correct'
>>> score("1. りんご\\n2. 卵", "りんご, 卵", language="ja").verdict
'correct'
>>> score("卵、りんご。", "りんご, 卵", language="ja").verdict
'wrong'
"""

import re
import unicodedata

from glotmix.task.score import Score, choose_verdict, read_reference, tidy

__all__ = ["VERSION", "read_reference", "score"]
VERSION = 2
CHARACTERS_READ = 50_000
RULE = "same text but for case, spaces, quotes, digits' script, marks of a list and a final stop"

_BULLET = re.compile(r"\s*(?:[-*–—]\s+|[•·‣・]\s*)(?=\S)")
_NUMBER = re.compile(r"\s*[（(]?(\d{1,3})(?:[.)]\s+|[．）、]\s*)(?=\S)")
_QUOTES = str.maketrans("", "", '"“”„«»‹›「」『』\u200e\u200f')
_EDGES = re.compile(r"(?<!\w)[*`'‘’]+|[*`'‘’]+(?!\w)")  # around a word, not within: l'eau, 2*3
_SEPARATOR = re.compile(r"\s?[,，、،､;；؛]\s?")
_ENDS = " ,.。．｡।۔!！?？؟…"


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if output and reference are the same text once undressed, else 0."""
    read_reference(reference)
    # a new line is a space of a text that wraps, or parts the words of a list
    readings = [(_undressed(output[: CHARACTERS_READ + 1], by), _undressed(reference, by)) for by in (" ", ", ")]
    answer = next((answer for answer, expected in readings if answer == expected), readings[0][0])
    # a longer output is refused, not cut: what follows the right answer makes it another answer
    correct = any(answer == expected for answer, expected in readings) and len(output) <= CHARACTERS_READ
    verdict, detected = choose_verdict(
        correct=correct,
        finished=finished,
        answered=bool(answer),
        language=language,
        prose=output,
        reference_prose=reference,
    )
    return Score(float(correct), verdict, answer, {}, RULE, detected)


def _undressed(text: str, joiner: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    words = (_without_mark(line, place) for place, line in enumerate(lines, start=1))
    plain = tidy(joiner.join(words)).casefold()
    bare = _EDGES.sub("", _same_digits(plain.translate(_QUOTES)))
    listed = re.sub(r"(?:, )+", ", ", _SEPARATOR.sub(", ", f"{tidy(bare)} "))  # lines may end with a comma too
    return listed.lstrip(", ").rstrip(_ENDS) or plain  # an answer that is only a sign stays one


def _without_mark(line: str, place: int) -> str:
    """A line of a list without what stands before it: a bullet, or its own number."""
    if (number := _NUMBER.match(line)) and int(number[1]) == place:
        return line[number.end() :]
    return _BULLET.sub("", line, count=1) if _BULLET.match(line) else line


def _same_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
