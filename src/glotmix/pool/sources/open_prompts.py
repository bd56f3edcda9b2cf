"""Open-ended chat prompts in many languages: test rows of the task instructions that only a judge can score.

    questions_<Language>.jsonl    {"question_id": 1, "text": "How can I improve ...?", "category": "generic"}
    <tag>100.jsonl                {"id": 1, "label": "generic", "query": "How can I improve ...?"}

The first are the 80 questions of Vicuna (github.com/FreedomIntelligence/MultilingualSIFT, eval/vicuna_eval/questions;
12 languages), the second 100 questions of LLMZoo (github.com/FreedomIntelligence/LLMZoo; 10 languages). Both have the
licence Apache-2.0.

1. The same number is the same question in every language of a set; the sets share no item, though some questions are
   alike.
2. There is no reference and no answer: a row ends with the question.
3. Nobody says who translated. Of Vicuna's questions English is native; LLMZoo's English reads as translated itself.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed


class _Set(NamedTuple):
    """One of the two sets; `file` captures the language of a file's name."""

    name: str
    file: str
    native: str


_SETS = (_Set("vicuna80", r"questions_([A-Za-z]+)\.jsonl", "en"), _Set("llmzoo100", r"([a-z]{2,3})100\.jsonl", ""))


_TAGS = {
    "arabic": "ar", "chinese": "zh", "deutsch": "de", "english": "en", "french": "fr", "hindi": "hi",
    "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "portuguese": "pt", "spanish": "es",
}  # fmt: skip


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, or of every file of either set in a folder.

    Raises:
        UserError: no such place, or a file whose name is none of a set's.
    """
    files = data_files(place, "*.jsonl")
    for file in files:
        yield from parsed(file, partial(_parse, *_set_and_language(file)))


def _set_and_language(file: DataFile) -> tuple[_Set, str]:
    for known in _SETS:
        if named := re.fullmatch(known.file, PurePath(file.name).name):
            return known, Language.get(_TAGS.get(named[1].lower(), named[1])).tag
    raise UserError(f"{file.name}: its name must tell set and language, like questions_Arabic.jsonl or ar100.jsonl")


def _parse(own: _Set, language: str, record: Record) -> list[dict[str, Any]]:
    match record.value:
        case {"question_id": int(number), "text": str(question)} | {"id": int(number), "query": str(question)}:
            item_id = f"{own.name}-{number:03}"
        case _:
            raise Unusable("no number and question")
    return [
        {
            "row_id": f"{item_id}:{language}", "item_id": item_id, "task": "instructions", "language": language,
            "split": "test", "messages": [{"role": "user", "content": question.strip()}], "reference": None,
            "source": own.name, "licence": "Apache-2.0",
            "origin": "native" if language == own.native else "machine-translated:unknown",
        }
    ]  # fmt: skip
