"""Faults of a training: what can be done again is done again; what can't ends the run and says what there is to see.

Out of memory: what was begun is done again from its start, with half the tokens in a micro-batch.

1. How rows are cut into micro-batches changes no gradient, so a smaller budget is the same training, a little slower.
2. The lowered budget stays: what did not fit once would not fit again.
3. No micro-batch is smaller than one row: a row that does not fit alone ends the run, with its name.
4. Of several processes none can do a step again alone, as the others are in the middle of theirs: the run ends.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl
import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from glotmix.errors import GlotmixError
from glotmix.generate.template import Encoded
from glotmix.train.batch import target_tokens
from glotmix.train.divergence import FILE, Diverged, describe, write_fault
from glotmix.train.exact import lacks_kernel

if TYPE_CHECKING:
    from glotmix.train.learner import Learner

T = TypeVar("T")
OF_LIBRARIES = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")  # what is not torch's to allocate


class DoesNotFit(GlotmixError):
    """One row alone, at `place` of those given, is more than memory holds."""

    def __init__(self, place: int, tokens: int) -> None:
        fix = "lower recipe.max_tokens, set gradient_checkpointing: true, or use more devices"
        super().__init__(f"memory does not hold one row of {tokens:,} tokens; {fix}")
        self.place = place


def within_memory(learner: "Learner", rows: Sequence[Encoded], work: Callable[[], T]) -> T:
    """What `work` gives on the rows, again and again with half of `learner.tokens` while memory does not hold it.

    Raises:
        DoesNotFit: the longest of the rows is too long.
        GlotmixError: one of several processes is out of memory.
    """
    while True:
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if learner.strict and lacks_kernel(error):
                learner.strict = False
            elif is_out_of_memory(error):
                learner.tokens = _half(learner, rows, error)
            else:
                raise
        # only here has the error let go of what did not fit
        learner.optimizer.zero_grad()
        clear_device_cache(garbage_collection=True)
        torch.manual_seed(torch.initial_seed())  # as if the step had just begun


def is_out_of_memory(error: BaseException) -> bool:
    """Of an accelerator or of the machine."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        should_reduce_batch_size(error) or any(words in str(error) for words in OF_LIBRARIES)
    )


def _half(learner: "Learner", rows: Sequence[Encoded], error: BaseException) -> int:
    place = max(range(len(rows)), key=lambda place: len(rows[place].ids))
    longest = len(rows[place].ids)
    if learner.tokens <= longest:
        raise DoesNotFit(place, longest) from error
    if learner.devices.world > 1:
        fix = f"lower recipe.tokens_per_micro_batch ({learner.tokens:,}), and the run goes on from its last checkpoint"
        raise GlotmixError(f"out of memory in one of {learner.devices.world} processes; {fix}") from error
    return min(learner.tokens, len(rows) * longest) // 2


def fitting(what: str) -> AbstractContextManager[None]:
    """Says what memory does not hold, where a smaller budget is no help."""
    fix = "set recipe.optimizer: adamw_8bit or recipe.lora, or use more devices (docs/scale.md)"
    return out_of_memory_says(f"memory does not hold {what}; {fix}")


@contextmanager
def out_of_memory_says(message: str) -> Iterator[None]:
    """Raises:
    GlotmixError: memory does not hold what is done within.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise GlotmixError(message) from error


@contextmanager
def naming(row_ids: Sequence[str]) -> Iterator[None]:
    """Gives a row that does not fit its name; `row_ids` are those of the rows that are worked on."""
    try:
        yield
    except DoesNotFit as error:
        raise GlotmixError(f"row {row_ids[error.place]}: {error}") from error


def diverged(
    out: Path,
    step: int,
    what: str,
    learner: "Learner",
    rows: pl.DataFrame,
    row_ids: Sequence[str],
    batch: Sequence[Encoded],
) -> Diverged:
    """The error that ends a training; the rows of the step are written into `out`, with their losses as they are now.

    `rows` has task and language of every row; `row_ids` and `batch` are the step's, in its order.
    """
    sums = learner.row_losses(batch)
    losses = [total / target_tokens(row, learner.recipe.loss_on) for total, row in zip(sums, batch, strict=True)]
    told = describe(rows, row_ids, [len(row.ids) for row in batch], losses)
    file = out / FILE
    if learner.devices.main:
        write_fault(file, step, what, told)
    learner.devices.wait()  # the first process to end ends the others
    fix = f"lower recipe.learning_rate ({learner.recipe.learning_rate:g}), or look at the rows of the step in {file}"
    return Diverged(f"diverged at step {step}: {what}; {fix}")
