"""The verbs. Each calls one function of the library; what is slow to import is imported inside.

Exit code 0: done. 1: a fault (what is done is kept). 2: input that can't be right. 130: stopped with Ctrl-C.
"""

import sys
import tempfile
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glotmix.errors import GlotmixError

if TYPE_CHECKING:
    import polars as pl

    from glotmix.study.tables import View

app = typer.Typer(
    help="Which languages, how many rows of each, for which tasks, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
pool_app = typer.Typer(help="Pools: all rows one may train or test on.", no_args_is_help=True)
mixture_app = typer.Typer(help="Mixtures: which rows a run is trained on, in which order.", no_args_is_help=True)
lab_app = typer.Typer(help="The lab: the embedded world and its base models.", no_args_is_help=True)
results_app = typer.Typer(help="Results that were made elsewhere.", no_args_is_help=True)
app.add_typer(pool_app, name="pool")
app.add_typer(mixture_app, name="mixture")
app.add_typer(lab_app, name="lab")
app.add_typer(results_app, name="results")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The study's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON.")]
PoolFolder = Annotated[str, typer.Argument(metavar="POOL", help="A pool's folder.")]


class Stopped(GlotmixError):
    """Ctrl-C: what is done is kept."""

    exit_code = 130


def main() -> None:
    """The `glotmix` command."""
    try:
        app()
    except GlotmixError as error:
        _exit(str(error), error.exit_code)
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _exit(f"unexpected fault, {what} ({_save_traceback()})", 1)


def _exit(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)


def _save_traceback() -> str:
    try:
        with tempfile.NamedTemporaryFile("w", prefix="glotmix-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
    except OSError:
        return "the traceback can't be saved"
    return f"traceback: {log.name}"


def _print(frame: "pl.DataFrame", view: "View", json: bool) -> None:
    if json:
        print(frame.write_json())
        return
    from rich.console import Console

    for part in view(frame):
        Console().print(part, markup=False, emoji=False, highlight=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        from glotmix.version import version

        print(f"glotmix {version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
) -> None:
    """Which languages, how many rows of each, for which tasks, and how sure are we?"""


@app.command()
def init(folder: Folder, preset: Annotated[str, typer.Option(help="The study to start from.")] = "quickstart") -> None:
    """Make a study folder from a preset."""
    from glotmix.study.presets import init_study

    print(f"{init_study(folder, preset)} is there; `glotmix plan {folder}` shows its runs")


@app.command()
def plan(
    folder: Folder,
    *,
    tokens_per_second: Annotated[
        list[str] | None,
        typer.Option(metavar="N|MODEL=N", help="Tokens a second one GPU trains on, all models or one; repeatable."),
    ] = None,
    price_per_hour: Annotated[float | None, typer.Option(min=0, max=1e9, help="Of one GPU.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure the speed of the models here first.")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="List every run of a large study.")] = False,
    json: Json = False,
) -> None:
    """Show what a study trains, what that costs, and the smallest effect it can detect, before anything is spent."""
    from glotmix.study.budget import parse_speeds
    from glotmix.study.study import Study
    from glotmix.study.tables import effects_table, longer_table, plan_table

    study = Study.load(folder)
    if calibrate:
        study.calibrate(lambda line: print(line, file=sys.stderr))
    speeds = parse_speeds(tokens_per_second or [], [run.model.name for run in study.planned.runs])
    _print(study.plan(speeds, price_per_hour), partial(plan_table, all_runs=runs), json)
    if not json:
        print()
        _print(study.effects(), effects_table, json)
        _print(study.longer_rows(), partial(longer_table, recipe=study.spec.recipe), json)
    for line in study.missing():
        print(line, file=sys.stderr)


@app.command()
def run(
    folder: Folder,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Runs side by side [what GPUs hold, or one per core].")
    ] = None,
    accelerate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Many devices per run, as accelerate's config says.")
    ] = None,
    json: Json = False,
) -> None:
    """Do everything that is not done yet, then print the findings."""
    from glotmix.report.findings_table import findings_table
    from glotmix.study.study import RunsFailed, Study

    study, failed = Study.load(folder), None
    try:
        found = study.run(processes, accelerate=accelerate)
    except KeyboardInterrupt:
        raise Stopped(f"stopped; {study.count_done()}, run again to go on") from None
    except RunsFailed as error:
        if error.findings is None:
            raise
        found, failed = error.findings, error
    _print(found, findings_table, json)
    print(f"report: {study.report_path}", file=sys.stderr if json else sys.stdout)
    if failed:
        raise failed


@app.command()
def status(folder: Folder, json: Json = False) -> None:
    """Show which runs are done, begun, waiting or failed."""
    from glotmix.study.study import Study
    from glotmix.study.tables import status_table

    _print(Study.load(folder).status(), status_table, json)


@app.command()
def report(
    folder: Folder,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write figures and findings there: SVG, PNG, CSV, LaTeX.")
    ] = None,
) -> None:
    """Write the report: one self-contained HTML file."""
    from glotmix.study.study import Study

    print(f"report: {Study.load(folder).report(figures)}")


@app.command()
def analyze(
    table: Annotated[
        Path,
        typer.Argument(help="Parquet, CSV or JSON; results of lm_eval, a file or a folder; or a study's folder."),
    ],
    *,
    anchor: Annotated[
        str | None, typer.Option(metavar="TAG", help="The language others are compared with [the table's own, or en].")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="POINTS", help="A smaller difference does not matter; of 100 [2, or as the study says]."),
    ] = None,
    control: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of false findings: holm, benjamini-hochberg, none [holm].")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TAG,TAG", help="Languages to compare by name; repeatable.")
    ] = None,
    study: Annotated[str | None, typer.Option(metavar="NAME", help="The one to keep of several in a table.")] = None,
    runs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="lm_eval: a CSV file, how each run was trained.")
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME[,FILTER]", help="lm_eval: what counts.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN=TAG", help="lm_eval: the language of tasks; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a report, figures and tables there.")] = None,
    json: Json = False,
) -> None:
    """Find what can be concluded from results, your own or anyone's, and what cannot."""
    from rich.console import Console

    from glotmix.analysis import findings
    from glotmix.report.findings_table import findings_table
    from glotmix.study.anyones import read_any, with_options

    with Console(stderr=True).status(f"reading {table.name}") as doing:
        read, own = read_any(table, anchor=anchor, study=study, runs=runs, metric=metric, languages=language or [])
        declared = with_options(own, margin, control, group or [], read.results)
        doing.update(f"what {_records(len(read.results))} tell")
        found = findings(read.results, anchor, declared)
    _print(found, findings_table, json)
    for line in read.told:
        print(line, file=sys.stderr)
    for reason, count in read.reasons.head(3).iter_rows():
        print(f"{_records(count)} set aside: {reason}", file=sys.stderr)
    if len(read.aside):
        print(f"{_records(len(read.aside))} set aside, {len(read.results):,} used", file=sys.stderr)
    if out:
        from glotmix.report.analysis import write_analysis  # charts are slow to import

        with Console(stderr=True).status(f"writing {out}"):
            write_analysis(table.stem, read.results, found, out, declared)
        print(f"report: {out / 'report.html'}", file=sys.stderr if json else sys.stdout)


@app.command()
def evidence(
    study: Annotated[str | None, typer.Argument(help="post-trainers-guide or english-not-all [both].")] = None,
    json: Json = False,
) -> None:
    """Check what published studies claim against their own tables: which claims follow, and which nobody can tell."""
    from glotmix.evidence import checks
    from glotmix.evidence.page import checks_table

    _print(checks(study), checks_table, json)


@pool_app.command("import")
def import_(
    source: Annotated[
        str, typer.Argument(help="gsm8k, mcot-math, ..., or table for any other; docs/pools.md lists them.")
    ],
    *,
    path: Annotated[str, typer.Option(metavar="PLACE", help="A file, a folder, or the name of a hub dataset.")],
    out: Annotated[Path, typer.Option(help="The pool's folder; rows are added to what is there.")],
    split: Annotated[str | None, typer.Option(help="The split of all rows, where the files do not tell.")] = None,
    validation_rows: Annotated[
        int | None, typer.Option(min=0, help="Training rows to hold out, per task and language; the same items in all.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the source; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Add the rows of a public source, or of any table, to a pool folder."""
    from glotmix.pool.importers import import_pool, parse_options, showing_progress
    from glotmix.pool.write import REJECTED
    from glotmix.study.tables import plain_table

    options = parse_options(option or [])
    with showing_progress() as progress:
        done = import_pool(
            source, path, out, split=split, validation_rows=validation_rows, progress=progress, **options
        )
    _print(done.counts, plain_table, json)
    if done.replaced:
        print(f"{done.replaced:,} of the rows were there already and are replaced", file=sys.stderr)
    if done.moved:
        print(f"{done.moved:,} training rows that were there already are held out in every language", file=sys.stderr)
    for reason, records in done.rejected.iter_rows():
        print(f"{_records(records)} set aside: {reason}", file=sys.stderr)
    if len(done.rejected):
        print(f"what is set aside is in {out / REJECTED}", file=sys.stderr)


def _records(count: int) -> str:
    return f"{count:,} record{'s' * (count != 1)}"


@pool_app.command()
def inspect(pool: PoolFolder, json: Json = False) -> None:
    """Show what is in a pool: rows, origins, lengths, parallel items, and what was rejected."""
    from glotmix.pool import open_pool
    from glotmix.pool.inspect import inspect_pool
    from glotmix.report.pool_tables import inspection_table

    found = inspect_pool(open_pool(pool))
    _print(found.cells, inspection_table, json)
    for reason, records in found.rejected.iter_rows():
        print(f"{_records(records)} set aside at import: {reason}", file=sys.stderr)


@pool_app.command()
def check(
    pool: PoolFolder,
    *,
    evaluation: Annotated[
        list[str] | None, typer.Option(metavar="POOL", help="A pool with test rows not to train on; repeatable.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings as a page, with rows.")] = None,
    fail_on: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="error, warning or a check: exit code 1; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Find rows that would spoil a study: contamination, duplicates, wrong languages, answers that score wrong."""
    from glotmix.pool.checks import check_pool, failing, open_folder, save, showing_progress
    from glotmix.report.pool_page import write_pool_page
    from glotmix.report.pool_tables import check_table

    own = open_folder(pool)
    failing_on = failing(fail_on or [])
    with showing_progress(own) as progress:
        report = check_pool(own, [open_folder(place) for place in evaluation or []], progress)
    _print(report.findings, check_table, json)
    print(f"every row found: {save(report, own.folder)}", file=sys.stderr)
    if html:
        write_pool_page(report, html)
        print(f"page: {html}", file=sys.stderr)
    if failed := failing_on(report.findings):
        raise GlotmixError(failed)


@mixture_app.command("export")
def export(
    folder: Folder,
    run: Annotated[str, typer.Argument(help="The run's name, as `glotmix status` shows it.")],
    *,
    format: Annotated[str, typer.Option(help="trl, axolotl, llama_factory or hf_dataset.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
) -> None:
    """Write what a run trains on, in its order, with the config that another trainer needs."""
    from glotmix.study.export import export_run
    from glotmix.study.study import Study

    export_run(Study.load(folder), run, format, out)
    print(f"{out} is there, in training order; it was made for {format}")


@results_app.command("import")
def import_results(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Result files of lm_eval, or folders of them.")
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The table, as Parquet.")],
    runs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV file: how each run was trained (docs/lm-eval.md).")
    ] = None,
    anchor: Annotated[str, typer.Option(metavar="TAG", help="The language others are compared with.")] = "en",
    metric: Annotated[
        str | None, typer.Option(metavar="NAME[,FILTER]", help="What counts [the first from 0 to 1].")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN=TAG", help="The language of tasks so named; repeatable.")
    ] = None,
    items: Annotated[str, typer.Option(help="shared: equal numbers are translations; or disjoint.")] = "shared",
    means: Annotated[bool, typer.Option("--means", help="A table of means also where there are logs.")] = False,
    json: Json = False,
) -> None:
    """Make a results table of what lm-evaluation-harness wrote: result files, and logs of every item."""
    from glotmix.harness.results import import_results, write_table
    from glotmix.report.imported_table import imported_table

    done = import_results(
        paths,
        runs=runs,
        anchor=anchor,
        metric=metric,
        languages=language or [],
        items=items,
        means=means,
        study=out.stem,
    )
    write_table(done.table, out)
    _print(done.read, imported_table, json)
    for file, reason in done.aside.iter_rows():
        print(f"set aside: {file}: {reason}", file=sys.stderr)
    what = "items" if "item_id" in done.table.columns else "means"
    print(f"{out}: {len(done.table):,} {what} of {done.files:,} files; {len(done.aside):,} set aside", file=sys.stderr)


@lab_app.command()
def pretrain(
    size: Annotated[str, typer.Argument(help="lab-1m or lab-4m.")],
    out: Annotated[Path, typer.Option(help="The model's folder.")],
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Rebuild a base model from nothing but a seed."""
    from glotmix.study.quiet import quiet

    with quiet():
        from glotmix.lab.pretrain import main

        main(size, out, seed)
