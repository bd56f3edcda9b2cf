"""How far a check of a pool is, as a bar on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from glotmix.pool.checks.check import CHECKS, Progress
from glotmix.pool.checks.reading import Cell, cells
from glotmix.pool.folder import FolderPool


@contextmanager
def showing_progress(pool: FolderPool) -> Iterator[Progress]:
    """A bar for `check_pool` on a terminal, gone when all is done; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(CHECKS) * len(cells(pool)))

        def done(check: str, cell: Cell) -> None:
            bar.update(task, advance=1, description=f"{check}: {' '.join(cell)}")

        yield done
