"""Finished trainings as tables: what was measured at every checkpoint, which one was kept, and how sure that choice is.

Runs that share a training have the same records, each under its own name.
"""

from collections.abc import Callable
from functools import cache

import polars as pl

from glotmix.analysis.selection import (
    CURVE_SCHEMA,
    LOSS,
    RUN_SCHEMA,
    SELECTION_SCHEMA,
    VALIDATION_SCHEMA,
    best_step,
    choose,
    curve,
)
from glotmix.pool.parquet import read_parquet
from glotmix.report.info import LOSSES_SCHEMA, Trainings
from glotmix.study.plan import Plan, Run, is_done
from glotmix.study.store import Store

SELECTED = {"selected": pl.Boolean()}  # of a step, whether it is the one kept


def validation_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """Every validation row at every checkpoint of every run that is done."""
    return _of_runs(plan, store, pl.Schema({**VALIDATION_SCHEMA, **SELECTED}), lambda measured: _marked(plan, measured))


def curves_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """The mean of every task and language at every checkpoint of every run that is done."""
    marked = pl.Schema({**CURVE_SCHEMA, **SELECTED})
    return _of_runs(plan, store, marked, lambda measured: _marked(plan, measured, curve(measured)))


def selection_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """One record (`SELECTION_SCHEMA`) per run that is done."""
    own = pl.Schema({name: kind for name, kind in SELECTION_SCHEMA.items() if name not in RUN_SCHEMA})
    return _of_runs(plan, store, own, lambda measured: _choice(measured, plan.spec.recipe.select.metric, own))


def trainings(plan: Plan, store: Store) -> Trainings:
    """What a report tells of them."""
    losses = [_losses(store, run) for run in plan.runs if is_done(run, store)]
    selection, curves = selection_frame(plan, store), curves_frame(plan, store)
    return Trainings(selection, curves, pl.concat([LOSSES_SCHEMA.to_frame(), *losses]))


def _of_runs(plan: Plan, store: Store, schema: pl.Schema, made: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What is `made` of each training's validation rows, with the runs it belongs to."""

    @cache
    def of_training(train: str) -> pl.DataFrame:
        return made(read_parquet(store.folder("train", train) / "validation.parquet")).select(schema.names())

    parts = [_named(run, of_training(run.train)) for run in plan.runs if is_done(run, store)]
    return pl.concat([pl.Schema({**RUN_SCHEMA, **schema}).to_frame(), *parts])


def _named(run: Run, frame: pl.DataFrame) -> pl.DataFrame:
    places = {"run": run.name, "model": run.model.name, "setting": run.cell.name, "seed": run.seed}
    named = frame.with_columns(pl.lit(value, RUN_SCHEMA[name]).alias(name) for name, value in places.items())
    return named.select(*RUN_SCHEMA, *frame.columns)


def _marked(plan: Plan, measured: pl.DataFrame, table: pl.DataFrame | None = None) -> pl.DataFrame:
    kept, _ = best_step(measured, plan.spec.recipe.select.metric)
    return (measured if table is None else table).with_columns(selected=pl.col("step") == kept)


def _choice(measured: pl.DataFrame, metric: str, schema: pl.Schema) -> pl.DataFrame:
    found = choose(measured, metric)
    return pl.DataFrame([{name: getattr(found, name) for name in schema}], schema)


def _losses(store: Store, run: Run) -> pl.DataFrame:
    """Mean training loss of the steps since the checkpoint before."""
    folder = store.folder("train", run.train)
    every = read_parquet(folder / "losses.parquet", columns=["step", "loss"])
    checkpoints = read_parquet(folder / "validation.parquet", columns=["step", "metric"]).filter(metric=LOSS)
    ends = checkpoints.select(pl.col("step").unique().sort(), checkpoint=pl.col("step").unique().sort())
    part = every.sort("step").join_asof(ends, on="step", strategy="forward").group_by("checkpoint")
    return _named(run, part.agg(value=pl.col("loss").mean()).sort("checkpoint").rename({"checkpoint": "step"}))
