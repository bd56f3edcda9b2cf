"""Pools: all rows one may train or test on. `open_pool` finds one by name."""

from pathlib import Path

from glotmix.pool.row import ROW_SCHEMA, SPLITS, TASKS, Pool

__all__ = ["ROW_SCHEMA", "SPLITS", "TASKS", "Pool", "open_pool"]


def open_pool(name_or_path: str, relative_to: Path | None = None) -> Pool:
    """The embedded pool `lab`, or the pool in a folder; a relative path starts at `relative_to`.

    Raises:
        UserError: there is no pool in the folder.
    """
    if name_or_path == "lab":
        from glotmix.pool.lab import LabPool

        return LabPool()
    from glotmix.pool.folder import FolderPool

    return FolderPool((relative_to or Path()) / Path(name_or_path).expanduser())
