"""Figures and findings as files for a paper: SVG and PNG to look at, CSV to compute with, LaTeX to print."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import polars as pl
import vl_convert

from glotmix.errors import GlotmixError
from glotmix.report import charts
from glotmix.report.figures import Figure
from glotmix.report.text import FORMS, p_value, signed, span

SCALE = 2.0  # of a PNG: pixels for every unit of the SVG
LONG = 40  # rows from which a LaTeX table runs over pages
_TEX = {"<": "$<$", ">": "$>$", "|": "$|$", "−": "$-$", "–": "--", "×": r"$\times$", "\u00a0": "~"}
_TEX |= {"[": "{[}", "*": "{*}"}  # behind a line's end they are its arguments


def write_findings(findings: pl.DataFrame, folder: Path) -> None:
    """findings.json, findings.csv and findings.tex in `folder`.

    Raises:
        GlotmixError: a file can't be written.
    """
    _write(folder / "findings.json", findings.write_json().encode())
    _write(folder / "findings.csv", csv(findings).encode())
    _write(folder / "findings.tex", latex(told(findings)).encode())


def write_figures(figures: Iterable[Figure], folder: Path) -> list[Path]:
    """Every figure as <name>.svg, .png, .csv and .tex in `folder`; returns the SVG files. Other files stay.

    Raises:
        GlotmixError: a file can't be written.
    """
    return [_write_figure(figure, folder / name) for name, figure in _named(figures)]


def _write_figure(figure: Figure, path: Path) -> Path:
    drawn = charts.on_paper(figure.chart)
    told_numbers = told(figure.numbers) if "conclusion" in figure.numbers.columns else figure.numbers
    _write(_with(path, "svg"), drawn.encode())
    _write(_with(path, "png"), vl_convert.svg_to_png(drawn, scale=SCALE))
    _write(_with(path, "csv"), csv(figure.numbers).encode())
    _write(_with(path, "tex"), latex(told_numbers).encode())
    return _with(path, "svg")


def _with(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _named(figures: Iterable[Figure]) -> Iterator[tuple[str, Figure]]:
    """Names for files, of letters that every file system takes, each once."""
    used: dict[str, int] = {}
    for figure in figures:
        parts = (figure.kind, figure.task, figure.model, figure.part)
        name = re.sub(r"[^a-z0-9.=+]+", "-", "-".join(filter(None, parts)).lower()).strip("-.")[:100]
        used[name] = used.get(name, 0) + 1
        yield f"{name}-{used[name]}" if used[name] > 1 else name, figure


def told(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings as a reader sees them, without what has one value in all."""
    rows = [
        {
            "finding": row["name"],
            "model": row["model"],
            "task": row["task"],
            "setting": row["setting"],
            "against": row["compared_with"],
            "estimate": f"{signed(row['estimate'], row['unit'])} {FORMS[row['unit']].symbol}".strip(),
            "95 % interval": span(row["low"], row["high"], row["unit"]),
            "adjusted p": p_value(row["adjusted_p"]),
            "conclusion": row["conclusion"],
        }
        for row in findings.iter_rows(named=True)
    ]
    frame = pl.DataFrame(rows)
    return frame.drop(name for name in ("model", "task") if rows and frame[name].n_unique() == 1)


def csv(table: pl.DataFrame) -> str:
    """Every digit. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    return table.with_columns(pl.col(pl.String).str.replace(r"^[=+\-@\t\r]", "'$0")).write_csv()


def latex(table: pl.DataFrame) -> str:
    """A booktabs table; what LaTeX would take for a command is escaped."""
    long = len(table) > LONG
    plain = table.with_columns(pl.col(pl.String).str.replace_all(r"[\s\p{Cc}]+", " "))
    body = plain.to_pandas().to_latex(index=False, escape=True, na_rep="", float_format="%.4f", longtable=long)
    for sign, command in _TEX.items():
        body = body.replace(sign, command)
    return f"% \\usepackage{{booktabs{',longtable' if long else ''}}}\n{body}"


def _write(path: Path, content: bytes) -> None:
    """A file is there whole or not at all; one that is there is replaced."""
    beside = path.with_name(f".{uuid4().hex[:8]}-{path.name}"[:200])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise GlotmixError(f"{path}: can't write it ({error.strerror}); free space or choose a folder") from error
    finally:
        beside.unlink(missing_ok=True)
