"""The processes of one worker: the first reads jobs and tells the others, and each waits for the last.

1. Most workers are one process: nothing is told, and nobody is waited for.
2. What is told goes from processor to processor, apart from what the devices exchange.
3. A process that dies ends the group: whoever waits for it gets an error at once.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self, TypeVar

PATIENCE = timedelta(days=30)  # until the longest evaluation of another process is over

T = TypeVar("T")


class Group:
    """Process `rank` of `world`; the first is `main`. `talk` is where they talk."""

    def __init__(self, rank: int = 0, world: int = 1, talk: Any = None) -> None:
        self.rank, self.world, self.main, self._talk = rank, world, rank == 0, talk

    @classmethod
    def joined(cls) -> Self:
        """The group that accelerate or torchrun started this process in. Imports torch if there is one."""
        if "RANK" not in os.environ:
            return cls()
        from torch.distributed import new_group

        from glotmix.train.devices import join

        state = join()
        return cls(state.process_index, state.num_processes, new_group(backend="gloo", timeout=PATIENCE))

    def tell(self, text: str) -> str:
        """What the first process says comes to all."""
        said = [text]
        if self._talk:
            from torch.distributed import broadcast_object_list

            broadcast_object_list(said, src=0, group=self._talk)
        return said[0]

    def wait(self) -> None:
        """Until every process is here."""
        if self._talk:
            from torch.distributed import barrier

            barrier(group=self._talk)

    def share(self, things: Sequence[T]) -> list[tuple[int, T]]:
        """What is this process's to do of the things, with their places."""
        return list(enumerate(things))[self.rank :: self.world]
