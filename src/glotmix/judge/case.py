"""One answer to be judged, and what decides a case before anyone is asked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from glotmix.task.language_check import detect, passes

Fault = Literal["no_answer", "wrong_language"]


@dataclass(frozen=True)
class Answer:
    """What a run generated; `finished` is False if it was cut off."""

    text: str
    finished: bool = True


@dataclass(frozen=True)
class Case:
    """`language` is the one wanted of the answer; `against` the answer it is compared with, None outside of pairs."""

    question: str
    language: str
    answer: Answer
    against: Answer | None = None

    @cached_property
    def fault(self) -> Fault | None:
        """What makes the answer the worst there is, whatever a judge would say.

        `wrong_language` is the language switch of Shimabucoro et al. (2025, appendix A).

        >>> Case("Pourquoi ?", "fr", Answer("Ich weiß es leider nicht, frag doch deinen Bruder.")).fault
        'wrong_language'
        >>> Case("Pourquoi ?", "fr", Answer("Je ne sais pas.")).fault
        """
        return _fault(self.answer, self.language)

    @cached_property
    def fault_of_other(self) -> Fault | None:
        """The same of the answer it is compared with."""
        return _fault(self.other, self.language)

    @property
    def other(self) -> Answer:
        assert self.against is not None
        return self.against

    @cached_property
    def detected(self) -> str:
        """Base tag of the language that the answer is positively written in, empty if nobody can tell."""
        return detect(self.answer.text, self.language) or ""


def _fault(answer: Answer, language: str) -> Fault | None:
    if not answer.text.strip():
        return "no_answer"
    return None if passes(answer.text, language) else "wrong_language"
