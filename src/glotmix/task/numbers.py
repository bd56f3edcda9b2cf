"""Numbers as people write them in many languages, read exactly.

Digits of every script count (१८, ১৮, ๑๘, １８). What a mark between two digits means, first rule that holds:

1. `٫` is a decimal mark; `٬`, an apostrophe and a no-break or thin space group thousands. A plain space groups them
   too in languages that CLDR gives a decimal comma (1 234 in French, Spanish and Russian).
2. Of two different marks the last is decimal and the other groups: 1,234.56 and 1.234,56 in any language.
3. One kind of mark before groups of exactly three digits groups: 1,234 is a thousand and more in every language, 1.234
   in languages with a decimal comma only (German); elsewhere (English) a single such point is decimal. Languages
   of India also group by two: 1,14,200.
4. Any other single comma or point is decimal: 18,00 and 18.00, 1,8 and 1.8, 0,125.

The price of rule 3: three decimals after a comma (German 3,125 kilograms) are read as thousands.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import NamedTuple

MAX_DIGITS = 40
# base tags, after CLDR
_DECIMAL_COMMA = """az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk ky lt lv mk nb nl nn no pl pt
ro ru sk sl sq sr sv tr uk uz vi"""
_INDIAN_GROUPING = "as bn gu hi ml mr or pa ta te"
DECIMAL_COMMA = frozenset(_DECIMAL_COMMA.split())
INDIAN_GROUPING = frozenset(_INDIAN_GROUPING.split())

_UNREADABLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")  # direction and width marks
_FULL_WIDTH_MARK = re.compile("(?<=[０-９])[，．](?=[０-９])")
_MINUS = "-−－"
_CURRENCY = "$€£¥￥₹฿₩"
# What before a minus makes it an operator (20 -12, 5個-2個, (5 + 6) -3) or a hyphen (COVID-19); but 答えは-5 has a sign
_NO_SIGN = re.compile(r"(?:\d[^\W\d]{0,3}\s*|[)\]}）]\s*|[A-Za-z\u00c0-\u024f\u0400-\u04ff])$")


class Number(NamedTuple):
    """A number and where it stands in the cleaned text (its sign included)."""

    value: Fraction
    start: int
    end: int


def clean(text: str) -> str:
    """Without invisible marks, and with ASCII marks between full-width digits.

    No NFKC: it would turn 10² into 102.
    """
    text = _UNREADABLE.sub("", text)
    return _FULL_WIDTH_MARK.sub(lambda mark: ",."["，．".index(mark[0])], text)


def find_numbers(text: str, language: str) -> Iterator[Number]:
    """All numbers of a cleaned text, in order, fractions such as 3/4 included."""
    base = language.partition("-")[0]
    for match in _pattern(base in DECIMAL_COMMA).finditer(text):
        value = _quotient([_value(part, base) for part in match[0].split("/")])
        if value is not None:
            start = _sign_position(text, match.start())
            yield Number(value if start is None else -value, match.start() if start is None else start, match.end())


def parse_number(text: str, language: str) -> Fraction | None:
    """The value of a text that is one number and nothing else.

    >>> parse_number("1.234", "de"), parse_number("1.234", "en")
    (Fraction(1234, 1), Fraction(617, 500))
    >>> parse_number("about 18", "en") is None
    True
    """
    text = clean(text).strip()
    numbers = list(find_numbers(text, language))
    whole = len(numbers) == 1 and numbers[0].start == 0 and numbers[0].end == len(text)
    return numbers[0].value if whole else None


def write_number(value: Fraction) -> str:
    """The plain decimal form, or the fraction where there is none: 18, 1.8, 1/3."""
    with localcontext(prec=3 * MAX_DIGITS):
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
    return format(decimal, "f") if Fraction(decimal) == value else str(value)


@cache
def _pattern(space_groups: bool) -> re.Pattern[str]:
    space = "\u00a0\u202f\u2009" + " " * space_groups
    spaced = rf"(?<!\d)\d{{1,3}}(?:[{space}]\d{{3}})+(?!\d)(?:[.,٫]\d+)?"
    marked = r"\d+(?:[.,٬٫'’]\d+)*"
    bare_decimals = rf"(?<![^\s({_CURRENCY}])\.\d+"  # .5, but not the full stop of "balls.5 + 6"
    number = rf"(?:{bare_decimals}|{spaced}|{marked})"
    return re.compile(rf"{number}(?:/{number})*")


def _value(token: str, language: str) -> Fraction | None:
    if sum(map(str.isdecimal, token)) > MAX_DIGITS:
        return None  # ten thousand digits answer no question, and exact arithmetic on them takes time
    groups, marks = re.split(r"\D", token), re.findall(r"\D", token)
    decimals = ""
    if marks and _ends_in_decimals(groups, marks, language):
        decimals = groups.pop()
        marks.pop()
    if len(set(marks)) > 1 or (marks and not _grouped(groups, marks[0], language)):
        return None  # 24.12.2026, 1.2.3 and 3,5,7 are dates, versions and lists
    return Fraction(int("".join(groups) + decimals), 10 ** len(decimals))


def _ends_in_decimals(groups: list[str], marks: list[str], language: str) -> bool:
    last = marks[-1]
    if last not in ".,٫":
        return False
    if last == "٫" or set(marks) != {last}:
        return True
    single_point = marks == ["."] and language not in DECIMAL_COMMA
    return single_point or (len(marks) == 1 and not _grouped(groups, last, language))


def _grouped(groups: list[str], mark: str, language: str) -> bool:
    by_two = mark == "," and language in INDIAN_GROUPING and all(len(group) == 2 for group in groups[1:-1])
    by_three = all(len(group) == 3 for group in groups[1:-1])
    first = groups[0]
    starts_well = first.isdecimal() and len(first) <= 3 and int(first[0]) > 0  # 0,125 and 1234,567 are not grouped
    return starts_well and (by_two or by_three) and len(groups[-1]) == 3


def _quotient(parts: list[Fraction | None]) -> Fraction | None:
    match parts:
        case [value]:
            return value
        case [over, under] if over is not None and under:
            return over / under
    return None  # 24/12/2026 is a date, and nothing is divided by zero


def _sign_position(text: str, start: int) -> int | None:
    """Where the minus sign of the number at `start` is; None if it has none."""
    if start and text[start - 1] in _CURRENCY:
        start -= 1
    if not start or text[start - 1] not in _MINUS:
        return None
    return None if _NO_SIGN.search(text[max(0, start - 9) : start - 1]) else start - 1
