"""The plan: a spec resolved against its pool and models, every step with its key, before anything is spent.

1. Cells of the designs become mixtures; a run is model x cell x seed, evaluated on the tasks it is trained on.
2. Runs whose trainings have the same key are one training, whatever cell, design or control asked for them.
3. What can't be right is refused here, so that a started study only fails for reasons of the machine.
4. The pool and the models may still be missing: `missing` says so, and `run` needs them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.analysis.selection import SCORE
from glotmix.design import Cell, cells
from glotmix.errors import GlotmixError, UserError
from glotmix.harness.tasks import HarnessTask, find_tasks
from glotmix.mixture import Mixture
from glotmix.pool import open_pool
from glotmix.spec import StudySpec, optimizer_steps, per_task, warmup_steps
from glotmix.study.backends import answer_settings
from glotmix.study.identity import key
from glotmix.study.inputs import FromPool, FromSpec
from glotmix.study.job import EvaluationStep, HarnessStep, Job
from glotmix.study.judge_steps import with_judging
from glotmix.study.models import Model, Seen, has_chat_template, resolve_model
from glotmix.study.outcomes import harness_step
from glotmix.study.store import Store
from glotmix.task import get_task

# A change of code that changes results adds one here; what was computed before is then computed anew.
TRAIN_VERSION, EVALUATE_VERSION = 4, 1


@dataclass(frozen=True)
class Run:
    """A model trained on a cell's mixture with one seed; `mixture`, `validation` and `train` are keys of steps."""

    name: str
    model: Model
    cell: Cell
    seed: int
    steps: int
    mixture: str
    validation: str
    train: str
    evaluations: tuple[EvaluationStep, ...]
    harness: tuple[HarnessStep, ...]

    @property
    def measured(self) -> tuple[EvaluationStep | HarnessStep, ...]:
        """Every step with results."""
        return (*self.evaluations, *self.harness)


@dataclass(frozen=True)
class Plan:
    """All runs of a study, and by key the mixtures and held-out rows they need (none while there is no pool)."""

    spec: StudySpec
    pool: str
    runs: tuple[Run, ...]
    mixtures: Mapping[str, Mixture]
    rows: Mapping[str, pl.DataFrame]
    no_pool: UserError | None

    def unfinished(self, store: Store) -> list[Run]:
        """What is not trained and generated yet, one run of each training.

        Raises:
            UserError: the pool is not there.
        """
        if self.no_pool:
            raise self.no_pool
        first = {run.train: run for run in reversed(self.runs) if not is_generated(run, store)}
        return [run for run in self.runs if first.get(run.train) is run]

    def untrainable(self, store: Store) -> dict[str, GlotmixError]:
        """By their entry in the spec, the models that must be trained from and are not there."""
        waiting = [run for run in self.unfinished(store) if not store.is_done("train", run.train)]
        return {run.model.entry: run.model.absent for run in waiting if run.model.absent}

    def jobs(self, store: Store) -> list[Job]:
        """What is not done yet; runs that share a training are one job.

        Raises:
            GlotmixError: a model that must be trained from is not there.
        """
        for absent in self.untrainable(store).values():
            raise absent
        return [self._job(run, store) for run in self.unfinished(store)]

    def _job(self, run: Run, store: Store) -> Job:
        return Job(
            run=run.name,
            store=str(store.root.resolve()),
            model=str(run.model.folder),
            mixture=run.mixture,
            validation=run.validation,
            seed=run.seed,
            steps=run.steps,
            order=self.spec.order,
            anchor=self.spec.languages.anchor,
            recipe=self.spec.recipe,
            evaluation=self.spec.evaluation,
            train=run.train,
            evaluations=tuple(step for step in run.evaluations if not store.is_done("evaluate", step.key)),
            harness=tuple(step for step in run.harness if not store.is_done("evaluate", step.key)),
            study=self.spec.name,
            trackers=self.spec.trackers,
        )


def is_done(run: Run, store: Store) -> bool:
    judged = (step.judge for step in run.evaluations if step.judge)
    return is_generated(run, store) and all(store.is_done("judge", name) for name in judged)


def is_generated(run: Run, store: Store) -> bool:
    """Whether all is there but what judges say."""
    return store.is_done("train", run.train) and all(store.is_done("evaluate", step.key) for step in run.measured)


def make_plan(spec: StudySpec, folder: Path, file_hashes: dict[str, str], models_seen: Seen) -> Plan:
    """Resolves a spec. Nothing is written, nothing is fetched, nothing is trained.

    Args:
        folder: where relative paths of the spec start.
        file_hashes: of model files, by path and state; new ones are added.
        models_seen: what is known of models that may be gone; new ones are added.

    Raises:
        UserError: the pool or a model lacks what the spec asks for.
    """
    inputs = _inputs(spec, folder)
    models = [_marked(resolve_model(name, folder, file_hashes, models_seen), spec) for name in spec.models]
    _check_names(models)
    _check_templates(spec, models)
    declared = cells(spec, inputs.available)
    inputs.prepare(declared)
    outcomes = find_tasks(spec.evaluation.lm_eval, folder)
    runs = [run for cell in declared for run in _runs(spec, inputs, cell, models, outcomes)]
    order = {model.entry: number for number, model in enumerate(models)}
    in_order = tuple(sorted(with_judging(spec, runs), key=lambda run: order[run.model.entry]))
    return Plan(spec, inputs.pool, in_order, inputs.mixtures, inputs.rows, inputs.missing)


def _inputs(spec: StudySpec, folder: Path) -> FromPool | FromSpec:
    try:
        return FromPool(spec, open_pool(spec.pool, relative_to=folder))
    except UserError as missing:
        return FromSpec(spec, missing)


def _runs(
    spec: StudySpec,
    inputs: FromPool | FromSpec,
    cell: Cell,
    models: Iterable[Model],
    outcomes: Iterable[HarnessTask],
) -> list[Run]:
    languages = sorted(spec.languages.evaluate)
    tests = [(task, tag, inputs.test(task, tag)) for task in sorted(cell.counts) for tag in languages]
    mixture, validation = inputs.mixture(cell), inputs.validation(cell)
    steps = cell.steps or optimizer_steps(spec.recipe, cell.total_rows)
    runs = []
    for model in models:
        for seed in cell.seeds if model.entry in cell.models else ():
            name = f"{model.name}/{cell.name}/seed={seed}"
            _check_warmup(spec, name, steps)
            train = train_key(spec, model, cell, mixture, validation, steps, seed)
            evaluations = tuple(evaluation_step(spec, train, *test) for test in tests)
            harness = tuple(harness_step(spec, train, task) for task in outcomes)
            runs.append(Run(name, model, cell, seed, steps, mixture, validation, train, evaluations, harness))
    return runs


def train_key(spec: StudySpec, model: Model, cell: Cell, mixture: str, validation: str, steps: int, seed: int) -> str:
    """Which rows select a checkpoint is in their content; what only saves memory changes no gradient."""
    lengths = {"epochs", "steps", "warmup_steps", "warmup_share"}
    memory = {"tokens_per_micro_batch", "gradient_checkpointing"}
    settings = spec.recipe.model_dump(mode="json", exclude={"select", *memory, *lengths}, exclude_none=True)
    order = spec.order.model_dump(mode="json", exclude_none=True)
    return key(
        "train",
        TRAIN_VERSION,
        model=model.content_hash,
        mixture=mixture,
        validation=validation,
        recipe=settings | {"select": _selected_by(spec, cell)},
        steps=[steps, warmup_steps(spec.recipe, steps)],
        order=order | ({"anchor_language": spec.languages.anchor} if spec.order.anchor else {}),
        seed=seed,
    )


def _selected_by(spec: StudySpec, cell: Cell) -> list[Any]:
    """The metric, and for scores of answers what says how they are written, how long they may be, and how scored.

    In bfloat16 rounding depends on how many answers are written at once.
    """
    metric = spec.recipe.select.metric
    longest = {task: per_task(spec.evaluation.max_new_tokens, task) for task in sorted(cell.counts)}
    scores = [[task, get_task(task).VERSION, tokens] for task, tokens in longest.items()]
    batched = [spec.evaluation.tokens_per_batch] if spec.recipe.precision == "bfloat16" else []
    return [metric, *([*scores, *batched] if metric == SCORE else [])]


def evaluation_step(spec: StudySpec, train: str, task: str, language: str, rows: str) -> EvaluationStep:
    tokens = per_task(spec.evaluation.max_new_tokens, task)
    step = key(
        "evaluate",
        EVALUATE_VERSION,
        train=train,
        rows=rows,
        evaluation=answer_settings(spec.evaluation) | {"max_new_tokens": tokens},
        scorer=[task, get_task(task).VERSION],
    )
    return EvaluationStep(key=step, task=task, language=language, rows=rows, max_new_tokens=tokens)


def _marked(model: Model, spec: StudySpec) -> Model:
    """Not fully fine-tuned, a model is called so wherever it is named."""
    return replace(model, name=f"{model.name}+lora{spec.recipe.lora.rank}") if spec.recipe.lora else model


def _check_names(models: list[Model]) -> None:
    names = [model.name for model in models]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"models: two are called {double!r}; name each once, and rename a folder if two share a name")


def _check_templates(spec: StudySpec, models: Iterable[Model]) -> None:
    for model in models:
        if spec.recipe.template == "chat" and has_chat_template(model.folder) is False:
            raise UserError(f"recipe.template: the tokenizer of {model.name!r} has no chat template; use plain")


def _check_warmup(spec: StudySpec, run: str, steps: int) -> None:
    if (warmup := warmup_steps(spec.recipe, steps)) >= steps:
        setting = "warmup_steps" if spec.recipe.warmup_steps else "warmup_share"
        raise UserError(f"recipe.{setting}: {warmup} of the {steps} steps of {run}; make it fewer")
