"""What is wanted of an answer: the reference of an `api_calls` row, as JSON text, in one of two forms.

1. One plain call, graded strictly: `{"name": "set_alarm", "arguments": {"day": "lundi", "hour": 7}}`.
2. Calls with all that is accepted, graded by the AST rule; `[]` wants no call at all:

       {"calls": [{"name": "set_alarm", "accepted": {"day": ["Monday", "Mon"], "hour": [7], "label": ["", "work"]}}],
        "functions": [{"name": "set_alarm", "parameters": {"properties": {"day": {"type": "string"}, ...},
                                                           "required": ["day", "hour"]}}]}

   As in BFCL, "" among the accepted values means that the parameter may be left out; an object among them, or in a list
   among them, holds the accepted values of each key. `functions`, which may be left out, are all those offered: they
   give the types, what is required, and the names of positional arguments.
3. Either form of call may have `"other_language": {"day": "Monday"}`: its values in the other language that an answer
   could have chosen, English where the arguments are in the user's. It never counts as right; it explains errors.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from glotmix.errors import UserError
from glotmix.task.calls.bounds import NotCalls
from glotmix.task.calls.parse_json import load

Grading = Literal["strict", "ast"]


class Accepted(NamedTuple):
    """Any of these values; inside them, objects hold an Accepted of each key."""

    values: list[Any]
    optional: bool = False


class Wanted(NamedTuple):
    """One call. `needed` may not be left out; `schemas` are those of the parameters by name, None if there are none."""

    name: str
    accepted: Mapping[str, Accepted]
    other_language: Mapping[str, Accepted]
    needed: frozenset[str]
    schemas: Mapping[str, Any] | None = None


class Reference(NamedTuple):
    """`parameters` are the names of each function's parameters, in their order."""

    calls: list[Wanted]
    grading: Grading
    parameters: Mapping[str, Sequence[str]]


def read_reference(text: str) -> Reference:
    """The calls wanted.

    Raises:
        UserError: the text is no reference.

    >>> read_reference('{"name": "f", "arguments": {"a": 1}}').calls[0].accepted
    {'a': Accepted(values=[1], optional=False)}
    """
    try:
        match load(text):
            case {"name": str(name), "arguments": dict(arguments), **rest} if rest.keys() <= {"other_language"}:
                return Reference([Wanted(name, _only(arguments), _other(rest), frozenset(arguments))], "strict", {})
            case {"calls": list(calls), **rest} if rest.keys() <= {"functions"}:
                functions = _functions(rest.get("functions", []))
                parameters = {name: list(_object(schema.get("properties", {}))) for name, schema in functions.items()}
                return Reference([_wanted(call, functions) for call in calls], "ast", parameters)
        raise NotCalls('neither {"name", "arguments"} nor {"calls"}')
    except (NotCalls, TypeError) as error:
        raise UserError(
            f"api_calls reference {text!r:.80} is none ({error}); see docs/api-calls.md and fix the row"
        ) from None


def _wanted(call: Any, functions: Mapping[str, Mapping[str, Any]]) -> Wanted:
    match call:
        case {"name": str(name), "accepted": dict(accepted), **rest} if rest.keys() <= {"other_language"}:
            any_of, schema = _any_of(accepted), functions.get(name, {})
            needed = {key for key, values in any_of.items() if not values.optional} | set(schema.get("required", ()))
            schemas = _object(schema.get("properties", {})) if name in functions else None
            return Wanted(name, any_of, _other(rest), frozenset(needed), schemas)
    raise NotCalls('a call has "name" and "accepted"')


def _any_of(accepted: Mapping[str, Any]) -> dict[str, Accepted]:
    found = {}
    for key, values in accepted.items():
        if not isinstance(values, list) or not values:
            raise NotCalls(f"{key!r} has no list of accepted values")
        found[key] = Accepted([_nested(value, _any_of) for value in values], "" in values)
    return found


def _only(found: Mapping[str, Any]) -> dict[str, Accepted]:
    return {key: Accepted([_nested(value, _only)]) for key, value in found.items()}


def _other(call: Mapping[Any, Any]) -> dict[str, Accepted]:
    return _only(_object(call.get("other_language", {})))


def _nested(value: Any, of_object: Callable[[Mapping[str, Any]], dict[str, Accepted]]) -> Any:
    """The value, with objects made of Accepted, alone or in a list."""
    match value:
        case dict():
            return of_object(value)
        case [dict(), *_] if all(isinstance(part, dict) for part in value):
            return [of_object(part) for part in value]
    return value


def _functions(found: Any) -> dict[str, Mapping[str, Any]]:
    return dict(map(_function, found))


def _function(found: Any) -> tuple[str, Mapping[str, Any]]:
    match found:
        case {"name": str(name), "parameters": dict(parameters)}:
            return name, parameters
        case {"name": str(name)}:
            return name, {}
        case {"function": dict(function)}:
            return _function(function)
    raise NotCalls('a function has "name" and "parameters"')


def _object(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise NotCalls(f"{found!r:.40} is no object")
    return found
