"""What a language does with marks comes from CLDR, for every tag there is."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.task.locale_marks import marks_of


@pytest.mark.parametrize(
    ("tag", "decimal_comma", "space_groups", "by_two"),
    [
        ("en", False, False, False),
        ("de", True, True, False),
        ("de-CH", False, False, False),
        ("es-MX", False, False, False),
        ("fr", True, True, False),
        ("pt-PT", True, True, False),
        ("sw", False, False, False),
        ("ar-MA", True, True, False),
        ("bn", False, False, True),
        ("en-IN", False, False, True),
        ("de-XX", True, True, False),
        ("zh-Hant-TW", False, False, False),
    ],
)
def test_marks_are_those_of_the_locale(tag: str, decimal_comma: bool, space_groups: bool, by_two: bool) -> None:
    assert marks_of(tag)[:3] == (decimal_comma, space_groups, by_two)


def test_words_that_multiply_are_those_of_the_language() -> None:
    assert dict(marks_of("es").scales)["millones"] == 10**6
    assert dict(marks_of("hi").scales)["करोड़"] == 10**7
    assert "million" not in dict(marks_of("th").scales)


@given(st.text(max_size=12))
def test_any_tag_has_marks(tag: str) -> None:
    assert marks_of(tag)[0] in (False, True)


def test_importing_the_scorer_does_not_load_babel() -> None:
    code = "import sys, glotmix.task.math; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
