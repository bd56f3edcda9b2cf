"""tldr-pages (github.com/tldr-pages/tldr): what a command line shall do, said by people in 39 languages -> the command.

    tldr_<language>.jsonl
    {"page": "common/ar", "lang": "ja", "title": "ar", "description": ["..."], "url": "...",
     "examples": [{"text": "アーカイブの内容を一覧表示する", "command": "ar t {{path/to/file.ar}}"}]}

Licence: CC BY 4.0, by the tldr-pages team and contributors. English is native, the rest are human translations.

1. An example becomes one tool call: the page's tool, offered in the prompt, with the whole command line as its only
   argument, as in {"name": "ar", "arguments": {"command": "ar t {{}}"}}.
2. Values in {{}} are blanked: no request tells them, and translations translate them. Of {{[-s|--long]}}, two names of
   one option, the last is kept. A command of which nothing is left is rejected.
3. Examples share an item with an English one only where the blanked command is the same (the nth among equal ones, if
   both pages have as many); others (8 % of them) are items of their own.
4. One page in ten (by a keyed hash of its name) is for testing, in all languages alike: a page is learnt or tested.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.keyed import hashes
from glotmix.pool.sources.api_rows import CALL_FORM, api_row

_OPTION = re.compile(r"\{\{\[[^\[\]{}|]*\|([^\[\]{}|]*)\]\}\}")
_VALUE = re.compile(r"\{\{.*?\}\}")
_ENGLISH = "tldr_en.jsonl"
_TEST_SHARE = 10  # one in so many


def read(place: str) -> Iterator[Batch]:
    """The rows of a folder with a `tldr_<language>.jsonl` for each language, English among them.

    Raises:
        UserError: no such folder, no English file in it, or files that are not tldr-pages'.
    """
    files = data_files(place, "tldr_*.jsonl")
    english = [file for file in files if PurePath(file.name).name == _ENGLISH]
    if not english:
        raise UserError(f"{place}: {_ENGLISH} is missing, which tells the items that languages share; give the folder")
    commands = _commands(english[0])
    for file in files:
        yield from parsed(file, _parser(commands))


def _commands(file: DataFile) -> dict[str, list[str]]:
    """The blanked commands of each page."""
    pages = [record.value for batch in records(file) for record in batch if not record.reason]
    try:
        return {page["page"]: [blanked(example["command"]) for example in page["examples"]] for page in pages}
    except (KeyError, TypeError):
        raise UserError(f"{file.name}: each page needs page, and examples with command") from None


def blanked(command: str) -> str:
    """
    >>> blanked("acme.sh {{[-d|--domain]}} {{example.com}} /{{path/to/webroot}}")
    'acme.sh --domain {{}} /{{}}'
    """
    return _VALUE.sub("{{}}", _OPTION.sub(r"\1", command)).strip()


def _parser(english: dict[str, list[str]]) -> Callable[[Record], list[dict[str, Any]]]:
    def parse(record: Record) -> list[dict[str, Any]]:
        match record.value:
            case {"page": str(page), "lang": str(lang), "title": str(title), "description": [*lines],
                  "examples": [*examples]}:  # fmt: skip
                pass
            case _:
                raise Unusable("not a page")
        language = lang.replace("_", "-")
        texts = [_example(example) for example in examples]
        places = _places([command for _, command in texts], english.get(page, []))
        return [
            _row(page, language, f"{title}: {' '.join(map(str, lines))}\n{text}", (title, command), place)
            for (text, command), place in zip(texts, places, strict=True)
        ]

    return parse


def _example(example: Any) -> tuple[str, str]:
    """What shall be done, and the blanked command."""
    match example:
        case {"text": str(text), "command": str(command)}:
            return text, blanked(command)
    raise Unusable("not a page")


def _places(commands: list[str], english: list[str]) -> list[tuple[int, bool]]:
    """For each command its place (from 1) on the English page and True; else its place on its own page and False.

    >>> _places(["ls", "cp {{}}", "cp {{}}"], ["cp {{}}", "mv", "ls", "cp {{}}"])
    [(3, True), (1, True), (4, True)]
    """
    equal, english_equal, seen = Counter(commands), Counter(english), Counter[str]()
    places = []
    for number, command in enumerate(commands, start=1):
        if equal[command] == english_equal[command]:
            same = [place for place, other in enumerate(english, start=1) if other == command]
            places.append((same[seen[command]], True))
        else:
            places.append((number, False))
        seen[command] += 1
    return places


def _row(page: str, language: str, request: str, call: tuple[str, str], place: tuple[int, bool]) -> dict[str, Any]:
    (tool, command), (number, shared) = call, place
    item_id = f"tldr-{page.replace('/', '.')}-{number}{'' if shared else '-' + language}"
    asked = [{"role": "user", "content": f"Functions: {tool}\nParameters: command\n{CALL_FORM}\n\n{request}"}]
    row = api_row(
        item_id, language, asked, (tool, {"command": command}), split=_split(page), source="tldr-pages",
        licence="CC-BY-4.0", origin="native" if language == "en" else "human-translated",
    )  # fmt: skip
    if command in ("", "{{}}"):  # no answer then: it is rejected, its neighbours on the page are not
        row |= {"messages": asked, "reference": ""}
    return row


def _split(page: str) -> str:
    return "test" if hashes(pl.Series([page]), "tldr-pages", "test")[0] % _TEST_SHARE == 0 else "train"
