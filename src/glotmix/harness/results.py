"""Result files and logs of lm_eval as one results table, or as a table of means where there are no logs.

1. A run is a model as its file names it; `runs.csv` says how it was trained. Of several results of one run and task the
   newest counts.
2. The value is one metric per task, the first that has a mean from 0 to 1 unless another is asked for.
3. Items and means never mix: a results table needs the log of every task. The mean over a log's items is the number of
   its result file, or the log is set aside.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.analysis.table import MEANS_SCHEMA, RESULTS_SCHEMA, check_results
from glotmix.errors import UserError
from glotmix.harness.collect import Aside, Measured, collect, find_files
from glotmix.harness.items import item_ids, verdicts
from glotmix.harness.runs import describe, read_runs
from glotmix.language import Language

READ_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "task": pl.String(),
        "language": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),  # mean over items
        "stderr": pl.Float64(),  # of the mean, as lm_eval has it: items as independent
        "n_items": pl.Int64(),
        "name": pl.String(),  # of the task in lm_eval
        "file": pl.String(),
    }
)
ASIDE_SCHEMA = pl.Schema({"file": pl.String(), "reason": pl.String()})


@dataclass(frozen=True)
class Imported:
    """`table` has items (`RESULTS_SCHEMA`) or means (`MEANS_SCHEMA`), without columns that nobody told.

    `read` lists what it was made from (`READ_SCHEMA`), `aside` what was not, and why (`ASIDE_SCHEMA`).
    """

    table: pl.DataFrame
    read: pl.DataFrame
    aside: pl.DataFrame
    files: int


def import_results(
    paths: Sequence[Path],
    *,
    runs: Path | None = None,
    anchor: str = "en",
    metric: str | None = None,
    languages: Sequence[str] = (),
    items: str = "shared",
    means: bool = False,
    study: str = "lm-eval",
) -> Imported:
    """Reads result files and logs of lm_eval.

    Args:
        paths: files, or folders in which all are looked for.
        runs: a CSV file (see `glotmix.harness.runs`).
        metric: a metric, or metric and filter with a comma between, of every task.
        languages: `PATTERN=TAG`, the language of tasks whose name does not tell or misleads.
        items: shared, if documents of one number are translations of each other, or disjoint.
        means: a table of means also where there are logs.

    Raises:
        UserError: nothing there can be read, or an argument can't be right.
    """
    if items not in ("shared", "disjoint"):
        raise UserError(f"--items: {items!r}; it is shared or disjoint")
    aside: Aside = []
    files, given = find_files(paths), read_runs(runs) if runs else {}
    measured = _told(collect(files, metric, languages, aside), given, aside)
    told = [(_shown(str(file)), _shown(reason)) for file, reason in aside]
    if not measured:
        why = "; the first: {}: {}".format(*told[0]) if told else ""
        raise UserError(f"{paths[0]}: no result of lm_eval that can be read in {len(files)} files{why}")
    facts = describe({one.scored.run: one.scored.parameters for one in measured}, given)
    place = _places(measured, facts, Language.get(anchor).tag, study)
    table = _means(measured, place) if _only_means(measured, means) else _items(measured, place, items)
    return Imported(table, _read(measured), pl.DataFrame(told, ASIDE_SCHEMA, orient="row"), len(files))


def _shown(text: str) -> str:
    """Names of files may hold anything; a terminal must not obey them."""
    return text if text.isprintable() else ascii(text)


def _told(measured: list[Measured], given: Collection[str], aside: Aside) -> list[Measured]:
    """Those that `runs` names, if it is there."""
    for one in measured if given else ():
        if one.scored.run not in given:
            aside.append((one.scored.file, f"{one.scored.task}: --runs has no run {one.scored.run!r}"))
    return [one for one in measured if not given or one.scored.run in given]


def _only_means(measured: Sequence[Measured], means: bool) -> bool:
    lacking = [one for one in measured if one.items is None]
    if lacking and len(lacking) < len(measured) and not means:
        raise UserError(
            f"{lacking[0].scored.file}: {len(lacking)} of {len(measured)} results have no log of their items "
            f"({lacking[0].scored.task} is the first); import the others alone, or add --means for a table of means"
        )
    return means or bool(lacking)


def _places(measured: Sequence[Measured], facts: Mapping[str, Any], anchor: str, study: str) -> list[dict[str, Any]]:
    """Of each task of a run, the columns that all its items share."""
    seen = {tag for fact in facts.values() for tag in fact["train_languages"]}

    def place(one: Measured) -> dict[str, Any]:
        role = "anchor" if one.language == anchor else "seen" if one.language in seen else "unseen"
        told = {"study": study, "run": one.scored.run, "task": one.task, "language": one.language, "role": role}
        return {**told, **facts[one.scored.run]}

    return [place(one) for one in measured]


def _items(measured: Sequence[Measured], places: Sequence[Mapping[str, Any]], items: str) -> pl.DataFrame:
    parts = [
        one.items.select(
            "value",
            "parsed",
            item_id=item_ids(pl.col("doc_id"), pl.lit(one.language), items),
            verdict=verdicts(pl.col("value")),
            output_tokens=pl.lit(None, pl.Int64),
            **{name: pl.lit(value, RESULTS_SCHEMA[name]) for name, value in place.items()},
        )
        for one, place in zip(measured, places, strict=True)
        if one.items is not None
    ]
    whole = pl.concat(parts)
    return check_results(whole.select(name for name in RESULTS_SCHEMA if name in whole.columns))


def _means(measured: Sequence[Measured], places: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    rows = [
        {**place, "value": one.value, "metric": one.metric, "stderr": one.error, "n_items": one.count}
        for one, place in zip(measured, places, strict=True)
    ]
    return pl.DataFrame(rows, {name: dtype for name, dtype in MEANS_SCHEMA.items() if name in rows[0]})


def _read(measured: Sequence[Measured]) -> pl.DataFrame:
    rows = [
        (
            one.scored.run,
            one.task,
            one.language,
            one.metric,
            one.value,
            one.error,
            one.count,
            one.scored.task,
            str(one.scored.file),
        )
        for one in measured
    ]
    return pl.DataFrame(rows, READ_SCHEMA, orient="row").sort("task", "run", "language")


def write_table(table: pl.DataFrame, out: Path) -> None:
    """Written whole or not at all.

    Raises:
        UserError: it can't be written.
    """
    beside = out.with_name(f".{out.name}.new")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        table.write_parquet(beside)
        beside.replace(out)
    except OSError as error:
        raise UserError(f"--out: {out} can't be written ({error.strerror})") from None
