"""The steps that judge answers: their keys, and what they will cost at most.

1. A judge step hangs on the evaluation whose answers it judges, and in pairs on the baseline's as well; judging anew
   with another model or prompt generates nothing anew.
2. The baseline of a pair is the run of the baseline setting with the same model and seed, or with that setting's first
   seed if it has no such one. A baseline's own answers count as ties, and nothing is asked about them.
3. The url, the price and the number of calls at a time are in no key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from glotmix.errors import UserError
from glotmix.judge.judge import identity
from glotmix.judge.prompt import read_prompt
from glotmix.pool.row import asked
from glotmix.spec import Judge, StudySpec, per_task
from glotmix.study.identity import key
from glotmix.study.job import EvaluationStep
from glotmix.study.store import Store, read_json

if TYPE_CHECKING:
    from glotmix.study.plan import Plan, Run

# A change of code that changes results adds one here; what was computed before is then computed anew.
JUDGE_VERSION = 1
JUDGED = "instructions"  # the task
BYTES_PER_TOKEN = 4  # of UTF-8, a guess for any language and judge

Place = tuple[str, str, str, int]  # model, setting, language, seed


def with_judging(spec: StudySpec, runs: Sequence["Run"]) -> list["Run"]:
    """The runs, with the judge steps that the spec asks for.

    Raises:
        UserError: answers are to be compared with a baseline that there is not.
    """
    if spec.evaluation.judge is None:
        return list(runs)
    pairwise = spec.evaluation.judge.kind == "pairwise"
    if pairwise and not any(run.cell.baseline for run in runs):
        raise UserError("evaluation.judge.kind: pairwise, but no setting has a baseline to compare with; use rating")
    answers = dict(sorted(_answers(runs).items()))
    return [_judged(spec.evaluation.judge, run, answers if pairwise else {}) for run in runs]


def _answers(runs: Sequence["Run"]) -> dict[Place, str]:
    """Keys of the evaluations whose answers can be compared with."""
    return {
        (run.model.entry, run.cell.name, step.language, run.seed): step.key
        for run in runs
        for step in run.evaluations
        if step.task == JUDGED
    }


def _judged(judge: Judge, run: "Run", answers: Mapping[Place, str]) -> "Run":
    steps = tuple(_step(judge, run, step, answers) if step.task == JUDGED else step for step in run.evaluations)
    return replace(run, evaluations=steps)


def _step(judge: Judge, run: "Run", step: EvaluationStep, answers: Mapping[Place, str]) -> EvaluationStep:
    against = _baseline(run, step.language, answers) if judge.kind == "pairwise" and run.cell.baseline else ""
    name = key(
        "judge",
        JUDGE_VERSION,
        answers=step.key,
        against=against,
        judge=judge.model_dump(mode="json", include={"model", "kind", "max_new_tokens"}),
        prompt=identity(judge.kind),
    )
    return step.model_copy(update={"judge": name, "against": against})


def _baseline(run: "Run", language: str, answers: Mapping[Place, str]) -> str:
    place = (run.model.entry, run.cell.baseline, language)
    if found := answers.get((*place, run.seed)):
        return found
    first = next((answer for other, answer in answers.items() if other[:3] == place), None)
    if first is None:
        what = f"{run.name} has no answers of its baseline {run.cell.baseline!r} to be compared with"
        raise UserError(f"evaluation.judge.kind: pairwise, but {what}; use rating")
    return first


def failed_calls(store: Store, step: EvaluationStep) -> int:
    """How many calls of a judged step failed for good."""
    return int(read_json(store.folder("judge", step.judge) / "done.json").get("inputs", {}).get("failed", 0))


def calls_by_run(plan: "Plan") -> list[int]:
    """The most calls that each run needs; a step that runs share counts with the first."""
    seen, counts = set[str](), []
    for run in plan.runs:
        own = [step for step in run.evaluations if step.judge and step.judge not in seen]
        seen.update(step.judge for step in own)
        counts.append(sum(_calls(plan.spec, step) for step in own))
    return counts


def _calls(spec: StudySpec, step: EvaluationStep) -> int:
    assert spec.evaluation.judge is not None
    each = 1 if spec.evaluation.judge.kind == "rating" else 2 if step.against else 0
    return each * per_task(spec.evaluation.items_per_language, step.task)


def price_of_call(plan: "Plan") -> float | None:
    """About what a call costs at most: all answers as long as they may be; None without prices or the pool's rows."""
    judge = plan.spec.evaluation.judge
    keys = {step.rows for run in plan.runs for step in run.evaluations if step.judge}
    if judge is None or judge.price_per_million_tokens is None or not all(name in plan.rows for name in keys):
        return None
    questions = [messages for name in sorted(keys) for messages in plan.rows[name]["messages"].head(40).to_list()]
    sizes = [sum(len(part["content"].encode()) for part in asked(messages)) for messages in questions]
    prompt = len(read_prompt(identity(judge.kind)[0])) + sum(sizes) / len(sizes)
    answers = (1 if judge.kind == "rating" else 2) * per_task(plan.spec.evaluation.max_new_tokens, JUDGED)
    prices = judge.price_per_million_tokens
    return ((prompt / BYTES_PER_TOKEN + answers) * prices.input + judge.max_new_tokens * prices.output) / 1e6
