"""GSM8K (github.com/openai/grade-school-math): English word problems with worked solutions, one JSON object a line.

    {"question": "Natalia sold ...", "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\\n...\\n#### 72"}

MGSM is a translation of the first 250 rows of GSM8K's test file, so that file never becomes training rows.
"""

import json
import re
from pathlib import Path
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.keyed import ranked
from glotmix.pool.math_rows import final_number, math_row
from glotmix.pool.quarantine import Intake, Unusable

_CALCULATOR = re.compile(r"<<[^<>]*>>")
_FIRST_TEST_QUESTION = "Janet’s ducks lay 16 eggs per day."


def read(path: Path, *, split: str = "train", validation_rows: int | None = None) -> Intake:
    """The rows of one file. Of a train file, `validation_rows` (500 unless given) become the validation split.

    Raises:
        UserError: not a GSM8K file, the test file as training rows, or more validation rows than there are.
    """
    if split not in ("train", "test"):
        raise UserError(f"split {split!r}: a GSM8K file is train or test")
    if split == "test" and validation_rows is not None:
        raise UserError("validation_rows: a test file is not split; leave it out")
    intake, parser = Intake(), _Parser(split)
    intake.read(path, parser.parse)
    if split == "train":
        _refuse_test_file(path, parser.questions)
        _split_off_validation(intake, 500 if validation_rows is None else validation_rows)
    return intake


class _Parser:
    def __init__(self, split: str) -> None:
        self.split = split
        self.questions: set[str] = set()

    def parse(self, number: int, line: str) -> dict[str, Any]:
        question, answer = _record(line)
        solution, marker, result = _CALCULATOR.sub("", answer).rpartition("####")
        if not marker:
            raise Unusable("no ####")
        if not solution.strip():
            raise Unusable("empty solution")
        row = math_row(
            f"gsm8k-{self.split}-{number:04}", "en", question, solution.strip(), final_number(result),
            split=self.split, source="gsm8k", licence="MIT", origin="native",
        )  # fmt: skip
        words = " ".join(question.split())
        if words in self.questions:
            raise Unusable("duplicate question")  # it could stand in train and in validation
        self.questions.add(words)
        return row


def _record(line: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
        texts = [record["question"], record["answer"]]
        for text in texts:
            text.encode()  # also refuses lone surrogates and what is not text
    except UnicodeEncodeError:
        raise Unusable("not UTF-8") from None
    except (KeyError, TypeError, AttributeError):
        raise Unusable("no question and answer text") from None
    except (ValueError, RecursionError):
        raise Unusable("broken JSON") from None
    return texts[0], texts[1]


def _refuse_test_file(path: Path, questions: set[str]) -> None:
    named_test = "test" in re.split("[^a-z]+", path.stem.lower())
    if named_test or any(question.startswith(_FIRST_TEST_QUESTION) for question in questions):
        raise UserError(f"{path}: GSM8K's test file must not become training rows (MGSM is made of it); use split test")


def _split_off_validation(intake: Intake, rows: int) -> None:
    """Marks the rows that come first by a keyed hash of their ids: no seed of a study changes the split."""
    if not 0 <= rows < len(intake.rows):
        raise UserError(f"validation_rows {rows}: of {len(intake.rows)} rows some must stay for training")
    chosen = set(ranked((row["item_id"] for row in intake.rows), "validation")[:rows])
    for row in intake.rows:
        row["split"] = "validation" if row["item_id"] in chosen else "train"
