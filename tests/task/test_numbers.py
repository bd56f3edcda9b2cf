"""Marks between digits mean what the module's four rules say, and nothing takes long or raises."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.task.numbers import clean, find_numbers, parse_number, write_number

NBSP, THIN = "\u00a0", "\u202f"


def values(text: str, language: str) -> list[str]:
    return [write_number(number.value) for number in find_numbers(clean(text), language)]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1,234", "en", "1234"),
        ("1,234", "de", "1234"),
        ("1.234", "de", "1234"),
        ("1.234", "es", "1234"),
        ("1.234", "en", "1.234"),
        ("1.234", "ja", "1.234"),
        ("1.234.567", "en", "1234567"),
        ("1 234", "fr", "1234"),
        (f"1{NBSP}234{NBSP}567", "ru", "1234567"),
        (f"1{THIN}234,5", "fr", "1234.5"),
        (f"1{THIN}234", "en", "1234"),
        ("1,234.56", "de", "1234.56"),
        ("1.234,56", "en", "1234.56"),
        ("1'234", "de", "1234"),
        ("1’234.5", "de", "1234.5"),
        ("1,14,200", "bn", "114200"),
        ("১,১৪,২০০", "bn", "114200"),
        ("১৮", "bn", "18"),
        ("౧౮", "te", "18"),
        ("๑๘", "th", "18"),
        ("١٨", "ar", "18"),
        ("١٬٢٣٤٫٥", "ar", "1234.5"),
        ("١٫٢٣٤", "ar", "1.234"),
        ("1\u200e,\u200f234", "ar", "1234"),
        ("１８", "ja", "18"),
        ("１，２３４．５", "ja", "1234.5"),
        ("18,00", "fr", "18"),
        ("18.00", "fr", "18"),
        ("0,125", "en", "0.125"),
        ("1234,567", "en", "1234.567"),
        ("-5", "en", "-5"),
        ("−5", "en", "-5"),
        ("-$5", "en", "-5"),
        (".5", "en", "0.5"),
        ("3/4", "en", "0.75"),
        ("1/3", "en", "1/3"),
        ("1’234", "de-CH", "1234"),
        ("1.234", "de-CH", "1.234"),
        ("1.234", "es-MX", "1.234"),
        ("1.234", "es-ES", "1234"),
        ("1.234", "pt-BR", "1234"),
        ("1 234", "pt-PT", "1234"),
        ("1,14,200", "en-IN", "114200"),
        ("1.234", "xx-unknown", "1.234"),
        ("1،234", "ar", "1234"),
        ("1 1/2", "en", "1.5"),
        ("1½", "en", "1.5"),
        ("½", "en", "0.5"),
        ("1.5e3", "en", "1500"),
        ("1.5×10^3", "en", "1500"),
        ("1.5 x 10³", "en", "1500"),
        ("2×10⁻³", "en", "0.002"),
        ("10²", "en", "100"),
        ("3.5万", "zh", "35000"),
        ("1億2000万", "ja", "120000000"),
        ("1,234万", "ja", "12340000"),
        ("1억 2000만", "ko", "120000000"),
        ("5천만", "ko", "50000000"),
        ("5 million", "en", "5000000"),
        ("2,5 Millionen", "de", "2500000"),
        ("2 लाख", "hi", "200000"),
        ("2 লক্ষ", "bn", "200000"),
        ("5 Mio", "de", "5000000"),
        ("70 тыс", "ru", "70000"),
        ("70 हजार", "hi", "70000"),
        ("2分の1", "ja", "0.5"),
        ("3 crore", "en-IN", "30000000"),
        ("マイナス5", "ja", "-5"),
        ("负5", "zh", "-5"),
    ],
)
def test_one_number_is_read_as_written(text: str, language: str, value: str) -> None:
    assert values(text, language) == [value]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("5+6=11.సమాధానం", "te", ["5", "6", "11"]),
        ("74-35=39個", "ja", ["74", "35", "39"]),
        ("20 -12", "en", ["20", "12"]),
        ("5個-2個", "ja", ["5", "2"]),
        ("答えは-5です", "ja", ["-5"]),
        ("(5 + 6) -3", "en", ["5", "6", "3"]),
        ("COVID-19", "en", ["19"]),
        ("balls.5 + 6", "en", ["5", "6"]),
        ("12 345 apples", "en", ["12", "345"]),
        ("2023 100", "fr", ["2023", "100"]),
        ("5 m² of 10² eggs", "en", ["5", "100"]),
        ("\u200f18\u200e eggs", "ar", ["18"]),
        ("5千克", "zh", ["5"]),
        ("5千円", "ja", ["5000"]),
        ("18만큼", "ko", ["18"]),
        ("18% of 18円 at $18, US$18, 18 km, 18個, 18명", "en", ["18"] * 7),
        ("2 millionaires", "en", ["2"]),
        ("km^2 and 1e999999999 and 9^9999", "en", []),
        ("1 3/2", "en", []),
        ("24.12.2026 or 1.2.3 or 3,5,7 or 24/12/2026 or 1/0", "en", []),
        ("1,14,200", "en", []),
        ("9" * 41, "en", []),
        ("9" * 40, "en", ["9" * 40]),
    ],
)
def test_what_stands_beside_a_number_is_kept_apart(text: str, language: str, expected: list[str]) -> None:
    assert values(text, language) == expected


@pytest.mark.parametrize("text", ["", "  ", "18 eggs", "5 + 6", "x"])
def test_a_text_that_is_more_or_less_than_one_number_is_refused(text: str) -> None:
    assert parse_number(text, "en") is None


@given(st.integers(-(10**12), 10**12), st.sampled_from([0, 1, 2, 4, 5]), st.sampled_from(["en", "de", "th"]))
def test_writing_and_reading_a_decimal_gives_it_back(whole: int, decimals: int, language: str) -> None:
    value = Fraction(whole, 10**decimals)
    written = write_number(value)
    if len(written.partition(".")[2]) != 3:  # the documented ambiguity
        assert parse_number(written, language) == value
