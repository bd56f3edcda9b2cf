"""Result files and logs of lm_eval become a results table: whole, with lm_eval's own means, and without a traceback."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from glotmix.analysis import check_results, findings
from glotmix.cli import app
from glotmix.errors import UserError
from glotmix.harness.names import outcome_and_language
from glotmix.harness.results import ASIDE_SCHEMA, READ_SCHEMA, import_results

pytest_plugins = ("harness_fixtures",)


DATE = "2025-01-02T03-04-05.678901"


def record(number: object, value: object, **changes: object) -> dict:
    told = {
        "doc_id": number,
        "filter": "none",
        "metrics": ["acc"],
        "filtered_resps": ["x"],
        "resps": [["x"]],
        "acc": value,
    }
    return told | changes


def write_log(folder: Path, records: list, task: str = "xcopa_sw", date: str = DATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"samples_{task}_{date}.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in records))
    return log


def write_results(folder: Path, results: object, date: str = DATE, **more: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"results_{date}.json"
    file.write_text(
        json.dumps({"results": results, "config": {"model_args": "pretrained=org/m,dtype=float32"}, **more})
    )
    return file


def test_means_over_imported_items_are_lm_evals_own(written):
    (file,) = written.rglob("results_*.json")
    aggregates = json.loads(file.read_text())["results"]
    for metric in (None, "acc_norm", "exact_match,flexible"):
        done = import_results([written], metric=metric)
        assert check_results(done.table).equals(done.table) and done.read.schema == READ_SCHEMA
        means = done.table.group_by("task", "language").agg(pl.col("value").mean(), pl.len())
        for task, tag, mean, items in means.iter_rows():
            (read,) = done.read.filter(task=task, language=tag).iter_rows(named=True)
            own = aggregates[read["name"]]
            assert mean == pytest.approx(own[read["metric"]], abs=1e-12) and items == own["sample_len"]
            assert read["stderr"] == pytest.approx(own[read["metric"].replace(",", "_stderr,")], abs=1e-12)
        lacking = {None: 0, "acc_norm": 1, "exact_match,flexible": 3}[metric]
        assert (len(done.aside), len(means)) == (lacking, 4 - lacking)


def test_logs_alone_and_result_files_alone_give_the_same_means(written, tmp_path):
    logs, files = tmp_path / "logs", tmp_path / "files"
    for folder, pattern in ((logs, "samples_*"), (files, "results_*")):
        folder.mkdir()
        for file in written.rglob(pattern):
            shutil.copy(file, folder)
    columns = ("task", "language", "metric", "value", "n_items")
    by_items, by_means = import_results([logs]), import_results([files])
    assert by_items.read.select(columns).equals(by_means.read.select(columns))
    assert "item_id" in by_items.table.columns
    assert by_means.table.select("value", "n_items", "stderr").null_count().sum_horizontal().item() == 0


def test_every_result_of_2023_is_imported(data_folder):
    done = import_results([data_folder / "lm_eval_results"])
    own = {}
    for file in (data_folder / "lm_eval_results" / "raw_mgsm_direct").glob("*.json"):
        for task, numbers in json.loads(file.read_text())["results"].items():
            own[file.name, task] = (numbers["acc"], numbers["acc_stderr"])
    read = {
        (Path(row["file"]).name, row["name"]): (row["value"], row["stderr"]) for row in done.read.iter_rows(named=True)
    }
    assert read == own and len(read) == 33 * 11 and done.aside.is_empty()
    assert set(done.table["language"]) == {"bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"}
    assert done.table["task"].unique().to_list() == ["mgsm"]
    assert dict(done.table.select("language", "role").unique().iter_rows())["en"] == "anchor"
    assert "meta-llama/Llama-2-13b-chat-hf" in done.table["model"]


def test_a_table_of_runs_makes_findings_possible(tmp_path):
    for name, right in (("n0", 2), ("n100", 6)):
        for task in ("xcopa_en", "xcopa_sw"):
            write_log(tmp_path / name, [record(n, float(n < right)) for n in range(10)], task)
    runs = tmp_path / "runs.csv"
    header = (
        "run,model,setting,seed,rows_per_language,anchor_rows,total_rows,optimizer_steps,train_languages,parameters\n"
    )
    runs.write_text(header + "n0,qwen,n=0,0,0,500,500,10,en,7\nn100,qwen,n=100,0,100,500,600,12,en sw,7\n")
    done = import_results([tmp_path / "n0", tmp_path / "n100"], runs=runs)
    found = {
        row["name"]: row["estimate"] for row in findings(done.table, "en").iter_rows(named=True) if row["compared_with"]
    }
    assert found["gain of seen languages"] == pytest.approx(0.4)
    assert dict(done.table.select("language", "role").unique().iter_rows()) == {"en": "anchor", "sw": "seen"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model\nx\n", "no column 'run'"),
        ("run,sed\nm,0\n", "a column 'sed'; did you mean 'seed'"),
        ("run,seed\nm,one\n", "line 2: seed is 'one'; give a whole number"),
        ("run,seed\nm,0\nm,1\n", "has 'm' twice"),
        ("run,seed\nmm,0\nm,0\n", "no result of run 'mm'; the files have 'm'"),
        ("", "no CSV file"),
    ],
)
def test_a_table_of_runs_that_is_wrong_is_refused(tmp_path, text, told):
    write_log(tmp_path / "m", [record(0, 1.0)])
    (tmp_path / "runs.csv").write_text(text)
    with pytest.raises(UserError, match=told):
        import_results([tmp_path / "m"], runs=tmp_path / "runs.csv")


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([record(0, 1.0), record(0, 0.0)], "1 documents are there twice"),
        ([record(0, 1.0), record(1, float("nan"))], "document 1, value nan"),
        ([record(0, 1.0), record(1, float("inf"))], "document 1, value inf"),
        ([record(0, 1.0), record(1, 2.5)], "document 1, value 2.5"),
        ([record(0, 1.0), record(1, "right")], "document 1, value None"),
        ([record(0, 1.0), record("one", 1.0)], "document None"),
        ([record(0, 1.0), {"filter": "none"}], "document None"),
        ([record(0, 1.0), [1]], "a line is not a JSON object"),
        ([record(0, 1.0), record(1, 1.0, filter=None)], "1 of 2 records do not say their filter"),
        ([record(0, 1.0), record(1, 1.0, filter="flexible")], "1 documents have no record of the filter 'none'"),
        ([record(0, 1.0, metrics="acc")], "its first line lacks 'metrics'"),
        ([record(0, 7.0)], "7.0, no score from 0 to 1"),
        ([], "a line is not JSON"),
    ],
)
def test_a_log_that_is_broken_is_set_aside_with_the_reason(tmp_path, records, told):
    write_log(tmp_path / "bad", records)
    write_log(tmp_path / "good", [record(0, True), record(1, False, doc={"x": float("nan")})])
    done = import_results([tmp_path])
    assert done.table["value"].to_list() == [1.0, 0.0] and done.aside.schema == ASIDE_SCHEMA
    ((file, reason),) = done.aside.rows()
    assert "bad" in file and told in reason and "\n" not in reason


def test_answers_survive_and_log_likelihoods_are_none(tmp_path):
    answers = ["\\boxed{\\frac{1}{2}}", "a\tb\nc", "\x1b[31m", '["a"]', "-5", "«é»", ""]
    likelihoods = [[-1.25, False], ["-inf", "True"]]
    told = [record(number, 1.0, filtered_resps=[answer]) for number, answer in enumerate([*answers, *likelihoods])]
    write_log(tmp_path / "number", told)
    write_log(tmp_path / "nan", [one | {"doc": float("nan")} for one in told], task="xcopa_et")
    for _, part in import_results([tmp_path]).table.group_by("language"):
        assert part["parsed"].to_list() == [*answers, "", ""]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"results": ' + b"1" * 10_000 + b"}", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"results": {}}', "no tasks under 'results'"),
        (b'{"results": {"xcopa_sw": 3}}', "its results are no JSON object"),
        (b'{"results": {"xcopa_sw": {"acc": NaN}}}', "no metric None; it has none"),
        (b'{"results": {"xcopa_sw": {"ppl": 12.5}}}', "ppl is 12.5, no score from 0 to 1"),
        (b'{"results": {"xcopa": {"acc": 0.5}}}', "its name does not tell its language; add --language 'xcopa=TAG'"),
        (b'{"results": {"\\u001b[31m_sw": {"acc": 0.5}}}', "not printable ('\\x1b[31m_sw')"),
    ],
)
def test_a_result_file_that_is_broken_is_set_aside_with_the_reason(tmp_path, content, told):
    (tmp_path / "bad.json").write_bytes(content)
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.5, "acc_stderr,none": "N/A"}})
    done = import_results([tmp_path])
    assert done.table.select("value", "stderr").rows() == [(0.5, None)]
    ((file, reason),) = done.aside.rows()
    assert file.endswith("bad.json") and told in reason and reason.isprintable()


def test_a_log_that_its_result_file_contradicts_is_set_aside(tmp_path):
    write_log(tmp_path, [record(0, 1.0), record(1, 0.0)])
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.75}})
    with pytest.raises(UserError, match=r"the mean of acc,none over its log is 0\.5, its result file says 0\.75"):
        import_results([tmp_path])
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.5}}, **{"n-samples": {"xcopa_sw": {"effective": 3}}})
    with pytest.raises(UserError, match="its log has 2 of 3 items"):
        import_results([tmp_path])


def test_a_name_that_a_terminal_would_obey_is_shown_as_what_it_is(tmp_path):
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.5}})
    (tmp_path / "\x1b[2J.json").write_text("{")
    ((file, _),) = import_results([tmp_path]).aside.rows()
    assert file.isprintable() and "\\x1b[2J" in file


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"items": "own"}, "--items: 'own'"),
        ({"anchor": "english"}, "unknown language 'english'"),
        ({"metric": "f1"}, "no metric 'f1'; it has acc,none"),
    ],
)
def test_a_wrong_argument_is_refused(tmp_path, asked, told):
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.5}})
    with pytest.raises(UserError, match=told):
        import_results([tmp_path], **asked)


def test_the_newest_result_of_a_run_counts(tmp_path):
    for date, value in ((DATE, 0.1), (DATE.replace("2025", "2026"), 0.9)):
        write_results(tmp_path, {"xcopa_sw": {"acc,none": value}}, date)
    done = import_results([tmp_path])
    assert done.table["value"].to_list() == [0.9]
    assert "has a newer result of org/m" in done.aside["reason"][0]


def test_other_numbers_of_examples_are_other_tasks(tmp_path):
    for folder, shots in (("a", 0), ("b", 5)):
        write_results(tmp_path / folder, {"xcopa_sw": {"acc,none": 0.5}}, **{"n-shot": {"xcopa_sw": shots}})
    assert set(import_results([tmp_path]).table["task"]) == {"xcopa 0-shot", "xcopa 5-shot"}


def test_a_task_measured_by_several_metrics_is_refused(tmp_path):
    numbers = {"acc,none": 0.5, "acc_norm,none": 0.75}
    write_results(tmp_path, {"xcopa_sw": numbers, "xcopa_et": numbers | {"acc,none": float("nan")}})
    with pytest.raises(UserError, match="'acc,none' for xcopa_sw of org/m but 'acc_norm,none' for xcopa_et of org/m"):
        import_results([tmp_path])
    assert import_results([tmp_path], metric="acc_norm").table["value"].to_list() == [0.75, 0.75]
    write_results(tmp_path, {"xcopa_sw": numbers, "xcopa_et": {"acc": 0.25}})
    assert import_results([tmp_path]).table["value"].to_list() == [0.5, 0.25]


def test_groups_are_no_results_of_their_own(tmp_path):
    members = {"xcopa": ["xcopa_sw"], "xcopa_sw": []}
    write_results(tmp_path, {"xcopa": {"acc,none": 0.5}, "xcopa_sw": {"acc,none": 0.5}}, group_subtasks=members)
    done = import_results([tmp_path])
    assert len(done.table) == 1 and done.aside.is_empty()


def test_items_and_means_are_not_mixed_unless_means_are_asked_for(tmp_path):
    write_log(tmp_path, [record(0, 1.0), record(1, 0.0)])
    write_results(tmp_path, {"xcopa_sw": {"acc,none": 0.5}, "xcopa_et": {"acc,none": 0.25}})
    with pytest.raises(UserError, match=r"1 of 2 results have no log of their items .*--means"):
        import_results([tmp_path])
    assert sorted(import_results([tmp_path], means=True).table["value"]) == [0.25, 0.5]


def test_a_language_can_be_given_by_pattern(tmp_path):
    write_results(tmp_path, {"gsm8k": {"acc,none": 0.5}, "mt_bench_is": {"acc,none": 0.5}})
    done = import_results([tmp_path], languages=["gsm8k=en", "mt_bench*=de"])
    assert set(done.table.select("task", "language").rows()) == {("gsm8k", "en"), ("mt_bench_is", "de")}
    for wrong, told in (("gsm8k", "give PATTERN=TAG"), ("gsm8k=xx", "unknown language 'xx'")):
        with pytest.raises(UserError, match=told):
            import_results([tmp_path], languages=[wrong])


def test_the_language_is_the_last_in_a_tasks_name():
    expected = {
        "mgsm_direct_bn": ("mgsm_direct", "bn"),
        "mgsm_native_cot_te": ("mgsm_native_cot", "te"),
        "belebele_arb_Arab": ("belebele", "ar"),
        "belebele_zho_Hant": ("belebele", "zh-Hant"),
        "belebele_nso_Latn": ("belebele", "nso"),
        "xwinograd_jp": ("xwinograd", "ja"),
        "afrimgsm_amh": ("afrimgsm", "am"),
        "global_mmlu_full_am_anatomy": ("global_mmlu_full_anatomy", "am"),
    }
    assert {name: outcome_and_language(name) for name in expected} == expected
    assert not any(
        map(outcome_and_language, ("hellaswag", "mmlu_pro", "arc_easy", "m_mmlu_pt-br", "flores_ca-de", "_en", ""))
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["results", "config", "model_args", "n-shot", "n-samples", "xcopa_sw", "acc", "acc,none", "effective"]
)
FILES = st.dictionaries(KEYS, st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES) | VALUES) | VALUES)
RECORDS = st.dictionaries(st.sampled_from(["doc_id", "filter", "metrics", "acc", "filtered_resps"]), VALUES)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200) | FILES.map(json.dumps).map(str.encode),
    st.lists(RECORDS, max_size=4),
    st.binary(max_size=50),
)
def test_no_content_of_a_file_is_a_fault(tmp_path, content, records, tail):
    (tmp_path / f"results_{DATE}.json").write_bytes(content)
    log = write_log(tmp_path, [record(0, 1.0), *({**record(1, 0.0), **one} for one in records)])
    log.write_bytes(log.read_bytes() + tail)
    try:
        done = import_results([tmp_path])
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert done.table["value"].is_between(0, 1).all()


def test_the_command_writes_the_table_and_shows_what_it_read(written, tmp_path):
    out = tmp_path / "table.parquet"
    shown = CliRunner().invoke(app, ["results", "import", str(written), "--out", str(out)])
    assert (
        shown.exit_code == 0
        and "add: acc,none, 8 items" in shown.output
        and "32 items of 5 files; 0 set aside" in shown.output
    )
    assert pl.read_parquet(out)["study"].unique().to_list() == ["table"]
    told = CliRunner().invoke(app, ["results", "import", str(written), "--out", str(out), "--json"])
    assert len(json.loads(told.stdout)) == 4
