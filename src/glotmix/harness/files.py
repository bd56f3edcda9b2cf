"""What lm_eval wrote: result files of any of its generations, and logs of every item. All of it is untrusted.

1. A result file holds, per task, metrics with their standard errors: `acc` and `acc_stderr` up to 2023, `acc,none` and
   `acc_stderr,none` (metric, filter) since.
2. A log is `samples_<task>_<date>.jsonl`, with a line per document and filter; its result file lies beside it and has
   the same date.
3. What can't be read raises `Unreadable` with the reason; nothing is ever executed, and memory is bounded.
"""

import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.errors import GlotmixError

RESULT_BYTES = 64 << 20
BLOCK_BYTES = 32 << 20  # of a log at a time; no line may be longer
NAME_CHARACTERS = 300
PARSED_CHARACTERS = 1_000
_DATE = r"(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?)"
LOG_NAME = re.compile(rf"samples_(?P<task>.+)_{_DATE}\.jsonl")
_RESULT_NAME = re.compile(rf".+_{_DATE}\.json")
_TEXTS = pl.List(pl.String())  # polars writes text anew within lists of unknown types, and spoils backslashes
_LIKELIHOOD = r'^\["?-?(\d[\d.e-]*|inf|nan)"?, ?"?([Tt]rue|[Ff]alse)"?\]$'
_NAMES_A_MODEL = ("peft", "delta", "pretrained", "model", "path", "engine")


class Unreadable(GlotmixError):
    """A file, or one task of it, that is set aside with this reason."""


@dataclass(frozen=True)
class Scored:
    """One task of one model, as a result file tells of it; `metrics` and `errors` by metric, or metric and filter.

    `date` is "" and `items` None where the file doesn't tell. `log` is the task's log, if there is one.
    """

    file: Path
    run: str
    task: str
    date: str = ""
    shots: int | None = None
    parameters: int | None = None
    items: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()
    log: Path | None = None


def read_result_file(file: Path) -> list[Scored | Unreadable]:
    """Every task of a result file, or the reason why it can't be read.

    Raises:
        Unreadable: the whole file is none.
    """
    found = _json(file)
    tasks = found.get("results")
    if not isinstance(tasks, dict) or not tasks:
        raise Unreadable("no result file of lm_eval: it has no tasks under 'results'")
    run = _run(found, file)
    groups = {name for name, members in _object(found.get("group_subtasks")).items() if members}  # means of tasks
    return [_attempt(found, file, run, task, numbers) for task, numbers in tasks.items() if task not in groups]


def _json(file: Path) -> dict[str, Any]:
    if file.stat().st_size > RESULT_BYTES:
        raise Unreadable(f"larger than {RESULT_BYTES >> 20} MB, which no result file is")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return found


def _attempt(found: Mapping[str, Any], file: Path, run: str, task: str, numbers: Any) -> Scored | Unreadable:
    try:
        return _scored(found, file, run, plain(task), numbers)
    except Unreadable as error:
        return Unreadable(f"{task!r:.80}: {error}")


def _scored(found: Mapping[str, Any], file: Path, run: str, task: str, numbers: Any) -> Scored:
    if not isinstance(numbers, dict):
        raise Unreadable("its results are no JSON object")
    metrics = {name: float(value) for name, value in numbers.items() if _is_number(value)}
    if any("," in name for name in metrics):
        metrics = {name: value for name, value in metrics.items() if "," in name}
    errors = {name.replace("_stderr", "", 1): value for name, value in metrics.items() if "_stderr" in name}
    higher = _of(found, "higher_is_better", task)
    named = _RESULT_NAME.fullmatch(file.name)
    shots = _of(found, "n-shot", task)
    items = _of(_of(found, "n-samples", task), "effective")
    return Scored(
        file=file,
        run=run,
        task=task,
        date=named["date"] if named else "",
        shots=_count(shots if _count(shots) is not None else _of(found, "config", "num_fewshot")),
        parameters=_count(_of(found, "config", "model_num_parameters")),
        items=_count(items),
        metrics={name: value for name, value in metrics.items() if "_stderr" not in name},
        errors=errors,
        lower_is_better=frozenset(name for name, is_better in _object(higher).items() if is_better is False),
    )


def _run(found: Mapping[str, Any], file: Path) -> str:
    """The model's name as the file has it; that of its folder if it has none."""
    if isinstance(name := found.get("model_name"), str) and name:
        return plain(name)
    given = _of(found, "config", "model_args")
    if isinstance(given, str):
        given = dict(part.partition("=")[::2] for part in given.split(","))
    arguments = _object(given)
    named = next((str(arguments[key]) for key in _NAMES_A_MODEL if arguments.get(key)), file.resolve().parent.name)
    revision = arguments.get("revision", "main")
    return plain(named if revision == "main" else f"{named}@{revision}")


def plain(name: str) -> str:
    """A name that can be shown and kept.

    Raises:
        Unreadable: it is too long, or would not print as it is.
    """
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise Unreadable(f"a name that is empty, too long or not printable ({name!r:.60})")
    return name


def _of(value: Any, *path: str) -> Any:
    """What lies at a path of nested objects; None if nothing does."""
    for name in path:
        value = _object(value).get(name)
    return value


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value)
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**60 else None


def first_record(log: Path) -> Mapping[str, Any]:
    """The first record of a log, which tells the names of its metrics.

    Raises:
        Unreadable: it is no record of lm_eval.
    """
    with log.open("rb") as lines:
        record = _record(lines.readline(BLOCK_BYTES))
    if not isinstance(record.get("metrics"), list) or not isinstance(record.get("filter"), str):
        raise Unreadable("its first line lacks 'metrics' or 'filter', which logs of lm_eval 0.4.3 and later have")
    return record


def read_log(log: Path, metric: str) -> pl.DataFrame:
    """doc_id, value and parsed answer of every document in a log, by `metric`: a name and a filter, a comma between.

    Raises:
        Unreadable: a line can't be read, lacks a value from 0 to 1, or has a document that another has as well;
            or a document lacks a record of the filter.
    """
    name, _, taken = metric.partition(",")
    schema = {"doc_id": pl.Int64(), "filter": pl.String(), "filtered_resps": _TEXTS, name: pl.Float64()}
    if len(schema) < 4:
        raise Unreadable(f"a metric can't be called {name!r}")
    whole = pl.concat([_block(block, schema, name) for block in _blocks(log)])
    if nameless := whole["filter"].null_count():
        raise Unreadable(f"{nameless} of {len(whole)} records do not say their filter")
    found = whole.filter(filter=taken).drop("filter").rename({name: "value", "filtered_resps": "parsed"})
    wrong = found.filter(~pl.col("value").is_between(0, 1).fill_null(False) | pl.col("doc_id").is_null())
    if len(wrong):
        first = f"the first has document {wrong['doc_id'][0]}, value {wrong['value'][0]}"
        raise Unreadable(f"{len(wrong)} of {len(found)} records lack a document or a value from 0 to 1 ({first})")
    if twice := found.height - found["doc_id"].n_unique():
        raise Unreadable(f"{twice} documents are there twice")
    if found.is_empty():
        raise Unreadable(f"no record of the filter {taken!r}")
    if lacking := whole["doc_id"].n_unique() - len(found):
        raise Unreadable(f"{lacking} documents have no record of the filter {taken!r}")
    return found.with_columns(parsed=_answer(pl.col("parsed")))


def _answer(responses: pl.Expr) -> pl.Expr:
    """The first of the filtered responses if it is a text; of choices a log has log-likelihoods only."""
    first = responses.list.first().fill_null("")
    return pl.when(first.str.contains(_LIKELIHOOD)).then(pl.lit("")).otherwise(first).str.slice(0, PARSED_CHARACTERS)


def _blocks(log: Path) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    rest = b""
    with log.open("rb") as content:
        while part := content.read(BLOCK_BYTES):
            whole, newline, last = (rest + part).rpartition(b"\n")
            if newline:
                yield whole
            rest = last
            if len(rest) > BLOCK_BYTES:
                raise Unreadable(f"a line of more than {BLOCK_BYTES >> 20} MB")
    if rest.strip():
        yield rest


def _block(block: bytes, schema: Mapping[str, pl.DataType], metric: str) -> pl.DataFrame:
    """Polars reads a gigabyte a second, but neither NaN, which Python writes, nor a truth value for a number."""
    try:
        return pl.read_ndjson(io.BytesIO(block), schema=schema)
    except pl.exceptions.PolarsError:
        records = [_record(line) for line in block.split(b"\n") if line.strip()]
    rows = [
        (
            _count(record.get("doc_id")),
            told if isinstance(told := record.get("filter"), str) else None,
            _texts(record.get("filtered_resps")),
            float(value) if isinstance(value, int | float) else None,
        )
        for record in records
        for value in [record.get(metric)]
    ]
    return pl.DataFrame(rows, schema, orient="row")


def _texts(responses: Any) -> list[str]:
    found = responses if isinstance(responses, list) else []
    return [part if isinstance(part, str) else json.dumps(part) for part in found]


def _record(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
        json.dumps(found, ensure_ascii=False).encode()  # refuses lone surrogates, which no file can hold
    except (ValueError, RecursionError):
        raise Unreadable("a line is not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("a line is not a JSON object")
    return found
