"""Numbers as people write them in many languages, read exactly.

Digits of every script count (१८, ১৮, ๑๘, １８): Python's `\\d` has those of all decimal number systems of CLDR; numbers
in Chinese characters are in `han`. What a mark between two digits means, first rule that holds (`locale_marks` says
which languages have a decimal comma, space groups and Indian groups):

1. `٫` is a decimal mark; `٬`, an apostrophe and a no-break or thin space group thousands. A plain space groups them
   too in languages with space groups (1 234 in French, Spanish and Russian), and for an announced answer in all.
2. Of two different marks the last is decimal and the other groups: 1,234.56 and 1.234,56 in any language.
3. One kind of mark before groups of exactly three digits groups: 1,234 is a thousand and more in every language, 1.234
   in languages with a decimal comma only (German); elsewhere (English) a single such point is decimal. Languages
   of India also group by two: 1,14,200.
4. Any other single comma or point is decimal: 18,00 and 18.00, 1,8 and 1.8, 0,125.

The price of rule 3: three decimals after a comma (German 3,125 kilograms) are read as thousands.

Behind the digits: a fraction (3/4, 1 1/2, 1½), a power (1.5e3, 1.5×10^3, 10²), a unit of `han` (3万) or a word of the
language (5 million, 2 লাখ) are part of the number; %, currencies, counters and units are not, so that 18% is 18.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from glotmix.task.han import UNIT, combine, find_han
from glotmix.task.locale_marks import Marks, marks_of

MAX_DIGITS = 40
_MAX_LENGTH = 3 * MAX_DIGITS  # characters of one number, marks included

_UNREADABLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")  # direction and width marks
_WIDE_MARK = re.compile(r"[，．／](?<=[０-９].)(?=[０-９])")
_ARABIC_COMMA = re.compile(r"،(?<=\d.)(?=\d)")
_PARTS = re.compile(r"(?<![\d.,])(\d{1,20}) ?(?:分[之の]|분의) ?(\d{1,20})(?![\d.,]*\d)")  # 2分の1
_TO_ASCII = str.maketrans("，．／", ",./")
_MINUS = "-−－–"
_CURRENCY = "$€£¥￥₹฿₩"
_MINUS_WORDS = ("マイナス", "負", "负", "마이너스 ", "마이너스", "negative ")
# What before a minus makes it an operator (20 -12, 5個-2個, (5 + 6) -3) or a hyphen (COVID-19); but 答えは-5 has a sign
_NO_SIGN = re.compile(r"(?:\d[^\W\d]{0,3}\s*|[)\]}）]\s*|[A-Za-z\u00c0-\u024f\u0400-\u04ff])$")

_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_DIGITS = r"\d+(?:[.,٬٫'’]\d+)*"
_POWER = rf"(?:\^[{_MINUS}+]?\d+|[⁻⁺]?[⁰¹²³⁴-⁹]+)"
_SUPERSCRIPTS = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹−－–", "-+0123456789---")


class Number(NamedTuple):
    """A number and where it stands in the cleaned text (its sign included)."""

    value: Fraction
    start: int
    end: int


def clean(text: str) -> str:
    """Without invisible marks, with ASCII marks between full-width and Arabic digits, and 1/2 for 2分の1.

    No NFKC: it would turn 10² into 102.
    """
    text = _ARABIC_COMMA.sub(",", _UNREADABLE.sub("", text))
    text = _WIDE_MARK.sub(lambda mark: mark[0].translate(_TO_ASCII), text)
    return _PARTS.sub(r"\2/\1", text)


def find_numbers(text: str, language: str, *, announced: bool = False) -> Iterator[Number]:
    """All numbers of a cleaned text, in order; `announced`: the text is known to state an answer (rule 1)."""
    marks = marks_of(language)
    if announced and not marks.space_groups:
        marks = marks._replace(space_groups=True)
    for match in _pattern(marks).finditer(text):
        start = match.start()
        if start and text[start - 1] == "^":
            continue  # the 2 of km^2
        point = _starts_with_point(text, start)
        value = _value(match, marks, point)
        if value is not None:
            signed = _sign_position(text, start - point)
            yield Number(value if signed is None else -value, start - point if signed is None else signed, match.end())


def parse_number(text: str, language: str) -> Fraction | None:
    """The value of a text that is one number and nothing else.

    >>> parse_number("1.234", "de"), parse_number("1.234", "en"), parse_number("十八", "ja")
    (Fraction(1234, 1), Fraction(617, 500), Fraction(18, 1))
    >>> parse_number("about 18", "en") is None
    True
    """
    text = clean(text).strip()
    numbers = list(find_numbers(text, language, announced=True)) or list_han(text)
    whole = len(numbers) == 1 and numbers[0].start == 0 and numbers[0].end == len(text)
    return numbers[0].value if whole else None


def list_han(text: str) -> list[Number]:
    """The first number in Chinese characters of a text that states an answer, if any."""
    found = find_han(text)
    if found is None:
        return []
    value, start, end = found
    word = next((word for word in _MINUS_WORDS if text.endswith(word, 0, start)), "")
    return [Number(-value if word else value, start - len(word), end)]


def write_number(value: Fraction) -> str:
    """The plain decimal form, or the fraction where there is none: 18, 1.8, 1/3."""
    with localcontext(prec=4 * MAX_DIGITS):
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
    return format(decimal, "f") if Fraction(decimal) == value else str(value)


@cache
def _pattern(marks: Marks) -> re.Pattern[str]:
    """One number; its first character is a class, which lets `re` skip what can't begin one."""
    space = "\u00a0\u202f\u2009" + " " * marks.space_groups
    spaced = rf"\d{{0,2}}(?:[{space}]\d{{3}})+(?!\d)(?:[.,٫]\d+)?"
    words = "|".join(re.escape(word) for word, _ in sorted(marks.scales, key=lambda scale: -len(scale[0])))
    return re.compile(
        rf"""(?P<base>[\d{_VULGAR}](?:{spaced}|{_DIGITS[:2]}*{_DIGITS[3:]}))
        (?: [ ](?P<mixed>\d{{1,3}}[/⁄]\d{{1,3}})(?![\d/⁄]) | [ ]?(?P<vulgar>[{_VULGAR}]) | (?P<under>(?:[/⁄]{_DIGITS})+)
          | (?P<power>{_POWER}) | [eE](?P<exponent>[{_MINUS}+]?\d+)(?!\w) )?
        (?: \s?[×xX*·⋅∙]\s?10(?P<ten>{_POWER}) )?
        (?: (?P<units>(?:{UNIT})+(?:[ ]?{_DIGITS}(?:{UNIT})+)*(?:{_DIGITS})?)
          | [ \u00a0]?(?P<word>(?i:{words or "(?!)"}))(?!\w) )?""",
        re.VERBOSE,
    )


def _value(match: re.Match[str], marks: Marks, after_point: bool) -> Fraction | None:
    """The exact value; None if what matched is no number: 24.12.2026, 1.2.3, 24/12/2026, ten thousand digits."""
    if match.end() - match.start() > _MAX_LENGTH:
        return None
    base = match["base"]
    value = _vulgar(base) if base in _VULGAR else _plain("0." + base if after_point else base, marks)
    if value is None or match.end() == match.end("base"):
        return value
    for group, read in _TAILS.items():
        if value is not None and match[group] is not None:
            value = read(value, match[group], marks)
    return value


def _plain(token: str, marks: Marks) -> Fraction | None:
    """The value of digits with marks between them."""
    if token.isdecimal():
        return Fraction(int(token)) if len(token) <= MAX_DIGITS else None
    groups, between = re.split(r"\D", token), re.findall(r"\D", token)
    decimals = groups.pop() if _ends_in_decimals(groups, between, marks) else ""
    between = between[: len(groups) - 1]
    digits = "".join(groups) + decimals
    if len(digits) > MAX_DIGITS or len(set(between)) > 1 or (between and not _grouped(groups, between[0], marks)):
        return None
    return Fraction(int(digits), 10 ** len(decimals))


def _ends_in_decimals(groups: list[str], between: list[str], marks: Marks) -> bool:
    last = between[-1]
    if last not in ".,٫":
        return False
    if last == "٫" or set(between) != {last}:
        return True
    single_point = between == ["."] and not marks.decimal_comma
    return single_point or (len(between) == 1 and not _grouped(groups, last, marks))


def _grouped(groups: list[str], mark: str, marks: Marks) -> bool:
    by_two = mark == "," and marks.groups_by_two and all(len(group) == 2 for group in groups[1:-1])
    by_three = all(len(group) == 3 for group in groups[1:-1])
    first = groups[0]
    starts_well = first.isdecimal() and len(first) <= 3 and int(first[0]) > 0  # 0,125 and 1234,567 are not grouped
    return starts_well and (by_two or by_three) and len(groups[-1]) == 3


def _vulgar(sign: str) -> Fraction:
    return Fraction(unicodedata.numeric(sign)).limit_denominator(10)


def _mixed(whole: Fraction, part: str, marks: Marks) -> Fraction | None:
    over, under = map(int, re.split("[/⁄]", part))
    return whole + Fraction(over, under) if 0 < over < under else None


def _divided(over: Fraction, under: str, marks: Marks) -> Fraction | None:
    divisors = [_plain(part, marks) for part in re.split("[/⁄]", under[1:])]
    return over / divisors[0] if len(divisors) == 1 and divisors[0] else None


def _power(base: Fraction, written: str, marks: Marks) -> Fraction | None:
    exponent = int(written.lstrip("^").translate(_SUPERSCRIPTS))
    size = max(len(str(base.numerator)), len(str(base.denominator)))
    return base**exponent if base and size * abs(exponent) <= 2 * MAX_DIGITS else None


def _times_ten(value: Fraction, exponent: str, marks: Marks) -> Fraction | None:
    power = _power(Fraction(10), exponent, marks)
    return None if power is None else value * power


def _with_units(value: Fraction, units: str, marks: Marks) -> Fraction | None:
    pieces: list[Fraction | str] = [value]
    for piece in re.findall(rf"{_DIGITS}|[^\d\s]", units):
        read = _plain(piece, marks) if piece[0].isdecimal() else piece
        if read is None:
            return None
        pieces.append(read)
    return combine(pieces)


def _scaled(value: Fraction, word: str, marks: Marks) -> Fraction:
    return value * dict(marks.scales)[word.lower()]


_TAILS: dict[str, Callable[[Fraction, str, Marks], Fraction | None]] = {
    "mixed": _mixed,
    "vulgar": lambda value, sign, _: value + _vulgar(sign),
    "under": _divided,
    "power": _power,
    "exponent": _times_ten,
    "ten": _times_ten,
    "units": _with_units,
    "word": _scaled,
}


def _starts_with_point(text: str, start: int) -> bool:
    """Whether the digits at `start` are the decimals of .5, and the point no full stop as in "balls.5 + 6"."""
    return text[start - 1 : start] == "." and (start == 1 or text[start - 2] in f" \t\n({_MINUS}{_CURRENCY}")


def _sign_position(text: str, start: int) -> int | None:
    """Where the minus sign of the number at `start` is; None if it has none."""
    if start and text[start - 1] in _CURRENCY:
        start -= 1
    before = text[max(0, start - 9) : start]
    length = 1 if before[-1:] in _MINUS else next((len(word) for word in _MINUS_WORDS if before.endswith(word)), 0)
    if not before or not length or _NO_SIGN.search(before[:-length]):
        return None
    return start - length
