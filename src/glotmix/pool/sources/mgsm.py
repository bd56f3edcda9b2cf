"""MGSM (github.com/google-research/url-nlp; hub: juletxara/mgsm): the first 250 GSM8K test problems in 11 languages.

    mgsm_<tag>.tsv, no header      Janet’s ducks lay 16 eggs per day. ...<TAB>18
    exemplars.json                 {"MGSM_EXEMPLARS": {"bn": {"1": {"q": "প্রশ্ন: ...", "a": "ধাপে ধাপে উত্তর: ..."}}}, ...}
    <tag>/test-*.parquet (hub)     {"question": "...", "answer": null, "answer_number": 18, "equation_solution": null}

Licence: CC BY 4.0. English is native, the other languages are human translations.

1. The same line is the same problem in every language. Test rows only: it must never be trained on.
2. The 8 exemplars per language come from GSM8K's training problems and may be trained on (not beside GSM8K's own train
   file: they would stand there twice). They are read where asked for: as exemplars.json, or as the hub's train split.
3. Option `prompt`: how problems are asked (see `math_prompts`). Option `shots`: 0, or 8, with which every test row
   begins with the 8 exemplars as exchanges of the same prompt; those in English steps have the English exemplar's.
   The source's name tells both.
4. Some copies keep the words before an exemplar's question and answer (`Question:`), some do not: they are taken off.
5. Four of the numbers have thousands commas. Known translation errors: see MGSM-Rev2.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any, NamedTuple

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.sources.math_prompts import MCOT, answered_in, ask, check_prompt, final_line
from glotmix.pool.sources.math_rows import announced_number, exchange, math_row, plain_number

_HEADING = re.compile(r"\A[^\d:：.,!?]{1,40}[:：]\s*")  # "Step-by-Step Answer: ", "問題：", "Question : "
_EXEMPLARS = "exemplars.json"
_SHOTS = 8


def read(place: str, prompt: str = MCOT, shots: str = "0") -> Iterator[Batch]:
    """The rows of one file, of every `mgsm_*.tsv` in a folder, or of the hub layout.

    Raises:
        UserError: an unknown option, no such place, a file whose name or folder does not tell its language, one that is
            not MGSM's, no exemplars for the shots, or a test problem among them.
    """
    check_prompt(prompt)
    if shots not in ("0", str(_SHOTS)):
        raise UserError(f"shots {shots!r}: MGSM has {_SHOTS} exemplars a language; give 0 or {_SHOTS}")
    files = data_files(place)
    maker = _Maker(place, prompt, int(shots), _all_exemplars(files))
    if len(files) > 1:
        files = [file for file in files if file.format == "parquet" or _named(file)]
    if not files:
        raise UserError(f"{place}: no mgsm_<language>.tsv and no Parquet file in there; give MGSM's folder or a file")
    for file in files:
        yield from parsed(_whole(file), maker.parser(file))


class Exemplar(NamedTuple):
    """One of the 8 of a language, `place` from 1 on; question and answer without the words that head them."""

    language: str
    place: int
    question: str
    answer: str
    number: str


def _all_exemplars(files: Iterable[DataFile]) -> Mapping[str, Mapping[int, Exemplar]]:
    """Those of all files, by language and place; what can't be read is left out."""
    found: dict[str, dict[int, Exemplar]] = defaultdict(dict)
    for file in filter(_holds_exemplars, files):
        for record in chain.from_iterable(records(_whole(file))):
            with suppress(Unusable):
                for exemplar in _exemplars(file, Record(record.line, record.value)):
                    found[exemplar.language][exemplar.place] = exemplar
    return found


def _holds_exemplars(file: DataFile) -> bool:
    return PurePath(file.name).name == _EXEMPLARS or (file.split == "train" and file.format != "tsv")


def _whole(file: DataFile) -> DataFile:
    """The file; exemplars.json as one text."""
    return replace(file, format="blocks") if PurePath(file.name).name == _EXEMPLARS else file


def _exemplars(file: DataFile, record: Record) -> list[Exemplar]:
    if not isinstance(record.value, str):
        question, number = _problem(record.value)
        return [_exemplar(_language(file), record.line, question, str(record.value.get("answer") or ""), number)]
    try:
        found = json.loads(record.value)
        numbers = [str(number) for number in found["EXEMPLAR_NUMBER_ANSWERS"]]
        return [
            _exemplar(tag, int(place), pair["q"], pair["a"], numbers[int(place) - 1])
            for tag, pairs in found["MGSM_EXEMPLARS"].items()
            for place, pair in pairs.items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise Unusable("not MGSM's exemplars") from None


def _exemplar(language: str, place: int, question: str, answer: str, number: str) -> Exemplar:
    question, answer, number = _HEADING.sub("", question, 1), _HEADING.sub("", answer, 1), plain_number(number)
    if announced_number(answer, language) != number:
        answer = f"{answer.strip()}\n{final_line(language, number)}".strip()
    return Exemplar(language, place, question, answer, number)


@dataclass(frozen=True)
class _Maker:
    """Makes the rows of one import."""

    place: str
    prompt: str
    shots: int
    exemplars: Mapping[str, Mapping[int, Exemplar]]

    def parser(self, file: DataFile) -> Callable[[Record], list[dict[str, Any]]]:
        if _holds_exemplars(file):
            return lambda record: [self._train_row(exemplar) for exemplar in _exemplars(file, record)]
        language = _language(file)
        return partial(self._test_rows, language, self._exchanges(language))

    def _test_rows(self, language: str, before: list[dict[str, str]], record: Record) -> list[dict[str, Any]]:
        question, number = _problem(record.value)
        item, number = f"mgsm-{record.line:03}", plain_number(number)
        for exemplar in self.exemplars.get(language, {}).values():
            if exemplar.question.split() == question.split():
                raise UserError(
                    f"{self.place}: exemplar {exemplar.place} in {language} is the test problem {item}, which it would "
                    "give away; use MGSM's own exemplars"
                )
        answer = final_line(language, number, self.prompt)
        return [self._row(item, language, question, answer, number, shots=before, split="test")]

    def _train_row(self, exemplar: Exemplar) -> dict[str, Any]:
        language, place, question, _, number = exemplar
        return self._row(
            f"mgsm-exemplar-{place}", language, question, self._answer(exemplar), number, shots=[], split="train"
        )

    def _row(self, item: str, language: str, *texts: str, shots: list[dict[str, str]], split: str) -> dict[str, Any]:
        told = f" {self.prompt} {len(shots) // 2}-shot" if shots or self.prompt != MCOT else ""
        origin = "native" if language == "en" else "human-translated"
        facts = {"source": f"mgsm{told}", "licence": "CC-BY-4.0", "origin": origin, "split": split}
        return math_row(item, language, *texts, prompt=self.prompt, shots=shots, **facts)

    def _exchanges(self, language: str) -> list[dict[str, str]]:
        """The shots of a test row, as messages."""
        if not self.shots:
            return []
        for tag in (language, answered_in(language, self.prompt)):
            if (found := len(self.exemplars.get(tag, {}))) != self.shots:
                raise UserError(
                    f"shots {self.shots}: {self.place} has {found} exemplars in {tag}; give MGSM's folder with its "
                    f"{_EXEMPLARS}, or leave shots out"
                )
        shown = (exemplar for _, exemplar in sorted(self.exemplars[language].items()))
        asked = [(ask(language, exemplar.question, self.prompt), self._answer(exemplar)) for exemplar in shown]
        return [message for pair in asked for message in exchange(*pair)]

    def _answer(self, exemplar: Exemplar) -> str:
        """As the prompt wants it: the bare number, or steps in a language."""
        if self.prompt == "direct":
            return exemplar.number
        stepwise = self.exemplars.get(answered_in(exemplar.language, self.prompt), {}).get(exemplar.place)
        if stepwise is None:
            raise Unusable("no English exemplar with its steps")
        return stepwise.answer


def _named(file: DataFile) -> re.Match[str] | None:
    return re.fullmatch(r"mgsm_([\w-]+)\.tsv", PurePath(file.name).name)


def _language(file: DataFile) -> str:
    named = _named(file)
    if not named and not file.config:
        raise UserError(f"{file.name}: its name or folder must tell the language, like mgsm_sw.tsv or sw/test.parquet")
    return Language.get(named[1] if named else file.config).tag


def _problem(value: Any) -> tuple[str, str]:
    """Question and number of a record."""
    if isinstance(value, str):
        question, _, number = value.partition("\t")
        if not number or "\t" in number:
            raise Unusable("wrong column count")
        return question, number
    question, number = (value.get(key) for key in ("question", "answer_number"))
    if not isinstance(question, str) or number is None:
        raise Unusable("no question and answer_number")
    return question, str(number)
