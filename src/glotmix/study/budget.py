"""What a plan costs, run by run: rows and steps, which are exact; tokens, GPU-hours and money, which are estimates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.analysis.selection import SCORE
from glotmix.errors import UserError
from glotmix.spec import StudySpec, per_task
from glotmix.study.estimate import Estimate
from glotmix.study.identity import key
from glotmix.study.inputs import validated
from glotmix.study.judge_steps import calls_by_run, price_of_call
from glotmix.study.models import Model, adapter_parameters
from glotmix.study.plan import Plan, Run, is_done
from glotmix.study.store import Store


@dataclass(frozen=True)
class Speed:
    """Tokens a second on one device (a GPU, or a core where there is none): read in training, written in evaluation."""

    training: float | None = None
    generation: float | None = None


def speed_key(spec: StudySpec, model: Model) -> str:
    """Names what a measured speed holds for, but for the machine."""
    recipe = {"template", "precision", "tokens_per_micro_batch", "batch_rows", "max_tokens"}
    recipe |= {"gradient_checkpointing", "optimizer", "lora"}
    return key(
        "speed",
        1,
        model=model.content_hash,
        recipe=spec.recipe.model_dump(mode="json", include=recipe),
        evaluation=spec.evaluation.model_dump(mode="json", include={"precision", "tokens_per_batch", "backend"}),
    )


def notes(plan: Plan) -> list[str]:
    """What is not there yet, and what brings it."""
    absent = [model.entry for model in {run.model.entry: run.model for run in plan.runs}.values() if model.absent]
    verb = "is" if len(absent) == 1 else "are"
    models = f"models: {', '.join(absent)} {verb} not on this machine yet; `glotmix run` fetches what the hub has"
    return [*([f"pool: {plan.no_pool}"] if plan.no_pool else []), *([models] if absent else [])]


def plan_frame(plan: Plan, store: Store, speeds: Mapping[str, Speed], price_per_hour: float | None) -> pl.DataFrame:
    """One record per run (`PLAN_SCHEMA`).

    Args:
        speeds: by model name; of those left out no hours are known.
        price_per_hour: of one GPU.
    """
    estimate, first = Estimate(plan), {run.train: run.name for run in reversed(plan.runs)}
    estimate.check()
    trained = {model: trained_parameters(plan.spec, model) for model in {run.model for run in plan.runs}}
    price, records = price_of_call(plan), []
    for run, calls in zip(plan.runs, calls_by_run(plan), strict=True):
        tokens, speed = estimate.tokens(run), speeds.get(run.model.name, Speed())
        training, evaluation = _hours(tokens, speed.training), _hours(_generated(plan, run), speed.generation)
        priced = None if training is None or price_per_hour is None else (training + (evaluation or 0)) * price_per_hour
        records.append(
            {
                "run": run.name,
                "design": run.cell.design,
                "model": run.model.name,
                "tasks": sorted(run.cell.counts),
                "parameters": run.model.parameters or None,
                "trained_parameters": trained[run.model],
                "setting": run.cell.name,
                "baseline": run.cell.baseline,
                "control_of": run.cell.control_of,
                "seed": run.seed,
                "rows": run.cell.total_rows,
                "rows_by_language": _rows_by_language(run),
                "steps": run.steps,
                "tokens": tokens,
                "training_gpu_hours": training,
                "evaluation_gpu_hours": evaluation,
                "cost": priced,
                "judge_calls": calls if plan.spec.evaluation.judge else None,
                "judge_cost": None if price is None else calls * price,
                "done": is_done(run, store),
                "shares_training_with": first[run.train] if first[run.train] != run.name else "",
            }
        )
    return pl.DataFrame(records, schema=PLAN_SCHEMA)


def trained_parameters(spec: StudySpec, model: Model) -> int | None:
    """Of the model, or of its adapters alone; None if it is not on this machine."""
    if spec.recipe.lora is None:
        return model.parameters or None
    return None if model.absent else adapter_parameters(model.folder, spec.recipe.lora.rank)


def _rows_by_language(run: Run) -> list[dict[str, Any]]:
    return [
        {"task": task, "language": tag, "rows": rows}
        for task, by_language in sorted(run.cell.counts.items())
        for tag, rows in by_language.items()
    ]


def _hours(tokens: int | None, tokens_per_second: float | None) -> float | None:
    return None if tokens is None or tokens_per_second is None else tokens / tokens_per_second / 3600


def _generated(plan: Plan, run: Run) -> int:
    """The most tokens that evaluation, and selection by scores, can write: every answer as long as it may be."""
    items = plan.spec.evaluation.items_per_language
    tests = sum(per_task(items, step.task) * step.max_new_tokens for step in run.evaluations)
    return tests + (_validated(plan.spec, run) if plan.spec.recipe.select.metric == SCORE else 0)


def _validated(spec: StudySpec, run: Run) -> int:
    rows, longest = spec.recipe.select.rows_per_language, spec.evaluation.max_new_tokens
    once = sum(per_task(rows, task) * per_task(longest, task) for task, _ in validated(spec, run.cell))
    return once * -(-run.steps // spec.recipe.checkpoint_every)


def parse_speeds(given: list[str], models: list[str]) -> dict[str, float]:
    """Training tokens a second by model name, from `N` (of all models) and `MODEL=N` (of one; it counts before `N`).

    Raises:
        UserError: not a positive number, or not a model of the study.

    >>> parse_speeds(["900", "b=300"], ["a", "b"])
    {'a': 900.0, 'b': 300.0}
    """
    of_all: dict[str, float] = {}
    of_one: dict[str, float] = {}
    for text in given:
        model, _, number = text.rpartition("=")
        if model and model not in models:
            known = ", ".join(dict.fromkeys(models))
            raise UserError(f"--tokens-per-second: the study has no model {model!r}; it has {known}")
        try:
            speed = float(number)
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            raise UserError(f"--tokens-per-second: {text!r}; give a number above 0, or MODEL=NUMBER")
        (of_one if model else of_all).update(dict.fromkeys([model] if model else models, speed))
    return of_all | of_one


PLAN_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "design": pl.String(),  # "" if the study has only one
        "model": pl.String(),
        "tasks": pl.List(pl.String()),
        "parameters": pl.Int64(),  # null: the model is not on this machine
        "trained_parameters": pl.Int64(),  # fewer with LoRA
        "setting": pl.String(),
        "baseline": pl.String(),  # the setting it is compared with; "" if it is one itself
        "control_of": pl.List(pl.String()),
        "seed": pl.Int64(),
        "rows": pl.Int64(),
        "rows_by_language": pl.List(pl.Struct({"task": pl.String(), "language": pl.String(), "rows": pl.Int64()})),
        "steps": pl.Int64(),
        # null from here on: not known without the pool, the model's tokenizer, a speed or a price
        "tokens": pl.Int64(),  # read by the whole training, padding left out
        "training_gpu_hours": pl.Float64(),  # on one GPU
        "evaluation_gpu_hours": pl.Float64(),  # on one GPU, at most
        "cost": pl.Float64(),  # of training, and of evaluation where its speed is known
        "judge_calls": pl.Int64(),  # at most; null too in a study without a judge
        "judge_cost": pl.Float64(),  # of them, at the prices of evaluation.judge, in answers as long as they may be
        "done": pl.Boolean(),
        "shares_training_with": pl.String(),  # the run whose training this is; "" if it has one of its own
    }
)
