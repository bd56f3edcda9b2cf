"""The verbs. Each calls one function of the library; what is slow to import is imported inside.

Exit code 0: done. 1: a fault (what is done is kept). 2: input that can't be right. 130: stopped with Ctrl-C.
"""

import sys
import tempfile
import traceback
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
lab_app = typer.Typer(help="The lab: the embedded world and its base models.", no_args_is_help=True)
app.add_typer(pool_app, name="pool")
app.add_typer(lab_app, name="lab")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The study's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON.")]


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
def plan(folder: Folder, json: Json = False) -> None:
    """Show every run with its rows, tokens and steps, before anything is spent."""
    from glotmix.study.study import Study
    from glotmix.study.tables import plan_table

    _print(Study.load(folder).plan(), plan_table, json)


@app.command()
def run(
    folder: Folder,
    processes: Annotated[int | None, typer.Option(min=1, help="Runs side by side [one per GPU, or per core].")] = None,
    json: Json = False,
) -> None:
    """Do everything that is not done yet, then print the findings."""
    from glotmix.study.study import Study
    from glotmix.study.tables import findings_table

    study = Study.load(folder)
    try:
        found = study.run(processes)
    except KeyboardInterrupt:
        raise Stopped(f"stopped; {study.count_done()}, run again to go on") from None
    _print(found, findings_table, json)
    print(f"report: {study.report_path}", file=sys.stderr if json else sys.stdout)


@app.command()
def status(folder: Folder, json: Json = False) -> None:
    """Show which runs are done, begun, waiting or failed."""
    from glotmix.study.study import Study
    from glotmix.study.tables import status_table

    _print(Study.load(folder).status(), status_table, json)


@app.command()
def report(folder: Folder) -> None:
    """Write the report: one self-contained HTML file."""
    from glotmix.study.study import Study

    print(f"report: {Study.load(folder).report()}")


@pool_app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="gsm8k or mgsm.")],
    *,
    path: Annotated[Path, typer.Option(help="The source's file or folder.")],
    out: Annotated[Path, typer.Option(help="The pool's folder; rows are added to what is there.")],
    split: Annotated[str | None, typer.Option(help="The split of the file, for sources that have several.")] = None,
    validation_rows: Annotated[int | None, typer.Option(help="How many training rows to set aside.")] = None,
    json: Json = False,
) -> None:
    """Add the rows of a public source to a pool folder."""
    from glotmix.pool.importers import import_pool
    from glotmix.pool.write import REJECTED
    from glotmix.study.tables import plain_table

    options = {"split": split, "validation_rows": validation_rows}
    done = import_pool(source, path, out, **{name: value for name, value in options.items() if value is not None})
    _print(done.counts, plain_table, json)
    if done.replaced:
        print(f"{done.replaced} rows that were there already are replaced", file=sys.stderr)
    for reason, lines in done.rejected.iter_rows():
        print(f"{lines} lines set aside: {reason}", file=sys.stderr)
    if len(done.rejected):
        print(f"lines set aside are in {out / REJECTED}", file=sys.stderr)


@lab_app.command()
def pretrain(
    size: Annotated[str, typer.Argument(help="lab-1m or lab-4m.")],
    out: Annotated[Path, typer.Option(help="The model's folder.")],
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Rebuild a base model from nothing but a seed."""
    from glotmix.lab.pretrain import main

    main(size, out, seed)
