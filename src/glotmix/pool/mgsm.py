"""MGSM (github.com/google-research/url-nlp): the first 250 GSM8K test problems in 11 languages, `mgsm_<tag>.tsv`.

A line is `question<TAB>final number`; the same line number is the same problem in every language. Test rows only.
"""

from functools import partial
from pathlib import Path
from typing import Any

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.math_rows import final_number, math_row
from glotmix.pool.quarantine import Intake, Unusable


def read(path: Path) -> Intake:
    """The rows of one file, or of every `mgsm_*.tsv` in a folder.

    Raises:
        UserError: no such file, a file name without a valid language tag, or a file that is not MGSM's.
    """
    files = sorted(path.glob("mgsm_*.tsv")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no mgsm_*.tsv in this folder; give MGSM's folder or one of its files")
    intake = Intake()
    for file in files:
        intake.read(file, partial(_parse, _language(file)))
    return intake


def _language(file: Path) -> str:
    prefix, _, tag = file.stem.partition("_")
    if prefix != "mgsm":
        raise UserError(f"{file}: the file's name must tell the language, like mgsm_sw.tsv")
    return Language.get(tag).tag


def _parse(language: str, number: int, line: str) -> dict[str, Any]:
    columns = line.split("\t")
    if len(columns) != 2:
        raise Unusable("wrong column count")
    return math_row(
        f"mgsm-{number:03}", language, columns[0], "", final_number(columns[1]),
        split="test", source="mgsm", licence="CC-BY-4.0", origin="native" if language == "en" else "human-translated",
    )  # fmt: skip
