"""Figures as SVG text, without scripts, fonts or anything else to load.

Colours are Okabe & Ito's, which people with any form of colour blindness can tell apart; where lines or points must be
told apart, so do shapes. Text and grid lines are recoloured by the page's style sheet, so that figures follow light and
dark mode. A chart is drawn for a page (`svg`: no legend, the page has a key) or for a paper (`on_paper`).
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import cycle
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from markupsafe import Markup

ROLE_COLOURS = {"anchor": "#7d838c", "seen": "#0a7ec2", "unseen": "#d5660e"}
VERDICT_COLOURS = {
    "correct": "#009e73",
    "wrong": "#c9ccd3",
    "no_answer": "#e69f00",
    "wrong_language": "#cc79a7",
    "truncated": "#56b4e9",
    "malformed": "#656872",
    "unjudged": "#f0e442",
}
_MODEL_COLOURS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2", "#d55e00", "#4d4f57")
_LINE_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#882255",
    "#999933",
    "#332288",
    "#aa4499",
)
MEAN_COLOUR, TRAINING_COLOUR = "#7d838c", "#a3a8b0"
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
_AXIS = {"labelFontSize": 12, "labelPadding": 6, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 16}
_CONFIG = {
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
    "aria": False,  # the page describes each figure once
    "padding": 4,
    "view": {"stroke": None},
    "axis": {**_AXIS, "domain": False, "ticks": False},
    "legend": {"disable": True},
}
_PAPER = _CONFIG | {
    "background": "white",
    "padding": 10,
    "font": "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif",
    "legend": {
        "title": None,
        "orient": "top",
        "labelFontSize": 12,
        "labelLimit": 320,
        "columns": 5,
        "symbolOpacity": 1,
    },
    "header": {"title": None, "labelFontSize": 13, "labelFontWeight": "bold"},
}


def curves(
    frame: pl.DataFrame,
    colours: Mapping[str, str],
    top: float,
    width: int = 220,
    height: int = 150,
    titles: tuple[str | None, str | None] = (None, None),
) -> Any:
    """Score (0 to `top`) against rows per language, one line with its 95 % band per series.

    Args:
        frame: columns series, rows_per_language, estimate, low, high.
        colours: of every series.
        titles: of the axes.
    """
    rows = frame["rows_per_language"].unique().sort().to_list()
    base = alt.Chart(frame).encode(x=_rows_axis(rows, titles[0]), color=palette("series", colours))
    y = alt.Y("estimate:Q", title=titles[1], scale=_share(top), axis=alt.Axis(format=_percent(top), tickCount=4))
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y)
    points = base.mark_point(filled=True, size=40, opacity=1).encode(y=y, shape=shapes("series", colours))
    return (band + line + points).properties(width=width, height=height)


def panels(frame: pl.DataFrame, colours: Mapping[str, str], top: float, titles: tuple[str, str]) -> Any:
    """Curves of every `label` on its own, in the order of the frame, as one figure."""
    labels = frame["label"].unique(maintain_order=True).to_list()
    return curves(frame, colours, top, 180, 130, titles).facet(alt.Facet("label:N", sort=labels), columns=4)


def dots(frame: pl.DataFrame, colours: Mapping[str, str], top: float, width: int = 380) -> Any:
    """Score (0 to `top`) with its interval, a line per label; several series of a label stand below each other.

    Args:
        frame: columns label, series, estimate, low, high, in the order to show labels.
        colours: of every series.
    """
    labels = frame["label"].unique(maintain_order=True).to_list()
    most = max(frame["label"].value_counts()["count"].to_list())  # series of a label
    ticks = alt.Axis(format=_percent(top), tickCount=4 if width > 300 else 2)
    x = alt.X("estimate:Q", title=None, scale=_share(top), axis=ticks)
    y = alt.Y("label:N", title=None, sort=labels, axis=alt.Axis(labelLimit=240, grid=most > 1))
    base = alt.Chart(frame).encode(y=y, color=palette("series", colours))
    if most > 1:
        base = base.encode(yOffset=alt.YOffset("series:N", sort=list(colours)))
    span = base.mark_rule(strokeWidth=3, opacity=0.4).encode(x=alt.X("low:Q"), x2="high:Q")
    point = base.mark_point(filled=True, size=40, opacity=1).encode(x=x, shape=shapes("series", colours))
    return (span + point).properties(width=width, height=len(labels) * (10 * most + 10))


def verdict_bars(frame: pl.DataFrame, settings: list[str]) -> Markup:
    """How often each verdict was given, one bar per setting. Columns setting, verdict, share, rank."""
    chart = alt.Chart(frame).mark_bar(height={"band": 0.72})
    encoded = chart.encode(
        x=alt.X("share:Q", title=None, scale=_share(1), axis=alt.Axis(format="%", tickCount=3, grid=False)),
        y=alt.Y("setting:N", title=None, sort=settings, axis=alt.Axis(labelLimit=200)),
        color=palette("verdict", VERDICT_COLOURS),
        order=alt.Order("rank:Q"),
    )
    return svg(encoded.properties(width=170, height=alt.Step(20)))


def checkpoints(
    frame: pl.DataFrame,
    kept: pl.DataFrame,
    colours: Mapping[str, str],
    dashed: str,
    bold: str,
    *,
    percent: bool,
    width: int = 250,
    height: int = 150,
) -> Markup:
    """A metric against optimizer steps, one line per series, with a point at every step that was kept.

    Args:
        frame: columns series, step, value.
        kept: columns step, value.
        colours: of every series; the `bold` one, on which the points lie, and the `dashed` one stand out.
    """
    axis = alt.Axis(format="~s", tickCount=4, grid=False)
    x = alt.X("step:Q", title=None, axis=axis, scale=alt.Scale(nice=False, zero=False, padding=9))
    ticks = alt.Axis(format=".0%" if percent else ".3~g", tickCount=4)
    y = alt.Y("value:Q", title=None, axis=ticks, scale=alt.Scale(zero=False))
    base = alt.Chart(frame).encode(x=x, y=y, color=palette("series", colours))
    thick = base.transform_filter(alt.datum.series == bold).mark_line(strokeWidth=4)
    dashes = base.transform_filter(alt.datum.series == dashed).mark_line(strokeWidth=1.6, strokeDash=[5, 4])
    others = (alt.datum.series != bold) & (alt.datum.series != dashed)
    lines = base.transform_filter(others).mark_line(strokeWidth=1.6)
    marked = alt.Chart(kept).encode(x=x, color=alt.value(colours[bold]))
    points = marked.mark_point(filled=True, size=120, opacity=1).encode(y=y)
    return svg((marked.mark_rule(opacity=0.6) + thick + lines + dashes + points).properties(width=width, height=height))


def line_colours(series: Sequence[str]) -> dict[str, str]:
    return dict(zip(series, cycle(_LINE_COLOURS), strict=False))


def model_colours(models: Sequence[str]) -> dict[str, str]:
    return dict(zip(models, cycle(_MODEL_COLOURS), strict=False))


def ceiling(high: float) -> float:
    """The top of a score axis: as low as shows everything, so that scores near zero don't drown."""
    return next((top for top in (0.05, 0.1, 0.2, 0.5) if high <= top), 1.0)


def _rows_axis(rows: list[int], title: str | None) -> alt.X:
    """Logarithmic from the smallest positive count on, so that 0 has a place."""
    scale = alt.Scale(
        type="symlog", constant=next(filter(None, rows), 1), domain=[rows[0], rows[-1] or 1], nice=False, padding=9
    )
    thousands = "datum.value < 1000 ? datum.value : format(datum.value / 1000, '~g') + 'k'"
    axis = alt.Axis(
        values=rows, labelExpr=thousands, labelOverlap="greedy", labelSeparation=9, labelFlush=False, grid=False
    )
    return alt.X("rows_per_language:Q", title=title, scale=scale, axis=axis)


def _share(top: float) -> alt.Scale:
    return alt.Scale(domain=[0, top], nice=False)


def _percent(top: float) -> str:
    return ".1~%" if top < 0.1 else ".0%"


def palette(field: str, colours: Mapping[str, str]) -> alt.Color:
    """Without a legend where there is one series, which needs no name."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", scale=scale, **_legend(colours))


def _legend(series: Collection[str]) -> dict[str, Any]:
    return {} if len(series) > 1 else {"legend": None}


def shapes(field: str, series: Sequence[str] | Mapping[str, str]) -> alt.Shape:
    """A shape for every series, in the order of `series`."""
    names = list(series)
    drawn = [shape for _, shape in zip(names, cycle(_SHAPES), strict=False)]
    return alt.Shape(f"{field}:N", scale=alt.Scale(domain=names, range=drawn), **_legend(names))


def svg(chart: Any) -> Markup:
    """The figure for a page. Vega escapes the text in it."""
    return Markup(vl_convert.vegalite_to_svg(chart.to_json(), config=_CONFIG))


def on_paper(chart: Any) -> str:
    """The figure to stand alone: as SVG on white, with its legend."""
    return str(vl_convert.vegalite_to_svg(chart.to_json(), config=_PAPER))
