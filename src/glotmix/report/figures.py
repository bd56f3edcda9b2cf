"""Figures, each with its numbers, for the page and for a paper.

1. A figure shows one task and model, so that it fits a phone, a column of a paper and a study of 152 runs alike.
2. Its numbers are a table beside it: nothing has to be read off a picture.
3. A conclusion has a colour and a shape, and so has a role; no meaning hangs on colour alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from glotmix.analysis.declared import Declared
from glotmix.analysis.families import short
from glotmix.report import charts, text
from glotmix.report.places import distinct, where

CONCLUDED = {  # conclusion: colour, shape
    "higher": ("#0a7ec2", "triangle-up"),
    "lower": ("#d5660e", "triangle-down"),
    "no difference": ("#009e73", "diamond"),
    "cannot tell": ("#7d838c", "circle"),
    "": ("#7d838c", "square"),
}
SEEN_UNSEEN = "seen-unseen"
LEVEL = "not compared"
PAGE_ROWS, PAGE_COLUMNS = 48, 20  # of a forest plot or heatmap; longer and wider ones go on in another figure
LABELS = 420  # width of a forest plot's labels, at most
NAMED = 5  # points that have their names beside them; of more, the ends
_NEUTRAL = "#7d838c"
_NAME: dict[str, Any] = {"dy": 12, "fontSize": 12, "limit": 170, "color": "#4d4f57"}


@dataclass(frozen=True)
class Figure:
    """`part` tells figures of one kind, task and model apart; `numbers` is what it shows, as a table."""

    kind: str
    task: str
    model: str
    part: str
    chart: Any
    numbers: pl.DataFrame
    key: Mapping[str, str] = field(default_factory=dict)  # colours of what a page names beside it

    @property
    def svg(self) -> Markup:
        return charts.svg(self.chart)


def scatter(means: pl.DataFrame, task: str, model: str, measure: str) -> Iterator[Figure]:
    """Unseen against seen languages, a point per setting with both intervals, and the line on which they are equal.

    Args:
        means: of `scores_by_role`, with `design`: settings of one are joined in their order.
    """
    known = means.filter(pl.col("role").is_in(["seen", "unseen"])).drop_nulls("estimate")
    wide = known.pivot(
        "role", index=["design", "setting", "rows_per_language"], values=["estimate", "low", "high"]
    )  # estimate_seen ...
    if not {"estimate_seen", "estimate_unseen"} <= set(wide.columns):
        return
    points = wide.drop_nulls(["estimate_seen", "estimate_unseen"]).with_columns(
        label=pl.col("setting").map_elements(short, pl.String), place=pl.int_range(pl.len())
    )
    if len(points) < 2:
        return
    numbers = [f"{bound}_{role}" for role in ("seen", "unseen") for bound in ("estimate", "low", "high")]
    low, high = (min(0.95, *_known(points, numbers)), max(*_known(points, numbers)))
    pad = 0.04 * (high - low) or 0.02
    domain = [max(0.0, low - pad), min(1.0, high + pad)]
    colours = charts.line_colours(points["design"].unique(maintain_order=True).to_list())
    scale = alt.Scale(domain=domain, nice=False)
    axis = alt.Axis(format=".0%" if domain[1] - domain[0] > 0.05 else ".1%", tickCount=5)
    base = alt.Chart(points).encode(color=charts.palette("design", colours))
    x = alt.X("estimate_seen:Q", title=f"{measure} in seen languages", scale=scale, axis=axis)
    y = alt.Y("estimate_unseen:Q", title=f"{measure} in unseen languages", scale=scale, axis=axis)
    faint = 0.5 if len(points) <= 2 * NAMED else 0.25
    across = base.mark_rule(strokeWidth=2, opacity=faint).encode(x=alt.X("low_seen:Q"), x2="high_seen:Q", y=y)
    up = base.mark_rule(strokeWidth=2, opacity=faint).encode(y=alt.Y("low_unseen:Q"), y2="high_unseen:Q", x=x)
    grown = points.filter(pl.col("rows_per_language").is_unique().all().over("design"))
    trail = (
        alt.Chart(grown)
        .mark_line(strokeWidth=1, opacity=0.5)
        .encode(x=x, y=y, order="place:Q", color=charts.palette("design", colours))
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, shape=charts.shapes("design", colours))
    ends = pl.DataFrame({"estimate_seen": domain, "estimate_unseen": domain})
    equal = alt.Chart(ends).mark_line(strokeDash=[5, 4], strokeWidth=1.4, color=_NEUTRAL).encode(x=x, y=y)
    middle = sum(domain) / 2
    left, right = (_named(points).filter((pl.col("estimate_seen") < middle) == side) for side in (True, False))
    names = [
        alt.Chart(left).mark_text(align="left", dx=8, **_NAME).encode(x=x, y=y, text="label:N"),
        alt.Chart(right).mark_text(align="right", dx=-8, **_NAME).encode(x=x, y=y, text="label:N"),
    ]
    chart = alt.layer(equal, trail, across, up, dots, *names).properties(width=380, height=380)
    yield Figure(SEEN_UNSEEN, task, model, "", chart, points.drop("label", "place"), colours)


def _known(points: pl.DataFrame, columns: Sequence[str]) -> list[float]:
    return [value for column in columns for value in points[column].drop_nulls()]


def _named(points: pl.DataFrame) -> pl.DataFrame:
    """All points if they are few, else the ends of one design; names of many would hide them."""
    if len(points) <= NAMED:
        return points
    place, one = pl.col("place"), points["design"].n_unique() == 1
    return points.filter(place.is_in([0, len(points) - 1]) & one)


def heatmaps(accuracy: pl.DataFrame, settings: Sequence[str], task: str, model: str, top: float) -> Iterator[Figure]:
    """Language by setting; as many of both as fit a figure.

    Args:
        accuracy: of `accuracy_by_language`, languages in the order to show them.
    """
    labelled = accuracy.with_columns(label=pl.col("language").map_elements(text.label, pl.String))
    columns = labelled["label"].unique(maintain_order=True).to_list()
    pages = list(product(_pages(settings, PAGE_ROWS), _pages(columns, PAGE_COLUMNS)))
    for number, (down, across) in enumerate(pages, start=1):
        part = labelled.filter(pl.col("setting").is_in(down), pl.col("label").is_in(across))
        y = alt.Y("setting:N", title=None, sort=down, axis=alt.Axis(labelLimit=320))
        x = alt.X("label:N", title=None, sort=across, axis=alt.Axis(orient="top", labelAngle=-35, labelLimit=220))
        base = alt.Chart(part).encode(x=x, y=y)
        scale = alt.Scale(domain=[0, top], scheme="blues")
        legend = alt.Legend(format="%", orient="right", title=None)
        cells = base.mark_rect().encode(color=alt.Color("estimate:Q", scale=scale, legend=legend))
        dark = alt.condition(alt.datum.estimate > 0.6 * top, alt.value("white"), alt.value("#1b1e24"))
        told = base.mark_text(fontSize=12).encode(
            text=alt.Text("estimate:Q", format=".0%" if top > 0.2 else ".1%"), color=dark
        )
        chart = (cells + told).properties(width=alt.Step(58), height=alt.Step(24))
        yield Figure("heatmap", task, model, str(number) if len(pages) > 1 else "", chart, part.drop("label"))


def _pages(names: Sequence[str], most: int) -> list[list[str]]:
    return [list(names[at : at + most]) for at in range(0, len(names), most)]


def forests(findings: pl.DataFrame, declared: Declared, task: str, model: str) -> Iterator[Figure]:
    """Findings of one task and model with their intervals, a panel per name, in as many figures as they need."""
    drawn = findings.drop_nulls(["estimate", "low", "high"])
    pages: list[list[pl.DataFrame]] = [[]]
    for _, own in drawn.group_by("name", maintain_order=True):
        for part in own.iter_slices(PAGE_ROWS):
            if sum(map(len, pages[-1])) + len(part) > PAGE_ROWS:
                pages.append([])
            pages[-1].append(part)
    for number, page in enumerate(filter(None, pages), start=1):
        longest = max(len(where(row)) for part in page for row in part.iter_rows(named=True))
        panels = [_panel(part, declared.margin, min(LABELS, 7 * longest) + 10) for part in page]
        chart = alt.vconcat(*panels, spacing=18).resolve_scale(x="independent", y="independent")
        yield Figure(
            "forest",
            task,
            model,
            str(number) if len(pages) > 1 else "",
            chart,
            pl.concat(page).drop("at", "against", "apart"),
        )


def _panel(part: pl.DataFrame, margin: float, extent: float) -> Any:
    name, unit = part["name"][0], part["unit"][0]
    form = text.FORMS[unit]
    labels = distinct([where(row) for row in part.iter_rows(named=True)])
    rows = part.select(
        pl.Series("label", labels),
        pl.col("estimate", "low", "high") * form.scale,
        conclusion=pl.when(conclusion="").then(pl.lit(LEVEL)).otherwise("conclusion"),
    )
    kinds = {key or LEVEL: drawn for key, drawn in CONCLUDED.items()}
    colour = alt.Color(
        "conclusion:N", scale=alt.Scale(domain=list(kinds), range=[colour for colour, _ in kinds.values()])
    )
    shape = alt.Shape("conclusion:N", scale=alt.Scale(domain=list(kinds), range=[own for _, own in kinds.values()]))
    scale = alt.Scale(type="log", nice=False) if unit == "factor" else alt.Scale(zero=unit in text.ZERO)
    x = alt.X("low:Q", title=form.symbol or None, scale=scale, axis=alt.Axis(tickCount=6))
    axis = alt.Axis(labelLimit=LABELS, minExtent=extent, grid=False)
    base = alt.Chart(rows).encode(y=alt.Y("label:N", title=None, sort=None, axis=axis), color=colour)
    span = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=80, opacity=1).encode(x=alt.X("estimate:Q"), shape=shape)
    behind = [_band(margin * form.scale)] if unit == "score" and LEVEL not in rows["conclusion"] else []
    title = alt.Title(name, anchor="start", frame="bounds", fontSize=13)
    return alt.layer(*behind, *_zero(unit), span, point).properties(width=380, height=alt.Step(17), title=title)


def _band(margin: float) -> Any:
    """Differences that do not matter, as declared."""
    ends = pl.DataFrame({"left": [-margin], "right": [margin]})
    return alt.Chart(ends).mark_rect(opacity=0.16, color=_NEUTRAL).encode(x="left:Q", x2="right:Q")


def _zero(unit: str) -> list[Any]:
    if unit not in text.ZERO:
        return []
    at = pl.DataFrame({"at": [text.ZERO[unit]]})
    return [alt.Chart(at).mark_rule(color=_NEUTRAL, strokeWidth=1).encode(x="at:Q")]
