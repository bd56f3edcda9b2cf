"""The study: one folder with a `study.yaml`, the store of its finished steps, and its report."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl
from rich.console import Console

from glotmix.analysis import Declared, findings
from glotmix.errors import GlotmixError, UserError
from glotmix.report.info import StudyInfo
from glotmix.spec import StudySpec, load_spec
from glotmix.study.backends import check_backend
from glotmix.study.budget import Speed, notes, plan_frame, speed_key
from glotmix.study.effects import effects_frame
from glotmix.study.engine import WORKER, Listener, Program, default_processes, run_jobs
from glotmix.study.estimate import Estimate
from glotmix.study.identity import key
from glotmix.study.job import Event, Job
from glotmix.study.judge_steps import failed_calls
from glotmix.study.judging import check_judge, judge_answers, missing_key
from glotmix.study.launch import launched
from glotmix.study.libraries import check_libraries, check_trackers
from glotmix.study.models import Seen, fetch_model
from glotmix.study.plan import Plan, Run, is_done, make_plan
from glotmix.study.progress import shown
from glotmix.study.quiet import quiet
from glotmix.study.results import results_frame, samples_frame
from glotmix.study.selection import curves_frame, selection_frame, validation_frame
from glotmix.study.store import Store, disk_full, read_json, write_json
from glotmix.study.summary import study_info
from glotmix.version import version

FILE = "study.yaml"
HASHES = "model-files.json"
MODELS = "models.json"
SPEEDS = "speeds.json"


class RunsFailed(GlotmixError):
    """One line per run that failed; the others are done. `findings` are of those, if there are any."""

    def __init__(self, message: str, exit_code: int, findings: pl.DataFrame | None = None) -> None:
        super().__init__(message)
        self.exit_code, self.findings = exit_code, findings


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
    def planned(self) -> Plan:
        """The spec resolved against pool and models, as far as they are on this machine."""
        return make_plan(self.spec, self.folder, self._file_hashes, self._models_seen)

    @property
    def resolved(self) -> Plan:
        """The plan, when the pool is there.

        Raises:
            UserError: it is not.
        """
        if self.planned.no_pool:
            raise self.planned.no_pool
        return self.planned

    @cached_property
    def _file_hashes(self) -> dict[str, str]:
        return read_json(self.store.root / HASHES)

    @cached_property
    def _models_seen(self) -> Seen:
        return read_json(self.store.root / MODELS)

    def plan(
        self, tokens_per_second: Mapping[str, float] | None = None, price_per_hour: float | None = None
    ) -> pl.DataFrame:
        """Every run (`PLAN_SCHEMA`) with its rows and steps, what it costs as far as that is known, and what it shares.

        Neither the pool nor the models need to be there, and nothing is fetched.

        Args:
            tokens_per_second: read in training by one GPU, by model name; what `calibrate` measured if not given.
            price_per_hour: of one GPU.

        Raises:
            UserError: the study can't be right.
        """
        given = {name: Speed(training=speed) for name, speed in (tokens_per_second or {}).items()}
        return plan_frame(self.planned, self.store, self._speeds() | given, price_per_hour)

    def effects(self) -> pl.DataFrame:
        """The smallest gains over a baseline that the study can detect (`EFFECTS_SCHEMA`), before anything is run."""
        return effects_frame(self.planned)

    def longer_rows(self) -> pl.DataFrame:
        """How many of up to 40 rows of each task and language each model's tokenizer makes longer than the recipe
        allows (`LONGER_SCHEMA`), as far as pool and tokenizers are here; what was trained is counted in the report.
        """
        return Estimate(self.planned).longer_rows()

    def missing(self) -> list[str]:
        """What `run` needs and is not there yet, a line each, with what brings it."""
        return [line for line in (*notes(self.planned), missing_key(self.planned, self.store)) if line]

    def _speeds(self) -> dict[str, Speed]:
        """What was measured of the models as they are and under this recipe, by model name."""
        found = read_json(self.store.root / SPEEDS)
        models = {run.model.name: speed_key(self.spec, run.model) for run in self.planned.runs}
        return {name: Speed(**found[measured]) for name, measured in models.items() if measured in found}

    def calibrate(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Measures how fast this machine trains, and lets write, each model that is on it; `plan` then knows.

        Args:
            say: gets a line for each thing that is measured.

        Raises:
            UserError: neither a model nor the pool may be missing.
        """
        here = [run for run in self.resolved.runs if not run.model.absent]
        if not here:
            raise UserError("--calibrate: none of the models is on this machine; give --tokens-per-second")
        largest = {run.model.name: run for run in sorted(here, key=lambda run: run.cell.total_rows)}
        with quiet():
            from glotmix.study.calibrate import measured  # imports torch

            for run, speed in measured(self.resolved, largest.values(), say):
                found = read_json(self.store.root / SPEEDS)
                self.store.root.mkdir(parents=True, exist_ok=True)
                write_json(self.store.root / SPEEDS, found | {speed_key(self.spec, run.model): asdict(speed)})

    def run(
        self,
        processes: int | None = None,
        console: Console | None = None,
        worker: Sequence[str] = WORKER,
        accelerate: Path | None = None,
    ) -> pl.DataFrame:
        """Does everything that is not done yet, writes the report of what is done, and returns the findings.

        Args:
            processes: runs side by side; as many as the GPUs hold, or else one per core, if not given.
            console: where progress is shown; standard error if not given.
            worker: the program that does a job.
            accelerate: a config file of accelerate; the processes it asks for do every job together.

        Raises:
            UserError: the study can't be right, or another process runs it.
            RunsFailed: some runs failed; the others are done, and findings and report tell of them.
            DiskFull: what is done is kept.
        """
        program = Program(worker)
        if accelerate:
            program, processes = launched(accelerate, self.spec.evaluation, processes), 1
        plan, screen = self._with_models(), console or Console(stderr=True)
        try:
            with self.store.lock():
                check_judge(plan, self.store)
                check_backend(plan.spec.evaluation)
                failures = None
                if jobs := plan.jobs(self.store):
                    self._write_inputs(plan, jobs)
                    with shown(screen, len(jobs)) as listener:
                        failures = self._work(jobs, processes or default_processes(jobs), listener, program)
                judge_answers(plan, self.store, screen)
                if failures and not any(is_done(run, self.store) for run in plan.runs):
                    raise failures
                found = self.findings()
                self._refresh_report(found)
                if failures:
                    raise RunsFailed(str(failures), failures.exit_code, found)
                return found
        except RunsFailed as failed:
            message = f"{failed}\n{self.count_done()}; run again to retry the others"
            raise RunsFailed(message, failed.exit_code, failed.findings) from None
        except Exception as error:
            if disk_full(error, self.folder):
                message = f"disk full at {self.store.root}: free space and run again; {self.count_done()}"
                raise DiskFull(message) from None
            raise

    def _with_models(self) -> Plan:
        """The plan, with the models that must be trained from fetched, once libraries are there; long rows refused."""
        if self.resolved.unfinished(self.store):
            check_trackers(self.spec.trackers)
            check_libraries(self.spec.recipe)
        if self.resolved.untrainable(self.store):
            for model in self.resolved.untrainable(self.store):
                fetch_model(model)
            del self.planned
        if self.resolved.unfinished(self.store):
            Estimate(self.resolved).check()
        return self.resolved

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

    def _work(self, jobs: list[Job], processes: int, listener: Listener, program: Program) -> RunsFailed | None:
        def record(job: Job, event: Event) -> None:
            self.store.retry(job.train)
            if event.failed:
                self.store.fail(job.train, event.kind, event.what)
            listener(job, event)

        failures = run_jobs(jobs, self.store.root, processes, record, program)
        if not failures:
            return None
        lines = [f"{job.run}: {event.what}" for job, event in failures]
        logs = f"what workers printed is in {self.store.root / 'logs'}"
        return RunsFailed("\n".join([*lines, logs]), min(event.exit_code for _, event in failures))

    def count_done(self) -> str:
        done = sum(is_done(run, self.store) for run in self.resolved.runs)
        return f"{done} of {len(self.resolved.runs)} runs are done"

    def status(self) -> pl.DataFrame:
        """Every run's state: done, failed or diverged (with the reason), begun or waiting, and how many evaluations it
        has.
        """
        return pl.DataFrame([self._state(run) for run in self.resolved.runs], schema=STATUS_SCHEMA)

    def _state(self, run: Run) -> dict[str, str | int | None]:
        done = [step for step in run.measured if self.store.is_done("evaluate", step.key)]
        trained = self.store.is_done("train", run.train)
        begun = trained or self.store.partial("train", run.train).is_dir()
        failure, reason = self.store.failure(run.train)
        judged = [step for step in run.evaluations if step.judge and self.store.is_done("judge", step.judge)]
        finished = is_done(run, self.store)
        state = "done" if finished else failure or ("begun" if begun else "waiting")
        return {
            "run": run.name,
            "state": state,
            "trained": trained,
            "evaluated": len(done),
            "evaluations": len(run.measured),
            "judged": len(judged),
            "to_judge": sum(bool(step.judge) for step in run.evaluations),
            "reason": "" if finished else reason,
        }

    def results(self) -> pl.DataFrame:
        """The results table (`RESULTS_SCHEMA`): one record per run, task, language and test item, of what is done."""
        return results_frame(self.resolved, self.store)

    def samples(self) -> pl.DataFrame:
        """What was asked and answered (`SAMPLES_SCHEMA`): prompt, reference, output and verdict of what is done."""
        return samples_frame(self.resolved, self.store)

    def validation(self) -> pl.DataFrame:
        """Every validation row at every checkpoint (`VALIDATION_SCHEMA`) of what is done, and if that step was kept."""
        return validation_frame(self.resolved, self.store)

    def curves(self) -> pl.DataFrame:
        """The mean of every task and language at every checkpoint (`CURVE_SCHEMA`) of what is done."""
        return curves_frame(self.resolved, self.store)

    def selection(self) -> pl.DataFrame:
        """Which checkpoint every run that is done kept, and how sure that choice is (`SELECTION_SCHEMA`)."""
        return selection_frame(self.resolved, self.store)

    def findings(self) -> pl.DataFrame:
        """Named quantities with their intervals and definitions (`FINDINGS_SCHEMA`), from what is done.

        Raises:
            UserError: nothing is done yet.
        """
        return findings(self.done_results(), anchor=self.spec.languages.anchor, declared=self.declared)

    def done_results(self) -> pl.DataFrame:
        """As `results`.

        Raises:
            UserError: nothing is done yet.
        """
        results = self.results()
        if results.is_empty():
            raise UserError(f"{self.folder}: no run is done yet; `glotmix run {self.folder}` starts")
        return results

    @property
    def declared(self) -> Declared:
        """What the study file says of the analysis; its margin is in points."""
        own = self.spec.analysis
        return Declared(own.margin / 100, own.control, own.groups)

    def report(self, figures: Path | None = None) -> Path:
        """Writes the report of what is done and returns its path.

        Args:
            figures: a folder for every figure with its numbers, and the findings, as files.

        Raises:
            UserError: nothing is done yet.
        """
        found = self.findings()
        if figures:
            from glotmix.report.page import export  # charts are slow to import

            export(self._info(), self.results(), found, figures)
        return self._write_report(found)

    def _info(self) -> StudyInfo:
        return replace(study_info(self.file, self.resolved, self.store), declared=self.declared)

    def _write_report(self, found: pl.DataFrame) -> Path:
        from glotmix.report.page import write_report  # charts are slow to import

        results, samples = self.results(), self.samples()
        info = self._info()
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
        steps = sorted(step.key for run in plan.runs if is_done(run, self.store) for step in run.measured)
        failed = sorted({run.train: self.store.failure(run.train) for run in plan.runs}.items())
        judged = sorted([step.judge, failed_calls(self.store, step)] for run in plan.runs for step in run.evaluations)
        spec = self.spec.model_dump(mode="json")
        told = {"key": key("report", 1, spec=spec, steps=steps, failed=failed, judged=judged, glotmix=version())}
        if not self.report_path.is_file() or read_json(record) != told:
            self._write_report(found)
            write_json(record, told)


STATUS_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "state": pl.String(),  # done | failed | diverged | begun | waiting
        "trained": pl.Boolean(),
        "evaluated": pl.Int64(),  # of its evaluations, one per task and language
        "evaluations": pl.Int64(),
        "judged": pl.Int64(),  # of those that a judge scores
        "to_judge": pl.Int64(),
        "reason": pl.String(),  # of a failure, else empty
    }
)
