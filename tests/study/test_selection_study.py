"""Selection in a study: what is in a training's identity, what is refused, and what the frames tell."""

from pathlib import Path

import pytest
from rich.console import Console

from glotmix.analysis.selection import CURVE_SCHEMA, RUN_SCHEMA, SELECTION_SCHEMA, VALIDATION_SCHEMA, choose
from glotmix.errors import UserError
from glotmix.study.budget import Speed, plan_frame
from glotmix.study.presets import init_study
from glotmix.study.study import Study
from glotmix.task import math
from small_study import FAKE_WORKER, ITEMS, row, write_rows, write_spec

BY_SCORE = {"recipe__select": {"metric": "task_score", "rows_per_language": 4}}


def train_keys(folder: Path, **changes) -> list[str]:
    return [run.train for run in Study.load(write_spec(folder, **changes)).planned.runs]


def test_a_training_is_another_if_its_checkpoint_is_chosen_otherwise(folder, monkeypatch):
    by_loss, by_score = train_keys(folder), train_keys(folder, **BY_SCORE)
    assert not {*by_loss} & {*by_score}
    assert train_keys(folder, **BY_SCORE, evaluation__max_new_tokens=9) != by_score
    assert train_keys(folder, evaluation__max_new_tokens=9) == by_loss, "a loss has no answers"
    assert train_keys(folder, **BY_SCORE, evaluation__tokens_per_batch=9) == by_score, "a matter of memory"
    rounded = BY_SCORE | {"recipe__precision": "bfloat16"}
    assert train_keys(folder, **rounded, evaluation__tokens_per_batch=9) != train_keys(folder, **rounded)
    monkeypatch.setattr(math, "VERSION", 99)
    assert train_keys(folder, **BY_SCORE) != by_score
    assert train_keys(folder) == by_loss


@pytest.mark.parametrize("reference", [None, " "])
def test_a_validation_row_that_no_scorer_can_read_is_refused_in_one_line(folder, reference):
    """Whether or not a judge is named: none is asked during training."""
    rows = [
        row("instructions", tag, split, n) for tag in ("en", "es", "fr", "pt") for split in ITEMS for n in range(20)
    ]
    for record in rows:
        if record["split"] == "validation" and record["language"] == "es":
            record["reference"] = reference
    write_rows(folder / "mixed", rows)
    wanted = {"pool": "mixed", "tasks": ["instructions"]}
    assert Study.load(write_spec(folder, **wanted)).planned.runs
    with pytest.raises(UserError) as refused:
        _ = Study.load(write_spec(folder, **wanted, **BY_SCORE)).planned
    told = str(refused.value)
    assert told.startswith("recipe.select.metric: task_score can't score validation row 'instructions-validation-")
    assert told.endswith("or select by validation_loss") and "\n" not in told


def test_a_plan_counts_the_answers_that_select(folder):
    def hours(**changes) -> float:
        study = Study.load(write_spec(folder, recipe__steps=5, recipe__checkpoint_every=2, **changes))
        frame = plan_frame(study.planned, study.store, {"model": Speed(1.0, 1 / 3600)}, None)
        return frame.filter(setting="n=5")["evaluation_gpu_hours"][0]

    assert hours() == pytest.approx(4 * 10 * 8), "languages x items x tokens"
    assert hours(**BY_SCORE) == pytest.approx(4 * 10 * 8 + 3 * 3 * 4 * 8), "checkpoints x languages x rows x tokens"


@pytest.mark.parametrize("name", ["english-not-all", "english-not-all-controlled", "english-not-all-mini"])
def test_the_second_study_selects_by_validation_accuracy_over_its_mixture(name, tmp_path):
    init_study(tmp_path, name)
    select = Study.load(tmp_path).spec.recipe.select
    assert (select.metric, select.languages) == ("task_score", "mixture")


def test_frames_tell_of_every_run_that_is_done_what_was_measured_and_kept(folder):
    study = Study.load(folder)
    assert study.selection().is_empty() and study.curves().is_empty() and study.validation().is_empty()
    study.run(processes=1, console=Console(quiet=True), worker=FAKE_WORKER)
    chosen, curves, rows = study.selection(), study.curves(), study.validation()
    assert chosen.schema == SELECTION_SCHEMA
    assert curves.columns == [*RUN_SCHEMA, *CURVE_SCHEMA, "selected"]
    assert rows.columns == [*RUN_SCHEMA, *VALIDATION_SCHEMA, "selected"]
    assert chosen["run"].to_list() == [run.name for run in study.planned.runs]
    for run in chosen.iter_rows(named=True):
        own = rows.filter(run=run["run"])
        found = choose(own.select(VALIDATION_SCHEMA.names()), "validation_loss")
        assert (run["step"], run["agreement"], run["regret"]) == (found.step, found.agreement, found.regret)
        assert run["checkpoints"] == 3 and run["items"] == 4
        for table in (own, curves.filter(run=run["run"])):
            assert table.filter("selected")["step"].unique().to_list() == [run["step"]]
    assert set(curves["language"]) == {"en", "es", "fr"}
    html = study.report_path.read_text()
    assert 'id="selection"' in html and "Validation took 25&nbsp;%" in html
