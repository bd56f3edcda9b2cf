"""A judge asked about many cases; every call behind a score is kept with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any, Protocol

from glotmix.generate.calls import request_key
from glotmix.generate.replies import Failure, Reply
from glotmix.judge import pairwise, rating
from glotmix.judge.case import Case
from glotmix.judge.prompt import Conversation, prompt_identity
from glotmix.task import Score

KINDS: Mapping[str, ModuleType] = {"rating": rating, "pairwise": pairwise}

OnProgress = Callable[[int, int], None]

_GREETING: Conversation = ({"role": "user", "content": "Reply with the word: ready"},)


class Asked(Protocol):
    """What a judge stands behind; see `glotmix.generate.endpoint.Endpoint`."""

    def ask_all(self, requests: Sequence[Mapping[str, Any]], on_progress: OnProgress) -> list[Reply | Failure]: ...


@dataclass(frozen=True)
class Call:
    """One request, by the key it is cached under, and what came of it."""

    request: str
    answer: Reply | Failure


@dataclass(frozen=True)
class Judgement:
    """The score of a case, and the calls it rests on."""

    score: Score
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Judge:
    """A model behind an endpoint; `kind` is `rating` or `pairwise`."""

    endpoint: Asked
    model: str
    kind: str
    max_new_tokens: int

    def judge(self, cases: Sequence[Case], on_progress: OnProgress = lambda done, total: None) -> list[Judgement]:
        """A judgement of each case, in their order. A call that failed for good leaves its case unjudged.

        Raises:
            GlotmixError: the endpoint can't be asked at all.
        """
        kind = KINDS[self.kind]
        asked = [[self._request(conversation) for conversation in kind.conversations(case)] for case in cases]
        calls = iter(self._ask([request for requests in asked for request in requests], on_progress))
        return [self._judgement(kind, case, islice(calls, len(own))) for case, own in zip(cases, asked, strict=True)]

    def greet(self) -> Reply | Failure:
        """What comes of one small request with this judge's settings.

        Raises:
            GlotmixError: the endpoint can't be asked at all.
        """
        return self._ask([self._request(_GREETING)], lambda done, total: None)[0].answer

    def _request(self, conversation: Conversation) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": list(conversation),
            "temperature": 0,
            "max_tokens": self.max_new_tokens,
        }

    def _ask(self, requests: Sequence[Mapping[str, Any]], on_progress: OnProgress) -> list[Call]:
        answers = self.endpoint.ask_all(requests, on_progress) if requests else []
        return [Call(request_key(request), answer) for request, answer in zip(requests, answers, strict=True)]

    def _judgement(self, kind: ModuleType, case: Case, calls: Iterator[Call]) -> Judgement:
        own = tuple(calls)
        return Judgement(kind.score(case, [_said(call.answer) for call in own], self.model), own)


def _said(answer: Reply | Failure) -> str | None:
    """What a verdict is read from: nothing where a reply was cut, for the verdict ends a reply."""
    if isinstance(answer, Failure):
        return None
    return "" if answer.finish_reason == "length" else answer.text


def identity(kind: str) -> list[str]:
    """What judgements of a kind depend on beside the model: the prompt's name and the hash of its text."""
    return prompt_identity(KINDS[kind].PROMPT)
