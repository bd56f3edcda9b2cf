"""All checks of a pool, in one table of findings and one of the rows they are about.

1. A **check** looks at every task, language and split and says which rows are wrong (one file each beside this one).
2. A **finding** is what one check says of one of these; `rows` of `checked` rows, where a sample was taken with the
   95 % interval of the share.
3. Every row a finding is about is kept in `check/rows.parquet` in the pool's folder; a finding names a few of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from glotmix.errors import GlotmixError, UserError
from glotmix.pool.checks.answers import answers
from glotmix.pool.checks.contamination import contamination
from glotmix.pool.checks.duplicates import exact_duplicates, near_duplicates
from glotmix.pool.checks.finding import Examined, Finding
from glotmix.pool.checks.language import language
from glotmix.pool.checks.lengths import lengths
from glotmix.pool.checks.parallel import parallel
from glotmix.pool.checks.reading import Cell, cells, scan
from glotmix.pool.checks.script import script
from glotmix.pool.checks.share import wilson
from glotmix.pool.folder import FolderPool

CHECKS: Mapping[str, Callable[[Examined], Iterator[Finding]]] = {
    "contamination": contamination,
    "exact_duplicates": exact_duplicates,
    "near_duplicates": near_duplicates,
    "language": language,
    "script": script,
    "answers": answers,
    "parallel": parallel,
    "lengths": lengths,
}
EXAMPLES = 5
_PLACE = {
    "check": pl.String(),
    "severity": pl.String(),
    "task": pl.String(),
    "language": pl.String(),
    "split": pl.String(),
}
FINDINGS_SCHEMA = pl.Schema(
    {
        **_PLACE,
        "rows": pl.Int64(),
        "checked": pl.Int64(),
        "skipped": pl.Int64(),
        "of": pl.Int64(),
        "share": pl.Float64(),  # of the checked rows; low and high only where a sample was taken
        "low": pl.Float64(),
        "high": pl.Float64(),
        "finding": pl.String(),
        "examples": pl.List(pl.String()),
    }
)
FOUND_SCHEMA = pl.Schema({**_PLACE, "row_id": pl.String(), "other": pl.String(), "detail": pl.String()})
Progress = Callable[[str, Cell], None]


@dataclass(frozen=True)
class CheckReport:
    """`findings` (FINDINGS_SCHEMA), errors first; `rows` (FOUND_SCHEMA): all they are about; `looked_at`: per check how
    many rows were judged and how many could not be, clean cells included; `texts`: row_id, prompt and answer of the
    examples and of the rows they clash with."""

    pool: str
    evaluation: tuple[str, ...]
    findings: pl.DataFrame
    rows: pl.DataFrame
    looked_at: pl.DataFrame
    texts: pl.DataFrame


def check_pool(
    pool: FolderPool, evaluation: Sequence[FolderPool] = (), progress: Progress = lambda check, cell: None
) -> CheckReport:
    """Runs every check.

    Args:
        evaluation: pools whose test rows must not be trained on, besides this pool's own.
        progress: called when a check is done with a task, language and split.

    Raises:
        UserError: a pool that can't be read, or an evaluation pool without test rows.
    """
    found = [
        finding
        for name, check in CHECKS.items()
        for finding in check(Examined(pool, evaluation, partial(progress, name)))
    ]
    records = pl.DataFrame([_record(finding) for finding in found], FINDINGS_SCHEMA)
    told = [finding for finding in found if len(finding.rows)]
    rows = pl.concat([FOUND_SCHEMA.to_frame(), *(_located(finding) for finding in told)])
    findings = records.filter(pl.col("rows") > 0)
    return CheckReport(
        pool=pool.name,
        evaluation=tuple(other.name for other in evaluation),
        findings=findings.sort("severity", maintain_order=True),
        rows=rows,
        looked_at=_looked_at(records),
        texts=_texts([pool, *evaluation], findings["examples"].explode(), rows),
    )


def _record(finding: Finding) -> dict[str, object]:
    rows, checked = len(finding.rows), finding.checked
    sampled = checked + finding.skipped < finding.of
    low, high = wilson(rows, checked) if sampled else (None, None)
    return {
        "check": finding.check,
        "severity": finding.severity,
        **finding.cell._asdict(),
        "rows": rows,
        "checked": checked,
        "skipped": finding.skipped,
        "of": finding.of,
        "share": rows / checked if checked else None,
        "low": low,
        "high": high,
        "finding": finding.says,
        "examples": finding.rows["row_id"].head(EXAMPLES).to_list(),
    }


def _located(finding: Finding) -> pl.DataFrame:
    place = {"check": finding.check, "severity": finding.severity, **finding.cell._asdict()}
    return finding.rows.select(*(pl.lit(value).alias(name) for name, value in place.items()), pl.all())


def _looked_at(records: pl.DataFrame) -> pl.DataFrame:
    once = records.unique(["check", "task", "language", "split"], maintain_order=True)
    sums = [pl.col(name).sum() for name in ("checked", "skipped", "of")]
    found = records.group_by("check").agg(pl.col("rows").sum())
    return once.group_by("check", maintain_order=True).agg(*sums).join(found, on="check", maintain_order="left")


def _texts(pools: Sequence[FolderPool], examples: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    others = rows.filter(pl.col("row_id").is_in(examples.implode()))["other"]
    wanted = pl.concat([examples, others]).drop_nulls().unique().implode()
    chosen = [_NO_TEXTS]
    for pool in pools:
        for cell in cells(pool):
            shown = scan(pool, cell).filter(pl.col("row_id").is_in(wanted)).select(_NO_TEXTS.columns)
            chosen.append(shown.collect(engine="streaming"))
    return pl.concat(chosen).unique("row_id", keep="first", maintain_order=True)


_NO_TEXTS = pl.DataFrame(schema=dict.fromkeys(("row_id", "language", "prompt", "answer"), pl.String))


def failing(fail_on: Sequence[str]) -> Callable[[pl.DataFrame], str]:
    """What tells in one line which findings fail a pool: those of a severity (a warning or worse) or a check named.

    It tells nothing, an empty text, if none does.

    Raises:
        UserError: an unknown severity or check.
    """
    known = ("error", "warning", *CHECKS)
    for name in fail_on:
        if name not in known:
            raise UserError(f"--fail-on {name!r}: no such severity or check; name one of {', '.join(known)}")
    severities = {"error": ["error"], "warning": ["error", "warning"]}
    severe = [severity for name in fail_on for severity in severities.get(name, [])]

    def tell(findings: pl.DataFrame) -> str:
        failed = findings.filter(pl.col("severity").is_in(severe) | pl.col("check").is_in(list(fail_on)))
        counts = failed.group_by("check", maintain_order=True).agg(pl.col("rows").sum())
        named = ", ".join(f"{check} {rows} rows" for check, rows in counts.iter_rows())
        return f"the pool fails --fail-on {' '.join(fail_on)}: {named}" if named else ""

    return tell


def save(report: CheckReport, folder: Path) -> Path:
    """Writes `findings.parquet` and `rows.parquet` into `check` of a pool's folder.

    Raises:
        GlotmixError: the folder can't be written.
    """
    out = folder / "check"
    try:
        out.mkdir(exist_ok=True)
        report.findings.write_parquet(out / "findings.parquet")
        report.rows.write_parquet(out / "rows.parquet")
    except OSError as error:
        raise GlotmixError(f"{out}: can't write the check ({error.strerror}); free space or give rights") from error
    return out
