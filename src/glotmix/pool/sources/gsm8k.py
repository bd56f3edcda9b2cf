"""GSM8K (github.com/openai/grade-school-math; hub: openai/gsm8k): English word problems with worked solutions.

    {"question": "Natalia sold ...", "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\\n...\\n#### 72"}

Licence: MIT. A file is train (7,473 rows) or test (1,319), JSON lines or, on the hub, Parquet.

1. MGSM is a translation of the first 250 rows of the test file, so that file never becomes training rows: it is known
   by its name, and by its first question.
2. Calculator notes (<<48/2=24>>) are taken out, and `#### 72` becomes a sentence.
3. Of the hub's configurations, main is read; socratic has the same problems.
"""

import re
from collections.abc import Iterator
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, Record, Unusable, parsed
from glotmix.pool.row import SPLITS
from glotmix.pool.sources.math_prompts import final_line
from glotmix.pool.sources.math_rows import math_row, plain_number

_CALCULATOR = re.compile(r"<<[^<>]*>>")
_FIRST_TEST_QUESTION = "Janet’s ducks lay 16 eggs per day."


def read(place: str, split: str | None = None) -> Iterator[Batch]:
    """The rows of one file, of a folder with a train and a test file, or of the hub's data set.

    `split` is for a file whose name does not tell; it is train unless given.

    Raises:
        UserError: not GSM8K files, an unknown split, or the test file as training rows.
    """
    if split not in (None, *SPLITS):
        raise UserError(f"split {split!r}: unknown; the splits are {', '.join(SPLITS)}")
    files = data_files(place)
    named = [file for file in files if file.split and file.config != "socratic"]
    for file in named or files:
        parser = _Parser(split or file.split or "train")
        batches = list(parsed(file, parser.parse))
        if parser.split != "test" and (file.split == "test" or parser.saw_test):
            raise UserError(
                f"{file.name}: GSM8K's test file must not become training rows (MGSM is made of it); use split test"
            )
        yield from batches


class _Parser:
    def __init__(self, split: str) -> None:
        self.split = split
        self.questions: set[str] = set()
        self.saw_test = False

    def parse(self, record: Record) -> list[dict[str, Any]]:
        question, answer = (record.value.get(key) for key in ("question", "answer"))
        if not isinstance(question, str) or not isinstance(answer, str):
            raise Unusable("no question and answer text")
        self.saw_test = self.saw_test or question.startswith(_FIRST_TEST_QUESTION)
        solution, marker, result = _CALCULATOR.sub("", answer).rpartition("####")
        if not marker:
            raise Unusable("no ####")
        if not solution.strip():
            raise Unusable("empty solution")
        part, number = "test" if self.split == "test" else "train", plain_number(result)
        row = math_row(
            f"gsm8k-{part}-{record.line:04}", "en", question, f"{solution.strip()}\n{final_line('en', number)}", number,
            split=self.split, source="gsm8k", licence="MIT", origin="native",
        )  # fmt: skip
        words = " ".join(question.split())
        if words in self.questions:
            raise Unusable("duplicate question")  # it could stand in train and in validation
        self.questions.add(words)
        return [row]
