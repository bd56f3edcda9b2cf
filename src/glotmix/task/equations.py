r"""Equations in a text: numbers joined by signs, and what they come to; and the LaTeX they may be written in.

1. A number alone is an equation whose result it is.
2. Numbers joined by signs (with units and brackets between) are one equation: "3 packs × 6 eggs = $18".
3. Its result is the last number that stands alone between equals signs: 18 in 3×6 = 18 and in 18 = 3×6.
4. Without one it has no result: an unfinished 3 × 6, a range 18-20 or 18~20, a time 10:30.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from glotmix.task.numbers import Number, find_numbers, list_han

_WORDS = r"(?:[ /]?[^\W\d_]{1,12}){0,3}"  # 9 eggs × $2/egg = $18
_SIGN = re.compile(
    rf"{_WORDS} ?[%°€$£¥₹]?[)\]]{{0,3}}\s{{0,3}}(?P<sign>[-+−–－*×x·÷/=＝＋≈~〜～])[\s$€£¥₹*(\[]{{0,5}}|:"
)
_EQUALS = "=＝≈"


class Equation(NamedTuple):
    """`text` is where the result is written, or all of it if there is none; `signs` join its numbers."""

    result: Fraction | None
    text: str
    start: int
    end: int
    signs: str


def equations(text: str, language: str, *, announced: bool = False) -> list[Equation]:
    """All of a cleaned text, in order; `announced` as in `numbers.find_numbers`.

    >>> [str(one.result) for one in equations("5 + 6 = 11 and 18-20", "en")]
    ['11', 'None']
    """
    numbers = list(find_numbers(text, language, announced=announced))
    if announced and not numbers:
        numbers = list_han(text)
    return [_equation(text, *chain) for chain in _chains(text, numbers)]


def _chains(text: str, numbers: list[Number]) -> Iterator[tuple[list[Number], str]]:
    chain: list[Number] = []
    signs = ""
    for number in numbers:
        sign = _sign(text[chain[-1].end : number.start]) if chain else ""
        if chain and not sign:
            yield chain, signs
            chain, signs = [], ""
        chain.append(number)
        signs += sign
    if chain:
        yield chain, signs


def _sign(between: str) -> str:
    match = _SIGN.fullmatch(between) if len(between) <= 60 else None
    return (match["sign"] or ":") if match else ""


def _equation(text: str, chain: list[Number], signs: str) -> Equation:
    around = f"={signs}="  # the sign before and behind each number
    alone = [number for place, number in enumerate(chain) if around[place] in _EQUALS and around[place + 1] in _EQUALS]
    start, end = chain[0].start, chain[-1].end
    if not alone:
        return Equation(None, text[start:end], start, end, signs)
    return Equation(alone[-1].value, text[alone[-1].start : alone[-1].end], start, end, signs)
