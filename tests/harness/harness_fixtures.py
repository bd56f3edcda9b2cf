"""What the tests of the harness share, made once: they name this module in `pytest_plugins`. PYTEST_DONT_REWRITE"""

import contextlib
from pathlib import Path

import pytest
from local_tasks import write_tasks


@pytest.fixture(scope="session")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tasks; not to be changed."""
    pytest.importorskip("lm_eval")
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="session")
def written(tasks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lm_eval itself writes of lab-1m: a folder with a result file and the log of every task."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    from glotmix.lab.models import model_path

    out, names = tmp_path_factory.mktemp("written"), ["add_en", "add_es", "add_fr", "write_en"]
    tracker = EvaluationTracker(output_path=str(out))
    with contextlib.chdir(tasks):
        found = simple_evaluate(
            model="hf",
            model_args={"pretrained": str(model_path("lab-1m")), "dtype": "float32"},
            tasks=names,
            batch_size=4,
            device="cpu",
            task_manager=TaskManager(include_path=tasks, include_defaults=False),
            evaluation_tracker=tracker,
        )
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    for name in names:
        tracker.save_results_samples(task_name=name, samples=samples[name])
    return out
