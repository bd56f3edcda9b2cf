"""A row that can't be trained on, in one setting only: that run fails, the others and the report are there."""

import pytest
import yaml
from rich.console import Console

from glotmix.study.study import RunsFailed, Study
from small_study import row, write_rows

SPEC = {
    "name": "bad-row",
    "models": ["lab-1m"],
    "pool": "pool",
    "tasks": ["math"],
    "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es"]},
    "design": {"kind": "increments", "anchor_rows": 8, "rows_per_language": [0, 44]},
    "recipe": {"batch_rows": 4, "steps": 20, "checkpoint_every": 2, "select": {"rows_per_language": 2}},
    "evaluation": {"items_per_language": 4, "max_new_tokens": 4},
    "trackers": ["tensorboard"],
}


def test_one_run_fails_and_the_study_goes_on(tmp_path):
    numbers = {"train": 60, "validation": 4, "test": 4}
    rows = [
        row("math", tag, split, n) for tag in ("en", "es") for split, count in numbers.items() for n in range(count)
    ]
    write_rows(tmp_path / "pool", rows)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(SPEC))
    (mixed,) = (run for run in Study.load(tmp_path).resolved.runs if run.cell.name == "n=44")
    spanish = Study.load(tmp_path).resolved.mixtures[mixed.mixture].rows.filter(language="es")
    bad = row("math", "es", "train", int(spanish["item_id"][-1].split("-")[-1]))  # beyond what a plan looks at
    bad["messages"][1]["content"] = "palabra " * 3000
    write_rows(tmp_path / "pool", [bad])

    with pytest.raises(RunsFailed) as failed:
        Study.load(tmp_path).run(processes=1, console=Console(quiet=True))
    study = Study.load(tmp_path)
    states = dict(study.status().select("run", "state").iter_rows())
    assert states == {"lab-1m/n=0/seed=0": "done", "lab-1m/n=44/seed=0": "failed"}
    (reason,) = study.status().filter(state="failed")["reason"]
    assert bad["row_id"] in reason and "max_tokens" in reason
    assert len(failed.value.findings)
    report = study.report_path.read_text()
    assert "So far: 1 of 2 runs are done, and 1 failed." in report and bad["row_id"] in report
    assert list(tmp_path.glob("store/trackers/tensorboard/lab-1m/n=0/seed=0/events*"))
