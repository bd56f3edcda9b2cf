"""The smallest gain over its baseline that a study can be expected to see, by task and number of seeds."""

import polars as pl

from glotmix.analysis.power import smallest_effect
from glotmix.design import Cell
from glotmix.spec import per_task
from glotmix.study.plan import Plan


def effects_frame(plan: Plan) -> pl.DataFrame:
    """One record (`EFFECTS_SCHEMA`) per task and pair of seed counts; none where nothing is compared.

    The languages are those trained on and evaluated, without the anchor; where settings differ, the most.
    """
    items = plan.spec.evaluation.items_per_language
    seen: dict[tuple[str, int, int], int] = {}
    by_name = {run.cell.name: run.cell for run in plan.runs}
    for cell in by_name.values():
        for task in cell.counts if cell.baseline else ():
            pair = (task, len(cell.seeds), len(by_name[cell.baseline].seeds))
            seen[pair] = max(seen.get(pair, 0), len(_evaluated(cell, task, plan.spec.languages.evaluate)))
    records = [
        {
            "task": task,
            "items": per_task(items, task),
            "seeds": seeds,
            "baseline_seeds": of_baseline,
            "languages": languages,
            "smallest": smallest_effect(per_task(items, task), languages, seeds, of_baseline),
            "smallest_in_one": smallest_effect(per_task(items, task), 1, seeds, of_baseline),
        }
        for (task, seeds, of_baseline), languages in sorted(seen.items())
        if languages
    ]
    return pl.DataFrame(records, schema=EFFECTS_SCHEMA)


def _evaluated(cell: Cell, task: str, languages: tuple[str, ...]) -> set[str]:
    return set(cell.counts[task]) & set(languages) - {cell.anchor}


EFFECTS_SCHEMA = pl.Schema(
    {
        "task": pl.String(),
        "items": pl.Int64(),  # per language
        "seeds": pl.Int64(),
        "baseline_seeds": pl.Int64(),
        "languages": pl.Int64(),
        "smallest": pl.Float64(),  # score units: of the mean gain of these languages
        "smallest_in_one": pl.Float64(),  # of the gain of one of them
    }
)
