"""The last phase of a study: what its runs answered is judged, all runs together, in the main process.

1. Steps are judged in batches; a batch is asked at once, and each of its steps is then written with all its calls.
2. Every reply is in `store/judge-calls.sqlite` the moment it is there, so that a killed run pays nothing twice.
3. A step in which calls failed for good is there, its answers unjudged; the next run asks for those calls again.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import polars as pl
from rich.console import Console

from glotmix.errors import GlotmixError, UserError
from glotmix.generate.backend import Output
from glotmix.generate.replies import Failure
from glotmix.judge import Answer, Case, Judge, Judgement
from glotmix.pool.row import asked, with_every_column
from glotmix.spec import Judge as JudgeSpec
from glotmix.spec import StudySpec
from glotmix.study.evaluate import read_outputs, scores_frame
from glotmix.study.job import EvaluationStep
from glotmix.study.judge_calls import Taken, calls_frame
from glotmix.study.judge_steps import failed_calls
from glotmix.study.plan import Plan
from glotmix.study.progress import judging_shown
from glotmix.study.store import Store

REPLIES = "judge-calls.sqlite"
STEPS_AT_ONCE = 32
RETRIES_AT_START = 2
Show = Callable[[int], None]  # gets how many answers are judged


def missing_key(plan: Plan, store: Store) -> str:
    """A line on the environment variable that the judge's key is not in; nothing if none is needed."""
    judge = plan.spec.evaluation.judge
    if judge is None or not judge.api_key_env or os.environ.get(judge.api_key_env) or not _unfinished(plan, store):
        return ""
    fix = "set it, or set api_key_env: null for a server that wants no key"
    return f"evaluation.judge.api_key_env: the environment variable {judge.api_key_env} is not set; {fix}"


def check_judge(plan: Plan, store: Store) -> None:
    """Sees to it that the judge can be asked, before anything is trained. The one small call it takes is cached.

    Raises:
        UserError: no key, or an endpoint that refuses all requests.
        GlotmixError: it can't be reached, or can't do what the spec asks for.
    """
    if line := missing_key(plan, store):
        raise UserError(line)
    if plan.spec.evaluation.judge and _unfinished(plan, store):
        answer = _judge(plan.spec.evaluation.judge, store, retries=RETRIES_AT_START).greet()
        if isinstance(answer, Failure):
            raise GlotmixError(f"evaluation.judge: {plan.spec.evaluation.judge.url}: {answer.reason}")


def judge_answers(plan: Plan, store: Store, console: Console) -> None:
    """Judges what is generated and not judged yet, and says what that took.

    Raises:
        UserError, GlotmixError: the endpoint refuses all requests or is down; what is done is kept.
    """
    spec, steps = plan.spec.evaluation.judge, _waiting(plan, store)
    if spec is None or not steps:
        return
    judge, taken = _judge(spec, store), Taken()
    with judging_shown(console, spec.model, sum(len(plan.rows[step.rows]) for step in steps)) as show:
        for start in range(0, len(steps), STEPS_AT_ONCE):
            _judge_batch(judge, plan, store, steps[start : start + STEPS_AT_ONCE], taken, show)
    for line in taken.told(spec):
        console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


def _judge(spec: JudgeSpec, store: Store, **settings: int) -> Judge:
    from glotmix.generate.endpoint import Calls, Endpoint  # imports openai

    endpoint = Endpoint(
        spec.url,
        api_key_env=spec.api_key_env or "",
        calls=Calls(store.root / REPLIES),
        concurrency=spec.concurrency,
        **settings,
    )
    return Judge(endpoint, spec.model, spec.kind, spec.max_new_tokens)


def _unfinished(plan: Plan, store: Store) -> list[EvaluationStep]:
    """Every step that is not judged yet, or in which calls failed; those that runs share once."""
    steps = {step.judge: step for run in plan.runs for step in run.evaluations if step.judge}
    return [step for step in steps.values() if not store.is_done("judge", step.judge) or failed_calls(store, step)]


def _waiting(plan: Plan, store: Store) -> list[EvaluationStep]:
    """Those of them whose answers are there."""
    return [
        step
        for step in _unfinished(plan, store)
        if all(store.is_done("evaluate", answers) for answers in (step.key, step.against) if answers)
    ]


def _judge_batch(
    judge: Judge, plan: Plan, store: Store, steps: Sequence[EvaluationStep], taken: Taken, show: Show
) -> None:
    rows = [plan.rows[step.rows] for step in steps]
    outputs = [read_outputs(store, step.key) for step in steps]
    cases = [
        _cases(plan.spec, store, step, own, answers) for step, own, answers in zip(steps, rows, outputs, strict=True)
    ]
    before, here = taken.answers, sum(map(len, cases))
    every = iter(
        judge.judge(
            [case for own in cases for case in own],
            lambda done, total: show(before + here * done // max(total, 1)),
        )
    )
    for step, own, answers in zip(steps, rows, outputs, strict=True):
        judgements = list(islice(every, len(own)))
        _write(store, step, own, answers, judgements)
        taken.add(judgements)
    show(taken.answers)


def _cases(
    spec: StudySpec, store: Store, step: EvaluationStep, rows: pl.DataFrame, outputs: Sequence[Output]
) -> list[Case]:
    """A pair's baseline is compared with itself, and so ties."""
    pairwise = spec.evaluation.judge is not None and spec.evaluation.judge.kind == "pairwise"
    others = read_outputs(store, step.against) if step.against else outputs
    languages = with_every_column(rows)["answer_language"].fill_null(step.language)
    return [
        Case(_question(messages), language, _answer(output), _answer(other) if pairwise else None)
        for messages, language, output, other in zip(
            rows["messages"].to_list(), languages, outputs, others, strict=True
        )
    ]


def _answer(output: Output) -> Answer:
    return Answer(output.text, output.finished)


def _question(messages: Sequence[Mapping[str, str]]) -> str:
    """What was asked; of a longer conversation every message with its role."""
    before = asked(messages)
    if len(before) == 1:
        return before[0]["content"]
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in before)


def _write(
    store: Store,
    step: EvaluationStep,
    rows: pl.DataFrame,
    outputs: Sequence[Output],
    judgements: Sequence[Judgement],
) -> None:
    """A step that is there with calls that had failed makes room first; all its replies are cached."""
    calls = calls_frame(rows["item_id"].to_list(), judgements)
    failed = len(calls) - calls["reply"].count()
    store.discard("judge", step.judge)
    with store.writing("judge", step.judge, answers=step.key, against=step.against, failed=failed) as out:
        scores_frame(rows, outputs, [judgement.score for judgement in judgements]).write_parquet(
            out / "results.parquet"
        )
        calls.write_parquet(out / "calls.parquet")
