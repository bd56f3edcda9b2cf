"""How trainings are followed while they run: TensorBoard, Weights & Biases, MLflow, trackio, through accelerate.

1. Every tracker writes in a thread of its own: a slow one slows no training.
2. One that fails is told of once, and the training goes on without it.
3. A training that resumes goes on in the same place: nothing of it is in the names but the run and its key.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from glotmix.analysis.selection import curve

if TYPE_CHECKING:
    from glotmix.train.loop import Progress

LAST_WORDS = 60.0  # seconds that trackers get, all together, to write what is left at the end

Values = dict[str, float]


@dataclass(frozen=True)
class Tracked:
    """What is followed: a run of a study, named by its key where names must not repeat.

    `config` is shown with it; `folder` gets the files of TensorBoard.
    """

    study: str
    run: str
    key: str
    config: Mapping[str, bool | int | float | str]
    folder: Path


class Trackers:
    """All trackers of one training."""

    def __init__(self, names: Iterable[str], tracked: Tracked, say: Callable[[str], None]) -> None:
        """`say` gets a line for each tracker that fails, from its thread; after `close` no more."""
        self.threads = [_Thread(name, tracked, say) for name in names]

    def log(self, step: int, values: Values) -> None:
        for thread in self.threads:
            thread.inbox.put((step, values))

    def close(self) -> None:
        """Waits until all is written, but not for long."""
        for thread in self.threads:
            thread.inbox.put(None)
        for thread in self.threads:
            thread.join(LAST_WORDS / len(self.threads))
        for thread in self.threads:
            thread.give_up()


class _Thread(threading.Thread):
    def __init__(self, name: str, tracked: Tracked, say: Callable[[str], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.tracked, self.say = tracked, say
        self.inbox: queue.SimpleQueue[tuple[int, Values] | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        tracker = None
        try:
            for step, values in iter(self.inbox.get, None):
                tracker = tracker or open_tracker(self.name, self.tracked, step)
                tracker.log(values, step=step)
            if tracker:
                tracker.finish()
        except Exception as error:
            told = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            self.say(f"{self.name} failed, and the training goes on without it: {told}")

    def give_up(self) -> None:
        if self.is_alive():
            self.say(f"{self.name} is too slow: what it has not written {LAST_WORDS:g} s after the training is lost")
        self.say = lambda line: None


def open_tracker(name: str, tracked: Tracked, first_step: int) -> Any:
    """accelerate's tracker of that name, started; of a training that resumes it goes on with `first_step`."""
    tracker = OPENERS[name](tracked, first_step)
    tracker.start()
    if first_step == 1 and name == "tensorboard":  # as hyperparameters they would be two runs more
        settings = "  \n".join(f"{setting}: {value}" for setting, value in tracked.config.items())
        tracker.log({"settings": settings}, step=0)
    elif first_step == 1 and name == "mlflow":  # the others got them when they opened
        tracker.store_init_configuration(dict(tracked.config))
    return tracker


def _tensorboard(tracked: Tracked, first_step: int) -> Any:
    """Steps from the first on that an interrupted try wrote are purged."""
    from accelerate.tracking import TensorBoardTracker

    return TensorBoardTracker(tracked.run, logging_dir=str(tracked.folder / "tensorboard"), purge_step=first_step)


def _wandb(tracked: Tracked, first_step: int) -> Any:
    from accelerate.tracking import WandBTracker

    config = dict(tracked.config)
    return WandBTracker(tracked.study, name=tracked.run, id=tracked.key, resume="allow", config=config)


def _trackio(tracked: Tracked, first_step: int) -> Any:
    """It knows runs by their names alone: with another recipe it is another training of the same name."""
    from accelerate.tracking import TrackioTracker

    name = f"{tracked.run} {tracked.key[:8]}"
    return TrackioTracker(tracked.study, name=name, resume="allow", config=dict(tracked.config))


def _mlflow(tracked: Tracked, first_step: int) -> Any:
    """What was begun of this training is found by a tag: MLflow makes the ids of its runs."""
    import mlflow
    from accelerate.tracking import MLflowTracker

    tracked.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(tracked.folder / "mlflow.lock"):  # MLflow fails where two begin its database at once
        mlflow.set_experiment(tracked.study)
    same = f"tags.glotmix = '{tracked.key}'"
    found = mlflow.search_runs(experiment_names=[tracked.study], filter_string=same, output_format="list")
    run_id = found[0].info.run_id if found else None
    return MLflowTracker(tracked.study, run_name=tracked.run, run_id=run_id, tags={"glotmix": tracked.key})


OPENERS = {"tensorboard": _tensorboard, "wandb": _wandb, "trackio": _trackio, "mlflow": _mlflow}


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, bool | int | float | str]:
    """Settings within settings under one name, as in `recipe.select.metric`; what is no number is text."""
    found: dict[str, bool | int | float | str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        elif value is not None:
            found[before + name] = value if isinstance(value, bool | int | float) else str(value)
    return found


def progress_values(now: "Progress") -> Values:
    """What is logged at a step, by its names; the validation of a checkpoint by task and language."""
    values = {
        "train/loss": now.loss,
        "train/gradient_norm": now.gradient_norm,
        "train/learning_rate": now.learning_rate,
        "train/tokens_per_second": now.tokens_per_second,
    }
    if now.measured is None:
        return values
    means = curve(now.measured).select("metric", "task", "language", "value").iter_rows()
    return values | {f"validation/{metric}/{task}/{language}": value for metric, task, language, value in means}
