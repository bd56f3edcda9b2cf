"""The GPUs of this machine, found without torch, and how many runs share one.

1. A model that fills a GPU has one of its own. Of a small one the kernels end before the next is launched, so several
   workers share a GPU: each with its part of the memory, which it can't go beyond.
2. How many is computed before anything is loaded, from what a training takes at most; a training that takes more after
   all halves its micro-batches, and its result is the same.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from glotmix.study.backends import backend_kind
from glotmix.study.job import Job
from glotmix.study.models import count_parameters, width

GPU_WORKERS = "GLOTMIX_GPU_WORKERS"  # how many share the GPU of a worker
ALLOCATOR = "PYTORCH_CUDA_ALLOC_CONF"
SMALL = 200_000_000  # parameters up to which launching kernels takes longer than running them, as far as is known
MOST = 4  # workers of one GPU
LOGITS_AT_ONCE = 2**27  # as in `train.loss`, which imports torch
CONTEXT = 1e9  # bytes that CUDA takes for each process
KEPT = 110  # bytes a layer keeps of a token in bfloat16, per unit of its width: of Gemma 3, which keeps most


def gpus() -> list[str]:
    """Those that workers may use, by the name CUDA_VISIBLE_DEVICES knows them by."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        names = [name.strip() for name in visible.split(",")]
        return [name for name in takewhile(lambda name: name != "-1", names) if name]  # as CUDA reads it
    return [str(number) for number, _ in enumerate(_memories())]


def workers_per_gpu(jobs: Iterable[Job]) -> int:
    """How many of the jobs run side by side on each GPU."""
    memories = _memories()
    if not memories or any(name.startswith("MIG-") for name in gpus()):
        return 1
    return min(max(1, min(MOST, int(min(memories) // _most_bytes(job)))) if _is_small(job) else 1 for job in jobs)


def device(number: int, processes: int) -> dict[str, str]:
    """The environment that gives worker `number` of `processes` its GPU, or its part of one."""
    devices = gpus()
    if not devices:
        return {}
    sharing = len(range(number % len(devices), processes, len(devices)))
    share = {GPU_WORKERS: str(sharing)} if sharing > 1 else {}
    known = os.environ.keys() & {"PYTORCH_ALLOC_CONF", ALLOCATOR}
    growing = {} if known else {ALLOCATOR: "expandable_segments:True"}  # no two micro-batches are of one size
    return {"CUDA_VISIBLE_DEVICES": devices[number % len(devices)]} | growing | share


def _is_small(job: Job) -> bool:
    """vLLM, and what a server of one's own may be, take of a GPU what they find."""
    known = all(width(Path(job.model))) and count_parameters(Path(job.model)) <= SMALL
    return known and backend_kind(job.evaluation) == "transformers"


def _most_bytes(job: Job) -> float:
    """Of one worker while it trains: float32 weights, gradients and moments, a copy of the weights, one micro-batch."""
    layers, hidden = width(Path(job.model))
    wide = 2 if job.recipe.precision == "float32" else 1
    kept = KEPT * wide * layers * hidden * job.recipe.tokens_per_micro_batch
    return 18 * count_parameters(Path(job.model)) + kept + 16 * LOGITS_AT_ONCE + CONTEXT


def _memories() -> list[float]:
    """Bytes of every GPU of the machine."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    sizes = [line for line in listed if line.isdecimal() or line.startswith("[")]  # [N/A]: a GPU that won't tell
    return [float(size) * 2**20 if size.isdecimal() else 0.0 for size in sizes]
