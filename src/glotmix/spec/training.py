"""How a mixture is trained on and evaluated: order, recipe, checkpoint selection, evaluation."""

import math
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, model_validator
from pydantic import Tag as Branch

from glotmix.spec.judge import Judge
from glotmix.spec.words import Count, Name, Number, PerTask, Positive, Share, SomeTags, Spec, Tag, TaskName, Tasks


class Order(Spec):
    """In which order the rows of a mixture come. Shuffled: every epoch anew.

    Staged: the anchor's rows before or after the others. Interleaved: languages in fixed proportion throughout.
    `tasks`: the tasks one after the other, each in the order above.
    """

    kind: Literal["shuffled", "staged", "interleaved"] = "shuffled"
    anchor: Literal["first", "last"] | None = None
    tasks: Tasks | None = None

    @model_validator(mode="after")
    def _anchor(self) -> "Order":
        if (self.kind == "staged") != (self.anchor is not None):
            raise ValueError("anchor: first or last belongs to kind: staged, and staged needs it")
        return self


class Selection(Spec):
    """Which checkpoint is evaluated: the best on `metric` over the languages of the mixture, or those named."""

    metric: Literal["validation_loss", "task_score"] = "validation_loss"
    languages: Literal["mixture"] | SomeTags = "mixture"
    rows_per_language: PerTask = 50


class Lora(Spec):
    """Low-rank adapters on all linear layers but the head, merged into the weights at the end: no full fine-tuning."""

    rank: Positive = 16
    alpha: Positive = 32


class Recipe(Spec):
    """How to train. Exactly one of `epochs` and `steps` is given.

    `longer_rows`: what happens to a row longer than `max_tokens`; of those dropped or truncated the number is told.
    """

    batch_rows: Positive = 64
    learning_rate: Number = Field(default=1e-5, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: Count = 0
    warmup_share: Annotated[Share, Field(lt=1)] = 0.0
    weight_decay: Number = Field(default=0.0, ge=0)
    max_gradient_norm: Number = Field(default=1.0, gt=0)
    epochs: Positive | None = None
    steps: Positive | None = None
    checkpoint_every: Positive = 50
    select: Selection = Selection()
    loss_on: Literal["answer", "all"] = "answer"
    template: Literal["plain", "chat"] = "plain"
    max_tokens: Positive = 2048
    longer_rows: Literal["refuse", "drop", "truncate"] = "refuse"
    tokens_per_micro_batch: Positive = 8192
    precision: Literal["float32", "bfloat16"] = "float32"
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    gradient_checkpointing: bool = False
    lora: Lora | None = None

    @model_validator(mode="after")
    def _length(self) -> "Recipe":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give exactly one of epochs and steps")
        if self.warmup_steps and self.warmup_share:
            raise ValueError("give warmup_steps or warmup_share, not both")
        if self.steps is not None and self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps is {self.warmup_steps} of {self.steps} steps; make it fewer")
        return self


def optimizer_steps(recipe: Recipe, rows: int) -> int:
    """Steps of a training on a mixture of `rows` rows: `steps`, or the whole number nearest to its epochs.

    Every step has `batch_rows` rows: what an epoch leaves over flows into the next, and the last half batch is dropped
    or filled from one epoch more.

    >>> optimizer_steps(Recipe(epochs=6, batch_rows=512), 10_000)
    117
    """
    return recipe.steps or max(1, nearest(Fraction(rows * (recipe.epochs or 0), recipe.batch_rows)))


def warmup_steps(recipe: Recipe, steps: int) -> int:
    """How many of `steps` the learning rate rises for: `warmup_steps`, or the nearest to `warmup_share`.

    >>> warmup_steps(Recipe(epochs=1, warmup_share=0.03), 117)
    4
    """
    return recipe.warmup_steps or nearest(Fraction(str(recipe.warmup_share)) * steps)


def nearest(value: Fraction) -> int:
    """The nearest whole number, a half rounded up."""
    return math.floor(value + Fraction(1, 2))


class Outcome(Spec):
    """Tasks of lm-evaluation-harness as one outcome of a study, by language; the short form gives the tasks alone.

    `metric` is a name, or `name,filter`; left out, the first that has a number from 0 to 1 for every item.
    `include_path`: a folder with task files of one's own, whose Python functions are run.
    `items: shared`: the nth document of each task is the same problem (see docs/lm-eval.md).
    """

    tasks: Annotated[dict[Tag, str], Field(min_length=1)]
    metric: str | None = None
    num_fewshot: Count | None = None
    limit: Positive | None = None
    include_path: str | None = None
    items: Literal["shared", "disjoint"] = "shared"


def _tasks_alone(value: Any) -> Any:
    short = isinstance(value, dict) and not value.keys() & Outcome.model_fields.keys()
    return {"tasks": value} if short else value


OutcomeOrTasks = Annotated[Outcome, BeforeValidator(_tasks_alone, json_schema_input_type=Outcome | dict[Tag, str])]


class Endpoint(Spec):
    """An OpenAI-compatible server: at `url`, loading models by the folder asked for; or started by `command` for each.

    `command` says {model} and {port}. `api_key_env` names the environment variable with the key; null for none.
    """

    kind: Literal["endpoint"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    command: str | None = None
    api_key_env: Annotated[str, Field(min_length=1)] | None = "OPENAI_API_KEY"
    concurrency: Positive = 8

    @model_validator(mode="after")
    def _server(self) -> "Endpoint":
        if (self.url is None) == (self.command is None):
            raise ValueError("give exactly one of url (a server that runs) and command (one to start)")
        if self.command is not None and not ("{model}" in self.command and "{port}" in self.command):
            raise ValueError("command must say {model} and {port}, as in vllm serve {model} --port {port}")
        return self


def _is_named(value: Any) -> str:
    return "named" if isinstance(value, str) else "endpoint"


Backend = Annotated[
    Annotated[Literal["transformers", "vllm"], Branch("named")] | Annotated[Endpoint, Branch("endpoint")],
    Discriminator(_is_named),
]


class Evaluation(Spec):
    """`backend` writes the answers, in `precision`; `tokens_per_batch` is how much transformers reads at once."""

    items_per_language: PerTask = 250
    max_new_tokens: PerTask = 512
    decoding: Literal["greedy"] = "greedy"
    precision: Literal["float32", "bfloat16"] = "float32"
    tokens_per_batch: Positive = 8192
    backend: Backend = "transformers"
    lm_eval: dict[Name, OutcomeOrTasks] = Field(default={})
    judge: Judge | None = None

    @model_validator(mode="after")
    def _outcome_names(self) -> "Evaluation":
        if double := next((name for name in self.lm_eval if name in get_args(TaskName)), None):
            raise ValueError(f"lm_eval.{double}: glotmix has a task of that name; call the outcome otherwise")
        return self
