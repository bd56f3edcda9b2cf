"""The local engine: worker processes side by side, each doing whole jobs. It knows nothing of what a job does.

Every worker computes with one thread: several small runs side by side beat one run on all cores, and a result that
doesn't depend on the number of threads doesn't depend on the number of processes either.
"""

import contextlib
import errno
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glotmix.study.gpus import device, gpus, workers_per_gpu
from glotmix.study.job import Event, Job

WORKER = (sys.executable, "-P", "-m", "glotmix.study.worker")  # -P: the current folder can shadow no library
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PATIENCE = 5  # seconds a worker gets to end

Listener = Callable[[Job, Event], None]


@dataclass(frozen=True)
class Program:
    """What a worker runs, and what its environment has beside the usual."""

    command: Sequence[str] = WORKER
    environment: Mapping[str, str] = field(default_factory=dict)


class Worker:
    """One worker process and the job it is at; its events, and None when it ends, go to the inbox."""

    def __init__(self, number: int, processes: int, program: Program, logs: Path, inbox: "Inbox") -> None:
        self.number = number
        self.job: Job | None = None
        with (logs / f"worker-{number}.log").open("ab") as file:
            self.process = subprocess.Popen(
                program.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env={**_environment(number, processes), **program.environment},
                encoding="utf-8",
            )
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()

    def _listen(self, inbox: "Inbox") -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # half a line from a worker that died
                inbox.put((self, Event.model_validate_json(line)))
        inbox.put((self, None))

    def give(self, job: Job) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died; the inbox says so
            self.process.stdin.write(job.model_dump_json() + "\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """A killed step is as good as an interrupted one; what starts a group of processes gets time to end them."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()


Inbox = queue.SimpleQueue[tuple[Worker, Event | None]]


def run_jobs(
    jobs: Sequence[Job], store: Path, processes: int, listener: Listener, program: Program
) -> list[tuple[Job, Event]]:
    """Does the jobs and returns those that failed; one failing job stops no other.

    After a failure the next job gets a new worker: who knows what is left in the memory of the old one.

    Raises:
        OSError: the disk is full; no job could go on.
    """
    processes = min(processes, len(jobs))
    waiting, failures, workers = deque(jobs), list[tuple[Job, Event]](), list[Worker]()
    inbox: Inbox = queue.SimpleQueue()
    logs = store / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)

    def start(number: int) -> None:
        worker = Worker(number, processes, program, logs, inbox)
        workers.append(worker)
        advance(worker)

    def advance(worker: Worker) -> None:
        worker.job = waiting.popleft() if waiting else None
        if worker.job:
            listener(worker.job, Event(kind="started"))
            worker.give(worker.job)

    try:
        for number in range(processes):
            start(number)
        while any(worker.job for worker in workers):
            worker, event = _next(inbox)
            if worker.job is None:
                continue
            said = event or _died(worker)
            listener(worker.job, said)
            if said.kind == "disk full":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if said.failed:
                failures.append((worker.job, said))
                worker.job = None
                worker.stop()
                if waiting:
                    start(worker.number)
            elif said.kind == "done":
                advance(worker)
    finally:
        for worker in workers:
            worker.stop()
    return failures


def _next(inbox: Inbox) -> tuple[Worker, Event | None]:
    """Waits in short stretches: polars handles SIGINT in a way that lets no Ctrl-C through to a single long wait."""
    while True:
        with contextlib.suppress(queue.Empty):
            return inbox.get(timeout=0.3)


def _died(worker: Worker) -> Event:
    code = worker.process.wait()
    if code == -signal.SIGKILL:
        return Event(kind="failed", what="the worker was killed, probably for memory; run with fewer --processes")
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Event(kind="failed", what=f"the worker died ({how})")


def default_processes(jobs: Sequence[Job]) -> int:
    """As many workers as the GPUs hold side by side, or one per core where there is none; never more than jobs."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(len(jobs), len(gpus()) * workers_per_gpu(jobs) or cores))


def _environment(number: int, processes: int) -> dict[str, str]:
    one_thread = dict.fromkeys(THREADS, "1") | {"POLARS_MAX_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return dict(os.environ) | one_thread | device(number, processes)
