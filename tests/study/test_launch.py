"""`glotmix run --accelerate FILE`: several processes do each job together, and a study knows nothing of it."""

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from polars.testing import assert_frame_equal
from rich.console import Console

from glotmix.errors import UserError
from glotmix.spec import Evaluation
from glotmix.study import launch
from glotmix.study.launch import launched
from glotmix.study.study import RunsFailed, Study

QUIET = Console(file=io.StringIO())
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
GROUP = (*TORCHRUN, str(Path(__file__).parents[1] / "fake_group.py"))
CONFIG: dict[str, Any] = {
    "distributed_type": "FSDP",
    "fsdp_config": {"fsdp_version": 2, "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP"},
    "num_processes": 2,
    "use_cpu": True,
}
SPEC = {
    "name": "tiny",
    "models": ["lab-1m"],
    "pool": "lab",
    "tasks": ["math"],
    "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es", "fr"]},
    "design": {"kind": "increments", "anchor_rows": 40, "rows_per_language": [0]},
    "seeds": [0],
    "recipe": {"batch_rows": 8, "learning_rate": 1e-3, "steps": 4, "checkpoint_every": 2},
    "evaluation": {"items_per_language": 10, "max_new_tokens": 24},
}


def write(file: Path, content: dict[str, Any]) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"distributed_type": "NO"}, r"distributed_type 'NO' is not one of FSDP"),
        ({"num_machines": 2}, r"num_machines is 2.*set it to 1"),
        ({"num_processes": "all"}, r"num_processes is 'all'"),
        ({"distributed_type": "MULTI_GPU", "num_processes": 1}, r"num_processes is 1"),
        ({"use_cpu": False}, r"num_processes is 2, and there are 1 GPUs; set num_processes to that"),
        ({"fsdp_config": {"fsdp_version": 1}}, r"fsdp_config.fsdp_version is 1; set it to 2"),
        ({"fsdp_config": "words"}, r"fsdp_config.fsdp_version is 1; set it to 2"),
    ],
)
def test_a_config_that_can_not_be_had_is_refused(tmp_path, monkeypatch, changed, refusal):
    monkeypatch.setattr(launch, "gpus", lambda: ["0"])
    file = write(tmp_path / "config.yaml", CONFIG | changed)
    with pytest.raises(UserError, match=f"--accelerate {file}: {refusal}"):
        launched(file, Evaluation(), None)


@pytest.mark.parametrize("content", ["just words", "a: [", "- 1", "num_processes: 2", "\xff"])
def test_a_file_that_is_no_config_is_refused(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match="not a config file of accelerate"):
        launched(tmp_path / "config.yaml", Evaluation(), None)


def test_a_missing_file_and_what_does_not_go_with_it_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no-such.yaml: can't be read.*accelerate config"):
        launched(tmp_path / "no-such.yaml", Evaluation(), None)
    file = write(tmp_path / "config.yaml", CONFIG)
    with pytest.raises(UserError, match="--processes 2: with --accelerate one run is trained at a time"):
        launched(file, Evaluation(), 2)
    with pytest.raises(UserError, match=r"evaluation.backend: vllm starts no engine"):
        launched(file, Evaluation(backend="vllm"), None)


def test_the_processes_see_the_gpus_they_need(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "gpus", lambda: ["3", "5"])
    on_gpus = launched(write(tmp_path / "gpus.yaml", CONFIG | {"use_cpu": False}), Evaluation(), None)
    assert on_gpus.environment["CUDA_VISIBLE_DEVICES"] == "3,5"
    on_cpu = launched(write(tmp_path / "cpu.yaml", CONFIG | {"distributed_type": "MULTI_CPU"}), Evaluation(), None)
    assert on_cpu.environment["CUDA_VISIBLE_DEVICES"] == ""
    assert "--multi_gpu" in on_cpu.command


def test_trouble_in_one_process_fails_its_job_alone(folder, monkeypatch):
    """Else the others of the group would wait for it for ever."""
    monkeypatch.setenv("FAKE_GROUP_TROUBLE", "n=0/seed=0:die n=5/seed=1:raise")
    with pytest.raises(RunsFailed) as failed:
        Study.load(folder).run(1, console=QUIET, worker=GROUP)
    died, raised, *_, done = str(failed.value).splitlines()
    assert re.search("n=0/seed=0: .*(peer|died)", died)
    assert raised.endswith("n=5/seed=1: rows are too long; shorten them")
    assert done.startswith("2 of 4 runs are done")


def test_a_study_on_two_processes_has_the_results_of_one(tmp_path):
    one, two = (Study.load(write(tmp_path / name / "study.yaml", SPEC)) for name in ("one", "two"))
    one.run(1, console=QUIET)
    two.run(console=QUIET, accelerate=write(tmp_path / "fsdp.yaml", CONFIG))
    assert_frame_equal(two.results(), one.results(), check_exact=False, abs_tol=1e-4)
    assert [run.train for run in two.planned.runs] == [run.train for run in one.planned.runs]
