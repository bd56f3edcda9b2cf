"""A whole study on fake steps: what is done stays done, a failing run stops no other, a kill changes no result."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import yaml
from rich.console import Console

from glotmix.analysis import Declared
from glotmix.analysis.table import FINDINGS_SCHEMA, RESULTS_SCHEMA, check_results
from glotmix.errors import GlotmixError, UserError
from glotmix.report.info import LongerRows
from glotmix.study.engine import Worker
from glotmix.study.study import DiskFull, RunsFailed, Study
from glotmix.study.summary import study_info
from small_study import FAKE_WORKER, row, write_rows, write_spec

QUIET = Console(quiet=True)
NO_WORKER = (sys.executable, "-c", "raise SystemExit(3)")
RUN = f"from glotmix import Study; Study.load({{folder!r}}).run(processes=2, worker={FAKE_WORKER!r})"


@pytest.fixture(scope="session")
def made_and_run(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("finished") / "study"))
    run(folder)
    return folder


@pytest.fixture
def finished(made_and_run: Path, tmp_path: Path) -> Path:
    """The study of `folder`, every run done, in a folder of another name."""
    return Path(shutil.copytree(made_and_run, tmp_path / "finished"))


@pytest.fixture(autouse=True)
def _no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports take a second each; the one of `finished` is real."""
    monkeypatch.setattr("glotmix.report.page.write_report", lambda *given: given[-1].write_text("report"))


def run(folder: Path, processes: int = 2, worker: Sequence[str] = FAKE_WORKER) -> pl.DataFrame:
    return Study.load(folder).run(processes, console=QUIET, worker=worker)


def finished_at(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.glob("store/*/*/done.json")}


def test_a_study_runs_to_results_findings_and_a_report(finished):
    study = Study.load(finished)
    found, results = study.findings(), study.results()
    assert found.schema == FINDINGS_SCHEMA and len(found)
    assert results.schema == RESULTS_SCHEMA
    assert check_results(results).equals(results)
    assert len(results) == 2 * 2 * 4 * 10, "settings x seeds x languages x items"
    assert set(results["run"]) == {f"model/n={n}/seed={seed}" for n in (0, 5) for seed in (0, 1)}
    roles = dict(results.select("language", "role").unique().iter_rows())
    assert roles == {"en": "anchor", "es": "seen", "fr": "seen", "pt": "unseen"}
    n5 = results.filter(setting="n=5").row(0, named=True)
    assert (n5["total_rows"], n5["optimizer_steps"], n5["anchor_rows"], n5["parameters"]) == (20, 5, 10, 12)
    assert n5["train_languages"] == ["en", "es", "fr"]
    assert study.report_path.read_text().lower().startswith("<!doctype html>")
    assert set(study.status()["state"]) == {"done"}
    assert study.plan()["done"].all()


def test_a_folder_named_like_a_pattern_is_read_itself(folder, finished, tmp_path):
    folder = folder.rename(tmp_path / "a[b]")
    finished.rename(tmp_path / "ab")  # what the pattern stands for
    run(folder)
    shutil.rmtree(tmp_path / "ab" / "store")
    assert len(Study.load(folder).results()) == 2 * 2 * 4 * 10
    assert len(Study.load(folder).samples()) == 2 * 2 * 4 * 10


def test_items_are_the_same_in_every_language(finished):
    items = Study.load(finished).results().group_by("language").agg(pl.col("item_id").unique().sort())["item_id"]
    assert len({tuple(part) for part in items}) == 1


def test_a_second_run_does_nothing(finished):
    before, report = finished_at(finished), (finished / "report.html").stat().st_mtime_ns
    found = run(finished, worker=NO_WORKER)
    assert found.equals(Study.load(finished).findings())
    assert finished_at(finished) == before
    assert (finished / "report.html").stat().st_mtime_ns == report


@pytest.mark.parametrize("changed", [False, True])
def test_a_report_that_is_lost_or_of_another_study_is_written_again(finished, changed):
    if changed:
        write_spec(finished, question="What if?")
    else:
        (finished / "report.html").unlink()
    run(finished, worker=NO_WORKER)
    assert (finished / "report.html").read_text() == "report"


def test_another_language_only_adds_its_own_evaluations(finished):
    before = finished_at(finished)
    run(write_spec(finished, languages__evaluate=["de", "en", "es", "fr", "pt"]))
    after = finished_at(finished)
    assert before.items() <= after.items()
    assert sorted(file.parts[-3] for file in after.keys() - before.keys()) == ["evaluate"] * 4 + ["rows"]


def test_results_do_not_depend_on_folder_or_number_of_processes(folder, finished):
    run(folder, processes=4)
    assert Study.load(folder).results().equals(Study.load(finished).results())


def test_runs_that_share_a_training_have_rows_of_their_own(finished):
    shutil.copytree(finished / "model", finished / "copy")
    run(write_spec(finished, models=["model", "copy"]), worker=NO_WORKER)
    results = Study.load(finished).results()
    one, other = (results.filter(model=name).drop("model", "run") for name in ("model", "copy"))
    assert len(one) and one.equals(other)


@pytest.mark.parametrize(
    ("trouble", "state", "line", "code"),
    [
        ("raise", "failed", "RuntimeError: weights all over the place", 1),
        ("die", "failed", "the worker was killed, probably for memory; run with fewer --processes", 1),
        ("user", "failed", "rows are too long; shorten them", 2),
        ("diverge", "diverged", "diverged at step 3: the loss is nan; its rows are in ", 1),
    ],
)
def test_one_failing_run_stops_no_other(folder, monkeypatch, trouble, state, line, code):
    monkeypatch.setenv("FAKE_TROUBLE", f"n=5/seed=0:{trouble}")
    with pytest.raises(RunsFailed) as failed:
        run(folder, processes=1)
    assert str(failed.value).splitlines()[0].startswith(f"model/n=5/seed=0: {line}")
    assert "3 of 4 runs are done; run again" in str(failed.value)
    assert failed.value.exit_code == code
    status = Study.load(folder).status()
    assert status["state"].to_list() == ["done", "done", state, "done"]
    assert line in status["reason"][2]

    monkeypatch.delenv("FAKE_TROUBLE")
    before = finished_at(folder)
    run(folder)
    assert set(Study.load(folder).status()["state"]) == {"done"}
    assert before.items() <= finished_at(folder).items()


def test_of_a_study_with_a_failed_run_the_rest_is_found_and_reported(folder, monkeypatch):
    told = []
    monkeypatch.setattr("glotmix.report.page.write_report", lambda info, *given: (told.append(info), given[-1].touch()))
    monkeypatch.setenv("FAKE_TROUBLE", "n=5/seed=0:diverge")
    with pytest.raises(RunsFailed) as failed:
        run(folder)
    study = Study.load(folder)
    assert study.report_path.exists()
    assert failed.value.findings.equals(study.findings()) and len(study.findings())
    assert told[-1].planned_runs == 4
    assert told[-1].failures == {
        "model/n=5/seed=0": "diverged at step 3: the loss is nan; its rows are in store/partial"
    }
    monkeypatch.delenv("FAKE_TROUBLE")
    run(folder)
    assert len(told) == 2 and told[-1].failures == {}, "the report of the whole study replaces that of a part"


def test_where_every_run_fails_there_is_nothing_to_find(folder, monkeypatch):
    monkeypatch.setenv("FAKE_TROUBLE", "model:raise")
    with pytest.raises(RunsFailed, match="0 of 4 runs are done") as failed:
        run(folder)
    assert failed.value.findings is None and not Study.load(folder).report_path.exists()


def test_a_tracker_that_is_missing_is_said_before_anything_is_trained(folder):
    with pytest.raises(UserError, match=r"trackers: wandb is not installed; pip install wandb"):
        run(write_spec(folder, trackers=["wandb"]), worker=NO_WORKER)


def test_trackers_change_no_key(folder):
    before = [run.train for run in Study.load(folder).resolved.runs]
    assert [run.train for run in Study.load(write_spec(folder, trackers=["tensorboard"])).resolved.runs] == before


def test_what_is_declared_of_the_analysis_changes_no_key(folder):
    before = Study.load(folder)
    after = Study.load(write_spec(folder, analysis={"margin": 5, "control": "none", "groups": {"romance": ["es"]}}))
    assert before.declared == Declared()
    assert after.declared == Declared(0.05, "none", {"romance": ("es",)})
    assert [run.train for run in after.resolved.runs] == [run.train for run in before.resolved.runs]


def test_a_worker_that_cannot_even_start_is_a_failure_of_its_runs(folder):
    with pytest.raises(RunsFailed, match=r"the worker died \(exit code 3\)"):
        run(folder, worker=NO_WORKER)


def test_a_dead_worker_is_replaced_only_if_a_job_waits(folder, monkeypatch):
    started = []
    begin = Worker.__init__
    monkeypatch.setattr(Worker, "__init__", lambda self, *given: (started.append(self), begin(self, *given))[1])
    with pytest.raises(RunsFailed):
        run(folder, processes=2, worker=NO_WORKER)
    assert len(started) == 4, "one for each job"


def test_a_full_disk_is_one_line_and_keeps_what_is_done(folder, monkeypatch):
    monkeypatch.setenv("FAKE_TROUBLE", "n=5/seed=1:full")
    with pytest.raises(DiskFull) as full:
        run(folder, processes=1)
    assert str(full.value) == f"disk full at {folder / 'store'}: free space and run again; 3 of 4 runs are done"
    assert full.value.exit_code == 1
    monkeypatch.delenv("FAKE_TROUBLE")
    before = finished_at(folder)
    run(folder)
    assert before.items() <= finished_at(folder).items()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_really_full(folder, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        write_spec(disk, models=[str(folder / "model")], pool=str(folder / "pool"))
        with pytest.raises(DiskFull, match=r"disk full at .*: free space and run again; . of 4 runs are done"):
            run(disk)
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        run(disk)
        assert set(Study.load(disk).status()["state"]) == {"done"}
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_run_that_is_partly_evaluated_does_not_count_yet(finished):
    study = Study.load(finished)
    whole, (first, *_) = study.results(), study.resolved.runs
    shutil.rmtree(study.store.folder("evaluate", first.evaluations[0].key))
    assert study.results().equals(whole.filter(pl.col("run") != first.name))
    assert set(study.samples().select("setting", "seed").unique().iter_rows()) == {("n=0", 1), ("n=5", 0), ("n=5", 1)}


def test_languages_are_tested_on_the_items_they_share_first(folder):
    write_rows(folder / "pool", [row("math", "es", "test", 100 + number) for number in range(40)])
    tested = {step.language: frozenset(plan.rows[step.rows]["item_id"]) for plan, step in evaluations(folder, 12)}
    assert len(set(tested.values())) == 1
    with pytest.raises(UserError):
        evaluations(folder, 13)
    write_spec(folder, languages__train=[], languages__evaluate=["en", "es"], design__rows_per_language=[0])
    write_rows(folder / "pool", [row("math", "en", "test", 200)])
    (en, es) = (set(plan.rows[step.rows]["item_id"]) for plan, step in evaluations(folder, 13))
    assert len(en & es) == 12 and len(es) == 13, "the others only when these don't suffice"


def evaluations(folder: Path, items: int):
    spec = yaml.safe_load((folder / "study.yaml").read_text())
    spec["evaluation"]["items_per_language"] = items
    (folder / "study.yaml").write_text(yaml.safe_dump(spec))
    plan = Study.load(folder).resolved
    return [(plan, step) for step in plan.runs[0].evaluations]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def test_results_outlive_their_base_model(finished, offline):
    before = Study.load(finished).results()
    shutil.rmtree(finished / "model")
    study = Study.load(finished)
    assert study.results().equals(before)
    assert study.report().read_text() == "report"
    assert set(study.status()["state"]) == {"done"} and study.plan()["done"].all()
    run(finished, worker=NO_WORKER)
    run(write_spec(finished, languages__evaluate=["de", "en", "es", "fr", "pt"]))
    with pytest.raises(GlotmixError, match="models: 'model' "):
        run(write_spec(finished, seeds=[0, 1, 2]))


def test_reports_written_at_once_have_files_of_their_own(finished, monkeypatch):
    written = []

    def write(*given):
        written.append(given[-1])
        given[-1].write_text("report")
        if len(written) == 1:
            Study.load(finished).report()

    monkeypatch.setattr("glotmix.report.page.write_report", write)
    Study.load(finished).report()
    assert len(set(written)) == 2
    assert not any(path.exists() for path in written)


def test_the_report_tells_of_longer_rows_and_how_to_repeat_the_study(finished, tmp_path):
    record = sorted(finished.glob("store/train/*/train.json"))[0]
    longer = [
        {"split": "train", "task": "math", "language": "es", "rows": 10, "longer": 1},
        {"split": "validation", "task": "math", "language": "es", "rows": 4, "longer": 2},
        {"split": "train", "task": "math", "language": "en", "rows": 10, "longer": 0},
    ]
    record.write_text(json.dumps({"tokens": 100, "seconds": 1.0, "validation_seconds": 0.0, "longer_rows": longer}))
    study = Study.load(finished.rename(tmp_path / "two words"))
    told = study_info(study.file, study.resolved, study.store)
    assert told.commands == ("glotmix run 'two words'", "glotmix report 'two words'")
    assert told.longer_rows == (LongerRows("model", "math", "es", 0.1, 0.5),)
    assert (told.pool, told.models[0].content_hash) == ("pool", study.resolved.runs[0].model.content_hash)


def test_before_anything_is_done_there_is_nothing_to_find(folder):
    with pytest.raises(UserError, match=r"no run is done yet; `glotmix run "):
        Study.load(folder).findings()
    assert Study.load(folder).results().is_empty()
    assert set(Study.load(folder).status()["state"]) == {"waiting"}
    assert not (folder / "store").exists(), "looking writes nothing"


def start(folder: Path, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN.format(folder=str(folder))],
        stderr=subprocess.PIPE,
        env=os.environ | environment,
        start_new_session=True,
    )


def members(session: int) -> list[int]:
    """Processes of a session that are still at work."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False)
    rows = (line.split() for line in found.stdout.splitlines())
    return [int(pid) for pid, state, *_ in rows if not state.startswith("Z")]


def wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_workers_end_with_their_parent(folder):
    parent = start(folder, FAKE_TROUBLE="n=:slow")
    wait_until(lambda: len(members(parent.pid)) == 3 and len(list(folder.glob("store/partial/*/"))) == 2)
    parent.kill()
    parent.wait()
    wait_until(lambda: not members(parent.pid), seconds=2)


def test_ctrl_c_keeps_what_is_done(folder):
    parent = start(folder, FAKE_TROUBLE="n=5:slow")
    wait_until(lambda: len(list(folder.glob("store/evaluate/*"))) == 8)
    os.killpg(parent.pid, signal.SIGINT)
    parent.wait(5)
    wait_until(lambda: not members(parent.pid), seconds=2)
    before = finished_at(folder)
    run(folder)
    assert before.items() <= finished_at(folder).items()


def written_since(folder: Path, pattern: str, since: float) -> bool:
    with contextlib.suppress(FileNotFoundError):  # renamed while we look
        return any(file.stat().st_mtime >= since for file in folder.glob(pattern))
    return True


def kill_and_rerun(command: Sequence[str], folder: Path, kills: int, longest: float, seed: int) -> None:
    """Runs the study of the folder to its end, but kills it -9 `kills` times before.

    Each time at a random moment within `longest` seconds after it took the lock, or after a training got going.
    """
    chance = random.Random(seed)
    for _ in range(kills):
        pattern, started = chance.choice(["store/holder.json", "store/partial/*/*"]), time.time()
        parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda p=parent, w=pattern, s=started: written_since(folder, w, s) or p.poll() is not None, 60)
        time.sleep(chance.uniform(0, longest))
        parent.kill()
        parent.wait()
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("seed", range(int(os.environ.get("GLOTMIX_KILL_TESTS", "1"))))
def test_killed_at_random_moments_a_study_ends_with_the_same_results(folder, finished, seed):
    command = [sys.executable, "-c", RUN.format(folder=str(folder))]
    kill_and_rerun(command, folder, kills=4, longest=0.6, seed=seed)
    assert Study.load(folder).results().equals(Study.load(finished).results())
    assert not list(folder.glob("store/tmp/*")) and not list(folder.glob("store/partial/*"))
