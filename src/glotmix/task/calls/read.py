"""Which form the calls of an output are in is found out from the output.

1. Where: in `<tool_call>` tags, alone, or in a code fence, from the first to the last. Around tags and a fence may
   stand any prose. A call in the middle of prose is not read: nobody can tell it from an example or a thought.
2. What: JSON if it is JSON. Else Python's syntax, else API-Bank's, which `API-Request:` marks: so `n='[1]'` is
   text in a call without the mark, and a list after it.
3. `rule` names both: `json alone`, `python fenced`, `json tagged`, `api-bank alone`; or says that no call was read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from glotmix.task.calls.bounds import CHARACTERS_READ, Call, NotCalls
from glotmix.task.calls.parse_api_bank import parse_api_bank
from glotmix.task.calls.parse_json import parse_json
from glotmix.task.calls.parse_python import parse_python

NO_CALL = "no call read"
_FENCE = re.compile(r"```(?:\w*+\s)?(.*)```", re.DOTALL)
_TAG, _END_TAG = "<tool_call>", "</tool_call>"


class Found(NamedTuple):
    """`calls` is None if none could be read; `text` is what they were read from, or all there is."""

    calls: list[Call] | None
    text: str
    rule: str


def read_calls(output: str, parameters: Mapping[str, Sequence[str]] | None = None) -> Found:
    """The calls of an output; `parameters` are the names of each function's parameters, in their order.

    >>> read_calls('Here it is:\\n```json\\n[{"name": "f", "arguments": {"day": 2}}]\\n```').rule
    'json fenced'
    >>> read_calls("I would call f(day=2), or ask.").rule
    'no call read'
    """
    text = output.strip()
    if len(text) > CHARACTERS_READ:  # no call is that long
        return Found(None, text[:CHARACTERS_READ], NO_CALL)
    if _TAG in text:
        return _tagged(text)
    found = _read(text, "alone", parameters)
    if found.calls is None and (fence := _FENCE.search(text)):
        inside = _read(fence[1].strip(), "fenced", parameters)
        return inside if inside.calls is not None or fence[0] == text else found
    return found


def _tagged(text: str) -> Found:
    parts = [part.partition(_END_TAG) for part in text.split(_TAG)[1:]]
    try:
        if not all(end for _, end, _ in parts):
            raise NotCalls("a tag without its end")
        return Found([call for part, _, _ in parts for call in parse_json(part)], text, "json tagged")
    except NotCalls:
        return Found(None, text, NO_CALL)


def _read(text: str, place: str, parameters: Mapping[str, Sequence[str]] | None) -> Found:
    readers: dict[str, Callable[[str], list[Call]]] = {
        "json": parse_json,
        "python": partial(parse_python, parameters=parameters),
        "api-bank": lambda text: [parse_api_bank(text)],
    }
    for form, reader in readers.items():
        try:
            return Found(reader(text), text, f"{form} {place}")
        except NotCalls:
            continue
    return Found(None, text, NO_CALL)
