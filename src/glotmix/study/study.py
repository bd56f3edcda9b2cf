"""The study: one folder with a `study.yaml`, the store of its finished steps, and its report."""

import uuid
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl
from rich.console import Console

from glotmix.analysis import findings
from glotmix.errors import GlotmixError, UserError
from glotmix.spec import StudySpec, load_spec
from glotmix.study.engine import WORKER, Listener, default_processes, run_jobs
from glotmix.study.identity import key
from glotmix.study.job import Event, Job
from glotmix.study.models import Seen
from glotmix.study.plan import Plan, Run, is_done, make_plan, plan_frame
from glotmix.study.progress import shown
from glotmix.study.results import results_frame, samples_frame
from glotmix.study.store import Store, disk_full, read_json, write_json
from glotmix.study.summary import study_info
from glotmix.version import version

FILE = "study.yaml"
HASHES = "model-files.json"
MODELS = "models.json"


class RunsFailed(GlotmixError):
    """One line per run that failed; the others are done."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class DiskFull(GlotmixError):
    """No step can be written until space is freed; what is done is kept."""


class Study:
    """A declared study and what is done of it.

    >>> Study.load("my-study").run()            # doctest: +SKIP
    >>> Study.load("my-study").findings()       # doctest: +SKIP
    """

    def __init__(self, file: Path, spec: StudySpec) -> None:
        self.file, self.folder = file, file.parent
        self.spec = spec
        self.store = Store(self.folder / "store")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The study of a folder, or of the study file in it.

        Raises:
            UserError: no study file there, or one that can't be right.
        """
        found = Path(path)
        file = found if found.is_file() else found / FILE
        return cls(file, load_spec(file))

    @cached_property
    def resolved(self) -> Plan:
        """The spec resolved against pool and models."""
        return make_plan(self.spec, self.folder, self._file_hashes, self._models_seen)

    @cached_property
    def _file_hashes(self) -> dict[str, str]:
        return read_json(self.store.root / HASHES)

    @cached_property
    def _models_seen(self) -> Seen:
        return read_json(self.store.root / MODELS)

    def plan(self) -> pl.DataFrame:
        """Every run with its rows, steps and estimated tokens, and whether it is done."""
        return plan_frame(self.resolved, self.store)

    def run(
        self, processes: int | None = None, console: Console | None = None, worker: Sequence[str] = WORKER
    ) -> pl.DataFrame:
        """Does everything that is not done yet, writes the report, and returns the findings.

        Args:
            processes: runs side by side; one per GPU, or else per core, if not given.
            console: where progress is shown; standard error if not given.
            worker: the program that does a job.

        Raises:
            UserError: the study can't be right, or another process runs it.
            RunsFailed: some runs failed; the others are done.
            DiskFull: what is done is kept.
        """
        plan = self.resolved
        try:
            with self.store.lock():
                if jobs := plan.jobs(self.store):
                    self._write_inputs(plan, jobs)
                    with shown(console or Console(stderr=True), len(jobs)) as listener:
                        self._work(jobs, processes or default_processes(len(jobs)), listener, worker)
                found = self.findings()
                self._refresh_report(found)
                return found
        except RunsFailed as failed:
            message = f"{failed}\n{self.count_done()}; run again to retry the others"
            raise RunsFailed(message, failed.exit_code) from None
        except Exception as error:
            if disk_full(error, self.folder):
                message = f"disk full at {self.store.root}: free space and run again; {self.count_done()}"
                raise DiskFull(message) from None
            raise

    def _write_inputs(self, plan: Plan, jobs: list[Job]) -> None:
        """Puts into the store what workers read: mixtures, validation and test rows."""
        write_json(self.store.root / HASHES, self._file_hashes)
        write_json(self.store.root / MODELS, self._models_seen)
        for mixture in {job.mixture for job in jobs}:
            if not self.store.is_done("mixture", mixture):
                with self.store.writing("mixture", mixture) as folder:
                    plan.mixtures[mixture].write(folder)
        for rows in {job.validation for job in jobs} | {step.rows for job in jobs for step in job.evaluations}:
            if not self.store.is_done("rows", rows):
                with self.store.writing("rows", rows) as folder:
                    plan.rows[rows].write_parquet(folder / "rows.parquet")

    def _work(self, jobs: list[Job], processes: int, listener: Listener, worker: Sequence[str]) -> None:
        def record(job: Job, event: Event) -> None:
            self.store.retry(job.train)
            if event.kind == "failed":
                self.store.fail(job.train, event.what)
            listener(job, event)

        failures = run_jobs(jobs, self.store.root, processes, record, worker)
        if failures:
            lines = [f"{job.run}: {event.what}" for job, event in failures]
            logs = f"what workers printed is in {self.store.root / 'logs'}"
            raise RunsFailed("\n".join([*lines, logs]), min(event.exit_code for _, event in failures))

    def count_done(self) -> str:
        done = sum(is_done(run, self.store) for run in self.resolved.runs)
        return f"{done} of {len(self.resolved.runs)} runs are done"

    def status(self) -> pl.DataFrame:
        """Every run's state: done, failed (with the reason), begun or waiting, and how many evaluations it has."""
        return pl.DataFrame([self._state(run) for run in self.resolved.runs], schema=STATUS_SCHEMA)

    def _state(self, run: Run) -> dict[str, str | int | None]:
        done = [step for step in run.evaluations if self.store.is_done("evaluate", step.key)]
        trained = self.store.is_done("train", run.train)
        begun = trained or self.store.partial("train", run.train).is_dir()
        reason = self.store.failure(run.train)
        finished = trained and len(done) == len(run.evaluations)
        state = "done" if finished else "failed" if reason else "begun" if begun else "waiting"
        return {
            "run": run.name,
            "state": state,
            "trained": trained,
            "evaluated": len(done),
            "evaluations": len(run.evaluations),
            "reason": "" if finished else reason,
        }

    def results(self) -> pl.DataFrame:
        """The results table (`RESULTS_SCHEMA`): one record per run, task, language and test item, of what is done."""
        return results_frame(self.resolved, self.store)

    def samples(self) -> pl.DataFrame:
        """What was asked and answered (`SAMPLES_SCHEMA`): prompt, reference, output and verdict of what is done."""
        return samples_frame(self.resolved, self.store)

    def findings(self) -> pl.DataFrame:
        """Named quantities with their intervals and definitions (`FINDINGS_SCHEMA`), from what is done.

        Raises:
            UserError: nothing is done yet.
        """
        results = self.results()
        if results.is_empty():
            raise UserError(f"{self.folder}: no run is done yet; `glotmix run {self.folder}` starts")
        return findings(results, anchor=self.spec.languages.anchor)

    def report(self) -> Path:
        """Writes the report of what is done and returns its path.

        Raises:
            UserError: nothing is done yet.
        """
        return self._write_report(self.findings())

    def _write_report(self, found: pl.DataFrame) -> Path:
        from glotmix.report import write_report  # charts are slow to import

        results, samples = self.results(), self.samples()
        info = study_info(self.file, self.resolved, self.store)
        beside = self.folder / f".report-{uuid.uuid4().hex[:8]}.html"
        try:
            write_report(info, results, found, samples, beside)
            return beside.replace(self.report_path)
        finally:
            beside.unlink(missing_ok=True)

    @property
    def report_path(self) -> Path:
        return self.folder / "report.html"

    def _refresh_report(self, found: pl.DataFrame) -> None:
        """Writes the report unless the one that is there tells of the same study and the same finished steps."""
        plan, record = self.resolved, self.store.root / "report.json"
        steps = sorted(step.key for run in plan.runs for step in run.evaluations)
        told = {"key": key("report", 1, spec=self.spec.model_dump(mode="json"), steps=steps, glotmix=version())}
        if not self.report_path.is_file() or read_json(record) != told:
            self._write_report(found)
            write_json(record, told)


STATUS_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "state": pl.String(),  # done | failed | begun | waiting
        "trained": pl.Boolean(),
        "evaluated": pl.Int64(),  # of its evaluations, one per task and language
        "evaluations": pl.Int64(),
        "reason": pl.String(),  # of a failure, else empty
    }
)
