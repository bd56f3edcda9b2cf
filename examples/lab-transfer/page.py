"""Writes docs/lab-curves.svg and docs/lab-results.md from this folder's finished study: `python page.py`."""

from pathlib import Path

import altair as alt
import polars as pl
import vl_convert

from glotmix import Study
from glotmix.analysis import accuracy_by_language
from glotmix.language import Language

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
COLOURS = {"anchor": "#7d838c", "seen": "#0a7ec2", "unseen": "#d5660e"}


def curves(accuracy: pl.DataFrame) -> str:
    """One small chart per language: accuracy with its 95 % interval against rows per training language."""
    named = accuracy.with_columns(
        name=pl.col("language").map_elements(lambda tag: f"{Language.get(tag).name} ({tag})", pl.String)
    )
    base = alt.Chart(named).encode(
        x=alt.X("rows_per_language:O", title="rows per training language", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("role:N", title=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))),
    )
    y = alt.Y("estimate:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4))
    layers = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q"), y2="high:Q") + base.mark_line(point=True).encode(y=y)
    facet = alt.Facet("name:N", title=None, sort=named["name"].unique(maintain_order=True).to_list())
    chart = layers.properties(width=130, height=100).facet(facet, columns=5).configure(background="white")
    return vl_convert.vegalite_to_svg(chart.to_json())


def table(accuracy: pl.DataFrame) -> str:
    """Markdown: a line per language, a column per setting, accuracy in percent with its interval."""
    settings = accuracy["setting"].unique(maintain_order=True).to_list()
    lines = [f"| language | role | {' | '.join(settings)} |", "| --- | --- |" + " --- |" * len(settings)]
    for (tag, role), part in accuracy.group_by("language", "role", maintain_order=True):
        cells = [
            f"{100 * e:.0f} ({100 * lo:.0f} to {100 * hi:.0f})" for e, lo, hi in part["estimate", "low", "high"].rows()
        ]
        lines.append(f"| {tag} | {role} | {' | '.join(cells)} |")
    return "\n".join(lines)


def findings(frame: pl.DataFrame) -> str:
    lines = ["| finding | setting | estimate | 95 % interval |", "| --- | --- | --- | --- |"]
    for row in frame.filter(pl.col("low").is_not_null()).iter_rows(named=True):
        estimate, low, high = (f"{100 * row[name]:.1f}" for name in ("estimate", "low", "high"))
        lines.append(f"| {row['name']} | {row['setting']} | {estimate} | {low} to {high} |")
    return "\n".join(lines)


def main() -> None:
    study = Study.load(HERE)
    accuracy = accuracy_by_language(study.results())
    (DOCS / "lab-curves.svg").write_text(curves(accuracy))
    text = f"{table(accuracy)}\n\nIn points; relative to the anchor in percent.\n\n{findings(study.findings())}\n"
    (DOCS / "lab-results.md").write_text(text)


if __name__ == "__main__":
    main()
