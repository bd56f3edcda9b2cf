"""What every backend does: conversations in, one greedy answer each out. Imports nothing heavy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": text}


@dataclass(frozen=True)
class Output:
    """One generated answer. `finished` is False if it ran into `max_new_tokens`."""

    text: str
    tokens: int
    finished: bool


class Backend(Protocol):
    """One model, asked many times."""

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        template: str,
        max_new_tokens: int,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Output]:
        """The greedy answer to each conversation, in their order. `on_progress` gets how many are done, of how many."""
        ...
