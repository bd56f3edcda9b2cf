import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from judged_study import chance, compare, make_judged_study, material, rate, set_judge
from rich.console import Console

from fake_server import FakeServer
from glotmix.analysis.table import check_results
from glotmix.errors import GlotmixError, UserError
from glotmix.study.engine import Program
from glotmix.study.study import Study
from glotmix.study.summary import study_info
from glotmix.study.tables import plan_table, status_table
from small_study import FAKE_WORKER, row, write_rows, write_spec

NO_WORKER = (sys.executable, "-c", "raise SystemExit(3)")
RUN = f"from glotmix import Study; Study.load({{folder!r}}).run(processes=2, worker={FAKE_WORKER!r})"
ANSWERS = 2 * 2 * 4 * 10  # settings x seeds x languages x items


@pytest.fixture(autouse=True)
def _no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glotmix.report.page.write_report", lambda *given: given[-1].write_text("report"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, trained and generated, but not judged."""
    folder = make_judged_study(tmp_path_factory.mktemp("judged") / "study", "http://127.0.0.1:9/v1")
    study = Study.load(folder)
    with study.store.lock():
        jobs = study.resolved.jobs(study.store)
        study._write_inputs(study.resolved, jobs)
        study._work(jobs, 2, lambda job, event: None, Program(FAKE_WORKER))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def run(folder: Path) -> str:
    """What the run said. Nothing is trained: the worker can't."""
    console = Console(file=StringIO(), width=200)
    Study.load(folder).run(2, console=console, worker=NO_WORKER)
    return console.file.getvalue()


def judgements(server: FakeServer) -> list[str]:
    """The calls that judged something, in their order; the one that greets the judge is none."""
    return [json.dumps(body, sort_keys=True) for body in server.requests if material(body)]


def test_judged_results_are_what_the_judge_said(folder):
    with FakeServer(rate) as server:
        said = run(set_judge(folder, server.url, price_per_million_tokens={"input": 1000, "output": 2000}))
    study = Study.load(folder)
    results, samples = study.results(), study.samples()
    assert len(results) == ANSWERS and check_results(results).equals(results)
    joined = results.join(samples, on=["model", "task", "setting", "seed", "language", "item_id"])
    for one in joined.iter_rows(named=True):
        rating = 1 + chance(one["prompt"], one["output"]) % 5
        unpaid = {"": "no_answer"} | ({one["output"]: "wrong_language"} if one["output"].startswith("О") else {})
        if one["output"] in unpaid:
            assert (one["value"], one["verdict"]) == (0.2, unpaid[one["output"]])
        else:
            assert (one["value"], one["verdict"]) == (rating / 5, "correct" if rating == 5 else "wrong")
    calls = judgements(server)
    asked = joined.filter(~pl.col("verdict").is_in(["no_answer", "wrong_language"]))
    assert len(calls) == len(set(calls)) == len(asked.unique(["prompt", "output"])) > 30
    assert not any("Ответ" in call for call in calls)
    assert f"{ANSWERS} answers judged by judge-1: {len(calls)} calls, 0 of them from the cache" in said
    assert len(study.findings())

    cost = study_info(study.file, study.resolved, study.store).cost.judge
    assert (cost.model, cost.calls) == ("judge-1", len(calls)) and cost.prompt_tokens > 0
    assert cost.money == pytest.approx((1000 * cost.prompt_tokens + 2000 * cost.completion_tokens) / 1e6)


def test_a_second_run_asks_nothing_and_changes_nothing(folder):
    with FakeServer(rate) as server:
        run(set_judge(folder, server.url))
        asked, results = len(server.requests), Study.load(folder).results()
        assert run(folder) == ""
        assert len(server.requests) == asked
    assert Study.load(folder).results().equals(results)


def test_lost_steps_are_restored_from_the_cache(folder):
    with FakeServer(rate) as server:
        run(set_judge(folder, server.url))
        asked, results = len(server.requests), Study.load(folder).results()
        shutil.rmtree(folder / "store" / "judge")
        said = run(folder)
        assert len(server.requests) == asked
    assert f"{asked - 1} calls, {asked - 1} of them from the cache; 0 tokens read" in said
    assert Study.load(folder).results().equals(results)


def test_another_address_judges_nothing_anew_and_another_model_everything(folder):
    with FakeServer(rate) as server:
        run(set_judge(folder, server.url))
    run(set_judge(folder, "http://127.0.0.1:9/v1", concurrency=2))
    with FakeServer(rate) as server:
        run(set_judge(folder, server.url, model="judge-2"))
        assert len(judgements(server)) > 30
    assert len(list((folder / "store" / "evaluate").iterdir())) == 16, "nothing is generated anew"


def test_without_a_judge_answers_are_scored_offline(folder):
    write_spec(folder, tasks=["instructions"])
    assert run(folder) == ""
    study = Study.load(folder)
    assert set(study.results()["verdict"]) == {"correct", "wrong"}, "what the fake worker scored"
    assert study.plan()["judge_calls"].null_count() == 4 and not study.missing()


def test_replies_without_a_rating_have_no_value_and_leave_their_rows_out(folder):
    with FakeServer(
        lambda body: "no idea" if any("1 003" in text for text in material(body)) else rate(body)
    ) as server:
        said = run(set_judge(folder, server.url))
        assert "answers have no rating and count nowhere" in said and "run again" not in said
        assert run(folder) == "", "what was said is said"
    study = Study.load(folder)
    results = study.results()
    unjudged = results.filter(verdict="unjudged")
    assert (
        unjudged["value"].null_count()
        == len(unjudged)
        > 0
        == results.filter(pl.col("verdict") != "unjudged")["value"].null_count()
    )
    lost = unjudged.select("language", "item_id").n_unique()
    notes = set(study.findings().filter(pl.col("estimate").is_not_null())["note"].drop_nulls())
    assert any(f"{lost} of 40 test rows left out" in note for note in notes)


def test_failed_calls_are_unjudged_and_asked_again_by_the_next_run(folder):
    broken = {"on": True}

    def trouble(body, before):
        return "400" if broken["on"] and any("2 00" in text for text in material(body)) else ""

    with FakeServer(rate, trouble) as server:
        said = run(set_judge(folder, server.url))
        failed = Study.load(folder).results().filter(verdict="unjudged")
        assert len(failed) and "calls failed; run again to repeat them" in said
        assert set(Study.load(folder).status()["state"]) == {"done"}
        asked, broken["on"] = len(server.requests), False
        run(folder)
        again = [body for body in server.requests[asked:] if material(body)]
        assert again and all("2 00" in material(body)[1] for body in again)
        assert run(folder) == ""
    assert not len(Study.load(folder).results().filter(verdict="unjudged"))
    with FakeServer(rate) as server:
        shutil.rmtree(folder / "store" / "judge")
        (folder / "store" / "judge-calls.sqlite").unlink()
        healed = Study.load(folder).results
        run(set_judge(folder, server.url))
    assert healed().equals(Study.load(folder).results())


def test_pairs_are_asked_in_both_orders_and_baselines_tie(folder):
    with FakeServer(compare) as server:
        run(set_judge(folder, server.url, kind="pairwise"))
        calls = [material(body) for body in server.requests if material(body)]
    study = Study.load(folder)
    results = study.results()
    assert set(results.filter(setting="n=0")["value"]) == {0.5}
    assert all(Counter(map(tuple, calls))[question, second, first] for question, first, second in calls)
    outputs = study.samples().pivot("setting", index=["seed", "language", "item_id"], values="output")
    joined = results.filter(setting="n=5").join(outputs, on=["seed", "language", "item_id"])
    for one in joined.iter_rows(named=True):
        own, other = ("" if one[name].startswith("О") else one[name] for name in ("n=5", "n=0"))
        expected = 0.5 if own == other or bool(own) == bool(other) else float(bool(own))
        assert one["value"] == expected, "as long: A both times, a tie"
    assert len(calls) == 2 * len({tuple(sorted(call)) for call in calls})


def test_a_baseline_without_the_seed_is_represented_by_its_first(folder):
    write = {"seeds": {"everywhere": [0], "at": {5: [0, 1]}}}
    judge = {"model": "m", "url": "http://x", "kind": "pairwise"}
    runs = Study.load(write_spec(folder, tasks=["instructions"], evaluation__judge=judge, **write)).resolved.runs
    baseline, *others = sorted(runs, key=lambda run: (run.cell.name, run.seed))
    assert [run.seed for run in others] == [0, 1]
    for run_ in others:
        assert [step.against for step in run_.evaluations] == [step.key for step in baseline.evaluations]
    assert {step.against for step in baseline.evaluations} == {""}


def test_plan_and_status_tell_of_judging(folder):
    study = Study.load(set_judge(folder, "http://127.0.0.1:9/v1", price_per_million_tokens={"input": 2, "output": 8}))
    plan, status = study.plan(), study.status()
    assert plan["judge_calls"].to_list() == [40] * 4 and plan["judge_cost"].sum() == pytest.approx(0.77, abs=0.1)
    assert "at most 160 judge calls (about 0.7" in " ".join(map(str, plan_table(plan)))
    assert status["to_judge"].to_list() == [4] * 4 and status["judged"].sum() == 0 and "begun" in set(status["state"])
    assert [str(column.header) for column in status_table(status)[0].columns][4] == "judged"
    assert Study.load(set_judge(folder, "http://x", kind="pairwise")).plan()["judge_calls"].to_list() == [0, 0, 80, 80]
    assert study.results().is_empty(), "a run counts when it is judged"


def test_a_missing_key_is_one_line_before_anything_is_done(folder, monkeypatch):
    monkeypatch.delenv("A_JUDGES_KEY", raising=False)
    set_judge(folder, "http://127.0.0.1:9/v1", api_key_env="A_JUDGES_KEY")
    (line,) = Study.load(folder).missing()
    assert "environment variable A_JUDGES_KEY is not set" in line and "\n" not in line
    with pytest.raises(UserError, match="A_JUDGES_KEY is not set"):
        run(folder)
    monkeypatch.setenv("A_JUDGES_KEY", "secret")
    assert not Study.load(folder).missing()
    with FakeServer(rate) as server:
        run(set_judge(folder, server.url, api_key_env="A_JUDGES_KEY"))
        assert {headers["authorization"] for headers in server.headers} == {"Bearer secret"}
    assert not any(b"secret" in file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("status", ["404", "401", "400: temperature must be 1", "body: <html>", "reset"])
def test_a_wrong_server_is_one_line_within_seconds_and_keeps_what_is_done(folder, status):
    start = time.monotonic()
    with FakeServer(rate, lambda body, before: status) as server, pytest.raises(GlotmixError) as failed:
        run(set_judge(folder, server.url))
    assert "\n" not in str(failed.value) and server.url in str(failed.value)
    assert time.monotonic() - start < 5
    assert len(list((folder / "store" / "evaluate").iterdir())) == 16


def test_no_server_at_all_stops_a_run_before_it_trains(folder):
    shutil.rmtree(folder / "store")
    with pytest.raises(GlotmixError, match=r"127\.0\.0\.1:9"):
        run(set_judge(folder, "http://127.0.0.1:9/v1"))
    assert not (folder / "store" / "train").exists() and not (folder / "store" / "logs").exists()


def test_rows_without_a_reference_need_a_judge(folder, tmp_path):
    rows = [row("instructions", tag, "test", 500) | {"reference": None} for tag in ("en", "es", "fr", "pt")]
    rows = [one | {"messages": one["messages"][:1]} for one in rows]
    spec = {"tasks": ["instructions"], "evaluation__items_per_language": 13}
    write_rows(folder / "pool", rows)
    with pytest.raises(UserError, match=r"evaluation\.judge"):
        Study.load(write_spec(folder, **spec)).plan()
    Study.load(write_spec(folder, **spec, evaluation__judge={"model": "m", "url": "http://x"})).plan()


def test_a_study_killed_while_it_is_judged_pays_nothing_twice(folder, tmp_path):
    whole = Path(shutil.copytree(folder, tmp_path / "whole"))
    with FakeServer(rate) as server:
        run(set_judge(whole, server.url))
        needed = sorted(judgements(server))

    half, paid = threading.Event(), list[str]()

    def answer(body):
        time.sleep(0.02)
        if material(body):
            paid.append(json.dumps(body, sort_keys=True))
        if len(paid) > len(needed) // 2:
            half.set()
        return rate(body)

    def trouble(body, before):
        return ("429 0", "500", "")[chance(*material(body)) % 3] if before == 0 and material(body) else ""

    with FakeServer(answer, trouble) as server:
        set_judge(folder, server.url)
        killed = subprocess.Popen([sys.executable, "-c", RUN.format(folder=str(folder))], stderr=subprocess.DEVNULL)
        assert half.wait(30)
        killed.kill()
        killed.wait()
        answered = kept(folder)
        assert len(needed) // 2 - 4 <= answered < len(needed)
        run(folder)
    assert sorted(set(paid)) == needed
    assert len(paid) - len(needed) <= 4, "no more twice than were under way when the study was killed"
    assert len(server.requests) > len(paid) + len(needed) // 4, "the trouble was real"
    assert Study.load(folder).results().equals(Study.load(whole).results())


def kept(folder: Path) -> int:
    with sqlite3.connect(folder / "store" / "judge-calls.sqlite") as database:
        return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tasks": ["math"]}, "evaluation.judge judges the task instructions, which is not among the tasks"),
        ({"evaluation__judge__url": "localhost:8000"}, r"evaluation\.judge\.url"),
        ({"evaluation__judge__kind": "ranking"}, r"evaluation\.judge\.kind"),
        ({"evaluation__judge__modell": "m"}, "did you mean 'model'"),
        ({"evaluation__judge__kind": "pairwise", "design__rows_per_language": [0]}, "no setting has a baseline"),
    ],
)
def test_a_judge_that_cannot_be_right_is_refused_in_one_line(folder, changes, line):
    judge = {"model": "m", "url": "http://x"}
    with pytest.raises(UserError, match=line):
        Study.load(write_spec(folder, **{"tasks": ["instructions"], "evaluation__judge": judge} | changes)).plan()
