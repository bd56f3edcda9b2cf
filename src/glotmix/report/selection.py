"""What the page shows of checkpoints: curves with the step that was kept, and how sure each choice is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from glotmix.analysis.families import short
from glotmix.analysis.selection import DEFINITIONS, SCORE, UNSURE
from glotmix.language import Language
from glotmix.report import charts
from glotmix.report.info import Trainings
from glotmix.report.text import NONE, count

PANELS = 12  # of a study with more settings, those whose choice is least sure are drawn
STEPS_NAMED = 5
FEW_RUNS = 12  # more are folded away
MEAN, TRAINING = "mean of all", "training loss"


@dataclass(frozen=True)
class Kept:
    """One run's choice, as text."""

    run: str
    checkpoints: int
    step: str
    value: str
    share: str
    agreement: str
    likely: str
    regret: str
    note: str


@dataclass(frozen=True)
class SelectionView:
    """`panels` has a figure by title, of `settings` in all; `unsure` counts the runs whose choice nobody can tell."""

    metric: str
    panels: Mapping[str, Markup]
    settings: int
    colours: Mapping[str, str]
    rows: Sequence[Kept]
    folded: bool
    unsure: int
    definitions: Mapping[str, str]


def selection_view(trainings: Trainings, roles: Mapping[str, str]) -> SelectionView | None:
    """None where no run had a choice. `roles` gives the languages in the order to show them."""
    chosen = trainings.selection
    if chosen.filter(pl.col("checkpoints") > 1).is_empty():
        return None
    metric = chosen["metric"][0]
    curves = trainings.curves.filter(metric=metric).with_columns(series=_series(trainings.curves))
    known = sorted(curves.select("task", "language", "series").unique().rows(), key=lambda row: _place(row, roles))
    colours = charts.line_colours([series for *_, series in known])
    by = ["model", "setting"]
    places = chosen.group_by(by, maintain_order=True).agg(pl.col("agreement").fill_null(-1).min())
    least_sure = places.sort("agreement", maintain_order=True).head(PANELS)
    drawn = places.join(least_sure, on=by, how="semi", maintain_order="left").select(by).rows()
    losses = trainings.losses if metric != SCORE else trainings.losses.clear()
    one_model, one_design = chosen["model"].n_unique() == 1, len({*map(_design, chosen["setting"])}) == 1
    return SelectionView(
        metric=metric.replace("_", " "),
        panels={
            (short(setting) if one_design else setting) + ("" if one_model else f" · {model}"): _panel(
                metric,
                curves.filter(model=model, setting=setting),
                losses.filter(model=model, setting=setting),
                chosen.filter(model=model, setting=setting),
                colours,
            )
            for model, setting in drawn
        },
        settings=len(places),
        colours=colours | ({} if losses.is_empty() else {TRAINING: charts.TRAINING_COLOUR}),
        rows=[_kept(row) for row in chosen.iter_rows(named=True)],
        folded=len(chosen) > FEW_RUNS,
        unsure=len(chosen.filter(pl.col("agreement").fill_null(0) < UNSURE)),
        definitions={name.replace("_", " "): text for name, text in DEFINITIONS.items()},
    )


def _design(setting: str) -> str:
    return setting.rpartition("/")[0]


def _series(curves: pl.DataFrame) -> pl.Expr:
    """A line is a language, or a task in a language where there are several tasks."""
    one = curves["task"].n_unique() == 1
    return pl.col("language") if one else pl.concat_str("task", "language", separator=" ")


def _place(row: tuple[str, str, str], roles: Mapping[str, str]) -> tuple[str, int, str]:
    task, tag, _ = row
    return task, list(roles).index(tag) if tag in roles else len(roles), tag


def _panel(
    metric: str, curves: pl.DataFrame, losses: pl.DataFrame, chosen: pl.DataFrame, colours: Mapping[str, str]
) -> Markup:
    """Lines are means over seeds; every seed's choice is a point on their mean."""
    mean = pl.col("value").mean()
    lines = curves.group_by("series", "step").agg(mean)
    middle = curves.group_by("step").agg(mean).with_columns(series=pl.lit(MEAN))
    training = losses.group_by("step").agg(mean).with_columns(series=pl.lit(TRAINING))
    every = pl.concat(part.select("series", "step", "value") for part in (lines, training, middle)).sort("step")
    kept = middle.join(chosen.select("step"), on="step")
    palette = {**colours, TRAINING: charts.TRAINING_COLOUR, MEAN: charts.MEAN_COLOUR}
    return charts.checkpoints(every, kept, palette, TRAINING, MEAN, percent=metric == SCORE)


def _kept(row: Mapping[str, Any]) -> Kept:
    likely, score = row["likely_steps"], row["metric"] == SCORE
    named = ", ".join(map(count, likely)) if len(likely) <= STEPS_NAMED else f"{len(likely)} steps"
    regret = NONE if row["regret"] is None else f"{100 * row['regret']:.1f} points" if score else f"{row['regret']:.4f}"
    return Kept(
        run=row["run"],
        checkpoints=row["checkpoints"],
        step=f"{row['step']:,}",
        value=f"{100 * row['value']:.1f} %" if score else f"{row['value']:.4f}",
        share=_percent(row["share"]),
        agreement=_percent(row["agreement"]),
        likely=named or NONE,
        regret=regret,
        note=row["note"],
    )


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.0f} %"


def name_of(series: str) -> str:
    """A line's language in words, with its task where it has one."""
    if series == TRAINING:
        return f"{TRAINING}, dashed"
    *task, tag = series.split(" ")
    return " ".join([Language.get(tag).name, *task])
