"""BFCL's gold answers and systematic mutations of them, each with what the AST rule says of it.

A `Case` is one answer: its calls as (name, arguments) and `right`, whether the rule accepts it.
"""

import json
import keyword
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Calls = list[tuple[str, dict[str, Any]]]
IGNORED = str.maketrans("", "", " ,./-_*^")
OTHER_TYPE = {str: 12345, int: "12345", float: "1.5", bool: "true", list: "a, b", dict: "a: b", type(None): [1]}


class Case(NamedTuple):
    row_id: str
    kind: str
    text: str  # in Python's syntax
    right: bool
    json: str
    in_json: bool = True  # whether JSON can say the same


class Request(NamedTuple):
    row_id: str
    functions: Mapping[str, Any]  # name -> schema of the parameters
    truth: list[Any]  # possible_answer


def requests(folder: Path) -> Iterator[Request]:
    """All requests of the folder that have accepted calls, and those to which no function fits (an empty truth)."""
    for file in sorted(folder.glob("BFCL_*.json")):
        answers = folder / "possible_answer" / file.name
        truths = {row["id"]: row["ground_truth"] for row in _lines(answers)} if answers.exists() else {}
        for row in _lines(file):
            functions = {function["name"]: function["parameters"] for function in row["function"]}
            yield Request(row["id"], functions, truths.get(row["id"], []))


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def cases(request: Request, gold: Calls) -> Iterator[Case]:
    """The gold answer and its mutations; `gold` are its calls."""
    yield case(request, "gold", gold, True)
    if not gold:
        yield from no_call(request)
        return
    yield from of_calls(request, gold)
    for place, (name, arguments) in enumerate(gold):
        schema, accepted = request.functions[name], request.truth[place][name]

        def with_call(kind: str, called: str, changed: dict[str, Any], right: bool, place: int = place) -> Case:
            return case(request, kind, [*gold[:place], (called, changed), *gold[place + 1 :]], right)

        yield with_call("wrong name", f"{name}_x", arguments, False)
        yield with_call("name in capitals", name.upper(), arguments, name == name.upper())
        yield with_call("extra parameter", name, arguments | {"glotmix": 1}, False)
        for key in arguments:
            left = {other: value for other, value in arguments.items() if other != key}
            required, optional = key in schema["required"], "" in accepted[key]
            kind = "required left out" if required else "optional left out" if optional else "needed value left out"
            yield with_call(kind, name, left, optional and not required)
        for key, value in arguments.items():
            for kind, other, right in of_value(value, accepted[key], schema["properties"][key]):
                yield with_call(kind, name, arguments | {key: other}, right)


def of_calls(request: Request, gold: Calls) -> Iterator[Case]:
    if len(gold) > 1:
        yield case(request, "calls swapped", gold[::-1], True)
    yield case(request, "a call left out", gold[:-1], False)
    yield case(request, "a call twice", [*gold, gold[0]], False)


def of_value(value: Any, accepted: list[Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """(kind, another value, whether the rule accepts it)"""
    declared, free = schema["type"], [one for one in accepted if one != ""]
    plain = type(value) is {"string": str, "any": str, "array": list, "tuple": list, "dict": dict}.get(declared)
    plain = plain and type(free[0] if free else value) is type(value)
    yield "wrong type", OTHER_TYPE[type(value)], False
    yield "null", None, None in accepted and isinstance(free[0], type(None))
    yield "wrong value", (wrong := _wrong(value)), wrong in accepted
    for one in free:
        same_type = type(one) is type(free[0]) or (declared == "float" and type(one) is int)
        yield "another accepted value", _first(one), same_type
    if isinstance(value, bool):
        yield "1 or 0 for a truth value", int(value), False
    elif isinstance(value, int):
        yield "float for int", float(value), declared == "float"
    elif isinstance(value, float) and value.is_integer():
        yield "int for float", int(value), True
    if isinstance(value, list):
        yield "tuple for list", tuple(value), declared == "tuple"
        if value[::-1] != value:
            yield "list in another order", value[::-1], value[::-1] in accepted
    if "" in accepted:
        yield "empty value where optional", "", declared in ("string", "any") and plain
        yield "empty list where optional", [], declared == "array" or [] in accepted
    for kind, change, harmless in SPELLINGS:
        if (spelled := _spelled(value, change)) != value:
            yield kind, spelled, (harmless and bool(plain) and not _exact(value)) or spelled in accepted


SPELLINGS = (
    ("capitals", str.upper, True),
    ("small letters", str.lower, True),
    ("without spaces", lambda text: text.replace(" ", ""), True),
    ("signs that are ignored", lambda text: "-".join(text) + ".", True),
    ("other quotes", lambda text: text.replace("'", '"'), True),
    ("a sign that counts", lambda text: text + "!", False),
    ("accented", lambda text: text.replace("a", "á"), False),
)


def _exact(value: Any, depth: int = 0) -> bool:
    """Whether a string stands in a list in a list or object: it is compared exactly."""
    match value:
        case list():
            return any(depth > 0 if isinstance(part, str) else _exact(part, depth + 1) for part in value)
        case dict():
            return any(_exact(part, 1) for part in value.values())
    return False


def _spelled(value: Any, change: Any) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_spelled(part, change) for part in value]
        case dict():
            return {key: _spelled(part, change) for key, part in value.items()}
    return value


def _wrong(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1017
        case str():
            return value + "zq"
        case list():
            return [*value, value[0] if value else "zq"]
        case dict():
            return value | {"zq": 1}
    return "zq"


def _first(value: Any) -> Any:
    """An accepted value as an answer has it: of each key of an object, the first that is not left out."""
    match value:
        case dict():
            kept = {key: [one for one in ones if one != ""] for key, ones in value.items()}
            return {key: ones[0] for key, ones in kept.items() if ones}
        case list():
            return [_first(part) for part in value]
    return value


def no_call(request: Request) -> Iterator[Case]:
    name = next(iter(request.functions))
    texts = ("I can't help with that.", "", "[]", "None of the functions fits: ask somebody (a friend).")
    for text in texts:
        yield Case(request.row_id, "no call, none wanted", text, True, text)
    yield case(request, "a call, none wanted", [(name, {})], False)
    yield case(request, "a call, none wanted", [("glotmix", {"a": 1})], False)


def case(request: Request, kind: str, calls: Calls, right: bool) -> Case:
    written = ", ".join(
        f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})" for name, arguments in calls
    )
    as_json = json.dumps([{"name": name, "arguments": arguments} for name, arguments in calls], ensure_ascii=False)
    return Case(request.row_id, kind, f"[{written}]", right, as_json, not _has_tuple(calls))


def _has_tuple(calls: Calls) -> bool:
    return any(isinstance(value, tuple) for _, arguments in calls for value in arguments.values())


def bare_words(request: Request, gold: Calls) -> Iterator[Case]:
    """Strings without their quotes: a name where a value belongs is text."""
    quoted = [value for _, arguments in gold for value in arguments.values() if isinstance(value, str)]
    for value in quoted:
        if value.isidentifier() and not keyword.iskeyword(value) and value not in ("true", "false", "null"):
            written = case(request, "bare word", gold, True)
            yield written._replace(text=written.text.replace(repr(value), value), in_json=False)


def positional(request: Request, gold: Calls) -> Iterator[Case]:
    """The first argument without its name, where it is the schema's first parameter."""
    for place, (name, arguments) in enumerate(gold):
        first = next(iter(request.functions[name]["properties"]), None)
        if arguments and next(iter(arguments)) == first:
            written = case(request, "positional argument", gold, True)
            calls = written.text.split(f"{name}({first}=")
            if len(gold) == 1 and len(calls) == 2 and place == 0:
                yield written._replace(text=f"{calls[0]}{name}({calls[1]}", in_json=False)
