"""What a language does with commas, points, spaces and number words: CLDR's data, as Babel carries them.

A regional tag has its own data (es-MX writes 1,234.5, es 1.234,5; de-CH 1’234.5; en-IN 1,14,200). A region that CLDR
does not know is read as its language, an unknown language as English.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from babel import Locale

_SCALE = re.compile(r"(0+)[ \u00a0]([^\s\d;']{3,})(?:'\.')?")  # "00 thousand"; not the Swahili "elfu 0", nor "0 M"
_INDIAN = {"lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7, "লক্ষ": 10**5, "లక్ష": 10**5, "లక్షలు": 10**5}
_INDIAN |= {"हजार": 10**3, "हज़ार": 10**3}  # CLDR's हज़ार without its dot, and with it in one character
_INDIAN |= {"కోటి": 10**7, "కోట్లు": 10**7}  # CLDR has millions in their place


class Marks(NamedTuple):
    """`scales` has the words after a number that multiply it, in lower case: thousand, millones, লাখ."""

    decimal_comma: bool
    space_groups: bool
    groups_by_two: bool
    scales: tuple[tuple[str, int], ...]


@cache
def marks_of(tag: str) -> Marks:
    """
    >>> marks_of("es").decimal_comma, marks_of("es-MX").decimal_comma, marks_of("en-IN").groups_by_two
    (True, False, True)
    """
    locale = _locale(tag)
    latin = locale.number_symbols["latn"]
    decimal_comma = latin["decimal"] == ","
    grouping = locale.decimal_formats[None].grouping  # sizes from the right: (3, 3), and (3, 2) in India
    indian = grouping[1] == 2
    scales = _scales(locale) | (_INDIAN if indian else {})
    return Marks(decimal_comma, decimal_comma or latin["group"].isspace(), indian, tuple(sorted(scales.items())))


def _locale(tag: str) -> "Locale":
    from babel import Locale, UnknownLocaleError  # 30 ms

    for name in (tag, tag.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


def _scales(locale: "Locale") -> dict[str, int]:
    formats = [forms for length in locale.compact_decimal_formats.values() for forms in length.values()]
    written = [(int(power), str(form.pattern)) for forms in formats for power, form in forms.items()]
    found = [(power, match) for power, pattern in written if (match := _SCALE.fullmatch(pattern))]
    return {match[2].lower(): power // 10 ** (len(match[1]) - 1) for power, match in found}
