"""The kinds of value a study file is made of: counts, numbers, tags, tasks, and lists that name a thing once."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from glotmix.language import Language


def once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{value!r} is named twice; name each once")
    return values


def in_order(values: tuple[Any, ...]) -> tuple[Any, ...]:
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
Share = Annotated[Number, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
TaskName = Literal["math", "summarization", "instructions", "api_calls"]
Tasks = Annotated[tuple[TaskName, ...], Field(min_length=1), AfterValidator(once)]
Tag = Annotated[str, AfterValidator(_tag)]
Tags = Annotated[tuple[Tag, ...], AfterValidator(once)]
SomeTags = Annotated[tuple[Tag, ...], Field(min_length=1), AfterValidator(once)]
Names = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(once)]
SeedList = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(once)]
Grid = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(once), AfterValidator(in_order)]
PerTask = Positive | Annotated[dict[TaskName, Positive], Field(min_length=1)]  # one number for all tasks, or one each


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def per_task(value: PerTask, task: str) -> int:
    """The number that a `PerTask` gives a task; `check_tasks` has seen to it that there is one."""
    return value if isinstance(value, int) else value[task]  # type: ignore[index]


def check_tasks(name: str, value: Any, tasks: Iterable[str]) -> None:
    """Refuses a number per task that leaves out one of the tasks or names another.

    Raises:
        ValueError: naming the key, the task and the fix.
    """
    if not isinstance(value, Mapping):
        return
    for task in tasks:
        if task not in value:
            raise ValueError(f"{name} has no number for {task}; add one, or give one number for all tasks")
    for task in value:
        if task not in tasks:
            raise ValueError(f"{name} has a number for {task}, which is not among the tasks; remove it")
