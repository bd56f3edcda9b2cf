"""Tool calls: an output is right if it is the reference's JSON call: same name, same arguments, same values.

The call is `{"name": ..., "arguments": {...}}`, alone or in a code fence. It is parsed and never executed.
Numbers are compared as numbers, strings apart from letter case and outer spaces; the order of arguments is free.

>>> call = '{"name": "set_alarm", "arguments": {"day": "Monday", "hour": 7}}'
>>> score('{"name": "set_alarm", "arguments": {"hour": 7.0, "day": "monday"}}', call, language="en").verdict
'correct'
>>> score("set_alarm(day='Monday', hour=7)", call, language="en").verdict
'malformed'
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from glotmix.errors import UserError
from glotmix.task.score import Score, choose_verdict

VERSION = 2
CHARACTERS_READ = 100_000
DEPTH = 50
_FENCE = re.compile(r"```\w*\s(.*)```", re.DOTALL)
_RULE = "name and every argument equal"


class Call(NamedTuple):
    name: str
    arguments: dict[str, Any]


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if name and all arguments are equal; `metrics` has both apart, `arguments` as the share that is right."""
    expected, _ = _parse(reference)
    if expected is None:
        raise UserError(f"api_calls reference {reference!r:.80} is no call (see glotmix.task.api_calls); fix the row")
    call, text = _parse(output)
    name, arguments = _compare(call, expected) if call else (0.0, 0.0)
    correct = name == arguments == 1
    verdict, detected = choose_verdict(
        correct=correct,
        finished=finished,
        answered=bool(text),
        language=language,
        # keys and tool names are English everywhere: a call's language is that of its values
        prose=" ".join(_strings(call.arguments)) if call else "" if "{" in text else text,
        reference_prose=" ".join(_strings(expected.arguments)),
        well_formed=call is not None,
    )
    return Score(float(correct), verdict, text if call else "", {"name": name, "arguments": arguments}, _RULE, detected)


def _parse(text: str) -> tuple[Call | None, str]:
    """The call, and the text it stands in without white space and fence; no call if the text is not exactly one."""
    text = text.strip()
    if len(text) > CHARACTERS_READ:
        return None, text[:CHARACTERS_READ]  # no call is that long
    fenced = _FENCE.fullmatch(text)
    text = fenced[1].strip() if fenced else text
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):  # not JSON, or nested beyond the parser's depth
        return None, text
    match found:
        case {"name": str(name), "arguments": dict(arguments)} if len(found) == 2 and _depth(arguments) <= DEPTH:
            return Call(name, arguments), text
    return None, text  # JSON, but a list of calls, a bare value, other keys


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice: which value was meant, nobody can tell")
    return found


def _number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent no Decimal has
        raise ValueError("not a number that can be compared") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _compare(call: Call, expected: Call) -> tuple[float, float]:
    """Name right (0 or 1), and the share of arguments right among those of either call."""
    names = call.arguments.keys() | expected.arguments.keys()
    shared = call.arguments.keys() & expected.arguments.keys()
    right = sum(_same(call.arguments[key], expected.arguments[key]) for key in shared)
    return float(call.name == expected.name), right / len(names) if names else 1.0


def _same(a: Any, b: Any) -> bool:
    match a, b:
        case str(), str():
            return _folded(a) == _folded(b)
        case list(), list():
            return len(a) == len(b) and all(map(_same, a, b))
        case dict(), dict():
            return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)  # true is not 1, and "7" is not 7


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for parent in level for child in _children(parent)]:
        depth += 1
    return depth


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for child in _children(value):
        yield from _strings(child)
