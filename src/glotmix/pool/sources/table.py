"""Any JSONL, JSON, Parquet, CSV or TSV file, folder or hub dataset, by a mapping of its columns (`mapping=FILE.yaml`).

    task: summarization
    language: "{lang}"                  # the column lang
    item_id: "{slug}-{section_index}"   # the same for translations; the source's name is put before it
    prompt: "Give this section a heading.\\n\\n{text}"
    answer: "{heading}"                 # or, instead of both: messages: "{conversation}", [{role, content}, ...]
    source: opensource-guide
    licence: CC-BY-4.0
    origin: human-translated
    split: "{part}"                     # left out: what the names of files and folders tell
    reference: "{heading}"              # left out: the answer; open-ended test instructions may have neither
    answer_language: en                 # in which an answer is wanted; left out: the row's language
    values: {language: {english: en}, split: {dev: validation}}   # what a column's values stand for

1. A value is text with `{column}` placeholders; text without them is a constant. `{{` is a brace.
2. `{@line}`, `{@file}`, `{@config}` and `{@split}` stand for the line's number, the file's name without its endings,
   and the configuration (or sub-folder) and split that the layout tells.
3. A placeholder is a column's name, all of it: nothing is looked up in the value, nothing is run.
4. Numbers are written plainly, 5.0 as 5; a row lacking one of its columns is rejected.
"""

import string
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, cast

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, mapped
from glotmix.pool.row import ROW_SCHEMA, chat
from glotmix.spec.file import load_yaml
from glotmix.spec.words import Spec

_LAYOUT = ("@line", "@file", "@config", "@split")
_TAKEN = ("line", "raw", "reason")  # the intake's own columns


def _parts(template: str) -> list[tuple[str, str]]:
    """(text, placeholder after it or "") of a template.

    >>> _parts("{a}-{b} {{c}}")
    [('', 'a'), ('-', 'b'), (' {', ''), ('c}', '')]
    """
    parts = []
    for text, name, spec, conversion in string.Formatter().parse(template):
        if name == "" or spec or conversion:
            raise ValueError("a placeholder is a column's name in braces, like {text}; a brace itself is {{")
        parts.append((text, name or ""))
    return parts


def _columns_of(template: str) -> list[str]:
    return [name for _, name in _parts(template) if name]


def _no_braces_alone(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError('YAML reads {...} as a mapping; put it in quotes, like "{text}"')
    return value


def _readable(template: str) -> str:
    if not template:
        raise ValueError("empty; name a column, like {text}, or leave the key out")
    unknown = [name for name in _columns_of(template) if name.startswith("@") and name not in _LAYOUT]
    if unknown:
        raise ValueError(f"unknown placeholder {{{unknown[0]}}}; of the layout there are {', '.join(_LAYOUT)}")
    return template


def _one_column(template: str) -> str:
    if [text for text, _ in _parts(template)] != [""] or not _columns_of(template):
        raise ValueError('messages is one column that holds chat messages, like "{conversation}"')
    return template


Key = Literal["task", "language", "answer_language", "split", "source", "licence", "origin"]
Template = Annotated[str, BeforeValidator(_no_braces_alone), AfterValidator(_readable)]


class TableMapping(Spec):
    """The whole of a mapping file."""

    task: Template
    language: Template
    item_id: Template
    prompt: Template | None = None
    answer: Template | None = None
    messages: Annotated[Template, AfterValidator(_one_column)] | None = None
    reference: Template | None = None
    answer_language: Template | None = None
    split: Template | None = None
    source: Template
    licence: Template
    origin: Template
    values: dict[Key, dict[str, str]] = Field(default={})

    @model_validator(mode="after")
    def _conversation(self) -> "TableMapping":
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give exactly one of prompt and messages")
        if self.messages and self.answer is not None:
            raise ValueError("messages holds the answer already; leave answer out")
        if self.prompt and self.answer is None and self.reference is None and self.task != "instructions":
            raise ValueError("give an answer, or for test rows a reference")
        return self

    def columns(self) -> dict[str, list[str]]:
        """Key -> the columns its template names."""
        templates = {key: value for key, value in self if isinstance(value, str)}
        named = {key: _columns_of(template) for key, template in templates.items()}
        return {key: [name for name in names if name not in _LAYOUT] for key, names in named.items()}


def read(place: str, mapping: str = "", split: str = "") -> Iterator[Batch]:
    """The rows of one file, or of every data file of a folder or hub dataset. `split` goes before the mapping's.

    Raises:
        UserError: no such place, no mapping, a key or value that is not allowed, or a column the data lacks.
    """
    if not mapping:
        raise UserError("table needs the option mapping: a YAML file that says which column is what")
    path = Path(mapping)
    spec = load_yaml(path, TableMapping, "mapping", "mend the path, or write one")
    dtypes: dict[str, pl.DataType] = {name: pl.String() for name in chain.from_iterable(spec.columns().values())}
    if spec.messages:
        dtypes |= {_columns_of(spec.messages)[0]: ROW_SCHEMA["messages"]}
    for file in data_files(place):
        _check_columns(path, spec, file)
        part = split or spec.split or file.split
        if not part:
            raise UserError(f"{file.name}: nothing tells its split; add split to {path}, like split: train")
        yield from mapped(file, dtypes, partial(_rows, spec, file, part))


def _check_columns(path: Path, spec: TableMapping, file: DataFile) -> None:
    if file.format in ("lines", "blocks"):
        raise UserError(f"{file.name}: not a table; give JSONL, JSON, CSV, TSV or Parquet")
    there = _columns_in(file)
    for key, names in spec.columns().items():
        for name in names:
            if name in _TAKEN:
                raise UserError(f"{path}: {key}: a column named {name!r} can't be read; rename it in the data")
            if there and name not in there:
                raise UserError(f"{path}: {key}: no column {name!r} in {file.name}; it has {', '.join(sorted(there))}")


def _columns_in(file: DataFile) -> set[str]:
    """The names in the first records; none if no record can be read."""
    values = [record.value for record in next(records(file), []) if not record.reason]
    if file.format == "tsv":
        return set(values[0].split("\t")) if values else set()
    return {name for value in values for name in value}


def _rows(spec: TableMapping, file: DataFile, split: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of `ROW_SCHEMA` and `reason` from `line` and the mapped columns."""
    layout = {
        "@line": pl.col("line").cast(pl.String),
        "@file": pl.lit(PurePath(file.name).name.partition(".")[0]),
        "@config": pl.lit(file.config),
        "@split": pl.lit(file.split),
    }

    def text(key: str, template: str) -> pl.Expr:
        pieces = [
            piece
            for literal, name in _parts(template)
            for piece in (pl.lit(literal), (layout.get(name, pl.col(name)) if name else pl.lit("")))
        ]
        return pl.concat_str(pieces).replace(spec.values.get(cast(Key, key), {}))

    messages = pl.col(_columns_of(spec.messages)[0]) if spec.messages else _chat(spec, text)
    last = messages.list.last().struct
    answer = pl.when(last.field("role") == "assistant").then(last.field("content"))
    reference = text("reference", spec.reference) if spec.reference else answer
    wanted = text("answer_language", spec.answer_language).replace("", None) if spec.answer_language else pl.lit(None)
    item_id = pl.concat_str(text("source", spec.source), pl.lit("-"), text("item_id", spec.item_id))
    rows = frame.select(
        item_id=item_id,
        task=text("task", spec.task),
        language=text("language", spec.language),
        split=text("split", split),
        messages=messages,
        reference=reference,
        source=text("source", spec.source),
        licence=text("licence", spec.licence),
        origin=text("origin", spec.origin),
        answer_language=wanted,
        reason=pl.lit(None, pl.String),
    )
    return rows.with_columns(row_id=pl.concat_str("item_id", pl.lit(":"), "language"))


def _chat(spec: TableMapping, text: Callable[[str, str], pl.Expr]) -> pl.Expr:
    prompt = text("prompt", spec.prompt or "")
    if spec.answer is not None:
        return chat(prompt, text("answer", spec.answer))
    return pl.concat_list(pl.struct(role=pl.lit("user"), content=prompt))
