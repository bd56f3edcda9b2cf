"""What a report tells of a study beside its results: the design, the recipe, what it cost, and how to repeat it."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glotmix.report.info import Cost, ModelCard, SettingSummary, StudyInfo
from glotmix.spec import StudySpec
from glotmix.study.models import Model
from glotmix.study.plan import Plan
from glotmix.study.store import Store, read_json
from glotmix.version import version


def study_info(study_file: Path, plan: Plan, store: Store) -> StudyInfo:
    folder = shlex.quote(study_file.parent.name or ".")
    models = {run.model.name: _card(run.model) for run in plan.runs}
    return StudyInfo(
        name=plan.spec.name,
        question=plan.spec.question,
        settings=tuple(_settings(plan)),
        roles=_roles(plan.spec),
        models=tuple(models.values()),
        recipe=_recipe(plan.spec),
        truncated_rows=max((record["truncated_rows"] for record in _trainings(plan, store).values()), default=0),
        spec_yaml=study_file.read_text(encoding="utf-8"),
        pool=plan.pool,
        commands=(f"glotmix run {folder}", f"glotmix report {folder}"),
        cost=_cost(plan, store),
        glotmix_version=version(),
    )


def _card(model: Model) -> ModelCard:
    return ModelCard(model.name, model.parameters, model.content_hash)


def _settings(plan: Plan) -> Iterator[SettingSummary]:
    seen = set()
    for run in plan.runs:
        if run.cell.name not in seen:
            seen.add(run.cell.name)
            rows, steps = len(plan.mixtures[run.mixture].row_ids), plan.optimizer_steps(run)
            yield SettingSummary(run.cell.name, run.cell.rows_per_language, rows, steps, run.cell.seeds)


def _roles(spec: StudySpec) -> dict[str, str]:
    order = ("anchor", "seen", "unseen")
    roles = {tag: spec.languages.role(tag) for tag in spec.languages.evaluate}
    return dict(sorted(roles.items(), key=lambda pair: order.index(pair[1])))


def _recipe(spec: StudySpec) -> dict[str, str]:
    settings = spec.recipe.model_dump(mode="json", exclude={"select"}, exclude_none=True)
    select = spec.recipe.select
    languages = "the mixture's languages" if select.languages == "mixture" else " ".join(sorted(select.languages))
    settings["select"] = f"{select.metric}, {select.rows_per_language} rows in each of {languages}"
    return {
        name.replace("_", " "): f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in settings.items()
    }


def _cost(plan: Plan, store: Store) -> Cost:
    """Each training counts once, also if several runs share it."""
    mixtures = {run.train: run.mixture for run in plan.runs}
    trainings = _trainings(plan, store)
    rows = sum(_rows_read(plan, mixtures[train]) for train in trainings)
    records = trainings.values()
    return Cost(rows, sum(record["tokens"] for record in records), sum(record["seconds"] for record in records))


def _trainings(plan: Plan, store: Store) -> dict[str, dict[str, Any]]:
    """What each finished training recorded, by its key."""
    done = dict.fromkeys(run.train for run in plan.runs if store.is_done("train", run.train))
    return {train: read_json(store.folder("train", train) / "train.json") for train in done}


def _rows_read(plan: Plan, mixture: str) -> int:
    recipe = plan.spec.recipe
    rows = len(plan.mixtures[mixture].row_ids)
    return recipe.steps * recipe.batch_rows if recipe.steps else rows * (recipe.epochs or 0)
