"""The lab's instructions: what a person would accept is right in every language, and nothing else is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.lab import world
from glotmix.lab.languages import TAGS, grammar
from glotmix.lab.render import render
from glotmix.task.instructions import score

KINDS = tuple(world.SHARES["instructions"])
SEPARATORS = re.compile("[,、،] ?")


def rendered(kind: str, language: str):
    number = next(n for n in range(500, 600) if world.item("instructions", n).kind == kind)
    return render(world.item("instructions", number), language)


def words_of(reference: str) -> list[str]:
    return SEPARATORS.split(reference)


def dressed(words: list[str]) -> dict[str, str]:
    """The same answer as people and models write it."""
    return {
        "commas": ", ".join(words),
        "no spaces": ",".join(words),
        "full-width commas": "，".join(words),
        "ideographic commas": "、".join(words) + "。",
        "Arabic commas": "، ".join(words) + ".",
        "semicolons": "; ".join(words),
        "lines": "\n".join(words),
        "lines with commas": ",\n".join(words) + "\n",
        "dashes": "\n".join(f"- {word}" for word in words),
        "bullets": "\n".join(f"• {word}" for word in words),
        "numbers": "\n".join(f"{place}. {word}" for place, word in enumerate(words, 1)),
        "numbers in brackets": "\n".join(f"{place}) {word}" for place, word in enumerate(words, 1)),
        "quotes": ", ".join(f"“{word}”" for word in words),
        "other quotes": "、".join(f"「{word}」" for word in words),
        "angle quotes": ", ".join(f"«{word}»" for word in words),
        "bold": ", ".join(f"**{word}**" for word in words),
        "capitals": ", ".join(words).title() + "!",
        "danda": ", ".join(words) + "।",
    }


@pytest.mark.parametrize("language", TAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_right_words_are_right_in_any_dress(kind, language):
    reference = rendered(kind, language).reference
    for name, text in dressed(words_of(reference)).items():
        assert score(text, reference, language=language).verdict == "correct", (name, text)


@pytest.mark.parametrize("language", TAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_other_words_or_another_order_are_not(kind, language):
    example = rendered(kind, language)
    words = words_of(example.reference)
    other = next(str(thing) for thing in grammar(language).things.values() if str(thing) not in words)
    wrong = [[*words, other], [other, *words], [other, *words[1:]], [*words, words[-1]], words[:-1] or [other]]
    wrong += [words[::-1]] if words != words[::-1] else []
    for answer in wrong:
        for name, text in dressed(answer).items():
            found = score(text, example.reference, language=language)
            assert found.value == 0 and found.verdict == "wrong", (name, text)
    assert score(example.prompt, example.reference, language=language).value == 0


@pytest.mark.parametrize(
    ("output", "reference"),
    [
        ("৫, ৬", "5, 6"),
        ("5, 6", "৫, ৬"),
        ("５、６", "5, 6"),
        ("٥، ٦", "5, 6"),
        ("๕ ครั้ง", "5 ครั้ง"),
        ("1. 5\n2. 6", "5, 6"),
    ],
)
def test_digits_are_the_same_in_every_script(output, reference):
    assert score(output, reference, language="bn").value == 1


@pytest.mark.parametrize(
    ("output", "reference"),
    [
        ("2*3", "23"),
        ("3. 5", "5"),
        (".5", "5"),
        ("-5", "5"),
        ("leau", "l'eau"),
        ("apple egg", "apple, egg"),
        ("appleegg", "apple, egg"),
        ("The answer is: apple", "apple"),
        ("apple\n\nThese are the words.", "apple"),
    ],
)
def test_what_is_not_dress_counts(output, reference):
    assert score(output, reference, language="en").value == 0


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_is_itself(text):
    assert score(text, text, language="en").value == 1


def test_a_long_reference_is_right_against_itself():
    reference = "eggs " * 9_000
    assert score(reference, reference, language="en").verdict == "correct"
    assert score(reference + " milk", reference, language="en").verdict == "wrong"
