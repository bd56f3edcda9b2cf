"""How a machine's speed is measured: one engine for all models, a plain word if one does not fit."""

import shutil

import pytest

from glotmix import Study
from glotmix.errors import GlotmixError
from glotmix.lab.models import model_path
from glotmix.study import calibrate
from glotmix.train.learner import Learner
from small_study import write_spec

SMALL = {"recipe__max_tokens": 100, "recipe__batch_rows": 2, "evaluation__max_new_tokens": 2}


@pytest.fixture
def study(folder, monkeypatch):
    monkeypatch.setattr(calibrate, "STEPS", 2)
    shutil.copytree(model_path("lab-1m"), folder / "other")
    return Study.load(write_spec(folder, **SMALL, models=["lab-1m", "other"]))


def test_all_models_share_what_a_backend_keeps(study, monkeypatch):
    opened = []
    made = calibrate.Backends
    monkeypatch.setattr(calibrate, "Backends", lambda: opened.append(made()) or opened[-1])
    study.calibrate()
    assert len(opened) == 1
    assert study.plan()["training_gpu_hours"].null_count() == 0


def test_every_step_has_its_rows_where_longer_ones_are_dropped(folder, monkeypatch):
    step, rows = Learner.step, []
    monkeypatch.setattr(calibrate, "STEPS", 2)
    monkeypatch.setattr(Learner, "step", lambda *given: rows.append(len(given[1])) or step(*given))
    dropping = {"recipe__max_tokens": 65, "recipe__longer_rows": "drop", "recipe__batch_rows": 8}
    Study.load(write_spec(folder, **SMALL | dropping, models=["lab-1m"], pool="lab")).calibrate()
    assert set(rows) == {8}


def test_a_model_that_does_not_fit_is_named(study, monkeypatch):
    def full(*given):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(calibrate, "load_model", full)
    with pytest.raises(GlotmixError, match="--calibrate: lab-1m does not fit into memory; calibrate on a larger"):
        study.calibrate()


def test_a_fault_of_another_kind_is_not_taken_for_memory(study, monkeypatch):
    def broken(*given):
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(calibrate, "load_model", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        study.calibrate()


def test_one_process_measures_in_one_precision_and_then_in_the_other(study):
    for precision in ("float32", "bfloat16"):
        one = Study.load(write_spec(study.folder, **SMALL, models=["lab-1m"], recipe__precision=precision))
        one.calibrate()
        assert one.plan()["training_gpu_hours"].null_count() == 0
