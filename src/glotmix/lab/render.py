"""An item of the lab said in one language: what is asked, the answer to learn, and the reference to score against.

`api_calls` answers are JSON in English names and values whatever the language of the request; the others answer in the
language they are asked in. A worked solution is one equation a step, in the digits of the language.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from glotmix.lab.grammar import Grammar, Quantity, Word
from glotmix.lab.languages import grammar
from glotmix.lab.world import GAINS, TOOLS, Item


@dataclass(frozen=True)
class Rendered:
    prompt: str
    answer: str
    reference: str


def render(item: Item, tag: str) -> Rendered:
    """The item in language `tag`.

    >>> from glotmix.lab.world import item
    >>> print(render(item("math", 0), "en").answer)
    20 + 2 = 22
    The answer is 22.
    """
    return _RENDERERS[item.task](item.kind, dict(item.choices), grammar(tag))


def _math(kind: str, choices: dict[str, Any], g: Grammar) -> Rendered:
    noun = g.things[choices["thing"]]
    total = choices["amount"]
    if kind == "together":
        who, other = (g.people[key] for key in choices["pair"])
        second = choices["second"]
        story = [g.say("has", who=who, things=Quantity(g, total, noun)),
                 g.say("has", who=other, things=Quantity(g, second, noun)),
                 g.say("question_together", who=who, other=other, noun=noun)]  # fmt: skip
        steps, total = [_equation(g, total, "+", second)], total + second
    else:
        who = g.people[choices["who"]]
        story, steps = [g.say("has", who=who, things=Quantity(g, total, noun))], []
        for i, event in enumerate(choices["events"], start=1):
            operand = choices[f"operand_{i}"]
            story.append(g.say(event, who=who, things=Quantity(g, operand, noun)))
            steps.append(_equation(g, total, "+" if event in GAINS else "-", operand))
            total += operand if event in GAINS else -operand
        story.append(g.say("question_now", who=who, noun=noun))
    answer = g.say("answer", number=g.number(total))
    return Rendered(g.joiner.join(story), "\n".join([*steps, answer]), str(total))


def _equation(g: Grammar, left: int, sign: str, right: int) -> str:
    result = left + right if sign == "+" else left - right
    return f"{g.number(left)} {sign} {g.number(right)} = {g.number(result)}"


def _summarization(kind: str, choices: dict[str, Any], g: Grammar) -> Rendered:
    who, place = g.people[choices["who"]], g.places[choices["place"]]
    things = Quantity(g, choices["count"], g.things[choices["thing"]])
    setting = g.say(
        "setting", day=g.days[choices["day"]], weather=g.weather[choices["weather"]], city=g.cities[choices["city"]]
    )
    event = [g.say("goes", who=who, place=place), g.say(choices["event"], who=who, things=things)]
    feels = g.say("feels", who=who, mood=g.moods[choices["mood"]])
    story = [*event, setting, feels] if choices["event_comes"] == "first" else [setting, *event, feels]
    headline = g.say(f"headline_{choices['event']}", who=who, things=things, place=place)
    return Rendered(g.joiner.join(story), headline, headline)


def _instructions(kind: str, choices: dict[str, Any], g: Grammar) -> Rendered:
    spoken = [str(g.things[word]) for word in choices["words"]]
    if kind == "repeat":
        times = [choices["times"], choices["times_second"]]
        requests = [g.say("repeat", word=word, number=g.number(n)) for word, n in zip(spoken, times, strict=True)]
        request = g.joiner.join(requests)
        kept = [word for word, n in zip(spoken, times, strict=True) for _ in range(n)]
    elif kind == "without":
        left_out = spoken[choices["index"]]
        request = g.say("without", word=left_out, list=g.separator.join(spoken))
        kept = [word for word in spoken if word != left_out]
    else:
        request = g.say(kind, list=g.separator.join(spoken))
        kept = {"reverse": spoken[::-1], "first": spoken[:1], "last": spoken[-1:]}[kind]
    answer = g.separator.join(kept)
    return Rendered(request, answer, answer)


_REQUESTS = {
    "order_item": "order", "book_tickets": "tickets", "set_alarm": "alarm", "get_weather": "forecast",
    "arrange_meeting": "meet",
}  # fmt: skip


def _api_calls(kind: str, choices: dict[str, Any], g: Grammar) -> Rendered:
    lexicons: Mapping[str, Mapping[str, Word]] = {
        "who": g.people, "thing": g.things, "place": g.places, "city": g.cities, "day": g.days,
    }  # fmt: skip
    fields: dict[str, object] = {name: lexicons[name][choices[name]] for name in lexicons if name in choices}
    if kind == "set_alarm":
        fields["number"] = g.number(choices["hour"])
    if kind == "book_tickets":
        fields["things"] = Quantity(g, choices["count"], g.things["ticket"])
    if kind == "order_item":
        fields["things"] = Quantity(g, choices["count"], g.things[choices["thing"]])
    call = json.dumps({"name": kind, "arguments": {name: _argument(name, choices) for name in TOOLS[kind]}})
    offered = "\n".join(f"{tool}({', '.join(TOOLS[tool])})" for tool in choices["tools"])
    return Rendered(f"{offered}\n{g.say(_REQUESTS[kind], **fields)}", call, call)


def _argument(name: str, choices: dict[str, Any]) -> str | int:
    """The canonical value of a tool's parameter."""
    source = {"item": "thing", "quantity": "count", "recipient": "who", "person": "who"}.get(name, name)
    value: str | int = choices[source]
    return value


_RENDERERS: Mapping[str, Callable[[str, dict[str, Any], Grammar], Rendered]] = {
    "math": _math, "summarization": _summarization, "instructions": _instructions, "api_calls": _api_calls,
}  # fmt: skip
