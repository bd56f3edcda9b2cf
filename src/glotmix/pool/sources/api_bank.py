"""API-Bank (huggingface.co/datasets/liminghao1630/API-Bank, MIT), and translations of it: dialogues to tool calls.

JSON arrays, `lv1-api-train.json` and the like to train on, `level-1-api.json` and the like to test on:

    {"instruction": "Generate an API request in the format of [ApiName(key1='value1', ...)] ...", "input": "User: ...",
     "output": "API-Request: [QueryStock(stock_code='MSFT', date='2022-02-04')]"}

1. Test files write `expected_output` and number a row by `file` and `id`, but level 3 writes `output`, `sample_id` and
   `api_id`: what a file is for is told by its name alone; only one with `train` in it may be trained on.
2. Calls become JSON, and so does the form that the instruction asks for; earlier calls in the dialogue stay as is.
3. Values are neither escaped nor always quoted: `health_data='[{'name': 'pulse'}]'`, `title='L'été'`. A quoted value
   ends at its quote only where the next `key=` or the end follows. A list in quotes becomes a list.
4. `*-response-*` files and the mixed `lv1-train.json` are left out of a folder; records without a call are rejected.
5. A translation gives the option `language`; its items are shared with English by file, and id or place in the file.
"""

import ast
import json
import re
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import PurePath
from typing import Any

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.sources.api_rows import api_row

_PART = re.compile(r"lv[123]-api-train|level-[12]-api|level-3-batch-inf(?!-)")
_FORM = re.compile(r"(?:API-Request: ?)?\[ApiName\([^\]]*\)\]")
_JSON_FORM = '{"name": "ApiName", "arguments": {"key1": "value1", "key2": "value2", ...}}'
_CALL = re.compile(r"\s*(?:API-Request:)?\s*\[\s*([\w.]+)\((.*)\)\s*\]\s*", re.DOTALL)
_SECOND_CALL = re.compile(r"\)\s*(?:,|\]\s*,?\s*\[)\s*[^\W\d]\w*\(\s*(?:[^\W\d]\w*\s*=|\)|\Z)")
_KEY = re.compile(r"\s*([^\W\d]\w*)\s*=\s*")
_END = re.compile(r",(?=\s*[^\W\d]\w*\s*=)|\Z")
_LONGEST_CALL = 10_000  # characters
_MOST_ENDS = 50  # places where a value may end that are tried


def read(place: str, language: str = "en", split: str | None = None) -> Iterator[Batch]:
    """The rows of one file, or of the files with calls in a folder or hub dataset.

    Raises:
        UserError: no such file, an unknown language, or a test file as training rows.
    """
    tag = Language.get(language).tag
    files = data_files(place, "*.json")
    for file in [file for file in files if _PART.search(PurePath(file.name).name)] or files:
        yield from parsed(file, partial(_parse, tag, _split(file, split), _name(file)))


def _split(file: DataFile, split: str | None) -> str:
    own = "train" if "train" in PurePath(file.name).name else "test"
    if own == "test" and split not in (None, "test"):
        raise UserError(f"{file.name}: split {split!r}, but this is a test file of API-Bank (no train in its name)")
    return split or own


def _name(file: DataFile) -> str:
    """Which of API-Bank's files this is, or is a translation of."""
    name = PurePath(file.name).name
    part = _PART.search(name)
    return part[0] if part else name.partition(".")[0]


def _parse(language: str, split: str, name: str, record: Record) -> list[dict[str, Any]]:
    value = record.value
    match value.get("instruction"), value.get("input"), value.get("expected_output", value.get("output")):
        case str(instruction), str(dialogue), str(output) if dialogue.strip():
            question = f"{_FORM.sub(_JSON_FORM, instruction).strip()}\n{dialogue.strip()}"
        case _:
            raise Unusable("no instruction, input and output text")
    asked = [{"role": "user", "content": question}]
    origin = "native" if language == "en" else "machine-translated:unknown"
    return [
        api_row(
            f"api-bank-{name}-{_number(record)}", language, asked, parse_call(output),
            split=split, source="api-bank", licence="MIT", origin=origin,
        )
    ]  # fmt: skip


def _number(record: Record) -> str:
    match record.value:
        case {"file": str(file), "id": int(number)}:
            return f"{file.removesuffix('.jsonl')}-{number}"
        case {"sample_id": int(sample), "api_id": int(call)}:
            return f"{sample:03}-{call}"
    return f"{record.line:05}"


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of `API-Request: [Name(key='value', ...)]`, read and never executed.

    Raises:
        Unusable: no call, several, or arguments that can't be told apart.

    >>> parse_call("API-Request: [AddNote(title='L'été', tags=['a', 'b'], day=2)]")
    ('AddNote', {'title': "L'été", 'tags': ['a', 'b'], 'day': 2})
    """
    call = _CALL.fullmatch(text) if len(text) <= _LONGEST_CALL else None
    if not call:
        raise Unusable("no call")
    if _SECOND_CALL.search(call[2]):
        raise Unusable("several calls")
    return call[1], _arguments(call[2].rstrip().removesuffix(","))


def _arguments(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    place = 0
    while text[place:].strip():
        key = _KEY.match(text, place)
        if not key or key[1] in found:
            raise Unusable("arguments can't be told apart")
        found[key[1]], place = _value(text, key.end())
    return found


def _value(text: str, start: int) -> tuple[Any, int]:
    """The value that starts there, and where what follows it starts.

    Candidates for its end are all places where the next `key=` or the end follows: the first that leaves a whole value.
    """
    for end in islice(_END.finditer(text, start), _MOST_ENDS):
        raw = text[start : end.start()].strip()
        if raw[:1] in ("'", '"'):
            if len(raw) > 1 and raw[-1] == raw[0]:
                return _quoted(raw), end.end()
        elif (value := _literal(raw)) is not None or raw in ("None", "null"):
            return value, end.end()
        elif raw and not re.search(r"[\[\]{}()]", raw):
            return raw, end.end()
    raise Unusable("arguments can't be told apart")


def _quoted(raw: str) -> Any:
    inside = raw[1:-1]
    if inside[:1] in ("[", "{") and isinstance(structure := _literal(inside), list | dict):
        return structure
    return re.sub(r"\\(['\"\\])", r"\1", inside)


def _literal(raw: str) -> Any:
    """A number, truth value, list or object, in JSON or Python; None if it is none."""
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # stray backslashes
        for load in (json.loads, ast.literal_eval):
            try:
                return load(raw)
            except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
                continue
    return None
