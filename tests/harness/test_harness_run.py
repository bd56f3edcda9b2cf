"""A model on tasks of lm_eval: the numbers are lm_eval's own, in a study as by themselves, and become findings."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from local_tasks import WRITE, write_task, write_tasks
from rich.console import Console

from glotmix import Study
from glotmix.analysis.table import RESULTS_SCHEMA
from glotmix.errors import UserError
from glotmix.lab.models import model_path

pytest_plugins = ("harness_fixtures",)


def aggregates(written: Path) -> dict:
    (file,) = written.rglob("results_*.json")
    return json.loads(file.read_text())["results"]


@pytest.fixture(scope="module")
def lab_model(tasks):
    from glotmix.harness.run import open_model

    return open_model(model_path("lab-1m"), "float32", 4)


def run(model, folder: Path, name: str, metric: str = "acc", filter: str = "none", **settings) -> pl.DataFrame:
    from glotmix.harness.run import run_task

    asked = {"num_fewshot": None, "limit": None, "chat": False} | settings
    return run_task(model, name, folder, metric=metric, filter=filter, **asked)


@pytest.mark.parametrize(
    ("name", "metric", "filter"),
    [
        ("add_en", "acc", "none"),
        ("add_es", "acc_norm", "none"),
        ("write_en", "exact_match", "strict"),
        ("write_en", "exact_match", "flexible"),
    ],
)
def test_the_mean_over_items_is_what_lm_eval_prints(lab_model, tasks, written, name, metric, filter):
    items = run(lab_model, tasks, name, metric, filter)
    assert items["doc_id"].to_list() == list(range(8))
    assert items["value"].mean() == pytest.approx(aggregates(written)[name][f"{metric},{filter}"], abs=1e-12)
    others = {f"{metric},{filter}", *(part["name"] for part in items["metrics"][0])}
    assert others == {key for key in aggregates(written)[name] if "," in key and "_stderr" not in key}


def test_an_item_keeps_its_prompt_reference_output_and_answer(lab_model, tasks):
    chosen = run(lab_model, tasks, "add_en").row(0, named=True)
    assert (chosen["prompt"], chosen["reference"]) == ("en: 0 + 1 =", "1")
    assert len(chosen["output"].splitlines()) == 3 and chosen["parsed"] in ("1", "2", "11")
    written = run(lab_model, tasks, "write_en", "exact_match", "flexible")
    assert written["value"].sum() > 0, "the model gets some right"
    for item in written.iter_rows(named=True):
        assert item["value"] == (item["parsed"] == item["reference"]) and item["parsed"] in item["output"]


def test_the_same_is_asked_and_answered_twice(lab_model, tasks):
    settings = {"num_fewshot": 2, "limit": 3}
    first = run(lab_model, tasks, "add_en", **settings)
    assert len(first) == 3 and first["prompt"][0].count("=") == 3
    assert run(lab_model, tasks, "add_en", **settings).equals(first)


def test_a_chat_is_written_with_the_models_template(lab_model, tasks, monkeypatch):
    template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<bot>"
    monkeypatch.setattr(lab_model.tokenizer, "chat_template", template)
    assert run(lab_model, tasks, "add_en", chat=True)["prompt"][0] == "<user>en: 0 + 1 =<bot>"


def test_a_metric_outside_0_to_1_is_refused_with_those_that_are_not(lab_model, tmp_path):
    write_tasks(tmp_path)
    (tmp_path / "own.py").write_text("def score(doc, results):\n    return {'points': 7.0, 'share': 0.5}\n")
    metrics = [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("points", "share")]
    own = {"process_results": "FUNCTION", "metric_list": metrics, "filter_list": None}
    write_task(tmp_path, "own_en", WRITE | own, "write_en.jsonl")
    file = tmp_path / "own_en.yaml"
    file.write_text(file.read_text().replace("FUNCTION", "!function own.score").replace("filter_list: null\n", ""))
    with pytest.raises(
        UserError, match=r"points,none of item 0 of 'own_en' is 7.0.*choose another metric \(share,none\)"
    ):
        run(lab_model, tmp_path, "own_en", "points")
    assert run(lab_model, tmp_path, "own_en", "share")["value"].to_list() == [0.5] * 8


def test_a_study_has_them_as_outcomes_with_findings_and_a_report(tmp_path, tasks):
    outcomes = {
        "adding": {"tasks": {"en": "add_en", "es": "add_es", "fr": "add_fr"}, "include_path": "tasks"},
        "writing": {"tasks": {"en": "write_en"}, "include_path": "tasks", "limit": 5, "items": "disjoint"},
    }
    spec = {
        "name": "outcomes",
        "models": ["lab-1m"],
        "pool": "lab",
        "tasks": ["math"],
        "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es"]},
        "design": {"kind": "increments", "anchor_rows": 8, "rows_per_language": [0, 4]},
        "recipe": {"steps": 2, "batch_rows": 4, "select": {"rows_per_language": 2}},
        "evaluation": {"items_per_language": 3, "max_new_tokens": 4, "lm_eval": outcomes},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(spec))
    shutil.copytree(tasks, tmp_path / "tasks")
    study = Study.load(tmp_path)
    study.run(processes=1, console=Console(quiet=True))
    results, found = study.results(), study.findings()
    assert results.schema == RESULTS_SCHEMA
    counts = {(task, tag): n for task, tag, n in results.group_by("task", "language").len().iter_rows()}
    assert counts == {
        **{("math", tag): 6 for tag in ("en", "es")},
        **{("adding", tag): 16 for tag in ("en", "es", "fr")},
        ("writing", "en"): 10,
    }
    adding = results.filter(task="adding", setting="n=4")
    assert dict(adding.select("language", "role").unique().iter_rows()) == {
        "en": "anchor",
        "es": "seen",
        "fr": "unseen",
    }
    assert set(adding["item_id"]) == set(map(str, range(8))), "translations share an item"
    assert set(results.filter(task="writing")["item_id"]) == {f"en:{n}" for n in range(5)}
    assert (adding["anchor_rows"][0], adding["rows_per_language"][0]) == (8, 4)
    assert found.filter(task="adding", name="gain of unseen languages")["estimate"].null_count() == 0
    samples = study.samples().filter(task="writing")
    assert samples["prompt"][0] == "en: 0 + 1 =" and samples["output"].null_count() == 0
    page = (tmp_path / "report.html").read_text()
    assert "adding" in page and "French" in page
    assert study.status()["evaluated"].to_list() == [6, 6]

    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("store/*/*/done.json")}
    Study.load(tmp_path).run(processes=1, console=Console(quiet=True))
    assert {file: file.stat().st_mtime_ns for file in tmp_path.glob("store/*/*/done.json")} == before
    (run_,) = [run_ for run_ in study.resolved.runs if run_.cell.name == "n=4"]
    from lm_eval import simple_evaluate

    alone = simple_evaluate(
        model="hf",
        model_args={"pretrained": str(tmp_path / "store" / "train" / run_.train / "model"), "dtype": "float32"},
        tasks=["add_fr"],
        batch_size=8,
        device="cpu",
        task_manager=absolute(tmp_path / "tasks"),
    )
    assert adding.filter(language="fr")["value"].mean() == alone["results"]["add_fr"]["acc,none"]


def absolute(folder: Path):
    """The tasks as lm_eval finds their data from anywhere."""
    from lm_eval.tasks import TaskManager

    file = folder / "add_fr.yaml"
    file.write_text(file.read_text().replace("add_fr.jsonl", str(folder / "add_fr.jsonl")))
    return TaskManager(include_path=folder, include_defaults=False)
