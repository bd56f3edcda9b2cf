"""Contract 5 at the level of one step: finished means done.json is there, and a folder is there whole or not at all."""

import json
import subprocess
import sys

import pytest

from glotmix.errors import GlotmixError, UserError
from glotmix.study.store import Store, disk_full


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def test_a_written_step_is_done_and_says_what_it_is(store):
    with store.writing("train", "abc", seed=1) as out:
        (out / "file").write_text("x")
        assert not store.is_done("train", "abc")
    assert store.is_done("train", "abc")
    assert (store.folder("train", "abc") / "file").read_text() == "x"
    done = json.loads((store.folder("train", "abc") / "done.json").read_text())
    assert (done["kind"], done["key"], done["inputs"]) == ("train", "abc", {"seed": 1})


def test_a_step_that_fails_leaves_nothing(store):
    with pytest.raises(RuntimeError), store.writing("train", "abc") as out:
        (out / "file").write_text("x")
        raise RuntimeError
    assert not store.is_done("train", "abc")
    assert not list((store.root / "tmp").iterdir())


def test_a_folder_without_done_json_is_not_done(store):
    (store.folder("train", "abc")).mkdir(parents=True)
    assert not store.is_done("train", "abc")


def test_of_two_that_finish_the_same_step_the_first_one_stays(store):
    with store.writing("train", "abc") as slow, store.writing("train", "abc") as fast:
        (slow / "file").write_text("slow")
        (fast / "file").write_text("fast")
    assert (store.folder("train", "abc") / "file").read_text() == "fast"
    assert not list((store.root / "tmp").iterdir())


def test_a_resuming_step_finds_what_it_left(store):
    with pytest.raises(RuntimeError), store.resuming("train", "abc") as out:
        (out / "checkpoint").write_text("step 3")
        raise RuntimeError
    assert not store.is_done("train", "abc")
    with store.resuming("train", "abc") as out:
        assert (out / "checkpoint").read_text() == "step 3"
    assert store.is_done("train", "abc")
    assert not list((store.root / "partial").iterdir())


def test_left_overs_of_a_killed_run_are_swept_away_but_not_what_resumes(store):
    (store.root / "tmp" / "train-abc-123").mkdir(parents=True)
    (store.partial("train", "abc")).mkdir(parents=True)
    with store.lock():
        assert not (store.root / "tmp").exists()
        assert store.partial("train", "abc").is_dir()


def test_a_second_run_is_told_who_holds_the_folder(store):
    hold = "import sys, time; from pathlib import Path; from glotmix.study.store import Store\n"
    hold += f"with Store(Path({str(store.root)!r})).lock(): print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"held\n"
    try:
        with pytest.raises(UserError, match=rf"a run is at work there already \(process {other.pid} on "), store.lock():
            pass
    finally:
        other.kill()
        other.wait()
    with store.lock():
        pass  # a lock ends with its process, however that ends


@pytest.mark.parametrize("in_the_way", ["store", "store/lock", "store/holder.json"])
def test_a_store_that_cant_be_written_is_one_line_with_the_fix(tmp_path, monkeypatch, in_the_way):
    monkeypatch.setattr("os.getpid", lambda: 1)
    blocked = tmp_path / in_the_way
    if in_the_way == "store":
        blocked.touch()  # a file where a folder is wanted, and the reverse, stop root too
    else:
        blocked.with_name(blocked.name.replace(".json", ".json.1")).mkdir(parents=True)
    line = r"store: can't be written \(.*\); make the study's folder writable"
    with pytest.raises(GlotmixError, match=line) as fault, Store(tmp_path / "store").lock():
        pass
    assert fault.value.exit_code == 1


def test_a_full_disk_is_known_behind_the_libraries_words(tmp_path):
    assert disk_full(OSError(28, "No space left on device"), tmp_path)
    assert disk_full(RuntimeError("I/O error: No space left on device (os error 28)"), tmp_path)
    wrapped = RuntimeError("could not save")
    wrapped.__context__ = OSError(28, "")
    assert disk_full(wrapped, tmp_path)
    assert not disk_full(OSError(13, "Permission denied"), tmp_path)
    assert not disk_full(RuntimeError("can't write"), tmp_path)


def test_a_step_that_another_process_finished_meanwhile_is_not_done_again(store):
    with store.resuming("train", "abc") as out:
        (out / "model").write_text("weights")
    with store.resuming("train", "abc") as out:
        assert out is None
    assert (store.folder("train", "abc") / "model").read_text() == "weights"
    assert not list((store.root / "partial").iterdir())
