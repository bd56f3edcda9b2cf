"""Numerals in Chinese characters are read as numbers, and words that begin with one are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.task.han import find_han
from glotmix.task.numbers import parse_number, write_number
from number_forms import han


@given(st.integers(0, 99_999_999))
def test_what_is_written_in_chinese_characters_is_read_back(n: int) -> None:
    assert parse_number(han(n), "zh") == n


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十八", "18"), ("一千二百三十四", "1234"), ("两百", "200"), ("廿", "20"), ("卅五", "35"),
        ("一万二千", "12000"), ("百", "100"), ("二〇二四", "2024"), ("兩百零五", "205"), ("一亿二千万", "120000000"),
        ("一万亿", "1000000000000"), ("三个半", "3.5"), ("負十八", "-18"), ("マイナス二十", "-20"), ("壹佰", "100"),
    ],
)  # fmt: skip
def test_a_numeral_has_its_value(text: str, value: str) -> None:
    read = parse_number(text, "ja")
    assert read is not None and write_number(read) == value


@pytest.mark.parametrize("text", ["一共", "一样", "一起", "一番", "三角形", "千万不要", "第一个"])
def test_a_word_that_begins_with_a_numeral_is_no_number(text: str) -> None:
    assert find_han(text) is None


@pytest.mark.parametrize("behind", ["", "个", "円。", "です", "，", " km"])
def test_a_counter_or_an_end_makes_a_numeral_a_number(behind: str) -> None:
    assert find_han("十八" + behind) == (18, 0, 2)


@given(st.text("〇一二十百千万億兆半个第", max_size=200))
def test_any_run_of_characters_has_at_most_one_first_number(text: str) -> None:
    found = find_han(text)
    assert found is None or 0 <= found[1] < found[2] <= len(text)
