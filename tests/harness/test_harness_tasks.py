"""Tasks of lm_eval in a study file: what is wrong is refused at plan, and what a task is does not depend on places."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from local_tasks import CHOICE, WRITE, write_task, write_tasks

from glotmix.errors import UserError
from glotmix.harness.tasks import find_tasks
from glotmix.spec import Evaluation

pytest_plugins = ("harness_fixtures",)


def found(folder: Path, **outcome: object) -> dict:
    evaluation = Evaluation(lm_eval={"adding": {"include_path": ".", **outcome}})
    (one,) = find_tasks(evaluation.lm_eval, folder)
    return {"metric": f"{one.metric},{one.filter}", "identity": dict(one.identity)}


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ({"tasks": {"en": "add_eng"}}, "lm_eval has no task 'add_eng' .*did you mean 'add_en'"),
        ({"tasks": {"et": "xcopa"}}, "'xcopa' is a group of tasks; name one task"),
        ({"tasks": {"en": "add_en"}, "include_path": "nowhere"}, "include_path: no folder 'nowhere'"),
        ({"tasks": {"en": "add_en"}, "metric": "f1"}, "'f1' is no metric of 'add_en'.*acc,none or acc_norm,none"),
        (
            {"tasks": {"en": "write_en"}, "metric": "exact_match,odd"},
            "it has exact_match,strict or exact_match,flexible",
        ),
        ({"tasks": {"en": "humaneval"}}, "'humaneval' runs code that the model writes"),
        ({"tasks": {"en": "wikitext"}}, "'wikitext' measures perplexity"),
    ],
)
def test_what_can_be_no_outcome_is_refused_with_the_way_out(tasks, outcome, told):
    with pytest.raises(UserError, match=told) as refused:
        found(tasks, **outcome)
    assert str(refused.value).startswith("evaluation.lm_eval.adding") and "\n" not in str(refused.value)


def test_examples_that_lm_eval_would_ignore_are_refused(tmp_path):
    write_tasks(tmp_path)
    write_task(tmp_path, "fixed_en", CHOICE | {"num_fewshot": 0}, "add_en.jsonl")
    with pytest.raises(UserError, match="num_fewshot: 5, but 'fixed_en' sets it to 0"):
        found(tmp_path, tasks={"en": "fixed_en"}, num_fewshot=5)


def test_data_that_is_not_there_is_refused(tmp_path):
    write_task(tmp_path, "lost_en", CHOICE, "lost.jsonl")
    with pytest.raises(UserError, match=r"the data of 'lost_en', lost.jsonl, is not in"):
        found(tmp_path, tasks={"en": "lost_en"})


def test_the_metric_left_out_is_the_first_with_a_score_for_each_item(tasks, tmp_path):
    assert found(tasks, tasks={"en": "add_en"})["metric"] == "acc,none"
    assert found(tasks, tasks={"en": "write_en"})["metric"] == "exact_match,strict"
    assert found(tasks, tasks={"en": "write_en"}, metric="exact_match,flexible")["metric"] == "exact_match,flexible"
    perplexing = [{"metric": "perplexity", "higher_is_better": False}, *CHOICE["metric_list"]]
    write_tasks(tmp_path)
    write_task(tmp_path, "hard_en", CHOICE | {"metric_list": perplexing}, "add_en.jsonl")
    assert found(tmp_path, tasks={"en": "hard_en"})["metric"] == "acc,none"


def test_a_task_is_what_is_in_its_files_wherever_they_lie(tasks, tmp_path):
    here, there = found(tasks, tasks={"en": "add_en"}), tmp_path / "moved"
    shutil.copytree(tasks, there)
    assert found(there, tasks={"en": "add_en"}) == here
    assert str(tasks) not in yaml.safe_dump(here)
    with (there / "add_en.jsonl").open("a") as data:
        data.write("\n")
    assert found(there, tasks={"en": "add_en"}) != here


@pytest.mark.parametrize("is_relative", [True, False])
def test_a_data_folder_is_what_is_in_it_wherever_it_lies(tmp_path, is_relative):
    found_in = []
    for place in (tmp_path / "here", tmp_path / "there"):
        (place / "data").mkdir(parents=True)
        (place / "data" / "test.jsonl").write_text("{}")
        write_tasks(place / "tasks")
        path = "../data" if is_relative else str(place / "data")
        write_task(place / "tasks", "own_en", CHOICE | {"dataset_path": path, "dataset_kwargs": {}}, "")
        found_in.append(found(place / "tasks", tasks={"en": "own_en"}))
    assert found_in[0] == found_in[1] and str(tmp_path) not in yaml.safe_dump(found_in[0])
    (place / "data" / "test.jsonl").write_text("{ }")
    assert found(place / "tasks", tasks={"en": "own_en"}) != found_in[1]


def test_functions_of_a_task_count_but_are_not_run_by_a_plan(tmp_path):
    write_tasks(tmp_path)
    (tmp_path / "own.py").write_text("raise SystemExit('run')")
    file = tmp_path / "own_en.yaml"
    write_task(tmp_path, "own_en", {**WRITE, "process_docs": "FUNCTION"}, "add_en.jsonl")
    file.write_text(file.read_text().replace("FUNCTION", "!function own.shorten"))
    first = found(tmp_path, tasks={"en": "own_en"})
    (tmp_path / "own.py").write_text("raise SystemExit('run again')")
    assert found(tmp_path, tasks={"en": "own_en"}) != first


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"math": {"en": "gsm8k"}}, "lm_eval.math: glotmix has a task of that name"),
        ({"x": {"xx": "gsm8k"}}, "unknown language 'xx'"),
        ({"x": {"en": "gsm8k", "limit": 3}}, "x.en"),
        ({"x": {"tasks": {"en": "gsm8k"}, "limit": 0}}, "greater than 0"),
    ],
)
def test_an_outcome_that_is_written_wrong_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        Evaluation(lm_eval=given)


def test_a_study_without_such_outcomes_never_imports_lm_eval():
    code = "import sys, glotmix.study.plan, glotmix.harness.results; assert not {'lm_eval', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_lm_eval_one_line_says_how_to_get_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; sys.modules['lm_eval'] = None\n"
        "from glotmix.harness.tasks import find_tasks; from glotmix.spec import Evaluation\n"
        "find_tasks(Evaluation(lm_eval={'x': {'et': 'xcopa_et'}}).lm_eval, Path())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "evaluation.lm_eval.x: needs lm-evaluation-harness; pip install 'glotmix[lm-eval]'" in done.stderr
