"""The same bits each time, on a GPU too: what an exact resume rests on. And the same result in other micro-batches.

1. Kernels that add in whatever order their threads end are left for those that don't: torch's deterministic mode.
2. It has to be the strict one: when told to warn alone, attention's backward pass stays as it was.
3. What has no such kernel at all fails in the strict mode. Then the rest of the training does without, and says so.
4. cuBLAS needs a workspace of fixed size. It reads of which when it starts, so that is said when this is imported.
5. There is no dropout: masks depend on how a step is cut, and that is in no key.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
LACKING = ("does not have a deterministic implementation", WORKSPACE)  # in what torch says; the second, older ones

os.environ.setdefault(WORKSPACE, ":4096:8")


def without_dropout(model: torch.nn.Module) -> None:
    """Sets to 0 what a model's config says of dropout, wherever its modules keep it."""
    for module in (getattr(model, "config", None), *model.modules()):
        for name, value in list(vars(module).items()) if module else ():
            if isinstance(value, float) and ("drop" in name or isinstance(module, torch.nn.Dropout)):
                setattr(module, name, 0.0)


@contextmanager
def deterministic(strict: bool) -> Iterator[None]:
    """Within, kernels are deterministic; if not `strict`, as far as there are any."""
    memory: Any = torch.utils.deterministic
    mode, fills = torch.get_deterministic_debug_mode(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=not strict)
    memory.fill_uninitialized_memory = False  # costs time, and nothing reads it
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        memory.fill_uninitialized_memory = fills


def lacks_kernel(error: BaseException) -> bool:
    """Whether it is the strict mode that complains; the user is told what of."""
    lacking = any(words in str(error) for words in LACKING)
    if lacking:
        what = str(error).splitlines()[0]
        logging.getLogger(__name__).warning("a resumed training may differ in the last bits: %s", what)
    return lacking
