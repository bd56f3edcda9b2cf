"""Results of any kind, to be analyzed: a table in a file, what lm_eval wrote, or a study folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

import polars as pl

from glotmix.analysis import Declared
from glotmix.analysis.declared import Control
from glotmix.analysis.read import ASIDE_SCHEMA, Read, read_table
from glotmix.errors import UserError
from glotmix.harness.collect import find_files
from glotmix.language import Language
from glotmix.study.study import FILE, Study

CONTROLS: tuple[str, ...] = get_args(Control)
_LEADING = 4096  # characters of a JSON file that tell what it is


def read_any(
    path: Path,
    *,
    anchor: str | None = None,
    study: str | None = None,
    runs: Path | None = None,
    metric: str | None = None,
    languages: Sequence[str] = (),
) -> tuple[Read, Declared]:
    """The results at `path`, and what was declared of them beforehand, if they are a study's.

    Args:
        anchor: the language others are compared with; the table's own, or en, if not given.
        study: the one to keep of several in a table.
        runs, metric, languages: of results of lm_eval, as `import_results` takes them.

    Raises:
        UserError: nothing there that can be analyzed, or an argument that does not belong to what is there.
    """
    of_lm_eval = {"--runs": runs, "--metric": metric, "--language": languages}
    if (path / FILE).is_file() or path.name == FILE:
        _refuse({**of_lm_eval, "--anchor": anchor, "--study": study}, f"{path} is a study, which tells it itself")
        loaded = Study.load(path)
        return Read(loaded.done_results(), pl.DataFrame(schema=ASIDE_SCHEMA)), loaded.declared
    if path.is_dir() and not find_files([path]):
        raise UserError(f"{path}: no study.yaml and no results of lm_eval are there; of tables, name one file")
    if path.is_dir() or _is_lm_eval(path):
        _refuse({"--study": study}, f"{path} holds results of lm_eval, which have no studies")
        return _of_lm_eval(path, anchor or "en", runs, metric, languages), Declared()
    _refuse(of_lm_eval, f"{path} is a table, not results of lm_eval")
    return read_table(path, anchor, study), Declared()


def _refuse(options: dict[str, Any], why: str) -> None:
    for name, value in options.items():
        if value:
            raise UserError(f"{name} does not apply: {why}; leave it out")


def _is_lm_eval(path: Path) -> bool:
    """A log by its name, a result file by its being one object that has results."""
    if path.suffix == ".jsonl":
        return path.name.startswith("samples_")
    if path.suffix != ".json" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_LEADING).lstrip().startswith("{")


def _of_lm_eval(path: Path, anchor: str, runs: Path | None, metric: str | None, languages: Sequence[str]) -> Read:
    from glotmix.harness.results import import_results

    done = import_results([path], runs=runs, anchor=anchor, metric=metric, languages=languages)
    aside = done.aside.select(record=pl.lit(None, pl.Int64), reason=pl.format("{}: {}", "file", "reason"))
    return Read(done.table, aside)


def with_options(
    own: Declared, margin: float | None, control: str | None, groups: Sequence[str], results: pl.DataFrame
) -> Declared:
    """What was declared, but for what is given anew: `margin` in points, groups as NAME=tag,tag.

    Raises:
        UserError: the margin or the control is none, or a group can't be read or names a language without results.
    """
    if control is not None and control not in CONTROLS:
        raise UserError(f"--control: {control!r}; it is one of {', '.join(CONTROLS)}")
    if margin is not None and not 0.1 <= margin <= 50:
        raise UserError(f"--margin: {margin:g}; give points of 100, from 0.1 to 50 (0.02 of a score is 2)")
    named = dict(map(_group, groups))
    for name, tags in named.items():
        if unknown := set(tags) - set(results["language"].unique()):
            raise UserError(f"--group {name}: no results in {sorted(unknown)[0]!r}; leave it out")
    return Declared(
        own.margin if margin is None else margin / 100,
        own.control if control is None else cast(Control, control),
        named or own.groups,
    )


def _group(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, tags = text.partition("=")
    listed = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not name.strip() or not listed:
        raise UserError(f"--group: {text!r}; write NAME=tag,tag like romance=es,fr")
    return name.strip(), tuple(Language.get(tag).tag for tag in listed)
