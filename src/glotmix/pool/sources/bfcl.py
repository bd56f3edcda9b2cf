"""BFCL v4 (github.com/ShishirPatil/gorilla, Apache-2.0): English requests, function schemas and accepted calls.

JSON lines; the calls are in `possible_answer/` beside them, in a file of the same name. Test rows only:

    {"id": "simple_python_0", "question": [[{"role": "user", "content": "Find the area ..."}]],
     "function": [{"name": "calculate_triangle_area", "description": ..., "parameters": {...}}]}
    {"id": "simple_python_0", "ground_truth": [{"calculate_triangle_area": {"base": [10], "unit": ["units", ""]}}]}

1. The reference holds all accepted values and the functions offered (see `glotmix.task.calls.reference`): the AST
   rule. The answer takes the first of several values, and leaves out what may be left out if "" comes first.
2. Every request is asked for a list of calls, so that its form does not tell how many are wanted: one, several or none
   (`irrelevance`).
3. Left out: conversations of several turns, and 2 `live_simple` requests to which BFCL's rule accepts no answer, for a
   parameter has no accepted value and may not be left out.
4. A few `live` requests are not in English, though all rows say so.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, LeftOut, Record, Unusable, parsed
from glotmix.pool.sources.api_rows import CALLS_FORM, calls_row

ANSWERS = "possible_answer"


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, or of every `BFCL_*.json` of a folder or hub dataset.

    Raises:
        UserError: no such file, or its answers are missing.
    """
    for file in data_files(place, "BFCL_*.json"):
        if PurePosixPath(file.url).parent.name != ANSWERS:
            yield from parsed(file, partial(_parse, _answers(file)))


def _answers(file: DataFile) -> Mapping[str, Any] | None:
    """Accepted calls by id; None for requests to which no function fits: they have no file of answers."""
    if "irrelevance" in file.name:
        return None
    folder, _, name = file.url.rpartition("/")
    answers = replace(file, name=f"{ANSWERS}/{name}", url=f"{folder}/{ANSWERS}/{name}")
    found = (record.value for batch in records(answers) for record in batch if not record.reason)
    return {str(value.get("id")): value.get("ground_truth") for value in found}


def _parse(answers: Mapping[str, Any] | None, record: Record) -> list[dict[str, Any]]:
    match record.value:
        case {"id": str(number), "question": list(turns), "function": list(functions)}:
            asked = _asked(turns, functions)
            calls = [] if answers is None else _calls(answers.get(number))
        case _:
            raise Unusable("no id, question and function")
    return [
        calls_row(
            f"bfcl-{number}", "en", asked, [_answer(call, functions) for call in calls],
            {"calls": calls, "functions": functions},
            split="test", source="bfcl", licence="Apache-2.0", origin="native",
        )
    ]  # fmt: skip


def _asked(turns: list[Any], functions: list[Any]) -> list[dict[str, str]]:
    """The messages of the only turn; the functions stand before the user's words."""
    match turns:
        case [[*system, {"role": "user", "content": str(request)}]] if request.strip():
            offered = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
            asked = {"role": "user", "content": f"{offered}\n{CALLS_FORM}\n\n{request}"}
        case [[*_]]:
            raise Unusable("empty question")
        case _:
            raise LeftOut("several turns")
    for message in system:
        match message:
            case {"role": "system", "content": str()}:
                continue
        raise LeftOut("several turns")
    return [*system, asked]


def _calls(accepted: Any) -> list[dict[str, Any]]:
    """The calls wanted, as the reference has them."""
    calls = []
    if not isinstance(accepted, list):
        raise Unusable("no accepted calls")
    for call in accepted:
        match call:
            case {**only} if len(only) == 1 and isinstance(parameters := next(iter(only.values())), dict):
                calls.append({"name": next(iter(only)), "accepted": parameters})
            case _:
                raise Unusable("no accepted calls")
    return calls


def _answer(call: Mapping[str, Any], functions: list[Any]) -> dict[str, Any]:
    parameters = _parameters(call["name"], functions)
    known = parameters.get("properties", {})
    accepted = {name: values for name, values in call["accepted"].items() if name in known or not known}
    return {"name": call["name"], "arguments": _arguments(accepted, parameters.get("required", ()))}


def _parameters(name: str, functions: list[Any]) -> Mapping[str, Any]:
    for function in functions:
        match function:
            case {"name": str(found), "parameters": dict(parameters)} if found == name:
                return parameters
    return {}


def _arguments(parameters: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    """Parameter -> first accepted value, without those that may be left out."""
    chosen = {}
    for name, accepted in parameters.items():
        if not isinstance(accepted, list) or not accepted:
            raise LeftOut("a parameter without accepted value")
        values = [value for value in accepted if value != ""] if name in required else accepted
        first = values[0] if values else ""
        if first != "" or name in required:
            chosen[name] = _plain(first)
    return chosen


def _plain(value: Any) -> Any:
    """Objects inside a value list accepted values too."""
    if isinstance(value, dict):
        return _arguments(value)
    return [_plain(part) for part in value] if isinstance(value, list) else value
