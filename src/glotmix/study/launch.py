"""A worker of several processes, as accelerate's config file says: how many, and how a model is cut among them.

`accelerate launch` starts them and ends all when one dies. The study knows nothing of it: what is trained is the same.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from glotmix.errors import UserError
from glotmix.spec import Evaluation
from glotmix.study.engine import WORKER, Program
from glotmix.study.gpus import gpus

TYPES = ("FSDP", "DEEPSPEED", "MULTI_GPU", "MULTI_CPU")


def launched(file: Path, evaluation: Evaluation, processes: int | None) -> Program:
    """The worker that accelerate starts by its config file.

    Raises:
        UserError: there is no such file, or what it asks for is not to be had here.
    """
    if processes:
        raise UserError(f"--processes {processes}: with --accelerate one run is trained at a time; leave it out")
    if evaluation.backend == "vllm":
        fix = "use transformers, or {kind: endpoint, command: vllm serve {model} --port {port}}"
        raise UserError(f"evaluation.backend: vllm starts no engine inside --accelerate's processes; {fix}")
    told = _read(file)
    on_cpu = bool(told.get("use_cpu")) or told["distributed_type"] == "MULTI_CPU"
    _check(file, told, len(gpus()) if not on_cpu else None)
    # accelerate starts MULTI_CPU through MPI alone; as MULTI_GPU without a GPU it is torchrun and gloo
    kind = ["--multi_gpu"] if told["distributed_type"] == "MULTI_CPU" else []
    launch = ["-m", "accelerate.commands.launch", "--config_file", str(file.resolve()), "--main_process_port", "0"]
    command = [sys.executable, "-P", *launch, *kind, *WORKER[WORKER.index("-m") :]]
    visible = "" if on_cpu else ",".join(gpus())
    return Program(command, {"PYTHONSAFEPATH": "1", "CUDA_VISIBLE_DEVICES": visible})


def _read(file: Path) -> dict[str, Any]:
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        fix = f"`accelerate config --config_file {file}` writes one"
        raise UserError(f"--accelerate {file}: can't be read ({error.strerror}); {fix}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or "distributed_type" not in told:
        raise UserError(
            f"--accelerate {file}: not a config file of accelerate (YAML with distributed_type); `accelerate config"
            " --config_file FILE` writes one"
        )
    return told


def _check(file: Path, told: dict[str, Any], devices: int | None) -> None:
    """`devices`: how many GPUs there are; None if none is asked for."""
    kind, machines, processes = told["distributed_type"], told.get("num_machines", 1), told.get("num_processes")
    if kind not in TYPES:
        raise UserError(f"--accelerate {file}: distributed_type {kind!r} is not one of {', '.join(TYPES)}")
    if machines != 1:
        raise UserError(f"--accelerate {file}: num_machines is {machines}; a run is on one machine: set it to 1")
    if not isinstance(processes, int) or processes < (1 if kind in ("FSDP", "DEEPSPEED") else 2):
        raise UserError(f"--accelerate {file}: num_processes is {processes!r}; give how many share a training")
    if devices is not None and processes > devices:
        fix = "set num_processes to that" if devices else "set use_cpu: true to go without"
        raise UserError(f"--accelerate {file}: num_processes is {processes}, and there are {devices} GPUs; {fix}")
    sharding = told.get("fsdp_config")
    version = sharding.get("fsdp_version", 1) if isinstance(sharding, dict) else 1
    if kind == "FSDP" and version != 2:
        raise UserError(f"--accelerate {file}: fsdp_config.fsdp_version is {version}; set it to 2")
