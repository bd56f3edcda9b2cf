"""The plan: a spec resolved against its pool and models, every step with its key, before anything is spent.

1. Cells of the design become mixtures; a run is model x cell x seed.
2. Held-out rows are prefixes of a keyed ranking, like training rows. Test items that all evaluated languages share
   come first, so that languages are compared on the same problems as far as the pool allows.
3. What can't be right is refused here, so that a started study only fails for reasons of the machine.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glotmix.design import Cell, cells
from glotmix.errors import UserError
from glotmix.mixture import Mixture, MixtureSpec, TooFewRows, build_mixture
from glotmix.pool import Pool, open_pool
from glotmix.pool.keyed import ranked
from glotmix.spec import StudySpec
from glotmix.study.estimate import tokens_by_mixture
from glotmix.study.identity import content_hash, key
from glotmix.study.job import EvaluationStep, Job
from glotmix.study.models import Model, Seen, resolve_model
from glotmix.study.store import Store
from glotmix.task import get_task

# A change of code that changes results adds one here; what was computed before is then computed anew.
MIXTURE_VERSION = ROWS_VERSION = TRAIN_VERSION = EVALUATE_VERSION = 1
SCORER_VERSIONS = {"math": 1, "summarization": 1, "instructions": 1, "api_calls": 1}


@dataclass(frozen=True)
class Run:
    """A model trained on a cell's mixture with one seed; `mixture`, `validation` and `train` are keys of steps."""

    name: str
    model: Model
    cell: Cell
    seed: int
    mixture: str
    validation: str
    train: str
    evaluations: tuple[EvaluationStep, ...]


@dataclass(frozen=True)
class Plan:
    """All runs of a study, and by key the mixtures and held-out rows they need."""

    spec: StudySpec
    pool: str
    runs: tuple[Run, ...]
    mixtures: Mapping[str, Mixture]
    rows: Mapping[str, pl.DataFrame]

    def jobs(self, store: Store) -> list[Job]:
        """What is not done yet; runs that share a training are one job.

        Raises:
            GlotmixError: a model that must be trained from is no longer there.
        """
        missing = {run.train: run for run in reversed(self.runs) if not is_done(run, store)}
        for run in missing.values():
            if run.model.absent and not store.is_done("train", run.train):
                raise run.model.absent
        return [self._job(run, store) for run in self.runs if missing.get(run.train) is run]

    def _job(self, run: Run, store: Store) -> Job:
        return Job(
            run=run.name,
            store=str(store.root.resolve()),
            model=str(run.model.folder),
            mixture=run.mixture,
            validation=run.validation,
            seed=run.seed,
            recipe=self.spec.recipe,
            evaluation=self.spec.evaluation,
            train=run.train,
            evaluations=tuple(step for step in run.evaluations if not store.is_done("evaluate", step.key)),
        )

    def optimizer_steps(self, run: Run) -> int:
        recipe = self.spec.recipe
        rows = len(self.mixtures[run.mixture].row_ids)
        return recipe.steps or math.ceil(rows * (recipe.epochs or 0) / recipe.batch_rows)


def is_done(run: Run, store: Store) -> bool:
    return store.is_done("train", run.train) and all(store.is_done("evaluate", step.key) for step in run.evaluations)


def make_plan(spec: StudySpec, folder: Path, file_hashes: dict[str, str], models_seen: Seen) -> Plan:
    """Resolves a spec. Nothing is written, nothing is trained.

    Args:
        folder: where relative paths of the spec start.
        file_hashes: of model files, by path and state; new ones are added.
        models_seen: what is known of models that may be gone; new ones are added.

    Raises:
        UserError: the pool or a model lacks what the spec asks for.
    """
    pool = open_pool(spec.pool, relative_to=folder)
    _check_languages(spec, pool)
    models = [resolve_model(name, folder, file_hashes, models_seen) for name in spec.models]
    _check_names(models)
    rows: dict[str, pl.DataFrame] = {}
    tests = [(task, tag, _keep(rows, _test_rows(spec, pool, task, tag))) for task, tag in _evaluated(spec)]
    mixtures: dict[str, Mixture] = {}
    runs = []
    for cell in cells(spec):
        mixture = _mixture(spec, pool, cell)
        mixture_key = key("mixture", MIXTURE_VERSION, content=mixture.content_hash)
        mixtures[mixture_key] = mixture
        validation = _keep(rows, _validation_rows(spec, pool, cell))
        for model in models:
            for seed in cell.seeds:
                train = train_key(spec, model, mixture, rows[validation], seed)
                steps = tuple(evaluation_step(spec, train, task, tag, test) for task, tag, test in tests)
                name = f"{model.name}/{cell.name}/seed={seed}"
                runs.append(Run(name, model, cell, seed, mixture_key, validation, train, steps))
    order = {model.name: number for number, model in enumerate(models)}
    plan = Plan(spec, pool.name, tuple(sorted(runs, key=lambda run: order[run.model.name])), mixtures, rows)
    _check_warmup(plan)
    return plan


def _mixture(spec: StudySpec, pool: Pool, cell: Cell) -> Mixture:
    wanted = MixtureSpec(counts=cell.counts, items=spec.items, seed=spec.data_seed, repeat=spec.repeat)
    try:
        return build_mixture(wanted, pool)
    except TooFewRows as few:
        setting = "anchor_rows" if few.language == spec.languages.anchor else "rows_per_language"
        raise UserError(f"design.{setting}: {few}") from None


def train_key(spec: StudySpec, model: Model, mixture: Mixture, validation: pl.DataFrame, seed: int) -> str:
    """Which rows select a checkpoint is in their content; how rows are cut to fit memory changes no gradient."""
    settings = spec.recipe.model_dump(mode="json", exclude={"select", "tokens_per_micro_batch"})
    return key(
        "train",
        TRAIN_VERSION,
        model=model.content_hash,
        mixture=mixture.content_hash,
        validation=content_hash(validation),
        recipe=settings | {"select": spec.recipe.select.metric},
        seed=seed,
    )


def evaluation_step(spec: StudySpec, train: str, task: str, language: str, rows: str) -> EvaluationStep:
    """In float32 `batch_rows` is a matter of memory; in bfloat16 rounding depends on it, and with it the answers."""
    settings = {"max_new_tokens", "decoding", "precision"}
    if spec.evaluation.precision == "bfloat16":
        settings.add("batch_rows")
    step = key(
        "evaluate",
        EVALUATE_VERSION,
        train=train,
        rows=rows,
        evaluation=spec.evaluation.model_dump(mode="json", include=settings),
        scorer=[task, SCORER_VERSIONS[task]],
    )
    return EvaluationStep(key=step, task=task, language=language, rows=rows)


def _keep(rows: dict[str, pl.DataFrame], frame: pl.DataFrame) -> str:
    """Adds the frame under the key of its content."""
    name = key("rows", ROWS_VERSION, content=content_hash(frame))
    rows[name] = frame
    return name


def _evaluated(spec: StudySpec) -> list[tuple[str, str]]:
    return [(task, tag) for task in sorted(spec.tasks) for tag in sorted(spec.languages.evaluate)]


def _test_rows(spec: StudySpec, pool: Pool, task: str, language: str) -> pl.DataFrame:
    wanted = spec.evaluation.items_per_language
    shared = set.intersection(*(set(pool.item_ids(task, tag, "test")) for tag in spec.languages.evaluate))
    rows = _held_out(spec, pool, (task, language, "test"), wanted, "evaluation.items_per_language", shared)
    for reference in rows["reference"]:
        get_task(task).score("", reference, language=language)  # refuses a reference nothing can be scored against
    return rows


def _validation_rows(spec: StudySpec, pool: Pool, cell: Cell) -> pl.DataFrame:
    """Rows that select a checkpoint: of the languages that the mixture has, or of those the recipe names."""
    select = spec.recipe.select
    parts = []
    for task, counts in sorted(cell.counts.items()):
        in_mixture = [tag for tag, rows in counts.items() if rows]
        for tag in sorted(in_mixture if select.languages == "mixture" else select.languages):
            setting = "recipe.select.rows_per_language"
            parts.append(_held_out(spec, pool, (task, tag, "validation"), select.rows_per_language, setting))
    return pl.concat(parts)


def _held_out(
    spec: StudySpec,
    pool: Pool,
    where: tuple[str, str, str],
    count: int,
    setting: str,
    first: Collection[str] = (),
) -> pl.DataFrame:
    """Rows of `count` items: those of `first`, then the others, each in the order of the keyed ranking."""
    task, language, split = where
    found = pool.item_ids(*where)
    if len(found) < count:
        other = " or name other languages in recipe.select.languages" if split == "validation" else ""
        raise UserError(
            f"{setting}: {count} asked for, pool {pool.name!r} has {len(found)} {split} rows of {task} in {language}; "
            f"ask for at most {len(found)}{other}"
            if found
            else f"{setting}: pool {pool.name!r} has no {split} rows of {task} in {language}; import some{other}"
        )
    order = sorted(ranked(found, spec.data_seed, task, split), key=lambda item: item not in first)
    return pool.take(task, language, split, order[:count])


def _check_languages(spec: StudySpec, pool: Pool) -> None:
    asked = {"anchor": (spec.languages.anchor,), "train": spec.languages.train, "evaluate": spec.languages.evaluate}
    for task in spec.tasks:
        known = pool.languages(task)
        if not known:
            raise UserError(f"tasks: pool {pool.name!r} has no rows of {task}; choose another task or pool")
        for where, tags in asked.items():
            if lacking := [tag for tag in tags if tag not in known]:
                has = ", ".join(known)
                raise UserError(
                    f"languages.{where}: pool {pool.name!r} has no {lacking[0]} rows of {task}; it has {has}"
                )


def _check_names(models: list[Model]) -> None:
    names = [model.name for model in models]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"models: two are called {double!r}; name each once, and rename a folder if two share a name")


def _check_warmup(plan: Plan) -> None:
    warmup = plan.spec.recipe.warmup_steps
    for run in plan.runs:
        if warmup >= (steps := plan.optimizer_steps(run)):
            raise UserError(f"recipe.warmup_steps: {warmup} of the {steps} steps of {run.name}; make it fewer")


def plan_frame(plan: Plan, store: Store) -> pl.DataFrame:
    """One record per run: what it trains on, how long, and whether it is done. Tokens are an estimate."""
    first = {run.train: run.name for run in reversed(plan.runs)}
    tokens = tokens_by_mixture({run.model.folder for run in plan.runs}, plan.mixtures)
    records = []
    for run in plan.runs:
        mixture, steps = plan.mixtures[run.mixture], plan.optimizer_steps(run)
        rows = len(mixture.row_ids)
        recipe = plan.spec.recipe
        passes = recipe.epochs or steps * recipe.batch_rows / rows
        estimate = tokens[run.model.folder, run.mixture]
        records.append(
            {
                "run": run.name,
                "model": run.model.name,
                "tasks": sorted(plan.spec.tasks),
                "setting": run.cell.name,
                "seed": run.seed,
                "rows": rows,
                "rows_by_language": mixture.counts().select("task", "language", "rows").to_dicts(),
                "steps": steps,
                "tokens": round(estimate * passes) if estimate else None,
                "done": is_done(run, store),
                "shares_training_with": first[run.train] if first[run.train] != run.name else "",
            }
        )
    return pl.DataFrame(records, schema=PLAN_SCHEMA)


PLAN_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "model": pl.String(),
        "tasks": pl.List(pl.String()),
        "setting": pl.String(),
        "seed": pl.Int64(),
        "rows": pl.Int64(),
        "rows_by_language": pl.List(pl.Struct({"task": pl.String(), "language": pl.String(), "rows": pl.Int64()})),
        "steps": pl.Int64(),
        "tokens": pl.Int64(),  # an estimate; null if the tokenizer can't be read without transformers
        "done": pl.Boolean(),
        "shares_training_with": pl.String(),
    }
)
