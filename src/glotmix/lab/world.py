"""The lab's items: problems that belong to no language.

1. A task has 104,000 distinct items, numbered: 100,000 to train on, 2,000 to validate, 2,000 to test.
2. An item's number picks its kind, and then one point of that kind's space of choices; no point comes twice.
3. `lab/render.py` says an item in any language; translations of one item share its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product
from math import gcd, prod

from glotmix.lab.languages import grammar

TASKS = ("math", "summarization", "instructions", "api_calls")
SPLITS = {"train": (0, 100_000), "validation": (100_000, 102_000), "test": (102_000, 104_000)}

_LEXICON = grammar("en")  # its keys are the world's inventory: every language names the same things
PEOPLE = tuple(_LEXICON.people)
THINGS = tuple(thing for thing in _LEXICON.things if thing != "ticket")
PLACES = tuple(_LEXICON.places)
CITIES = tuple(_LEXICON.cities)
DAYS = tuple(_LEXICON.days)
WEATHER = tuple(_LEXICON.weather)
MOODS = tuple(_LEXICON.moods)
GAINS = ("buys", "finds", "receives")
LOSSES = ("loses", "sells", "gives")
EVENTS = GAINS + LOSSES

AMOUNTS = tuple(range(20, 52))  # what someone has at first
SECOND_AMOUNTS = tuple(range(2, 48))  # so that two amounts together stay below 100
OPERANDS = tuple(range(2, 10))  # what is gained or lost
COUNTS = tuple(range(2, 31))  # of a thing in a story, an order or a booking
HOURS = tuple(range(2, 13))
REPEATS = tuple(range(2, 7))

# The tools an api_calls item may offer, with the parameters each takes.
TOOLS = {
    "order_item": ("item", "quantity", "recipient", "day"),
    "book_tickets": ("city", "quantity", "day"),
    "set_alarm": ("hour", "day"),
    "get_weather": ("city", "day"),
    "arrange_meeting": ("person", "place", "day"),
}

Choice = str | int | tuple[str, ...]
Space = Mapping[str, tuple[Choice, ...]]


@dataclass(frozen=True)
class Item:
    """A problem free of language: its kind, and the choices that make it."""

    item_id: str
    task: str
    kind: str
    choices: Mapping[str, Choice]


def _word_lists(length: int) -> tuple[tuple[str, ...], ...]:
    """Every set of `length` things, each in as many orders as it has words."""
    return tuple(
        chosen[turn:] + chosen[:turn] for chosen in combinations(THINGS, length) for turn in range(length)
    )  # fmt: skip


def _changes(steps: int) -> Space:
    """A first amount and what changes it. Three losses in a row are left out, so that no amount becomes negative."""
    events = tuple(chain for chain in product(EVENTS, repeat=steps) if steps < 3 or not set(chain) <= set(LOSSES))
    operands = {f"operand_{i}": OPERANDS for i in range(1, steps + 1)}
    return {"who": PEOPLE, "thing": THINGS, "amount": AMOUNTS, "events": events, **operands}


def _offers(tool: str) -> tuple[tuple[str, ...], ...]:
    """Every order of every two or three tools with `tool` among them."""
    return tuple(offer for size in (2, 3) for offer in permutations(TOOLS, size) if tool in offer)


# Task -> kind -> how many of 100 items are of it. No kind gets more items than its space has points.
SHARES: Mapping[str, Mapping[str, int]] = {
    "math": {"one_step": 30, "two_steps": 30, "three_steps": 20, "together": 20},
    "summarization": {"story": 100},
    "instructions": {"repeat": 10, "reverse": 25, "first": 20, "last": 20, "without": 25},
    "api_calls": {"order_item": 60, "book_tickets": 20, "arrange_meeting": 15, "set_alarm": 3, "get_weather": 2},
}


@cache
def _space(task: str, kind: str) -> Space:
    """The independent choices of a kind: name -> options."""
    return {"math": _problems, "summarization": _stories, "instructions": _instructions, "api_calls": _requests}[task](
        kind
    )


def _problems(kind: str) -> Space:
    if kind != "together":
        return _changes({"one_step": 1, "two_steps": 2, "three_steps": 3}[kind])
    return {"pair": tuple(permutations(PEOPLE, 2)), "thing": THINGS, "amount": AMOUNTS, "second": SECOND_AMOUNTS}


def _stories(kind: str) -> Space:
    assert kind == "story"
    return {
        "who": PEOPLE, "event": EVENTS, "thing": THINGS, "count": COUNTS, "place": PLACES,
        "day": DAYS, "weather": WEATHER, "city": CITIES, "mood": MOODS, "event_comes": ("first", "later"),
    }  # fmt: skip


def _instructions(kind: str) -> Space:
    if kind == "repeat":
        return {"words": tuple(permutations(THINGS, 2)), "times": REPEATS, "times_second": REPEATS}
    if kind == "without":
        return {"words": _word_lists(4), "index": (0, 1, 2, 3)}
    return {"words": _word_lists(3) + _word_lists(4)}


def _requests(kind: str) -> Space:
    asked: Mapping[str, Space] = {
        "order_item": {"thing": THINGS, "count": COUNTS, "who": PEOPLE, "day": DAYS},
        "book_tickets": {"city": CITIES, "count": COUNTS, "day": DAYS},
        "set_alarm": {"hour": HOURS, "day": DAYS},
        "get_weather": {"city": CITIES, "day": DAYS},
        "arrange_meeting": {"who": PEOPLE, "place": PLACES, "day": DAYS},
    }
    return {"tools": _offers(kind), **asked[kind]}


def item_id(task: str, number: int) -> str:
    return f"lab-{task}-{number:06d}"


def number_of(item_id: str) -> int:
    """The number in an item's id; -1 if there is none."""
    digits = item_id.rsplit("-", 1)[-1]
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def item(task: str, number: int) -> Item:
    """Item `number` (from 0 up to 103,999) of a task; different numbers are different problems."""
    block, slot = divmod(number, 100)
    first = 0
    for kind, share in SHARES[task].items():
        if slot < first + share:
            point = block * share + slot - first
            return Item(item_id(task, number), task, kind, _point(_space(task, kind), point))
        first += share
    raise AssertionError(f"the shares of {task} do not add up to 100")


def _point(space: Space, index: int) -> Mapping[str, Choice]:
    """Point `index` of the space, the points taken in a scattered order that visits each once."""
    size = prod(len(options) for options in space.values())
    assert index < size
    stride = int(size * 0.6180339887)  # the golden ratio keeps neighbours far apart
    while gcd(stride, size) > 1:
        stride += 1
    place = index * stride % size
    choices = {}
    for name, options in space.items():
        place, option = divmod(place, len(options))
        choices[name] = options[option]
    return choices


def numbers(split: str) -> range:
    """The numbers of a split's items: train, validation and test share none."""
    return range(*SPLITS[split])
