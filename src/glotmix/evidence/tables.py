"""Published studies as tables that `glotmix analyze` reads; `tables/README.md` says where every number is from."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from glotmix.analysis.noise import SEED_CORRELATION
from glotmix.analysis.table import MEANS_SCHEMA
from glotmix.errors import UserError

GUIDE, ENGLISH = "post-trainers-guide", "english-not-all"
STUDIES: Mapping[str, str] = {
    GUIDE: '"A Post-trainer\'s Guide to Multilingual Training Data", arXiv 2504.16677v1',
    ENGLISH: '"English is Not All You Need", arXiv 2604.13286v1',
}
RATING = 5  # the highest, which scores are divided by
ITEMS: Mapping[str, int] = {"IF": 200, "SM": 250, "MR": 250}
RIGHT_OR_WRONG = "MR"  # the task whose scores are shares of right answers
_PARAMETERS = {"Aya23-7B": 7_000_000_000, "Llama3.1-8B": 8_000_000_000, "Aya23-35B": 35_000_000_000}
_SERIES = {"en+es+fr+ja+zh": "single", "en+es+fr": "latin", "en+ja+zh": "non-latin"}
_SEED = {"single": 0, "latin": 1, "non-latin": 2, "multi": 0}
_FOLDER = Path(__file__).with_name("tables")


def table(study: str) -> pl.DataFrame:
    """The study's scores as a table of means (`MEANS_SCHEMA`).

    Raises:
        UserError: there is no such study, or it printed no scores.
    """
    if study not in STUDIES:
        raise UserError(f"study {study!r} is unknown; use one of {', '.join(STUDIES)}")
    if not known(study, "scores"):
        raise UserError(f"study {study!r} printed no scores, only rates, gains and coefficients; use {GUIDE!r}")
    return _with_errors(_means(printed(study, "scores")))


def known(study: str, name: str) -> bool:
    """Whether the study disclosed such a table."""
    return _file(study, name).is_file()


@cache
def printed(study: str, name: str) -> pl.DataFrame:
    """A table as the paper has it."""
    return pl.read_csv(_file(study, name))


def _file(study: str, name: str) -> Path:
    return _FOLDER / f"{study.replace('-', '_')}_{name}.csv"


def _means(scores: pl.DataFrame) -> pl.DataFrame:
    n, task = pl.col("samples_per_non_english_language"), pl.col("task")
    multi, of_languages = pl.col("setting") == "multi", pl.col("train_languages")
    design = pl.when(multi).then(pl.lit("multi")).otherwise(of_languages.replace_strict(_SERIES))
    own = pl.when(n == 0).then(pl.when(multi).then(pl.lit("multi")).otherwise(pl.lit("single"))).otherwise(design)
    start = pl.when(multi).then(pl.lit("multi/n=0")).otherwise(pl.lit("single/n=0"))
    rows = scores.filter(pl.col("eval_language") != "Avg.").with_columns(design=design)
    return rows.select(
        "model",
        "task",
        "metric",
        parameters=pl.col("model").replace_strict(_PARAMETERS),
        setting=pl.format("{}/n={}", own, n),
        baseline=pl.when(n == 0).then(pl.lit("")).otherwise(start),
        train_tasks=pl.when(multi).then(pl.lit(list(ITEMS))).otherwise(pl.concat_list(task)),
        train_languages=pl.when(n == 0).then(pl.lit(["en"])).otherwise(of_languages.str.split("+")),
        anchor_rows=pl.col("english_samples_of_this_task"),
        rows_per_language=n,
        total_rows=pl.col("run_total_samples"),
        seed=pl.when(n == 0).then(pl.col("design").replace_strict(_SEED)).otherwise(0),
        language=pl.col("eval_language"),
        role=_roles(),
        value=pl.when(task == "IF").then(pl.col("value") / RATING).otherwise(pl.col("value")),
        n_items=task.replace_strict(ITEMS),
        study=pl.lit(GUIDE),
        run=pl.format("{}/{}/{}/n={}", "model", "task", "design", n),
    )


def _roles() -> pl.Expr:
    """By the study's training languages, not the run's."""
    named = pl.col("eval_language")
    return (
        pl.when(named == "en").then(pl.lit("anchor")).when(named.is_in(["ar", "ko", "pt"])).then(pl.lit("unseen"))
    ).otherwise(pl.lit("seen"))


def _with_errors(means: pl.DataFrame) -> pl.DataFrame:
    """Standard errors by the choice of test items, where p (1 - p) / n is not what they are."""
    value, lowest = pl.col("value"), 1 / RATING
    of_ratings = ((1 - value) * (value - lowest) / pl.col("n_items")).sqrt()
    spread = pl.when(pl.col("task") == "IF").then(of_ratings).when(pl.col("task") == "SM").then(pl.lit(_of_runs(means)))
    columns = [name for name in MEANS_SCHEMA if name in means.columns or name == "stderr"]
    return means.with_columns(stderr=spread).select(columns).cast({name: MEANS_SCHEMA[name] for name in columns})


def _of_runs(means: pl.DataFrame) -> float:
    """Of RougeL: the spread between runs of one setting is that of a run's own share of the answers' variance."""
    runs = means.filter(task="SM", model="Aya23-7B", setting="single/n=0")
    between = runs.group_by("language").agg(pl.col("value").var())["value"].to_numpy()
    return float(np.sqrt(between.mean() / (1 - SEED_CORRELATION)))
