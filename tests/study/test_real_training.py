"""Studies with real training: of the lab, killed and resumed; and of GSM8K and MGSM as they are published."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import yaml
from rich.console import Console

from glotmix import Study
from glotmix.analysis.table import RESULTS_SCHEMA, VERDICTS
from glotmix.lab.models import model_path
from glotmix.mixture import Mixture, tokens_by_language
from glotmix.pool.importers import import_pool
from glotmix.study.store import Store

QUIET = Console(quiet=True)
KILLS = int(os.environ.get("GLOTMIX_KILLS", "20"))
LONGEST = 9.0  # seconds from start to kill: start-up takes about half of it, the study about twice as long
LAB = {
    "name": "kill-test",
    "models": ["lab-1m"],
    "pool": "lab",
    "tasks": ["math"],
    "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es", "pt"]},
    "design": {"kind": "increments", "anchor_rows": 24, "rows_per_language": [0, 8]},
    "seeds": [0, 1],
    "recipe": {
        "steps": 24, "batch_rows": 8, "learning_rate": 1e-3, "checkpoint_every": 3, "select": {"rows_per_language": 4},
    },
    "evaluation": {"items_per_language": 6, "max_new_tokens": 12},
}  # fmt: skip


def write_study(folder: Path, spec: dict) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(spec))
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The results of the study when nothing happens to it, in one process."""
    study = Study.load(write_study(tmp_path_factory.mktemp("undisturbed"), LAB))
    study.run(processes=1, console=QUIET)
    return study.results()


def test_the_results_table_is_whole(undisturbed):
    assert undisturbed.schema == RESULTS_SCHEMA
    assert len(undisturbed) == 4 * 3 * 6, "runs x languages x items"
    assert undisturbed["run"].unique().sort().to_list() == [f"lab-1m/n={n}/seed={s}" for n in (0, 8) for s in (0, 1)]
    assert set(undisturbed["verdict"]) <= set(VERDICTS)


def test_a_worker_reads_rows_from_a_folder_named_like_a_pattern(tmp_path):
    from glotmix.study.evaluate import read_rows

    store, frame = Store(tmp_path / "a[b]"), pl.DataFrame({"item_id": ["x"]})
    with store.writing("rows", "key") as out:
        frame.write_parquet(out / "rows.parquet")
    assert read_rows(store, "key")["item_id"].to_list() == ["x"]


def test_killed_at_random_moments_training_ends_with_the_same_results(tmp_path, undisturbed):
    folder, moments = write_study(tmp_path / "killed", LAB), random.Random(2026)
    command = [sys.executable, "-m", "glotmix", "run", str(folder)]
    kills = studies = 0
    while kills < KILLS:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(moments.uniform(0, LONGEST))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert Study.load(folder).results().equals(undisturbed)
            shutil.rmtree(folder / "store")
            studies += 1
            time.sleep(0.1)
    Study.load(folder).run(processes=2, console=QUIET)
    assert Study.load(folder).results().equals(undisturbed), f"after {kills} kills of {studies + 1} studies"
    assert not list(folder.glob("store/tmp/*")) and not list(folder.glob("store/partial/*/"))
    for run in Study.load(folder).resolved.runs:
        manifest = json.loads((folder / "store" / "train" / run.train / "manifest.json").read_text())
        mixture = Mixture.read(folder / "store" / "mixture" / run.mixture)
        tokens = tokens_by_language(mixture.rows, model_path("lab-1m") / "tokenizer.json")
        assert manifest == mixture.manifest(tokens) and manifest["counts"][0]["tokens"] > 24


def test_gsm8k_to_mgsm_keeps_every_item_with_output_and_verdict(tmp_path, data_folder):
    example = Path(__file__).parents[2] / "examples" / "gsm8k-mgsm"
    spec = yaml.safe_load((example / "study.yaml").read_text())
    spec["models"] = ["lab-1m"]
    spec["design"]["anchor_rows"] = 12
    spec["seeds"] = [0]
    spec["recipe"] |= {"steps": 2, "epochs": None, "batch_rows": 6, "select": {"rows_per_language": 4}}
    spec["recipe"] |= {"max_tokens": 512, "longer_rows": "truncate"}  # what lab-1m reads
    spec["evaluation"] = {"items_per_language": 5, "max_new_tokens": 16}
    folder = write_study(tmp_path, spec)
    trained = import_pool("gsm8k", data_folder / "gsm8k" / "train.jsonl", folder / "pool")
    tested = import_pool("mgsm", data_folder / "mgsm", folder / "pool")
    assert trained.counts["rows"].sum() == 7473 and tested.counts["rows"].sum() == 250 * 11

    study = Study.load(folder)
    study.run(console=QUIET)
    results, samples = study.results(), study.samples()
    assert results.group_by("language").len().sort("language").rows() == [
        (tag, 5) for tag in sorted(spec["languages"]["evaluate"])
    ]
    assert results["item_id"].n_unique() == 5, "the same problems in every language"
    assert set(results["verdict"]) <= set(VERDICTS)
    assert len(samples) == 55 and samples["output"].null_count() == 0
    assert study.report_path.stat().st_size > 10_000
