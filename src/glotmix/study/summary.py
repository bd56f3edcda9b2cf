"""What a report tells of a study beside its results: the design, the recipe, what it cost, and how to repeat it."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glotmix.report.info import Cost, JudgeCost, LongerRows, ModelCard, SettingSummary, StudyInfo
from glotmix.report.text import rows_by_language
from glotmix.spec import StudySpec, per_task
from glotmix.study.budget import trained_parameters
from glotmix.study.judge_calls import judge_calls, money
from glotmix.study.models import Model
from glotmix.study.plan import Plan, is_done
from glotmix.study.selection import trainings
from glotmix.study.store import Store, read_json
from glotmix.version import version


def study_info(study_file: Path, plan: Plan, store: Store) -> StudyInfo:
    folder = shlex.quote(study_file.parent.name or ".")
    models = {run.model.name: _card(plan.spec, run.model) for run in plan.runs}
    return StudyInfo(
        name=plan.spec.name,
        question=plan.spec.question,
        designs={name: design.kind for name, design in sorted(plan.spec.named_designs.items())},
        settings=tuple(_settings(plan)),
        planned_runs=len(plan.runs),
        failures=dict(_failures(plan, store)),
        roles=_roles(plan.spec),
        models=tuple(models.values()),
        recipe=_recipe(plan.spec),
        longer_rows=tuple(_longer_rows(plan, store)),
        spec_yaml=study_file.read_text(encoding="utf-8"),
        pool=plan.pool,
        commands=(f"glotmix run {folder}", f"glotmix report {folder}"),
        cost=_cost(plan, store),
        glotmix_version=version(),
        trainings=trainings(plan, store),
    )


def _failures(plan: Plan, store: Store) -> Iterator[tuple[str, str]]:
    """Why runs failed, with no path of the machine they failed on."""
    for run in plan.runs:
        _, reason = store.failure(run.train)
        if reason and not is_done(run, store):
            yield run.name, reason.replace(str(store.root.resolve()), store.root.name)


def _card(spec: StudySpec, model: Model) -> ModelCard:
    return ModelCard(model.name, model.parameters, model.content_hash, trained_parameters(spec, model))


def _settings(plan: Plan) -> Iterator[SettingSummary]:
    """Every cell once, a control after the first cell it is a control of."""
    runs = {run.cell.name: run for run in plan.runs}
    place = {name: number for number, name in enumerate(runs)}
    first = {name: run.cell.control_of[0] if run.cell.control_of else name for name, run in runs.items()}
    for name in sorted(runs, key=lambda name: (place[first[name]], place[name])):
        cell = runs[name].cell
        yield SettingSummary(
            setting=name,
            design=cell.design,
            rows=rows_by_language(cell.counts),
            total_rows=cell.total_rows,
            optimizer_steps=runs[name].steps,
            seeds=cell.seeds,
            baseline=cell.baseline,
            control_of=cell.control_of,
        )


def _roles(spec: StudySpec) -> dict[str, str]:
    order = ("anchor", "seen", "unseen")
    others = sorted({tag for outcome in spec.evaluation.lm_eval.values() for tag in outcome.tasks})
    roles = {tag: spec.languages.role(tag) for tag in (*spec.languages.evaluate, *others)}
    return dict(sorted(roles.items(), key=lambda pair: order.index(pair[1])))


def _recipe(spec: StudySpec) -> dict[str, str]:
    settings = spec.recipe.model_dump(mode="json", exclude={"select", "lora"}, exclude_none=True)
    if lora := spec.recipe.lora:
        settings["lora"] = f"rank {lora.rank}, alpha {lora.alpha}: adapters alone are trained"
    select = spec.recipe.select
    languages = "the mixture's languages" if select.languages == "mixture" else " ".join(sorted(select.languages))
    rows = ", ".join(f"{task} {per_task(select.rows_per_language, task)}" for task in spec.tasks)
    told = select.rows_per_language if isinstance(select.rows_per_language, int) else rows
    settings["select"] = f"{select.metric}, {told} rows in each of {languages}"
    return {name.replace("_", " "): _told(value) for name, value in settings.items()}


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _longer_rows(plan: Plan, store: Store) -> Iterator[LongerRows]:
    """What each training recorded, as shares by model, task and language; most first."""
    models = {run.train: run.model.name for run in plan.runs}
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for train, record in _trainings(plan, store).items():
        for part in record["longer_rows"]:
            of = counts[models[train], part["task"], part["language"]]
            of.update({part["split"]: part["rows"], f"longer {part['split']}": part["longer"]})
    shares = [
        LongerRows(*place, *(of[f"longer {split}"] / max(1, of[split]) for split in ("train", "validation")))
        for place, of in sorted(counts.items())
    ]
    for found in sorted(shares, key=lambda row: (row.model, row.task, -row.training, -row.validation)):
        if found.training or found.validation:
            yield found


def _cost(plan: Plan, store: Store) -> Cost:
    """Each training counts once, also if several runs share it."""
    steps = {run.train: run.steps for run in plan.runs}
    trainings = _trainings(plan, store)
    rows = sum(steps[train] for train in trainings) * plan.spec.recipe.batch_rows
    records = trainings.values()
    tokens, seconds, validating = (
        sum(record[name] for record in records) for name in ("tokens", "seconds", "validation_seconds")
    )
    return Cost(rows, tokens, seconds, _judge_cost(plan, store), validating / seconds if seconds else None)


def _judge_cost(plan: Plan, store: Store) -> JudgeCost | None:
    judge = plan.spec.evaluation.judge
    if judge is None:
        return None
    calls = judge_calls(plan, store).drop_nulls("reply")
    read, written = (int(calls[name].sum()) for name in ("prompt_tokens", "completion_tokens"))
    return JudgeCost(judge.model, len(calls), read, written, money(judge, read, written))


def _trainings(plan: Plan, store: Store) -> dict[str, dict[str, Any]]:
    """What each finished training recorded, by its key."""
    done = dict.fromkeys(run.train for run in plan.runs if store.is_done("train", run.train))
    return {train: read_json(store.folder("train", train) / "train.json") for train in done}
