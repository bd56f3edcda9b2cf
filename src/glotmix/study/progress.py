"""What `run` shows while it works: a line per run at work on a terminal, a line per run begun or ended elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from glotmix.study.engine import Listener
from glotmix.study.job import Event, Job

TRAINING_SHARE = 0.8  # of a run's time, a guess that only the overall time left depends on


@contextmanager
def shown(console: Console, jobs: int) -> Iterator[Listener]:
    """A listener that shows events of this many jobs."""
    if not console.is_terminal:
        yield _Lines(console, jobs)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[phase]}", markup=False),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, speed_estimate_period=300) as progress:
        yield _Bars(progress, jobs)


@contextmanager
def judging_shown(console: Console, model: str, answers: int) -> Iterator[Callable[[int], None]]:
    """Gets how many answers are judged by now; without a terminal, a line at the start is all that is shown."""
    if not console.is_terminal:
        console.print(f"judging {answers:,} answers", markup=False, emoji=False, highlight=False)
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, speed_estimate_period=300) as progress:
        bar = progress.add_task(f"judged by {model}", total=answers)
        yield lambda done: progress.update(bar, completed=done)


class _Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console, jobs: int) -> None:
        self.console, self.jobs, self.begun = console, jobs, dict[str, float]()
        self.ended = 0

    def __call__(self, job: Job, event: Event) -> None:
        if event.kind == "started":
            self.begun[job.train] = time.monotonic()
            self._say(f"{job.run}: started")
        elif event.kind == "notice":
            self._say(f"{job.run}: {event.what}")
        elif event.kind == "done" or event.failed:
            self.ended += 1
            seconds = time.monotonic() - self.begun[job.train]
            self._say(f"{job.run}: {event.kind} in {seconds:.0f} s ({self.ended} of {self.jobs})")

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


class _Bars:
    """A bar for all runs and one for each at work."""

    def __init__(self, progress: Progress, jobs: int) -> None:
        self.progress, self.jobs = progress, jobs
        self.bars = dict[str, TaskID]()
        self.phases = dict[str, str]()
        self.shares = dict[str, float]()  # of each job, the part behind us
        self.all = progress.add_task("all runs", total=jobs, phase="", count=f"0/{jobs}", detail="")

    def __call__(self, job: Job, event: Event) -> None:
        if event.kind == "started":
            self.bars[job.train] = self.progress.add_task(job.run, total=1, phase="starting", count="", detail="")
        elif event.kind in ("train", "evaluate"):
            self._advance(job, event)
        elif event.kind == "notice":
            self.progress.console.print(f"{job.run}: {event.what}", markup=False, emoji=False, highlight=False)
        else:
            self.progress.remove_task(self.bars.pop(job.train))
            self.shares[job.train] = 1.0
        ended = sum(share == 1.0 for share in self.shares.values())
        self.progress.update(self.all, completed=sum(self.shares.values()), count=f"{ended}/{self.jobs}")

    def _advance(self, job: Job, event: Event) -> None:
        bar, phase = self.bars[job.train], f"{event.kind} {event.what}".strip()
        count, detail = f"{event.part}/{event.parts}", _detail(event)
        if self.phases.get(job.train) != phase:
            self.progress.reset(bar, phase=phase, count=count, detail=detail)
            self.phases[job.train] = phase
        self.progress.update(bar, completed=event.part, total=max(event.parts, 1), count=count, detail=detail)
        part = event.part / max(event.parts, 1)
        if event.kind == "evaluate":
            part = TRAINING_SHARE + (1 - TRAINING_SHARE) * (event.stage + part) / len(job.evaluations + job.harness)
        else:
            part *= TRAINING_SHARE
        self.shares[job.train] = min(part, 0.99)


def _detail(event: Event) -> str:
    loss = f"loss {event.loss:.3f}" if event.loss is not None else ""
    speed = f"{event.tokens_per_second:,.0f} tok/s" if event.tokens_per_second is not None else ""
    return f"{loss} {speed}".strip()
