"""What scoring gives back, and the order in which a verdict is chosen, the same for every task.

1. `correct`: the task's own criterion is met, whatever else is odd about the output.
2. `truncated`: the model was cut off before it ended.
3. `no_answer`: nothing there to score.
4. `wrong_language`: an answer, positively in another language than asked (see `language_check`).
5. `malformed`: the form the task asks for is broken.
6. `wrong`: a well-formed answer in the right language that is not the right one.

A task whose answers a judge rates has one more: `unjudged`, an answer that nobody could give a value.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal, Protocol

from glotmix.errors import UserError
from glotmix.task.language_check import detect, is_other

Verdict = Literal["correct", "wrong", "no_answer", "wrong_language", "truncated", "malformed", "unjudged"]


@dataclass(frozen=True)
class Score:
    """`value` is 0 to 1, NaN for an unjudged answer (null in tables); `parsed` is what was taken for the answer; `rule`
    says how it was found and compared.

    `detected` is the base tag of the language the answer is positively written in, empty if nobody can tell.
    """

    value: float
    verdict: Verdict
    parsed: str
    metrics: dict[str, float]
    rule: str
    detected: str


class Task(Protocol):
    """One task: its module's `score`. A change that can change a score adds one to `VERSION`."""

    VERSION: int

    def read_reference(self, reference: str, /) -> object:
        """What the reference says.

        Raises:
            UserError: it is not one of this task.
        """
        ...

    def score(self, output: str, reference: str, *, language: str, finished: bool = True) -> Score:
        """Scores one output of a model; never raises for an output, in bounded time.

        Raises:
            UserError: the reference is not one of this task.
        """
        ...


def choose_verdict(
    *,
    correct: bool,
    finished: bool,
    answered: bool,
    language: str,
    prose: str,
    reference_prose: str = "",
    well_formed: bool = True,
) -> tuple[Verdict, str]:
    """The first verdict that holds, in the module's order, and the language detected (see `Score`).

    `prose` is the part of the output whose language counts.
    """
    found = detect(prose, language) or ""
    if correct:
        return "correct", found
    if not finished:
        return "truncated", found
    if not answered:
        return "no_answer", found
    if is_other(found, language, reference_prose):
        return "wrong_language", found
    return "wrong" if well_formed else "malformed", found


def tidy(text: str) -> str:
    """Composed characters (NFC) and single spaces: differences that no reader sees.

    What goes on for 1,000 characters without a space is left as it is: to compose a run of marks takes its square.
    """
    return " ".join(unicodedata.normalize("NFC", word) if len(word) <= 1_000 else word for word in text.split())


def read_reference(reference: str) -> str:
    """The tidied reference of a task whose references are texts.

    Raises:
        UserError: there is none.
    """
    tidied = tidy(reference)
    if not tidied:
        raise UserError(f"empty reference {reference!r}: nothing can be scored against it; fix or drop the row")
    return tidied
