"""A run of a study for another trainer: the same rows in the same order, with the study's recipe."""

import difflib
from pathlib import Path

from glotmix.errors import UserError
from glotmix.lab.models import SIZES
from glotmix.study.plan import Run
from glotmix.study.study import Study


def export_run(study: Study, name: str, format: str, out: Path) -> None:
    """Writes the training of a run into a new or empty folder.

    Raises:
        UserError: the study has no run of that name, or can't be exported so.
        GlotmixError: the folder can't be written.
    """
    plan, spec = study.resolved, study.spec
    run = _find(plan.runs, name)
    is_local = run.model.entry in SIZES or (study.folder / Path(run.model.entry).expanduser()).is_dir()
    model = str(run.model.folder.resolve()) if is_local else run.model.entry
    mixture, anchor = plan.mixtures[run.mixture], spec.languages.anchor
    mixture.export(format, out, spec.recipe, model, run.seed, spec.order, anchor, run.steps)


def _find(runs: tuple[Run, ...], name: str) -> Run:
    names = [run.name for run in runs]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0)
        raise UserError(f"run {name!r} is not in the study; did you mean {near[0]!r}? `glotmix status` lists all runs")
    return runs[names.index(name)]
