"""MSVAMP (hub: Mathoctopus/MSVAMP; github.com/laihuiyuan/mCoT, data/msvamp): 1,000 SVAMP problems in 10 languages.

    test_es.json       [{"question": "Julia jugó ...", "answer": "8.0", "query": "julia played ...", "equation": ...}]
    the hub's layout   {"m_query": "Julia jugó ...", "response": "8.0", ...}, the language being the configuration

Licence: Apache-2.0. English is native; the other languages were machine-translated, then checked by people.

1. The same place in the file is the same problem in every language. Test rows only.
2. `query` is the English problem in lower case, not the one to ask; numbers are written 8.0.
3. Option `prompt`: how problems are asked (see `math_prompts`); the source's name tells.
4. Languages: bn de en es fr ja ru sw th zh. File names tell them, by tag or by English name.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.sources.math_prompts import MCOT, check_prompt, final_line
from glotmix.pool.sources.math_rows import math_row, plain_number

_TAGS = {
    "bengali": "bn", "german": "de", "english": "en", "spanish": "es", "french": "fr", "japanese": "ja",
    "russian": "ru", "swahili": "sw", "thai": "th", "chinese": "zh",
}  # fmt: skip


def read(place: str, prompt: str = MCOT) -> Iterator[Batch]:
    """The rows of one file, of a folder with a file per language, or of the hub layout.

    Raises:
        UserError: an unknown prompt, no such place, a file whose name or folder does not tell its language, or one that
            is not MSVAMP's.
    """
    check_prompt(prompt)
    for file in data_files(place):
        yield from parsed(file, _parser(file, prompt))


def _language(file: DataFile) -> str:
    words = [file.config, *re.split(r"[._-]+", PurePath(file.name).name)]
    tags = [_TAGS.get(word.lower(), word.lower()) for word in words]
    found = [tag for tag in tags if tag in _TAGS.values()]
    if not found:
        raise UserError(f"{file.name}: its name or folder must tell MSVAMP's language, like test_es.json")
    return found[0]


def _parser(file: DataFile, prompt: str) -> Callable[[Record], list[dict[str, Any]]]:
    language = _language(file)
    told = "" if prompt == MCOT else f" {prompt} 0-shot"
    origin = "native" if language == "en" else "machine-translated:unknown"

    def parse(record: Record) -> list[dict[str, Any]]:
        question = _first(record.value, "m_query", "question")
        answer = _first(record.value, "answer_number", "response", "answer")
        if not isinstance(question, str) or answer is None:
            raise Unusable("no question and answer")
        number = plain_number(str(answer))
        return [
            math_row(
                f"msvamp-{record.line:04}", language, question, final_line(language, number, prompt), number,
                prompt=prompt, split="test", source=f"msvamp{told}", licence="Apache-2.0", origin=origin,
            )
        ]  # fmt: skip

    return parse


def _first(record: dict[str, Any], *keys: str) -> Any:
    return next((record[key] for key in keys if record.get(key) is not None), None)
