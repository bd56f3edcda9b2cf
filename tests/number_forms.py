"""Every form of a number that a scorer of math must read: for the tests, and for `benchmarks/number_forms.py`.

1. A **form** writes a whole number as one tradition does; `languages` are those in which it is wanted.
2. An **answer** is that text behind the answer phrase of a language, as MGSM's own exemplars word it.
3. A **near miss** looks like 18 and is another number.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MGSM = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")
PHRASE = {
    "bn": "উত্তর হল {}।",
    "de": "Die Antwort lautet {}.",
    "en": "The answer is {}.",
    "es": "La respuesta es {}.",
    "fr": "La réponse est {}.",
    "ja": "答えは{}です。",
    "ru": "Ответ — {}.",
    "sw": "Jibu ni {}.",
    "te": "సమాధానం {}.",
    "th": "คำตอบคือ {}",
    "zh": "答案是 {}。",
    "ko": "정답은 {}입니다.",
    "ar": "الإجابة هي {}.",
    "pt": "A resposta é {}.",
    "hi": "उत्तर {} है।",
    "it": "La risposta è {}.",
    "id": "Jawabannya adalah {}.",
    "tr": "Cevap {}.",
}
NEAR_MISSES = ("1.8", "1,8", "180", "118", "18.5", "1/18", "1.8e2", "18^2", "十八万", "１．８")


class Form(NamedTuple):
    name: str
    write: Callable[[int], str]
    languages: tuple[str, ...] = tuple(PHRASE)


def grouped(mark: str) -> Callable[[int], str]:
    return lambda n: f"{n:,}".replace(",", mark)


def digits(zero: str) -> Callable[[int], str]:
    return lambda n: "".join(chr(ord(zero) + int(digit)) for digit in str(n))


def indian(n: int) -> str:
    head, tail = str(n)[:-3], str(n)[-3:]
    return ",".join([*([head[:1], head[1:]] if len(head) == 3 else [head] if head else []), tail])


def han(n: int) -> str:
    """
    >>> han(114_200), han(18), han(1_008)
    ('十一万四千二百', '十八', '一千零八')
    """
    if n >= 10_000:
        rest = n % 10_000
        return han(n // 10_000) + "万" + ("零" if 0 < rest < 1_000 else "") + (han(rest) if rest else "")
    if n == 0:
        return "零"
    written = ""
    for unit, sign in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // unit % 10
        if digit:
            written += "零〇一二三四五六七八九"[digit + 1] + sign
        elif written and n % unit and not written.endswith("零"):
            written += "零"
    return written.removeprefix("一") if 10 <= n < 20 else written


def myriads(unit: str) -> Callable[[int], str]:
    """3万, 11万4200; below 10,000 as digits."""
    return lambda n: f"{n // 10_000}{unit}{n % 10_000 or ''}" if n >= 10_000 else str(n)


COMMA = ("de", "es", "fr", "ru", "pt", "it", "id", "tr")  # CLDR: decimal comma
FORMS = (
    Form("1234", str),
    Form("1,234", grouped(",")),
    Form("1.234", grouped("."), COMMA),
    Form("1 234", grouped(" ")),
    Form("1 234 (no-break space)", grouped("\u00a0")),
    Form("1 234 (narrow space)", grouped("\u202f")),
    Form("1'234", grouped("'")),
    Form("1’234", grouped("’")),
    Form("1,14,200 (Indian)", indian, ("bn", "te", "hi")),
    Form("18.00", "{}.00".format),
    Form("18,00", "{},00".format),
    Form("1.234,00", lambda n: grouped(".")(n) + ",00"),
    Form("1,234.00", "{:,}.00".format),
    Form("Bengali digits", digits("০")),
    Form("Telugu digits", digits("౦")),
    Form("Thai digits", digits("๐")),
    Form("Devanagari digits", digits("०")),
    Form("Arabic digits", digits("٠")),
    Form("Arabic 1٬234٫0", lambda n: f"{digits('٠')(n)}٫٠"),
    Form("full-width digits", digits("０")),
    Form("Han numerals", han, ("ja", "zh")),
    Form("11万4200", myriads("万"), ("ja", "zh")),
    Form("11만4200", myriads("만"), ("ko",)),
    Form("18円。", "{}円。".format),
    Form("18元", "{}元".format),
    Form("18個", "{}個".format),
    Form("18명", "{}명".format),
    Form("$18", "${}".format),
    Form("18 €", "{} €".format),
    Form("18 km", "{} km".format),
    Form("18%", "{}%".format),
    Form("36/2", lambda n: f"{2 * n}/2"),
    Form("\\frac{36}{2}", lambda n: f"$\\frac{{{2 * n}}}{{2}}$"),
    Form("18e0", "{}e0".format),
    Form("1.8×10^1", lambda n: f"{n}0×10^-1"),
    Form("**18**", "**{}**".format),
    Form("$18$", "${}$".format),
    Form("\\boxed{18}", "$\\boxed{{{}}}$".format),
    Form("\\boxed{\\text{18 km}}", "$\\boxed{{\\text{{{} km}}}}$".format),
    Form("9 × 9 = 18", "9 × 9 = {}".format),
    Form("18 (3×6)", "{} (3×6)".format),
)


def mgsm_golds(data: Path, language: str) -> list[str]:
    """The 250 references, as the file has them."""
    lines = (data / "mgsm" / f"mgsm_{language}.tsv").read_text(encoding="utf-8").splitlines()
    return [reference for _, reference in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
