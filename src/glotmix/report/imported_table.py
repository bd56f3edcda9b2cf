"""What was read of results made elsewhere, as tables on a terminal."""

from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text

from glotmix.report.text import NONE, percent

_LEGEND = "Mean in percent ± its standard error in points, items taken as independent."


def imported_table(read: pl.DataFrame) -> list[Table | str]:
    """Per task a line for each run and a column for each language (`READ_SCHEMA`)."""
    parts = read.group_by("task", "metric", maintain_order=True)
    return [*(_task(str(task), str(metric), part) for (task, metric), part in parts), _LEGEND]


def _task(task: str, metric: str, part: pl.DataFrame) -> Table:
    counts = part["n_items"].drop_nulls().unique().sort()
    items = f", {' to '.join(f'{number:,}' for number in sorted({counts[0], counts[-1]}))} items" if len(counts) else ""
    table = Table(title=Text(f"{task}: {metric}{items}", "table.title"), title_justify="left", box=None, pad_edge=False)
    tags = part["language"].unique().sort().to_list()
    table.add_column("run", overflow="fold")
    for tag in tags:
        table.add_column(Text(tag), justify="right")
    for (run,), own in part.group_by("run", maintain_order=True):
        found = {row["language"]: _mean(row) for row in own.iter_rows(named=True)}
        table.add_row(Text(str(run)), *(Text(found.get(tag, NONE)) for tag in tags))
    return table


def _mean(row: dict[str, Any]) -> str:
    error = "" if row["stderr"] is None else f"\n±{percent(row['stderr'], 1)}"
    return f"{percent(row['value'], 1)}{error}"
