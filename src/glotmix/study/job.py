"""What the engine and its workers say to each other, one line of JSON each: jobs go down, events come up."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from glotmix.spec import Evaluation, Order, Recipe


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class EvaluationStep(Message):
    """One task and language of a run's evaluation; `key` names the step, `rows` its test rows in the store.

    Judged answers have a second step, named by `judge`; `against` is the step with the answers they are compared with.
    """

    key: str
    task: str
    language: str
    rows: str
    max_new_tokens: int
    judge: str = ""
    against: str = ""


class HarnessStep(Message):
    """One task of lm-evaluation-harness on a run's model; `task` is what the study calls it, `name` what lm_eval does.

    `folder` is where the task's file lies. `metric` counts, of the answers that `filter` took.
    """

    key: str
    task: str
    language: str
    name: str
    folder: str
    metric: str
    filter: str
    num_fewshot: int | None
    limit: int | None
    items: Literal["shared", "disjoint"]


class Job(Message):
    """One training and the evaluations of it that are asked for. `mixture`, `validation`, `train` are keys."""

    run: str
    store: str
    model: str
    mixture: str
    validation: str
    seed: int
    steps: int
    order: Order
    anchor: str
    recipe: Recipe
    evaluation: Evaluation
    train: str
    evaluations: tuple[EvaluationStep, ...]
    harness: tuple[HarnessStep, ...] = ()
    study: str = ""
    trackers: tuple[str, ...] = ()


class Event(Message):
    """How a job stands. `part` of `parts` counts optimizer steps in training and test rows in evaluation."""

    kind: Literal["started", "train", "evaluate", "notice", "done", "failed", "diverged", "disk full"]
    part: int = 0
    parts: int = 0
    loss: float | None = None
    tokens_per_second: float | None = None
    stage: int = 0  # of the evaluations, how many are behind us
    what: str = ""  # evaluate: task and language; notice: what to know; failed, diverged: the reason
    exit_code: int = 1

    @property
    def failed(self) -> bool:
        return self.kind in ("failed", "diverged")
