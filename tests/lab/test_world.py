"""The lab's world: parallel by construction, items distinct, and every sentence sayable in every language."""

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.lab import world
from glotmix.lab.grammar import Quantity
from glotmix.lab.languages import TAGS, grammar
from glotmix.lab.render import render
from glotmix.lab.text import SHARES, documents
from glotmix.language import Language

LEXICONS = ("people", "things", "places", "cities", "days", "weather", "moods")


@pytest.mark.parametrize("task", world.TASKS)
def test_all_items_of_a_task_are_distinct_problems(task):
    items = [world.item(task, number) for split in world.SPLITS for number in world.numbers(split)]
    assert len({(item.kind, tuple(item.choices.items())) for item in items}) == len(items) == 104_000


def test_splits_share_no_item():
    numbers = [set(world.numbers(split)) for split in world.SPLITS]
    assert sum(map(len, numbers)) == len(set.union(*numbers))
    assert len(world.numbers("train")) >= 100_000


@pytest.mark.parametrize("tag", TAGS)
def test_every_language_names_the_same_world(tag):
    ours, english = grammar(tag), grammar("en")
    for lexicon in LEXICONS:
        assert list(getattr(ours, lexicon)) == list(getattr(english, lexicon))
    assert ours.frames.keys() == english.frames.keys()
    assert {p.forms["gender"] for p in ours.people.values()} == {"m", "f"}
    for frame in english.frames:
        assert fields(ours.frames[frame]) == fields(english.frames[frame]), frame


def fields(frame) -> set[str]:
    patterns = [frame] if isinstance(frame, str) else list(frame.values())
    return {name for pattern in patterns for _, name, _, _ in Formatter().parse(pattern) if name}


@pytest.mark.parametrize("tag", TAGS)
def test_words_that_answers_turn_on_do_not_coincide(tag):
    g = grammar(tag)
    for lexicon in LEXICONS:
        spoken = [str(word) for word in getattr(g, lexicon).values()]
        assert len(set(spoken)) == len(spoken), lexicon


@given(task=st.sampled_from(world.TASKS), number=st.integers(0, 103_999), tag=st.sampled_from(TAGS))
def test_every_item_can_be_said_in_every_language(task, number, tag):
    said = render(world.item(task, number), tag)
    assert said.prompt and said.answer and said.reference
    assert not re.search(r"[{}]", said.prompt), "a field was left unfilled"
    assert "  " not in said.prompt


@given(number=st.integers(0, 103_999), tag=st.sampled_from(TAGS))
def test_worked_solutions_are_true_and_end_at_the_reference(number, tag):
    said = render(world.item("math", number), tag)
    *steps, answer = said.answer.split("\n")
    for step in steps:
        left, right = step.split("=")
        first, sign, second = left.split()
        expected = int(first) + int(second) if sign == "+" else int(first) - int(second)
        assert int(right) == expected > 0
    assert int(re.findall(r"\d+", answer)[-1]) == int(said.reference) == int(steps[-1].split("=")[1])


@given(number=st.integers(0, 103_999))
def test_translations_of_an_item_ask_for_the_same_call(number):
    references = {render(world.item("api_calls", number), tag).reference for tag in TAGS}
    assert len(references) == 1


# CLDR's plural rules and the classic traps: 11-14 and 21 in Russian, dual and 3-10 in Arabic, counters in CJK and Thai.
@pytest.mark.parametrize(
    ("tag", "n", "thing", "said"),
    [
        ("ru", 21, "book", "21 книга"), ("ru", 3, "book", "3 книги"), ("ru", 12, "book", "12 книг"),
        ("ar", 2, "book", "كتابان"), ("ar", 5, "book", "٥ كتب"),
        ("ja", 3, "book", "本3冊"), ("zh", 3, "book", "3本书"), ("ko", 3, "book", "책 3권"),
        ("th", 3, "book", "หนังสือ 3 เล่ม"), ("bn", 3, "book", "৩টি বই"), ("sw", 3, "egg", "mayai 3"),
        ("de", 2, "apple", "2 Äpfel"), ("te", 3, "book", "3 పుస్తకాలు"),
    ],
)  # fmt: skip
def test_counted_nouns_follow_the_grammar(tag, n, thing, said):
    g = grammar(tag)
    assert f"{Quantity(g, n, g.things[thing])}" == said


def test_low_resource_languages_get_a_tenth_of_the_text():
    low = {tag for tag in TAGS if Language.get(tag).resource == "low"}
    assert low == {"bn", "sw", "te", "th"}
    assert {SHARES[tag] for tag in low} == {0.1} and {SHARES[tag] for tag in set(TAGS) - low} == {1.0}


def test_pretraining_text_is_reproducible_and_shows_no_task():
    stream = documents(3)
    text = [next(stream) for _ in range(3000)]
    again = documents(3)
    assert text == [next(again) for _ in range(3000)]
    solved = re.compile(r"\d [+-] \d+ = \d+\n[^\d\n]*[A-Za-z]")
    assert not any(solved.search(document) for document in text), "an equation followed by an answer sentence"
