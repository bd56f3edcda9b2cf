"""BFCL v4 (github.com/ShishirPatil/gorilla, Apache-2.0): English requests, function schemas and accepted calls.

JSON lines; the calls are in `possible_answer/` beside them, in a file of the same name. Test rows only:

    {"id": "simple_python_0", "question": [[{"role": "user", "content": "Find the area ..."}]],
     "function": [{"name": "calculate_triangle_area", "description": ..., "parameters": {...}}]}
    {"id": "simple_python_0", "ground_truth": [{"calculate_triangle_area": {"base": [10], "unit": ["units", ""]}}]}

What is lost, for the scorer compares with one call: of several accepted values the reference holds the first, and an
optional parameter whose first accepted value is "" (may be left out) is left out. Requests that need several calls, no
call or several turns are rejected. A few `live` requests are not in English, though all rows say so.
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
from glotmix.pool.sources.api_rows import CALL_FORM, api_row

ANSWERS = "possible_answer"


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, or of every `BFCL_*.json` of a folder or hub dataset.

    Raises:
        UserError: no such file, or its answers are missing.
    """
    for file in data_files(place, "BFCL_*.json"):
        if PurePosixPath(file.url).parent.name != ANSWERS:
            yield from parsed(file, partial(_parse, _answers(file)))


def _answers(file: DataFile) -> Mapping[str, Any]:
    """Accepted calls by id. Requests to which no function fits have no file of answers."""
    if "irrelevance" in file.name:
        return {}
    folder, _, name = file.url.rpartition("/")
    answers = replace(file, name=f"{ANSWERS}/{name}", url=f"{folder}/{ANSWERS}/{name}")
    found = (record.value for batch in records(answers) for record in batch if not record.reason)
    return {str(value.get("id")): value.get("ground_truth") for value in found}


def _parse(answers: Mapping[str, Any], record: Record) -> list[dict[str, Any]]:
    match record.value:
        case {"id": str(number), "question": list(turns), "function": list(functions)}:
            asked, call = _asked(turns, functions), _call(answers.get(number), functions)
        case _:
            raise Unusable("no id, question and function")
    return [
        api_row(
            f"bfcl-{number}", "en", asked, call,
            split="test", source="bfcl", licence="Apache-2.0", origin="native",
        )
    ]  # fmt: skip


def _asked(turns: list[Any], functions: list[Any]) -> list[dict[str, str]]:
    """The messages of the only turn; the functions stand before the user's words."""
    match turns:
        case [[*system, {"role": "user", "content": str(request)}]] if request.strip():
            offered = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
            asked = {"role": "user", "content": f"{offered}\n{CALL_FORM}\n\n{request}"}
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


def _call(accepted: Any, functions: list[Any]) -> tuple[str, dict[str, Any]]:
    match accepted:
        case None | []:
            raise LeftOut("no call to make")
        case [dict(only)] if len(only) == 1 and isinstance(parameters := next(iter(only.values())), dict):
            (name,) = only
            return str(name), _arguments(parameters, _required(name, functions))
    raise LeftOut("several calls")


def _required(name: str, functions: list[Any]) -> list[str]:
    for function in functions:
        match function:
            case {"name": str(found), "parameters": {"required": list(required)}} if found == name:
                return required
    return []


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
