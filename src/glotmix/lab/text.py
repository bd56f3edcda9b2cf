"""What the lab's base models read before any study: sentences, translations, word lists, arithmetic and calls.

No document shows a task: no problem with its solution, no story with its headline, no request with its answer or call.
A language's share of the text is its resource level: bn, sw, te and th get a tenth of what each of the others gets.
"""

import json
from collections.abc import Iterator, Mapping
from random import Random

from glotmix.lab.grammar import Grammar, Quantity, Word
from glotmix.lab.languages import TAGS, grammar
from glotmix.lab.world import EVENTS, GAINS, LOSSES, PEOPLE, THINGS, TOOLS
from glotmix.language import Language

END = "<|end|>"
SHARES = {tag: 0.1 if Language.get(tag).resource == "low" else 1.0 for tag in TAGS}
# kind of document -> its share of all documents
KINDS: Mapping[str, float] = {
    "arithmetic": 0.10, "translation": 0.35, "sentences": 0.15, "accounts": 0.33, "words": 0.04, "calls": 0.03,
}  # fmt: skip


def language_token(tag: str) -> str:
    """The token that opens a passage in a language."""
    return f"<|{tag}|>"


def documents(seed: int) -> Iterator[str]:
    """An endless stream of documents, the same for the same seed."""
    rng = Random(seed)
    kinds, kind_shares = list(KINDS), list(KINDS.values())
    tags, shares = list(SHARES), list(SHARES.values())
    while True:
        kind = rng.choices(kinds, kind_shares)[0]
        first, second = rng.choices(tags, shares, k=2)
        yield _document(kind, first, second, rng)


def _document(kind: str, first: str, second: str, rng: Random) -> str:
    g = grammar(first)
    if kind == "arithmetic":
        return "\n".join(equation(g, rng) for _ in range(rng.randint(2, 5)))
    if kind == "calls":
        return _call(rng)
    if kind == "accounts":
        return _opening(first, rng) + _passage(_account(rng), g)
    if kind == "words":
        chosen = rng.sample(list(g.things), 4)
        tags = (first, second) if second != first else (first,)
        return "".join(
            language_token(tag) + grammar(tag).separator.join(str(grammar(tag).things[key]) for key in chosen)
            for tag in tags
        )
    if kind == "translation" and first != second:
        said = _account(rng) if rng.random() < 0.25 else [_sentence(rng) for _ in range(rng.randint(1, 2))]
        return "".join(language_token(tag) + _passage(said, grammar(tag)) for tag in (first, second))
    return _opening(first, rng) + _passage(_scene(rng), g)


def _opening(tag: str, rng: Random) -> str:
    """Half the passages say which language they are in."""
    return language_token(tag) if rng.random() < 0.5 else ""


def equation(g: Grammar, rng: Random) -> str:
    """A true sum or difference of numbers below 100, in the digits of the language."""
    if rng.random() < 0.5:
        left, right = rng.randint(1, 60), rng.choice((rng.randint(1, 10), rng.randint(1, 39)))
        return f"{g.number(left)} + {g.number(right)} = {g.number(left + right)}"
    left = rng.randint(2, 99)
    right = rng.randint(1, min(left - 1, rng.choice((10, 99))))
    return f"{g.number(left)} - {g.number(right)} = {g.number(left - right)}"


def _call(rng: Random) -> str:
    tool = rng.choice(list(TOOLS))
    en = grammar("en")
    values = {
        "item": list(THINGS), "recipient": list(PEOPLE), "person": list(PEOPLE), "place": list(en.places),
        "city": list(en.cities), "day": list(en.days), "quantity": range(2, 31), "hour": range(2, 13),
    }  # fmt: skip
    arguments = {name: rng.choice(values[name]) for name in TOOLS[tool]}
    return f"{tool}({', '.join(TOOLS[tool])})\n" + json.dumps({"name": tool, "arguments": arguments})


Sentence = tuple[str, dict[str, str | int | list[str]]]


def _scene(rng: Random) -> list[Sentence]:
    """One to four sentences, often about the same person and thing."""
    first = _sentence(rng)
    scene = [first]
    for _ in range(rng.randint(0, 3)):
        frame, fields = _sentence(rng)
        for name in ("who", "noun", "thing"):
            if name in fields and name in first[1] and rng.random() < 0.7:
                fields[name] = first[1][name]
        scene.append((frame, fields))
    return scene


def _account(rng: Random) -> list[Sentence]:
    """What somebody has, what changes it, and what they have then: how a reader learns what buying and losing do."""
    who, thing = rng.choice(PEOPLE), rng.choice(THINGS)
    amount = rng.randint(2, 60)
    account: list[Sentence] = [("has", {"who": who, "thing": thing, "n": amount})]
    for _ in range(rng.choice((1, 1, 2))):
        event = rng.choice(EVENTS if amount > 2 else GAINS)
        change = rng.randint(1, min(10, amount - 1)) if event in LOSSES else rng.randint(1, 10)
        amount += -change if event in LOSSES else change
        account.append((event, {"who": who, "thing": thing, "n": change}))
        account.append(("has", {"who": who, "thing": thing, "n": amount}))
    return account


_FRAMES = {
    **dict.fromkeys(("has", *EVENTS), ("who", "things")),
    **{f"headline_{event}": ("who", "things", "place") for event in EVENTS},
    "question_now": ("who", "noun"), "question_together": ("who", "other", "noun"), "answer": ("number",),
    "setting": ("day", "weather", "city"), "goes": ("who", "place"), "feels": ("who", "mood"),
    "repeat": ("word", "number"), "reverse": ("list",), "first": ("list",), "last": ("list",),
    "without": ("word", "list"), "order": ("things", "who", "day"), "tickets": ("tickets", "city", "day"),
    "alarm": ("hour", "day"), "forecast": ("city", "day"), "meet": ("who", "place", "day"),
}  # fmt: skip
_WEIGHTS = {**dict.fromkeys(_FRAMES, 1.0), "has": 5.0, "question_now": 5.0, "question_together": 4.0, "answer": 3.0,
            **dict.fromkeys(EVENTS, 3.0)}  # fmt: skip
_NAMES, _FRAME_WEIGHTS = list(_FRAMES), [_WEIGHTS[name] for name in _FRAMES]


def _sentence(rng: Random) -> Sentence:
    """A sentence free of language: a frame and the keys of what fills it."""
    en = grammar("en")
    frame = rng.choices(_NAMES, _FRAME_WEIGHTS)[0]
    fields: dict[str, str | int | list[str]] = {}
    for name in _FRAMES[frame]:
        if name == "list":
            fields["list"] = rng.sample(THINGS, rng.randint(3, 4))
        elif name in ("things", "tickets"):
            fields["thing"] = rng.choice(THINGS) if name == "things" else "ticket"
            fields["n"] = rng.randint(2, 10) if rng.random() < 0.5 else rng.randint(2, 60)
        elif name in ("number", "hour"):
            fields["number"] = rng.randint(2, 12) if name == "hour" or frame == "repeat" else rng.randint(1, 99)
        else:
            fields[name] = rng.choice(list(_lexicon(en, name)))
    return frame, fields


def _lexicon(g: Grammar, field: str) -> Mapping[str, Word]:
    return {
        "who": g.people, "other": g.people, "noun": g.things, "word": g.things, "place": g.places, "city": g.cities,
        "day": g.days, "weather": g.weather, "mood": g.moods,
    }[field]  # fmt: skip


def _passage(sentences: list[Sentence], g: Grammar) -> str:
    return g.joiner.join(_say(frame, fields, g) for frame, fields in sentences)


def _say(frame: str, fields: dict[str, str | int | list[str]], g: Grammar) -> str:
    said: dict[str, object] = {}
    for name, value in fields.items():
        if name == "thing":
            said["things"] = Quantity(g, int(str(fields["n"])), g.things[str(value)])
        elif name == "number":
            said["number"] = g.number(int(str(value)))
        elif name == "list" and isinstance(value, list):
            said["list"] = g.separator.join(str(g.things[word]) for word in value)
        elif name != "n":
            said[name] = _lexicon(g, name)[str(value)]
    return g.say(frame, **said)
