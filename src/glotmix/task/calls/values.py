"""Whether one value is right, by two rules.

Strict: equal to an accepted value. Numbers are compared as numbers, strings by their composed characters (NFC).

AST, the rule of BFCL's checker, clause by clause (github.com/ShishirPatil/gorilla, bfcl_eval/eval_checker/ast_eval):

1. The type fits: that of the schema, or that of the first accepted value, which may be a variable's name. An integer is
   accepted for a float, a tuple where the schema says tuple; neither inside a list, whose parts have a type too.
2. Strings are compared in lower case without spaces and `, . / - _ * ^`, against any accepted value, also as parts of a
   list or values of an object; in a list in those, or where the accepted value is not of the schema's type, exactly.
3. Lists are compared in order, objects key by key, lists of objects one by one.
4. Where a list may be left out, an empty list is accepted; an empty string where a string may.

>>> accepts("April 1 2024", Accepted(["april 1, 2024"]), {"type": "string"})
True
>>> accepts("April 1 2024", Accepted(["1 April 2024"]), {"type": "string"})
False
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from glotmix.task.calls.reference import Accepted

Same = Callable[[Any, Any], bool]
_TYPES: Mapping[str, type] = {
    "string": str, "integer": int, "float": float, "number": float, "boolean": bool, "array": list, "tuple": list,
    "dict": dict, "object": dict, "any": str,
}  # fmt: skip
_IGNORED = re.compile(r"[ ,./\-_*^]")


def equals(value: Any, accepted: Accepted) -> bool:
    """Strictly."""
    return _any(value, accepted, _same)


def _any(value: Any, accepted: Accepted, same: Same) -> bool:
    return any(_matches(value, one, same) for one in accepted.values)


def _matches(value: Any, accepted: Any, same: Same) -> bool:
    match value, accepted:
        case dict(), dict():
            return _object_matches(value, accepted, same)
        case list() | tuple(), [dict(), *_] if all(isinstance(one, dict) for one in accepted):
            pairs = zip(value, accepted, strict=False)
            return len(value) == len(accepted) and all(_matches(part, one, same) for part, one in pairs)
    return same(value, accepted)


def _object_matches(value: Mapping[str, Any], accepted: Mapping[str, Accepted], same: Same) -> bool:
    known = all(key in accepted and _any(v, accepted[key], same) for key, v in value.items())
    return known and all(key in value or one.optional for key, one in accepted.items())


def _same(a: Any, b: Any) -> bool:
    match a, b:
        case str(), str():
            return a == b or unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
        case list() | tuple(), list() | tuple():
            return len(a) == len(b) and all(map(_same, a, b))
        case dict(), dict():
            return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
        case (bool(), _) | (_, bool()):
            return a is b  # true is not 1
        case int() | float(), int() | float():
            return a == b
    return a is None and b is None


def accepts(value: Any, accepted: Accepted, schema: Mapping[str, Any] | None) -> bool:
    """By the AST rule; `schema` is that of the parameter, if there is one."""
    first = next((type(one) for one in accepted.values if one != ""), None)
    schema = schema or {}
    wanted = _type(schema) or first or str
    if schema.get("type") == "tuple" and isinstance(value, tuple):
        value = list(value)
    of_type = type(value) is wanted or (wanted is float and type(value) is int)
    if not of_type and type(value) is not first:
        return False
    parts = _type(schema.get("items")) if wanted is list else None
    if parts and of_type and not any(_parts_fit(value, one, parts) for one in accepted.values):
        return False
    if not of_type or first not in (wanted, None):
        return value in accepted.values
    ones = accepted.values
    if wanted is list:
        value = list(map(_plain, value))
        ones = [list(map(_plain, one)) for one in ones if isinstance(one, list) or one == ""]
    return any(_matches(value, one, _alike) for one in ones)


def _type(schema: Any) -> type | None:
    return _TYPES.get(str(schema.get("type"))) if isinstance(schema, dict) else None


def _parts_fit(value: list[Any], accepted: Any, wanted: type) -> bool:
    if not isinstance(accepted, list):
        return True
    first = next((type(one) for one in accepted if one != ""), None)
    return all(type(part) in (wanted, first) for part in value)


def _alike(a: Any, b: Any) -> bool:
    return bool(_plain(a) == _plain(b))


def _plain(value: Any) -> Any:
    return _IGNORED.sub("", value).lower().replace("'", '"') if isinstance(value, str) else value
