"""A worker: reads jobs from standard input, one JSON line each, does them, writes events to standard output.

It is a plain program and not a forked child, so that a script or notebook may call `Study.run()` at its top level.
When its input ends, its parent is gone or done, and it exits at once, wherever it is.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from glotmix.errors import GlotmixError
from glotmix.study.job import Event, Job
from glotmix.study.store import disk_full

Perform = Callable[[Job, Callable[[Event], None]], None]


def serve(perform: Perform) -> None:
    """Does jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print goes to the log

    def report(event: Event) -> None:
        out.write(event.model_dump_json() + "\n")
        out.flush()

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    while True:
        job = Job.model_validate_json(lines.get())
        report(_attempt(perform, job, report))


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _attempt(perform: Perform, job: Job, report: Callable[[Event], None]) -> Event:
    try:
        perform(job, report)
    except Exception as error:
        print(f"{job.run} failed", file=sys.stderr)
        traceback.print_exc()
        if disk_full(error, Path(job.store)):
            return Event(kind="disk full")
        if isinstance(error, GlotmixError):
            return Event(kind="failed", what=str(error), exit_code=error.exit_code)
        return Event(kind="failed", what=f"{type(error).__name__}: {_first_line(error)}")
    return Event(kind="done")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:300]


if __name__ == "__main__":
    from glotmix.study.backends import Backends
    from glotmix.study.steps import perform

    serve(partial(perform, backends=Backends()))
