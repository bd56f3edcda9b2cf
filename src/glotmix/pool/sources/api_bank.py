"""API-Bank (huggingface.co/datasets/liminghao1630/API-Bank, MIT), and translations of it: dialogues to tool calls.

JSON arrays, `lv1-api-train.json` and the like to train on, `level-1-api.json` and the like to test on:

    {"instruction": "Generate an API request in the format of [ApiName(key1='value1', ...)] ...", "input": "User: ...",
     "output": "API-Request: [QueryStock(stock_code='MSFT', date='2022-02-04')]"}

1. Test files write `expected_output` and number a row by `file` and `id`, but level 3 writes `output`, `sample_id` and
   `api_id`: what a file is for is told by its name alone; only one with `train` in it may be trained on.
2. Calls become JSON, and so does the form that the instruction asks for; earlier calls in the dialogue stay as is.
3. `*-response-*` files and the mixed `lv1-train.json` are left out of a folder; records without a call are rejected.
4. A translation gives the option `language`; its items are shared with English by file, and id or place in the file.
   With the option `english`, a place of the English files, its references hold the English values too.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.sources.api_rows import api_row
from glotmix.task.calls.bounds import NotCalls
from glotmix.task.calls.parse_api_bank import parse_api_bank

_PART = re.compile(r"lv[123]-api-train|level-[12]-api|level-3-batch-inf(?!-)")
_FORM = re.compile(r"(?:API-Request: ?)?\[ApiName\([^\]]*\)\]")
_JSON_FORM = '{"name": "ApiName", "arguments": {"key1": "value1", "key2": "value2", ...}}'


def read(place: str, language: str = "en", split: str | None = None, english: str | None = None) -> Iterator[Batch]:
    """The rows of one file, or of the files with calls in a folder or hub dataset; `english` is one too.

    Raises:
        UserError: no such file, an unknown language, or a test file as training rows.
    """
    tag = Language.get(language).tag
    other = {item: arguments for file in _files(english) for item, arguments in _arguments(file)} if english else {}
    for file in _files(place):
        yield from parsed(file, partial(_parse, tag, _split(file, split), _name(file), other))


def _files(place: str) -> list[DataFile]:
    files = data_files(place, "*.json")
    return [file for file in files if _PART.search(PurePath(file.name).name)] or files


def _arguments(file: DataFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each item of a file with a call that can be read, and the arguments of the call."""
    for found in chain.from_iterable(records(file)):
        with suppress(Unusable):
            record = Record(found.line, found.value or {})
            yield _item(_name(file), record), parse_call(_output(record))[1]


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


def _parse(
    language: str, split: str, name: str, english: Mapping[str, dict[str, Any]], record: Record
) -> list[dict[str, Any]]:
    output, item = _output(record), _item(name, record)
    match record.value.get("instruction"), record.value.get("input"):
        case str(instruction), str(dialogue) if dialogue.strip() and output:
            question = f"{_FORM.sub(_JSON_FORM, instruction).strip()}\n{dialogue.strip()}"
        case _:
            raise Unusable("no instruction, input and output text")
    asked = [{"role": "user", "content": question}]
    origin = "native" if language == "en" else "machine-translated:unknown"
    return [
        api_row(
            item, language, asked, parse_call(output), english.get(item),
            split=split, source="api-bank", licence="MIT", origin=origin,
        )
    ]  # fmt: skip


def _output(record: Record) -> str:
    """Empty if there is none."""
    output = record.value.get("expected_output", record.value.get("output"))
    return output if isinstance(output, str) else ""


def _item(name: str, record: Record) -> str:
    return f"api-bank-{name}-{_number(record)}"


def _number(record: Record) -> str:
    match record.value:
        case {"file": str(file), "id": int(number)}:
            return f"{file.removesuffix('.jsonl')}-{number}"
        case {"sample_id": int(sample), "api_id": int(call)}:
            return f"{sample:03}-{call}"
    return f"{record.line:05}"


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the only call.

    Raises:
        Unusable: no call, several, or arguments that can't be told apart.
    """
    try:
        return parse_api_bank(text)
    except NotCalls as error:
        raise Unusable(str(error)) from None
