"""The study file: every word a `study.yaml` may use, on one page.

1. A spec is frozen and canonical: what a default stands for is written out before it is hashed.
2. An unknown key, a value out of range or a language twice is a `UserError` naming the key, the value and the fix.
3. Nothing here reads a pool or a model; `study/plan.py` checks the spec against them.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from glotmix.errors import UserError
from glotmix.language import Language


def _once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{value!r} is named twice; name each once")
    return values


def _sorted(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(values))


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


def _tag(tag: str) -> str:
    return Language.get(tag).tag


# strict: `yes` is no 1, and 2.0 no count
Count = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Positive = Annotated[int, Field(gt=0, lt=2**31, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]
TaskName = Literal["math", "summarization", "instructions", "api_calls"]
Tag = Annotated[str, AfterValidator(_tag)]
Tags = Annotated[tuple[Tag, ...], AfterValidator(_once)]
SeedList = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(_once)]


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Languages(Spec):
    """Tags (BCP-47): the anchor has a fixed count of rows, the others are what a design adds to it."""

    anchor: Tag = "en"
    train: Tags
    evaluate: Tags

    @model_validator(mode="after")
    def _roles(self) -> "Languages":
        if self.anchor in self.train:
            raise ValueError(f"train names the anchor {self.anchor!r}; leave it out: the anchor is always trained on")
        if self.anchor not in self.evaluate:
            raise ValueError(f"evaluate lacks the anchor {self.anchor!r}; add it: gains and gaps are relative to it")
        return self

    def role(self, tag: str) -> str:
        """anchor, seen or unseen, by the study's training languages."""
        return "anchor" if tag == self.anchor else "seen" if tag in self.train else "unseen"


class Increments(Spec):
    """A fixed count of anchor rows and, for every n, n rows of each training language; all counts per task."""

    kind: Literal["increments"]
    anchor_rows: Positive
    rows_per_language: Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(_once), AfterValidator(_sorted)]


class Seeds(Spec):
    """Training seeds: of every cell, and more at chosen ones (by their rows per language)."""

    everywhere: SeedList = (0,)
    at: dict[Count, SeedList] = {}


def _plain_list(value: Any) -> Any:
    return value if isinstance(value, dict | Seeds) else {"everywhere": value}


class Selection(Spec):
    """Which checkpoint is evaluated: the best on `metric` over the languages of the mixture, or those named."""

    metric: Literal["validation_loss"] = "validation_loss"
    languages: Literal["mixture"] | Annotated[Tags, Field(min_length=1)] = "mixture"
    rows_per_language: Positive = 50


class Recipe(Spec):
    """How to train. Exactly one of `epochs` and `steps` is given."""

    batch_rows: Positive = 64
    learning_rate: Number = Field(default=1e-5, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: Count = 0
    weight_decay: Number = Field(default=0.0, ge=0)
    max_gradient_norm: Number = Field(default=1.0, gt=0)
    epochs: Positive | None = None
    steps: Positive | None = None
    checkpoint_every: Positive = 50
    select: Selection = Selection()
    loss_on: Literal["answer", "all"] = "answer"
    template: Literal["plain", "chat"] = "plain"
    max_tokens: Positive = 2048
    longer_rows: Literal["refuse", "truncate"] = "refuse"
    tokens_per_micro_batch: Positive = 8192
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _length(self) -> "Recipe":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give exactly one of epochs and steps")
        if self.steps is not None and self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps is {self.warmup_steps} of {self.steps} steps; make it fewer")
        return self


class Evaluation(Spec):
    items_per_language: Positive = 250
    max_new_tokens: Positive = 512
    decoding: Literal["greedy"] = "greedy"
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_rows: Positive = 64


class StudySpec(Spec):
    """The whole of a `study.yaml`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    question: str = ""
    models: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_once)]
    pool: str
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1), AfterValidator(_once)]
    languages: Languages
    design: Increments
    items: Literal["shared", "disjoint"] = "shared"
    repeat: bool = False
    data_seed: Count = 0
    seeds: Annotated[Seeds, BeforeValidator(_plain_list, json_schema_input_type=Seeds | SeedList)] = Seeds()
    recipe: Recipe
    evaluation: Evaluation = Evaluation()


class _Double(yaml.MarkedYAMLError):
    """A key is there twice; YAML's own loaders silently take the last."""


class _Loader(yaml.SafeLoader):
    """The safe loader, without the silence on double keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise _Double(problem=f"key {key.value!r} is there twice; keep one", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_spec(path: Path) -> StudySpec:
    """Reads and checks a study file.

    Raises:
        UserError: the file is missing, is not YAML, or one of its keys or values is not allowed.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no study file there; `glotmix init {path.parent}` makes one") from None
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        fault = error.problem if isinstance(error, _Double) else "not YAML; check indentation, colons and UTF-8"
        raise UserError(f"{path}{line}: {fault}") from None
    if not isinstance(raw, dict):
        raise UserError(
            f"{path}: a study file is a mapping of keys such as name, models, pool; got {type(raw).__name__}"
        )
    try:
        return StudySpec.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{path}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    """One line: the key, what is wrong, the value, and how many more keys are at fault."""
    faults = [(_names(fault), fault) for fault in error.errors()]
    first = faults[0][0]
    # of a key that takes one thing or another, the fault found deepest is of the thing that was meant
    location, fault = max((pair for pair in faults if pair[0][: len(first)] == first), key=lambda pair: len(pair[0]))
    message = fault["msg"].removeprefix("Value error, ").split(" or instance of")[0]
    if fault["type"] == "extra_forbidden":
        message = f"unknown key; {_nearest(location)}"
    elif fault["type"] == "string_type" and isinstance(fault["input"], bool):
        message = "YAML reads yes, no, on and off as true and false; put the word in quotes"
    elif fault["type"] == "tuple_type":
        message = f"Input should be a list{_as_list(fault['input'])}"
    value = "" if fault["type"] in ("extra_forbidden", "missing") else f" (got {fault['input']!r:.80})"
    others = len({names for names, _ in faults if names[: len(first)] != first[: len(names)]})
    more = f"; {others} more" if others else ""
    return f"{'.'.join(map(str, location)) or 'study'}: {message}{value}{more}"


def _names(fault: ErrorDetails) -> tuple[int | str, ...]:
    """Keys and places of a fault, without pydantic's names for the branches of a union."""
    *outer, last = fault["loc"] or ("",)
    kept = [part for part in outer if isinstance(part, int) or part.isidentifier()]
    is_name = isinstance(last, int) or last.isidentifier() or fault["type"] in ("extra_forbidden", "invalid_key")
    return (*kept, last) if is_name else tuple(kept)


def _as_list(value: Any) -> str:
    return f", like [{value}]" if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _nearest(location: tuple[int | str, ...]) -> str:
    model: Any = StudySpec
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        model = field.annotation if field and hasattr(field.annotation, "model_fields") else None
        if model is None:
            return "remove it"
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
