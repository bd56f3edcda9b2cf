"""Trackers: TensorBoard has every step once; one that fails or hangs neither stops nor slows a training."""

import time
from types import SimpleNamespace

import polars as pl
import pytest
from accelerate import PartialState

from glotmix.analysis.selection import VALIDATION_SCHEMA
from glotmix.train import track
from glotmix.train.loop import Progress
from glotmix.train.track import Tracked, Trackers, flat, progress_values


@pytest.fixture
def tracked(tmp_path):
    PartialState()  # as in a training
    return Tracked("my-study", "lab-1m/n=5/seed=0", "abc", {"recipe.steps": 4, "seed": 0}, tmp_path / "trackers")


@pytest.fixture
def told():
    return []


def read_back(folder):
    """All that TensorBoard would show of a run: the steps and values of each name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def settings_of(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    texts = EventAccumulator(str(folder)).Reload().Tensors("settings/text_summary")
    return [text.tensor_proto.string_val[0].decode() for text in texts]


def follow(tracked, told, steps, name="tensorboard"):
    trackers = Trackers([name], tracked, told.append)
    for step in steps:
        trackers.log(step, {"train/loss": 10.0 - step})
    trackers.close()


def test_tensorboard_shows_every_step_of_a_run(tracked, told):
    follow(tracked, told, [1, 2, 3])
    folder = tracked.folder / "tensorboard" / "lab-1m" / "n=5" / "seed=0"
    assert read_back(folder) == {"train/loss": [(1, 9.0), (2, 8.0), (3, 7.0)]}
    assert settings_of(folder) == ["recipe.steps: 4  \nseed: 0"]
    assert told == [] and len(list(folder.iterdir())) == 1


def test_a_training_that_resumes_goes_on_where_its_checkpoint_was(tracked, told):
    follow(tracked, told, [1, 2, 3])  # killed; its checkpoint is of step 2
    time.sleep(1.1)  # files of events are told apart, and ordered, by the second
    follow(tracked, told, [3, 4])
    folder = tracked.folder / "tensorboard" / tracked.run
    assert read_back(folder) == {"train/loss": [(1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0)]}
    assert len(settings_of(folder)) == 1 and told == []


class Broken(SimpleNamespace):
    """No network, say: it fails at a step."""

    def log(self, values, step):
        if step == self.at:
            raise ConnectionError("wandb: not logged in\nsee the manual")

    def finish(self):
        if self.at == "finish":
            raise ConnectionError("wandb: not logged in")


@pytest.mark.parametrize("at", [1, 3, "finish"])
def test_a_tracker_that_fails_is_told_of_once(tracked, told, monkeypatch, at):
    monkeypatch.setattr(track, "open_tracker", lambda *given: Broken(at=at))
    follow(tracked, told, range(1, 50), "wandb")
    assert told == ["wandb failed, and the training goes on without it: wandb: not logged in"]


def test_one_that_fails_disturbs_no_other(tracked, told, monkeypatch):
    def unreachable(*given):
        raise OSError("no network")

    monkeypatch.setitem(track.OPENERS, "wandb", unreachable)
    trackers = Trackers(["wandb", "tensorboard"], tracked, told.append)
    trackers.log(1, {"train/loss": 1.0})
    trackers.close()
    assert told == ["wandb failed, and the training goes on without it: no network"]
    assert read_back(tracked.folder / "tensorboard" / tracked.run) == {"train/loss": [(1, 1.0)]}


def test_a_folder_that_cant_be_written_costs_the_tracker_alone(tracked, told):
    tracked.folder.write_text("a file is in the way")
    follow(tracked, told, [1])
    assert len(told) == 1 and told[0].startswith("tensorboard failed, and the training goes on without it: ")


def test_a_slow_tracker_slows_nothing_and_is_left_behind_at_the_end(tracked, told, monkeypatch):
    monkeypatch.setattr(track, "LAST_WORDS", 0.2)
    slow = SimpleNamespace(log=lambda values, step: time.sleep(5), finish=lambda: None)
    monkeypatch.setattr(track, "open_tracker", lambda *given: slow)
    began = time.monotonic()
    follow(tracked, told, range(1, 1000), "mlflow")
    assert time.monotonic() - began < 2
    assert told == ["mlflow is too slow: what it has not written 0.2 s after the training is lost"]


def test_what_is_logged_at_a_step():
    now = Progress(2, 4, 1.5, 0.5, 1e-5, 300.0)
    assert progress_values(now) == {
        "train/loss": 1.5,
        "train/gradient_norm": 0.5,
        "train/learning_rate": 1e-5,
        "train/tokens_per_second": 300.0,
    }


def test_a_checkpoint_logs_validation_by_task_and_language():
    row = {"step": 2, "task": "math", "row_id": "r", "item_id": "i", "metric": "validation_loss"}
    rows = [
        row | {"language": "en", "value": 1.0, "weight": 1.0},
        row | {"language": "en", "value": 2.0, "weight": 3.0},
        row | {"language": "ja", "value": 4.0, "weight": 1.0},
    ]
    values = progress_values(Progress(2, 4, 1.5, 0.5, 1e-5, 300.0, pl.DataFrame(rows, schema=VALIDATION_SCHEMA)))
    assert values["validation/validation_loss/math/en"] == 1.75
    assert values["validation/validation_loss/math/ja"] == 4.0


def test_settings_within_settings_have_one_name():
    settings = {
        "seed": 1,
        "recipe": {"epochs": None, "select": {"metric": "validation_loss", "languages": ["en", "ja"]}},
    }
    assert flat(settings) == {
        "seed": 1,
        "recipe.select.metric": "validation_loss",
        "recipe.select.languages": "['en', 'ja']",
    }
