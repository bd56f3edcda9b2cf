"""AdamW whose two moments take a byte each instead of four: torchao's, which also works on shards. Imports torchao.

1. Every 256 values share a scale, and a byte names one of 256 levels (Dettmers et al. 2021, arXiv 2110.02861). Tensors
   below 4,096 values, or not of whole blocks, stay float32.
2. The lowest level is 0, and what is divided by must not be rounded to it: a weight with small gradients in a block of
   large ones would be moved up to 30 times too far. Second moments are kept at the level above; it moves less instead.
3. On a GPU torch.compile fuses the update, so that no float32 copy of the moments is ever in memory. Elsewhere it runs
   as written: no compiler is needed, and a tensor's copies are there only while it is being updated.
"""

from collections.abc import Callable
from typing import Any

import torch
import torchao.optim
from torch.distributed.tensor import DTensor
from torchao.optim.subclass_8bit import OptimState8bit


class AdamW8bit(torchao.optim.AdamW8bit):  # type: ignore[misc]
    """As `torch.optim.AdamW`, down to the rate of a group being a number that may be changed between steps."""

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        for group in self.param_groups:
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32)  # torchao takes no number
        on_gpu = self.param_groups[0]["params"][0].is_cuda
        with torch.compiler.set_stance("default" if on_gpu else "force_eager"):
            loss = super().step(closure)
        for moments in self.state.values():
            second = moments["exp_avg_sq"]
            held = second.to_local() if isinstance(second, DTensor) else second
            if isinstance(held, OptimState8bit):
                held.codes.clamp_(min=1)
        return loss
