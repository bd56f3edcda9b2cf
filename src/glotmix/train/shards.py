"""Tensors in the shards that processes wrote of them, cut along the first dimension as FSDP2 cuts: in equal parts, the
last ones shorter or empty.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from glotmix.errors import GlotmixError


def write_shard(folder: Path, kind: str, shard: int, shards: int, tensors: Mapping[str, torch.Tensor]) -> None:
    """Writes one of `shards` shards of the tensors of a kind."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, folder / f"{kind}-{shard:05d}-of-{shards:05d}.safetensors")


class Shards:
    """All shards of a kind in a folder; nothing is read before it is asked for."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._files = [_open(file) for file in sorted(folder.glob(f"{kind}-*.safetensors"))]
        self.names = set(self._files[0].keys())

    def whole(self, name: str) -> torch.Tensor:
        """A tensor put together."""
        parts = [file.get_tensor(name) for file in self._files]
        return torch.cat(parts) if parts[0].ndim else parts[0]

    def part(self, name: str, shard: int, shards: int, shape: torch.Size, rows: int) -> torch.Tensor:
        """What shard `shard` of `shards` holds of a tensor, in `shape`. `rows`: of the parameter it belongs to.

        Raises:
            GlotmixError: it is in other shards than that, and has more or fewer rows (the scales of a quantised tensor)
                or is not in all of them (small shards are not quantised).
        """
        if shards == len(self._files) or not shape:
            held: torch.Tensor = self._files[shard % len(self._files)].get_tensor(name)
            return held
        known = all(name in file.keys() for file in self._files)  # noqa: SIM118 - a file is no mapping
        sizes = [file.get_slice(name).get_shape()[0] for file in self._files] if known else []
        if sum(sizes) != rows:
            raise GlotmixError(
                f"this training is in {len(self._files)} shards, and {name} can't be cut anew; go on in as many"
                " processes as it was begun in"
            )
        start = min(shard * -(-rows // shards), rows)
        return torch.cat(self._rows(name, sizes, start, start + shape[0]))

    def _rows(self, name: str, sizes: list[int], start: int, end: int) -> list[torch.Tensor]:
        """Rows `start` to `end`, from each shard that has some."""
        parts, first = [], 0
        for file, size in zip(self._files, sizes, strict=True):
            here = slice(max(start - first, 0), max(min(end - first, size), 0))
            parts.append(file.get_slice(name)[here])
            first += size
        return parts


def _open(file: Path) -> Any:
    return safe_open(file, "pt")
