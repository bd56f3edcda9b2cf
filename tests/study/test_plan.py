"""The plan: what runs there are, which share a training, what they cost, before anything is there or spent."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from glotmix.errors import UserError
from glotmix.study.budget import PLAN_SCHEMA, Speed, parse_speeds
from glotmix.study.presets import PRESETS, init_study
from glotmix.study.study import Study
from glotmix.study.tables import effects_table, longer_table, plan_table
from small_study import FAKE_WORKER, ITEMS, row, write_rows, write_spec

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUIET = Console(quiet=True)
TWO_TASKS = {"tasks": ["math", "summarization"], "recipe__select__rows_per_language": 2}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever calls out fails the test; the hub's cache is empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*given: Any) -> None:
        raise AssertionError("a plan calls nobody")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def two_tasks(folder: Path) -> Path:
    """The study of `folder`, its pool with two tasks."""
    rows = [row("summarization", tag, *place) for tag in ("en", "es", "fr", "pt") for place in places()]
    write_rows(folder / "pool", rows)
    return write_spec(folder, **TWO_TASKS)


def places() -> list[tuple[str, int]]:
    return [(split, number) for split, count in ITEMS.items() for number in range(count)]


def trainings(study: Study) -> list[set[str]]:
    """Runs that are one training, by name."""
    found: dict[str, set[str]] = {}
    for run in study.planned.runs:
        found.setdefault(run.train, set()).add(run.name)
    return sorted(found.values(), key=sorted)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_a_plan_right_after_init(tmp_path, preset):
    init_study(tmp_path, preset)
    plan = Study.load(tmp_path).plan()
    assert plan.schema == PLAN_SCHEMA and len(plan) and plan["run"].is_unique().all()
    assert not (tmp_path / "store").exists(), "looking writes nothing"


@pytest.mark.parametrize(
    ("preset", "runs", "distinct"), [("english-not-all", 220, 220), ("post-trainers-guide", 152, 146)]
)
def test_the_published_studies_have_their_runs(tmp_path, preset, runs, distinct):
    init_study(tmp_path, preset)
    study = Study.load(tmp_path)
    plan = study.plan(tokens_per_second={"Qwen/Qwen3-8B-Base": 1000.0}, price_per_hour=2.0)
    assert (len(plan), len(trainings(study))) == (runs, distinct)
    assert len(plan.filter(shares_training_with="")) == distinct
    for unknown in ("tokens", "training_gpu_hours", "evaluation_gpu_hours", "cost"):
        assert plan[unknown].null_count() == runs, "nothing is made up"
    pool, models = study.missing()
    assert "no pool there" in pool and "`glotmix pool import`" in pool
    assert models.startswith("models: ") and models.endswith("`glotmix run` fetches what the hub has")


def test_steps_are_those_of_the_published_budget(tmp_path):
    init_study(tmp_path, "english-not-all")
    plan = Study.load(tmp_path).plan().explode("tasks").filter(tasks="api_calls")
    budget = {3024: 35, 6048: 71, 12096: 142, 15120: 177, 18144: 213, 27216: 319, 30240: 354}
    assert dict(plan.select("rows", "steps").unique().iter_rows()) == budget


@pytest.mark.parametrize("preset", ["english-not-all", None])
def test_a_plan_is_quick_and_imports_no_torch(folder, tmp_path, preset):
    if preset:
        folder = init_study(tmp_path / "preset", preset).parent
    code = (
        "import sys, time\nfrom glotmix.cli import app\n"
        f"app(['plan', {str(folder)!r}, '--tokens-per-second', '100'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\nassert time.process_time() < 5"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert ("220 runs, 220 distinct trainings" if preset else "4 runs, 4 distinct trainings") in shown.stdout


def test_a_plan_reads_references_and_scores_nothing(two_tasks, monkeypatch):
    def refuse(*given: Any, **settings: Any) -> None:
        raise AssertionError("scoring is slow, and a plan is quick")

    monkeypatch.setattr("glotmix.task.summarization.score", refuse)
    monkeypatch.setattr("glotmix.task.math.score", refuse)
    assert len(Study.load(two_tasks).plan())


def test_json_lists_every_run_and_nothing_else(tmp_path):
    init_study(tmp_path, "post-trainers-guide")
    command = [sys.executable, "-m", "glotmix", "plan", str(tmp_path), "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    runs = json.loads(shown.stdout)
    assert len(runs) == 152 and set(runs[0]) == set(PLAN_SCHEMA)


@FEW
@given(
    one=st.sets(st.integers(0, 6), min_size=1),
    other=st.sets(st.integers(0, 6), min_size=1),
    anchors=st.tuples(st.integers(4, 6), st.integers(4, 6)),
    seeds=st.sets(st.integers(0, 2), min_size=1),
)
def test_what_is_shared_is_the_same_with_and_without_the_pool(folder, one, other, anchors, seeds):
    designs = {
        name: {"kind": "increments", "anchor_rows": anchor, "rows_per_language": sorted(counts), "train": train}
        for name, anchor, counts, train in (("a", anchors[0], one, ["es", "fr"]), ("b", anchors[1], other, ["fr"]))
    }
    write_spec(folder, design=None, designs=designs, seeds=sorted(seeds))
    there = Study.load(folder)
    elsewhere = Study.load(
        write_spec(folder / "elsewhere", design=None, designs=designs, seeds=sorted(seeds), models=["../model"])
    )
    assert elsewhere.missing() and not there.missing()
    assert trainings(there) == trainings(elsewhere)
    assert not {run.train for run in there.planned.runs} & {run.train for run in elsewhere.planned.runs}
    same = anchors[0] == anchors[1] and 0 in one and 0 in other
    assert len(trainings(there)) == (len(one) + len(other) - same) * len(seeds)


def test_a_plan_says_with_which_run_a_training_is_shared(folder):
    design = {"kind": "increments", "anchor_rows": 10, "rows_per_language": [0, 5]}
    write_spec(folder, design=None, designs={"a": design, "b": design | {"train": ["fr"]}}, seeds=[0])
    shared = dict(Study.load(folder).plan().select("run", "shares_training_with").iter_rows())
    assert shared == {
        "model/a/n=0/seed=0": "", "model/a/n=5/seed=0": "",
        "model/b/n=0/seed=0": "model/a/n=0/seed=0", "model/b/n=5/seed=0": "",
    }  # fmt: skip


def test_controls_have_their_rows_and_steps(folder):
    design = {
        "kind": "increments",
        "anchor_rows": 8,
        "rows_per_language": [0, 4],
        "controls": ["same_rows", "same_steps"],
    }
    write_spec(folder, design=design, seeds=[0], recipe__steps=None, recipe__epochs=2)
    study = Study.load(folder)
    runs = {tuple(run["control_of"]): [] for run in study.plan().iter_rows(named=True)}
    for run in study.plan().iter_rows(named=True):
        runs[tuple(run["control_of"])].append((run["rows"], run["steps"]))
    assert runs == {(): [(8, 4), (16, 8)], ("n=4",): [(16, 8), (8, 8)]}
    assert len(trainings(study)) == 4
    assert {job.steps for job in study.resolved.jobs(study.store)} == {4, 8}


def test_models_of_a_design_are_the_only_ones_it_runs(folder):
    shutil.copytree(folder / "model", folder / "other")
    design = {"kind": "increments", "anchor_rows": 10, "rows_per_language": [0]}
    write_spec(
        folder, models=["model", "other"], design=None, designs={"a": design, "b": design | {"models": ["other"]}}
    )
    plan = Study.load(folder).plan().select("model", "design").unique().sort("model", "design")
    assert plan.rows() == [("model", "a"), ("other", "a"), ("other", "b")]


def test_a_single_task_run_is_validated_and_evaluated_on_its_own_task(two_tasks):
    write_spec(two_tasks, **TWO_TASKS, design__task_mode="single")
    plan = Study.load(two_tasks).planned
    assert {tuple(run.cell.counts) for run in plan.runs} == {("math",), ("summarization",)}
    for run in plan.runs:
        assert {step.task for step in run.evaluations} == set(run.cell.counts)
        assert set(plan.rows[run.validation]["task"]) == set(run.cell.counts)


def test_settings_of_one_task_leave_the_other_alone(two_tasks):
    def keys(**changes: Any) -> dict[str, set[str]]:
        study = Study.load(write_spec(two_tasks, **TWO_TASKS, design__task_mode="single", **changes))
        steps = [step for run in study.planned.runs for step in run.evaluations]
        return {task: {step.key for step in steps if step.task == task} for task in study.spec.tasks}

    before = keys()
    assert keys(evaluation__max_new_tokens={"math": 8, "summarization": 8}) == before
    longer = keys(evaluation__max_new_tokens={"math": 8, "summarization": 9})
    fewer = keys(evaluation__items_per_language={"math": 10, "summarization": 9})
    assert longer["math"] == fewer["math"] == before["math"]
    assert (
        not longer["summarization"] & before["summarization"] and not fewer["summarization"] & before["summarization"]
    )


def train_keys(folder: Path, **changes: Any) -> list[str]:
    return [run.train for run in Study.load(write_spec(folder, **changes)).planned.runs]


def test_a_training_is_known_by_its_steps_however_they_were_asked_for(folder):
    by_steps = train_keys(folder, design__rows_per_language=[0], recipe__warmup_steps=1)
    assert train_keys(folder, design__rows_per_language=[0], recipe__steps=None, recipe__epochs=2,
                      recipe__warmup_share=0.2) == by_steps  # fmt: skip
    assert train_keys(folder, design__rows_per_language=[0], recipe__warmup_steps=2) != by_steps


def test_the_order_is_part_of_a_training(folder):
    orders = [{}, {"kind": "interleaved"}, {"kind": "staged", "anchor": "first"}, {"kind": "staged", "anchor": "last"}]
    found = [train_keys(folder, order=order) for order in orders]
    assert len({key for keys in found for key in keys}) == 4 * 4
    assert train_keys(folder) == found[0]


def test_without_the_pool_everything_but_the_plan_is_refused(folder):
    shutil.rmtree(folder / "pool")
    study = Study.load(folder)
    assert study.plan()["rows"].to_list() == [10, 10, 20, 20]
    assert study.effects()["languages"].to_list() == [2]
    for verb in (study.run, study.status, study.results, study.calibrate):
        with pytest.raises(UserError, match="no pool there"):
            verb()


def test_an_availability_design_needs_the_pool(folder):
    write_spec(folder, design={"kind": "availability", "total_rows": 20, "allocate": ["proportional"]})
    assert Study.load(folder).plan()["rows"].to_list() == [20, 20]
    shutil.rmtree(folder / "pool")
    with pytest.raises(UserError, match=r"design: an availability design is made from the rows of the pool; .*no pool"):
        Study.load(folder).plan()


def test_a_language_repeats_the_rows_it_is_said_to_have_though_the_pool_has_more(folder):
    available = {"math": {"en": 50, "es": 4, "fr": 7}}
    design = {"kind": "availability", "total_rows": 30, "allocate": ["unimax"], "max_epochs": 2, "available": available}
    (mixture,) = Study.load(write_spec(folder, design=design)).planned.mixtures.values()
    found = mixture.rows.group_by("language").agg(rows=pl.len(), distinct=pl.col("row_id").n_unique())
    assert set(found.rows()) == {("en", 11, 11), ("es", 8, 4), ("fr", 11, 7)}


def cached_model(hub: Path, model: Path) -> Path:
    """What the hub's cache has of the model org/name: its tokenizer and config."""
    snapshot = hub / "models--org--name" / "snapshots" / "1"
    shutil.copytree(model, snapshot, ignore=shutil.ignore_patterns("*.safetensors"))
    (hub / "models--org--name" / "refs").mkdir()
    (hub / "models--org--name" / "refs" / "main").write_text("1")
    return snapshot


def test_a_model_that_is_not_here_is_fetched_by_run_alone(folder, tmp_path, monkeypatch):
    write_spec(folder, models=["org/name"])
    assert Study.load(folder).plan()["tokens"].null_count() == 4
    snapshot = cached_model(tmp_path / "hub", folder / "model")
    study = Study.load(folder)
    assert study.plan()["tokens"].null_count() == 0, "its tokenizer is here"
    assert study.missing() == ["models: org/name is not on this machine yet; `glotmix run` fetches what the hub has"]
    assert set(study.status()["state"]) == {"waiting"}

    fetched = []

    def fetch(name: str) -> None:
        fetched.append(name)
        shutil.copy(folder / "model" / "model.safetensors", snapshot)

    monkeypatch.setattr("glotmix.study.study.fetch_model", fetch)
    monkeypatch.setattr("glotmix.report.page.write_report", lambda *given: given[-1].write_text("report"))
    study.run(console=QUIET, worker=FAKE_WORKER)
    assert fetched == ["org/name"] and set(study.status()["state"]) == {"done"}
    assert Study.load(folder).plan()["done"].all()


def test_hours_and_cost_follow_from_tokens(folder, monkeypatch):
    study = Study.load(folder)
    monkeypatch.setattr(Study, "_speeds", lambda study: {"model": Speed(training=1.0, generation=2.0)})
    plan = study.plan(price_per_hour=3.0)
    words = 8 + 5 + 1  # "es : what is 1 + 1 ?", "The answer is 2 .", the end
    assert plan["tokens"].unique().to_list() == [5 * 4 * words]
    run = plan.row(0, named=True)
    assert run["training_gpu_hours"] == pytest.approx(280 / 3600)
    assert run["evaluation_gpu_hours"] == pytest.approx(4 * 10 * 8 / 2 / 3600), "languages x items x new tokens"
    assert run["cost"] == pytest.approx(3 * (run["training_gpu_hours"] + run["evaluation_gpu_hours"]))
    given = study.plan({"model": 10.0}, 3.0).row(0, named=True)
    assert given["training_gpu_hours"] == pytest.approx(28 / 3600) and given["evaluation_gpu_hours"] is None


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["fast"], "--tokens-per-second: 'fast'; give a number above 0, or MODEL=NUMBER"),
        (["0"], "'0'; give a number"),
        (["model=inf"], "'model=inf'; give a number"),
        (["x=3"], "--tokens-per-second: the study has no model 'x'; it has model."),
    ],
)
def test_a_speed_that_is_none(given, line):
    with pytest.raises(UserError) as refused:
        parse_speeds(given, ["model", "model"])  # of two runs
    assert line in f"{refused.value}."


BAD = [
    ({"recipe__template": "chat"}, {}, "recipe.template: the tokenizer of 'model' has no chat template; use plain"),
    ({"recipe__max_tokens": 13}, {}, "recipe.max_tokens: 13, but row math-train-"),
    ({}, {"max_position_embeddings": 13}, "and the model reads 13; set max_tokens: 13 and longer_rows: drop or trunc"),
    ({}, {"text_config": {"max_position_embeddings": 13}}, "and the model reads 13; set max_tokens: 13"),
    (
        {},
        {"n_positions": 15},
        "evaluation.max_new_tokens: 8 after a prompt of 8 tokens (math in en) is more than model",
    ),
]


@pytest.mark.parametrize(("changes", "config", "line"), BAD)
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_what_the_model_cannot_read_is_refused_before_anything_is_spent(folder, verb, changes, config, line):
    (folder / "model" / "config.json").write_text(json.dumps({"eos_token_id": 0} | config))
    with pytest.raises(UserError) as refused:
        getattr(Study.load(write_spec(folder, **changes)), verb)()
    assert line in str(refused.value) and "\n" not in str(refused.value)
    assert not (folder / "store").exists()


def test_cut_rows_count_what_is_left_of_them(folder):
    write_spec(folder, recipe__max_tokens=10, recipe__longer_rows="truncate")
    assert Study.load(folder).plan()["tokens"].unique().to_list() == [5 * 4 * 10]


def test_a_plan_leaves_out_what_is_dropped_and_shows_where_rows_are_longer(folder):
    """Of the Spanish rows every other one has a word more: dropped, it leaves its place to one of 14 tokens."""
    rows = [
        row("math", tag, split, number) for tag in ("en", "es", "fr", "pt") for split in ITEMS for number in range(60)
    ]
    for number, record in enumerate(rows):
        if record["language"] == "es" and number % 2:
            record["messages"][0]["content"] += " ahora"
    write_rows(folder / "mixed", rows)
    study = Study.load(write_spec(folder, pool="mixed", recipe__max_tokens=14, recipe__longer_rows="drop"))
    assert study.plan()["tokens"].unique().to_list() == [5 * 4 * 14]
    longer = study.longer_rows()
    assert longer["language"].to_list() == ["en", "es", "fr"] and longer["sampled"].to_list() == [10, 5, 5]
    assert 0 < longer["longer"][1] < 5 and longer["longer"].sum() == longer["longer"][1]
    table, told = longer_table(longer, study.spec.recipe)[1:]
    assert str(table.columns[0]._cells[0]) == "es" and "are dropped. Languages differ in tokens per row" in told
    assert longer_table(Study.load(write_spec(folder)).longer_rows(), study.spec.recipe) == []


def test_a_lora_study_is_marked_wherever_its_model_is_named(folder):
    trained_in_full = {run.train for run in Study.load(folder).planned.runs}
    study = Study.load(write_spec(folder, recipe__lora={"rank": 1}))
    plan = study.plan()
    assert set(plan["model"]) == {"model+lora1"} and all(run.startswith("model+lora1/") for run in plan["run"])
    assert "Adapters alone are trained (LoRA): 7 parameters beside the 12 of model+lora1." in plan_table(plan)
    assert set(study.status()["run"]) == set(plan["run"])
    assert not {run.train for run in study.planned.runs} & trained_in_full


def test_more_seeds_see_smaller_effects(folder):
    write_spec(folder, seeds={"everywhere": [0], "at": {"n=5": [1, 2], "n=0": [1, 2]}})
    more = Study.load(folder).effects().row(0, named=True)
    fewer = Study.load(write_spec(folder, seeds=[0])).effects().row(0, named=True)
    assert (more["seeds"], more["baseline_seeds"], more["languages"], more["items"]) == (3, 3, 2, 10)
    assert more["smallest"] < more["smallest_in_one"] < fewer["smallest_in_one"]


def test_the_plan_says_that_one_seed_measures_no_seed_noise(folder):
    told = effects_table(Study.load(write_spec(folder, seeds=[0])).effects())[-1]
    assert "One seed: seed noise not measured" in told
    assert "One seed" not in effects_table(Study.load(write_spec(folder, seeds=[0, 1])).effects())[-1]


def test_calibrating_measures_what_is_here_and_remembers_it(folder, capfd, recwarn):
    write_spec(folder, models=["lab-1m"], recipe__max_tokens=100, recipe__gradient_checkpointing=True)
    study, told = Study.load(folder), []
    study.calibrate(told.append)
    assert told == ["lab-1m: training steps", "lab-1m: answers"]
    assert capfd.readouterr().err == "" and not recwarn.list, "libraries say nothing to the user"
    plan = Study.load(folder).plan()
    assert (plan["training_gpu_hours"] > 0).all() and (plan["evaluation_gpu_hours"] > 0).all()
    write_spec(folder, models=["lab-1m"], recipe__precision="bfloat16")
    assert Study.load(folder).plan()["training_gpu_hours"].null_count() == 4, "another recipe has another speed"
