"""The tasks: one file each, with how an output is parsed and scored; no prompt, no model."""

import difflib

from glotmix.errors import UserError
from glotmix.task import api_calls, instructions, math, summarization
from glotmix.task.score import Score, Task, Verdict

__all__ = ["NAMES", "Score", "Task", "Verdict", "get_task"]

_TASKS: dict[str, Task] = {
    "math": math,
    "summarization": summarization,
    "instructions": instructions,
    "api_calls": api_calls,
}
NAMES = tuple(_TASKS)


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        UserError: there is none.

    >>> get_task("math").score("উত্তর হল ১৮।", "18", language="bn").verdict
    'correct'
    """
    if name not in _TASKS:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known tasks: {', '.join(NAMES)}"
        raise UserError(f"unknown task {name!r}; {hint}")
    return _TASKS[name]
