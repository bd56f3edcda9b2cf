"""Numbers in Chinese characters, and the units behind digits in Chinese, Japanese and Korean (3万, 1億2000万, 5만).

Many words begin with such a character and mean no number: 一共, 一样, 一番, 三角形, 千万不要. Therefore:

1. Characters without digits are read only where a number is expected (an announced answer, or the whole text), and
   only where a counter, the end of a clause or です and its like follows: 十八个, 二十です, but not 一共, 第一个.
2. Behind digits a unit multiplies: 3万, 5千円, 2백만. Not in 5千克, 5千米 (kilograms, kilometres) and 18만큼 ("as much
   as 18").
3. 半 behind the counter 个 adds a half: 三个半 is 3.5, as is 三点五. 二分之一 and 二分の一 are 1/2; 百分之 is a percent
   sign.
"""

import re
from collections.abc import Iterable
from fractions import Fraction

_ZEROS = {"十": 1, "拾": 1, "百": 2, "佰": 2, "백": 2, "千": 3, "仟": 3, "천": 3, "万": 4, "萬": 4, "만": 4}
UNITS = {unit: 10**zeros for unit, zeros in {**_ZEROS, "億": 8, "亿": 8, "억": 8, "兆": 12}.items()}
UNIT = rf"[{''.join(UNITS)}](?![克米瓦卡赫焦帕伏字큼])"

_DIGITS = "〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖两兩"
_TO_ASCII = str.maketrans(_DIGITS, "0012345678912345678922")
_NUMERALS = _DIGITS + "十拾百佰千仟万萬億亿兆廿卅"
_COUNTERS = """个個箇つ只隻匹頭头人名位元円块塊圆圓分秒小時时天日周週月年岁歳页頁张張条條件台辆輛本册冊杯瓶盒箱袋包支枝
朵棵颗顆粒双雙对對套份次回度米公里克斤吨升枚ド美歩步段组組碗层層间間座家束巻倍割毛"""
_ENDINGS = "でだがはにを"
_NUMBER = re.compile(
    rf"(?<![第{_NUMERALS}])(?:(?P<under>[{_NUMERALS}]{{1,40}})分[之の])?(?P<number>[{_NUMERALS}]{{1,40}})"
    rf"(?:[点點](?P<decimals>[{_DIGITS}]{{1,40}}))?(?P<half>[个個]半(?![径圆円球数]))?"
    rf"(?=$|\W|[{''.join(_COUNTERS.split())}{_ENDINGS}])"
)


def combine(pieces: Iterable[Fraction | str]) -> Fraction:
    """The value of numbers and units in a row: 1 億 2000 万 is 120,000,000.

    >>> combine([Fraction(1), "億", Fraction(2000), "万"])
    Fraction(120000000, 1)
    """
    total = section = number = Fraction(0)
    for piece in pieces:
        if isinstance(piece, Fraction):
            number = piece
            continue
        unit = UNITS[piece]
        if unit < 10_000:
            section, number = section + (number or 1) * unit, Fraction(0)
            continue
        section, number = section + number, Fraction(0)
        larger = 0 < total < unit  # 一万亿 is a trillion
        total = (total + section) * unit if larger else total + (section or 1) * unit
        section = Fraction(0)
    return total + section + number


def find_han(text: str) -> tuple[Fraction, int, int] | None:
    """Value, start and end of the first number in Chinese characters.

    >>> find_han("一共十八个"), find_han("三分之二"), find_han("一样")
    ((Fraction(18, 1), 2, 4), (Fraction(2, 3), 0, 4), None)
    """
    match = _NUMBER.search(text)
    if match is None:
        return None
    under = 1 if match["under"] in (None, "百") else _whole(match["under"])
    decimals = Fraction(f"0.{match['decimals'].translate(_TO_ASCII)}") if match["decimals"] else 0
    value = _whole(match["number"]) + decimals + Fraction(match["half"] is not None, 2)
    return (value / under, match.start(), match.end()) if under else None


def _whole(written: str) -> Fraction:
    pieces = re.findall(r"\d+|\D", written.replace("廿", "二十").replace("卅", "三十").translate(_TO_ASCII))
    return combine(Fraction(piece) if piece.isdecimal() else piece for piece in pieces)
