"""Public sources by name. A source is one module here: how its files are read, and how a record becomes rows.

`read(place, **options)` yields batches. Options reach it as text, as given on the command line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from glotmix.pool.intake import Batch
from glotmix.pool.row import SPLITS
from glotmix.pool.sources import (
    api_bank,
    aya,
    bfcl,
    gsm8k,
    mcot_math,
    mgsm,
    msvamp,
    open_prompts,
    opensource_guide,
    sharegpt,
    table,
    tldr_pages,
    xlsum,
    xsid,
)


@dataclass(frozen=True)
class Source:
    """How a source is read, the options its `read` takes besides the place, and one line on what it is.

    `--split` is handed to a `read` that has the option `split`; of all others it sets the split of every row,
    which must be one of `splits`: a set made for evaluation has only ("test",).
    `validation_rows`: how many training rows per language are held out unless the user says otherwise.
    """

    read: Callable[..., Iterator[Batch]]
    options: tuple[str, ...] = ()
    about: str = ""
    splits: tuple[str, ...] = SPLITS
    validation_rows: int = 0


_TEST = ("test",)
SOURCES: Mapping[str, Source] = {
    "gsm8k": Source(gsm8k.read, ("split",), "math, English: word problems with solutions", validation_rows=500),
    "mgsm": Source(mgsm.read, ("prompt", "shots"), "math test in 11 languages: 250 problems of GSM8K's test", _TEST),
    "mcot-math": Source(mcot_math.read, about="math training in 11 languages, 6.3 million rows, machine-translated"),
    "msvamp": Source(msvamp.read, ("prompt",), "math test in 10 languages: 1,000 problems", _TEST),
    "xlsum": Source(xlsum.read, about="summarization in 45 languages: BBC articles"),
    "opensource-guide": Source(opensource_guide.read, about="summarization in 29 languages: sections and headings"),
    "tldr-pages": Source(tldr_pages.read, about="api_calls in 39 languages: what to do and the command for it"),
    "sharegpt": Source(sharegpt.read, ("language",), "instructions: first exchanges of ShareGPT-style conversations"),
    "open-prompts": Source(open_prompts.read, about="instructions test, open-ended, in 12 languages", splits=_TEST),
    "aya": Source(aya.read, ("subset",), "instructions test in 101 languages: Aya's evaluation suite", splits=_TEST),
    "api-bank": Source(api_bank.read, ("language", "split", "english"), "api_calls: API-Bank or a translation of it"),
    "bfcl": Source(bfcl.read, about="api_calls test, English: one, several or no calls, BFCL v4", splits=_TEST),
    "xsid": Source(xsid.read, ("split",), "api_calls in 18 varieties: requests with intent and slots"),
    "table": Source(table.read, ("mapping", "split"), "any JSONL, Parquet, CSV or hub dataset, by a column mapping"),
}
