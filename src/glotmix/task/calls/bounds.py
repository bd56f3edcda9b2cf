"""What is looked at before any parser: a text too long or nested too deep is none of ours, and no parser sees it."""

import re
from typing import Any, NamedTuple

CHARACTERS_READ = 100_000
DEPTH = 50
# a backslash outside strings takes the next character along, so that no escaped quote starts a scan to the end
_STRING = re.compile(r"""\\.|('''|\"\"\")(?:[^\\]|\\.)*?\1|'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\"""", re.DOTALL)
_BRACKET = re.compile(r"[(\[{]|[)\]}]")


class NotCalls(ValueError):
    """The text is no call in this form; says why."""


class Call(NamedTuple):
    """Values are those of JSON, and tuples."""

    name: str
    arguments: dict[str, Any]


def blanked(text: str) -> str:
    """The text with every quoted string emptied.

    Raises:
        NotCalls: it is too long, or nested too deep.

    >>> blanked("f(a='x(', b=[1])")
    "f(a='', b=[1])"
    """
    if len(text) > CHARACTERS_READ:
        raise NotCalls("too long")
    bare = _STRING.sub("''", text)
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > DEPTH:
            raise NotCalls("nested too deep")
    return bare
