"""Calls in Python's syntax, as BFCL asks for: `[f(a=1, b="x"), g.h(c=[1, 2])]`, or one call without brackets.

1. Parsed by `ast` and never executed: values are literals, so no operators, no calls inside calls, no comprehensions.
   `true`, `false` and `null` are JSON's; another bare name is text, as in BFCL.
2. What `ast` gets to see has the shape of calls of literals: outside of strings, after a value or a closing bracket
   comes a comma, a colon or another closing bracket. So only brackets nest, and `bounds` has counted them.
3. Positional arguments get their names from the function's schema; without one, nobody can tell what they are.
"""

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from glotmix.task.calls.bounds import Call, NotCalls, blanked

_SHAPE = re.compile(
    r"""(?: [\s(\[{,=:]
          | (?: '' | (?:-\s*+)?\.?\d[\w.]*+(?:(?<=[eE])[-+]\d++)? | [)\]}] ) (?= \s*+(?:[)\]},:]|\Z) )
          | [^\W\d]\w*+(?:\.[^\W\d]\w*+){0,20}+ (?= \s*+(?:[=(,)\]}]|\Z) )
        )*+""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_python(text: str, parameters: Mapping[str, Sequence[str]] | None = None) -> list[Call]:
    """The calls of a Python expression; `parameters` are the names of each function's parameters, in their order.

    Raises:
        NotCalls: it is no call or list of calls with literal arguments.

    >>> parse_python("[math.hypot(3, y=4)]", {"math.hypot": ["x", "y"]})
    [Call(name='math.hypot', arguments={'x': 3, 'y': 4})]
    """
    found = _parse(text)
    parts = found.elts if isinstance(found, ast.List | ast.Tuple) else [found]
    return [_call(part, parameters or {}) for part in parts]


def parse_value(text: str) -> Any:
    """A Python literal.

    Raises:
        NotCalls: it is none.

    >>> parse_value("[{'a': (1, true)}]")
    [{'a': (1, True)}]
    """
    found = _parse(text)
    if isinstance(found, ast.Tuple) and not text.lstrip().startswith("("):
        raise NotCalls("several values")  # 2,000
    return _value(found)


def _parse(text: str) -> ast.expr:
    if not _SHAPE.fullmatch(blanked(text)):
        raise NotCalls("no calls with literal arguments")
    try:
        with warnings.catch_warnings(action="ignore"):  # stray backslashes
            return ast.parse(text.strip(), mode="eval").body
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise NotCalls(f"no Python: {error}") from None


def _call(found: ast.expr, parameters: Mapping[str, Sequence[str]]) -> Call:
    if not isinstance(found, ast.Call):
        raise NotCalls("Python, but no call")
    name = _name(found.func)
    named = [(keyword.arg or "**", keyword.value) for keyword in found.keywords]
    positional = list(zip(parameters.get(name, ()), found.args, strict=False))
    if len(positional) < len(found.args):
        raise NotCalls("positional arguments without a schema that names them")
    return Call(name, _object([*positional, *named]))


def _name(found: ast.expr) -> str:
    match found:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{_name(value)}.{attr}"
    raise NotCalls("a call of something without a name")


def _value(found: ast.expr) -> Any:
    match found:
        case ast.Constant(value=None | str() | int() | float() as value) if value != inf:
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if value != inf:
            return -value
        case ast.List(elts=parts):
            return [_value(part) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(_value(part) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return _object(list(zip(map(_key, keys), values, strict=True)))
        case ast.Name(id=name) if name not in ("NaN", "Infinity"):
            return _CONSTANTS.get(name, name)
    raise NotCalls("an argument that is no literal")


def _key(found: ast.expr | None) -> str:
    match found:
        case ast.Constant(value=str(key)):
            return key
    raise NotCalls("a key that is no string")


def _object(pairs: Sequence[tuple[str, ast.expr]]) -> dict[str, Any]:
    found = {key: _value(value) for key, value in pairs}
    if len(found) < len(pairs):
        raise NotCalls("a key twice: which value was meant, nobody can tell")
    return found
