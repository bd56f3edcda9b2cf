"""A worker: reads jobs from standard input, one JSON line each, does them, writes events to standard output.

It is a plain program and not a forked child, so that a script or notebook may call `Study.run()` at its top level.
When its input ends, its parent is gone or done, and it exits at once, wherever it is.
"""

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from glotmix.errors import GlotmixError
from glotmix.study.group import Group
from glotmix.study.job import Event, Job
from glotmix.study.store import disk_full
from glotmix.train.divergence import Diverged

Perform = Callable[[Job, Callable[[Event], None]], None]


def serve(perform: Perform, group: Group) -> None:
    """Does jobs until the input ends. Of a group the first process reads and reports; any may report a failure."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print goes to the log

    def report(event: Event) -> None:
        out.write(event.model_dump_json() + "\n")
        out.flush()

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    watch = partial(_listen, lines) if group.main else partial(_outlive, os.getppid())
    threading.Thread(target=watch, daemon=True).start()
    while True:
        job = Job.model_validate_json(group.tell(lines.get() if group.main else ""))
        event = _attempt(perform, job, report if group.main else lambda event: None)
        if group.main or event.kind != "done":
            report(event)
        if group.world > 1 and event.kind != "done":
            os._exit(1)  # the others may be waiting for this one in the middle of the job


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(1)  # no success, so that what started a group ends the others too


def _outlive(parent: int) -> None:
    """Ends this process with its parent."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _attempt(perform: Perform, job: Job, report: Callable[[Event], None]) -> Event:
    try:
        perform(job, report)
    except Exception as error:
        print(f"{job.run} failed", file=sys.stderr)
        traceback.print_exc()
        if disk_full(error, Path(job.store)):
            return Event(kind="disk full")
        if isinstance(error, GlotmixError):
            diverged = isinstance(error, Diverged)
            return Event(kind="diverged" if diverged else "failed", what=str(error), exit_code=error.exit_code)
        return Event(kind="failed", what=f"{type(error).__name__}: {_first_line(error)}")
    return Event(kind="done")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:300]


if __name__ == "__main__":
    from glotmix.study.backends import Backends
    from glotmix.study.steps import perform

    group = Group.joined()
    serve(partial(perform, backends=Backends(), group=group), group)
