"""Calls in JSON: one, or a list of them, as OpenAI's tools write them.

{"name": "f", "arguments": {"a": 1}}                      arguments may be a string of JSON
{"type": "function", "id": "...", "function": {"name": "f", "arguments": "{\\"a\\": 1}"}}
{"role": "assistant", "content": null, "tool_calls": [...]}
"""

import json
from math import isfinite
from typing import Any

from glotmix.task.calls.bounds import Call, NotCalls, blanked

_LABELS = {"id", "type", "index"}  # of a call, beside what is called


def parse_json(text: str) -> list[Call]:
    """The calls of a JSON text.

    Raises:
        NotCalls: it is no JSON, or JSON of something else.

    >>> parse_json('[{"name": "f", "arguments": "{}"}]')
    [Call(name='f', arguments={})]
    """
    match load(text):
        case {"tool_calls": list(found)} | list(found):
            return [_call(one) for one in found]
        case one:
            return [_call(one)]


def load(text: str) -> Any:
    """A JSON value; no key twice, no number beyond a float's range.

    Raises:
        NotCalls: it is none.
    """
    blanked(text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotCalls(f"no JSON: {error}") from None


def _call(found: Any) -> Call:
    match {key: value for key, value in found.items() if key not in _LABELS} if isinstance(found, dict) else None:
        case {"function": dict(function), **rest} if not rest:
            return _call(function)
        case {"name": str(name), "arguments": written, **rest} if not rest:
            arguments = load(written) if isinstance(written, str) else written
            if isinstance(arguments, dict):
                return Call(name, arguments)
    raise NotCalls("JSON, but no call")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice: which value was meant, nobody can tell")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number beyond a float's range")
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
