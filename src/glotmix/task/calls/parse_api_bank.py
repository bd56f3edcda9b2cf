"""The call of API-Bank: `API-Request: [Name(key='value', ...)]`, whose values are neither escaped nor always quoted.

1. `health_data='[{'name': 'pulse'}]'`, `title='L'été'`: a quoted value ends at its quote only where the next `key=` or
   the end follows. A list or object in quotes becomes one.
2. `day=2023-10-26`, `who=Dr. O'Hara`: what is no literal and has no brackets is text.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from glotmix.task.calls.bounds import Call, NotCalls
from glotmix.task.calls.parse_python import parse_value

_CALL = re.compile(r"\s*+(?:API-Request\s?[:：])?\s*+(\[)?\s*+([\w.]++)\((.*)\)\s*(?(1)\]\s*)", re.DOTALL)
_SECOND_CALL = re.compile(r"\)\s*(?:,|\]\s*,?\s*\[)\s*[^\W\d]\w*\(\s*(?:[^\W\d]\w*\s*=|\)|\Z)")
_KEY = re.compile(r"\s*([^\W\d]\w*)\s*=\s*")
_END = re.compile(r",(?=\s*[^\W\d]\w*\s*=)|\Z")
_NO_TEXT = re.compile(r"[\[\]{}()]|\A(?:\.\.\.|[bBfFrRuU]{1,2}(['\"]).*\1)\Z")  # an ellipsis, b'bytes'
_LONGEST_CALL = 10_000  # characters
_MOST_ENDS = 50  # places where a value may end that are tried


def parse_api_bank(text: str) -> Call:
    """Name and arguments of the only call.

    Raises:
        NotCalls: no call, several calls, or arguments that can't be told apart.

    >>> parse_api_bank("API-Request: [AddNote(title='L'été', tags=['a', 'b'], day=2)]")
    Call(name='AddNote', arguments={'title': "L'été", 'tags': ['a', 'b'], 'day': 2})
    """
    call = _CALL.fullmatch(text) if len(text) <= _LONGEST_CALL else None
    if not call:
        raise NotCalls("no call")
    if _SECOND_CALL.search(call[3]):
        raise NotCalls("several calls")
    return Call(call[2], dict(_arguments(call[3].rstrip().removesuffix(","))))


def _arguments(text: str) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    place = 0
    while text[place:].strip():
        key = _KEY.match(text, place)
        if not key or key[1] in seen:
            raise NotCalls("arguments can't be told apart")
        seen.add(key[1])
        value, place = _value(text, key.end())
        yield key[1], value


def _value(text: str, start: int) -> tuple[Any, int]:
    """The value that starts there, and where what follows it starts.

    Candidates for its end are all places where the next `key=` or the end follows: the first that leaves a whole value.
    """
    for end in islice(_END.finditer(text, start), _MOST_ENDS):
        raw = text[start : end.start()].strip()
        if raw[:1] in ("'", '"'):
            if len(raw) > 1 and raw[-1] == raw[0]:
                return _quoted(raw), end.end()
        elif raw:
            try:
                return parse_value(raw), end.end()
            except NotCalls:
                if not _NO_TEXT.search(raw) and not _is_number(raw):
                    return raw, end.end()
    raise NotCalls("arguments can't be told apart")


def _quoted(raw: str) -> Any:
    inside = raw[1:-1]
    if inside[:1] in ("[", "{"):
        try:
            return parse_value(inside)
        except NotCalls:
            pass
    return re.sub(r"\\(['\"\\])", r"\1", inside)


def _is_number(raw: str) -> bool:
    """One that JSON does not have: the others were read."""
    try:
        float(raw)
    except ValueError:
        return False
    return True
