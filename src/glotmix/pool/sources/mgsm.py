"""MGSM (github.com/google-research/url-nlp; hub: juletxara/mgsm): the first 250 GSM8K test problems in 11 languages.

    mgsm_<tag>.tsv, no header      Janet’s ducks lay 16 eggs per day. ...<TAB>18
    exemplars.json                 {"MGSM_EXEMPLARS": {"bn": {"1": {"q": "প্রশ্ন: ...", "a": "ধাপে ধাপে উত্তর: ..."}}}, ...}
    <tag>/test-*.parquet (hub)     {"question": "...", "answer": null, "answer_number": 18, "equation_solution": null}

Licence: CC BY 4.0. English is native, the other languages are human translations.

1. The same line is the same problem in every language. Test rows only: it must never be trained on.
2. The 8 exemplars per language come from GSM8K's training problems and may be trained on (not beside GSM8K's own train
   file: they would stand there twice). They are read where asked for: as exemplars.json, or as the hub's train split.
3. Some copies keep the words before an exemplar's question and answer (`Question:`), some do not: they are taken off.
4. Four of the numbers have thousands commas. Known translation errors: see MGSM-Rev2.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.sources.math_rows import announced_number, final_line, math_row, plain_number

_HEADING = re.compile(r"[^\d:：]{1,40}?\s*[:：]\s*")  # "Step-by-Step Answer: ", "問題：", "Question : "
_EXEMPLARS = "exemplars.json"


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, of every `mgsm_*.tsv` in a folder, or of the hub layout.

    Raises:
        UserError: no such place, a file whose name or folder does not tell its language, or one that is not MGSM's.
    """
    files = data_files(place)
    if len(files) > 1:
        files = [file for file in files if file.format == "parquet" or _named(file)]
    if not files:
        raise UserError(f"{place}: no mgsm_<language>.tsv and no Parquet file in there; give MGSM's folder or a file")
    for file in files:
        if PurePath(file.name).name == _EXEMPLARS:
            yield from parsed(replace(file, format="blocks"), _exemplars)
        else:
            yield from parsed(file, _parser(file))


def _named(file: DataFile) -> re.Match[str] | None:
    return re.fullmatch(r"mgsm_([\w-]+)\.tsv", PurePath(file.name).name)


def _parser(file: DataFile) -> Callable[[Record], list[dict[str, Any]]]:
    named = _named(file)
    if not named and not file.config:
        raise UserError(f"{file.name}: its name or folder must tell the language, like mgsm_sw.tsv or sw/test.parquet")
    language = Language.get(named[1] if named else file.config).tag

    def parse(record: Record) -> list[dict[str, Any]]:
        if isinstance(record.value, str):
            question, _, number = record.value.partition("\t")
            if not number or "\t" in number:
                raise Unusable("wrong column count")
            return [_test_row(record.line, language, question, number)]
        question, number = (record.value.get(key) for key in ("question", "answer_number"))
        if not isinstance(question, str) or number is None:
            raise Unusable("no question and answer_number")
        if file.split == "train":
            return [_exemplar(record.line, language, question, str(record.value.get("answer") or ""), str(number))]
        return [_test_row(record.line, language, question, str(number))]

    return parse


def _test_row(line: int, language: str, question: str, number: str) -> dict[str, Any]:
    number = plain_number(number)
    return math_row(
        f"mgsm-{line:03}", language, question, final_line(language, number), number, split="test", **_facts(language)
    )


def _exemplar(place: int, language: str, question: str, answer: str, number: str) -> dict[str, Any]:
    question, answer, number = _HEADING.sub("", question, 1), _HEADING.sub("", answer, 1), plain_number(number)
    if announced_number(answer, language) != number:
        answer = f"{answer.strip()}\n{final_line(language, number)}".strip()
    return math_row(f"mgsm-exemplar-{place}", language, question, answer, number, split="train", **_facts(language))


def _exemplars(record: Record) -> list[dict[str, Any]]:
    try:
        found = json.loads(record.value)
        return [
            _exemplar(int(place), tag, pair["q"], pair["a"], str(found["EXEMPLAR_NUMBER_ANSWERS"][int(place) - 1]))
            for tag, pairs in found["MGSM_EXEMPLARS"].items()
            for place, pair in pairs.items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise Unusable("not MGSM's exemplars") from None


def _facts(language: str) -> dict[str, str]:
    origin = "native" if language == "en" else "human-translated"
    return {"source": "mgsm", "licence": "CC-BY-4.0", "origin": origin}
