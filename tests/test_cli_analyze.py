"""`glotmix analyze` takes anyone's results, tells what can be concluded, and says in one line what can't be right."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from glotmix import cli
from glotmix.analysis import Declared, findings
from glotmix.analysis.simulate import Truth, simulate
from glotmix.errors import UserError
from glotmix.spec.analysis import Analysis
from glotmix.study.anyones import read_any
from glotmix.study.presets import init_study
from glotmix.study.study import Study

HAND = """model,task,setting,language,score,n_items,train_languages
m,math,n=0,en,0.50,250,en
m,math,n=0,es,0.30,250,en
m,math,n=0,ar,0.20,250,en
m,math,n=100,en,0.52,250,en es
m,math,n=100,es,0.45,250,en es
m,math,n=100,ar,0.21,250,en;es
"""
LEVELS = {0: {"en": 0.8, "es": 0.2, "ar": 0.2}, 100: {"en": 0.8, "es": 0.6, "ar": 0.25}}
ROLES = {"en": "anchor", "es": "seen", "ar": "unseen"}
RESULTS = simulate(Truth(LEVELS, ROLES, {0: 2, 100: 2}, items=60), seed=0)


@pytest.fixture
def analyze(monkeypatch, capsys):
    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["glotmix", "analyze", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "140")
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def hand(tmp_path):
    (tmp_path / "hand.csv").write_text(HAND)
    return tmp_path / "hand.csv"


def test_a_hand_made_table_gives_conclusions_first_and_says_what_was_assumed(analyze, hand):
    code, out, error = analyze(hand)
    assert code == 0
    concluded, unclear = out.index("What can be concluded: m, math"), out.index("What cannot be concluded")
    assert concluded < out.index("gain of seen languages") < unclear < out.index("gain of the anchor")
    assert "n=100 − n=0" in out and "+15.0" in out
    assert error == "no column seed: taken as one seed\n"


def test_findings_of_a_file_are_those_of_its_table_whatever_its_kind(analyze, tmp_path):
    RESULTS.write_parquet(tmp_path / "t.parquet")
    RESULTS.write_json(tmp_path / "t.json")
    RESULTS.write_ndjson(tmp_path / "t.jsonl")
    flat = RESULTS.drop("metrics", "control_of").with_columns(pl.col("train_languages").list.join(" "))
    flat.drop("train_tasks").write_csv(tmp_path / "t.csv")
    expected = findings(RESULTS).rows()
    for kind in ("parquet", "json", "jsonl", "csv"):
        code, out, _ = analyze(tmp_path / f"t.{kind}", "--json")
        assert code == 0
        assert [tuple(row.values()) for row in json.loads(out)] == expected, kind


def test_neither_torch_nor_charts_are_needed(hand):
    code = f"""import sys; sys.argv = ['glotmix', 'analyze', {str(hand)!r}]
from glotmix import cli
try: cli.main()
except SystemExit: print(sorted({{'torch', 'transformers', 'altair'}} & set(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_results_of_lm_eval_are_read_in_place(analyze, data_folder):
    code, out, _ = analyze(data_folder / "lm_eval_results", "--json")
    assert code == 0 and "relative to anchor" in {row["name"] for row in json.loads(out)}
    with_roles = read_any(data_folder / "lm_eval_results", anchor="sw")[0].results
    assert with_roles.filter(role="anchor")["language"].unique().to_list() == ["sw"]


def test_what_is_said_of_results_of_lm_eval_is_heeded(data_folder):
    raw = data_folder / "lm_eval_results/raw_mgsm_direct/bloom-3b_mgsm_8-shot.json"
    assert "sv" in set(read_any(raw, languages=["mgsm_en*=sv"])[0].results["language"])
    with pytest.raises(UserError, match="no result of lm_eval that can be read"):
        read_any(raw, metric="brevity")
    with pytest.raises(UserError, match=r"absent\.csv"):
        read_any(raw, runs=Path("absent.csv"))


def test_a_study_folder_is_analyzed_as_its_file_declares(analyze, tmp_path, monkeypatch):
    (tmp_path / "study.yaml").write_text("the study is made here")
    assert init_study(tmp_path / "own", "quickstart")
    study = Study.load(tmp_path / "own")
    study.spec = study.spec.model_copy(update={"analysis": Analysis(margin=40, control="none", groups={"a": ["es"]})})
    assert study.declared == Declared(0.4, "none", {"a": ("es",)})
    made = SimpleNamespace(done_results=lambda: RESULTS, declared=study.declared)
    monkeypatch.setattr(Study, "load", lambda folder: made)
    assert analyze(tmp_path, "--json")[1] == findings(RESULTS, declared=study.declared).write_json() + "\n"
    own = replace(study.declared, margin=0.03)
    assert analyze(tmp_path, "--json", "--margin", "3")[1] == findings(RESULTS, declared=own).write_json() + "\n"
    code, _, error = analyze(tmp_path, "--anchor", "en")
    assert code == 2 and "--anchor does not apply" in error


def test_margin_is_in_points_and_a_study_file_can_declare_it(analyze, tmp_path):
    RESULTS.filter(pl.col("language") != "es").write_parquet(tmp_path / "t.parquet")

    def conclusion(*words: str) -> str:
        found = json.loads(analyze(tmp_path / "t.parquet", "--json", *words)[1])
        return next(row["conclusion"] for row in found if row["name"] == "gain of the anchor")

    assert conclusion() == "cannot tell"
    assert conclusion("--margin", "40") == "no difference"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--control", "bonferroni"], "--control: 'bonferroni'; it is one of holm, benjamini-hochberg, none"),
        (["--group", "romance"], "--group: 'romance'; write NAME=tag,tag like romance=es,fr"),
        (["--group", "romance=es,it"], "--group romance: no results in 'it'; leave it out"),
        (["--group", "romance=es,xx"], "unknown language 'xx'"),
        (["--anchor", "fr"], "--anchor: no record in 'fr'; there are ar, en, es"),
        (["--study", "mine"], "--study: no study 'mine' in the table; it has no column study"),
        (["--metric", "acc"], "--metric does not apply"),
        (["--margin", "0.02"], "--margin: 0.02; give points of 100, from 0.1 to 50"),
    ],
)
def test_an_option_that_cannot_be_is_refused(analyze, hand, words, message):
    code, out, error = analyze(hand, *words)
    assert (code, out) == (2, "")
    assert message in error


def test_one_study_of_several_is_chosen_by_name(analyze, tmp_path):
    other = RESULTS.with_columns(study=pl.lit("b"), value=1 - pl.col("value"))
    pl.concat([RESULTS, other]).write_parquet(tmp_path / "t.parquet")
    code, _, error = analyze(tmp_path / "t.parquet")
    assert code == 2 and "the table holds 2 studies (b, simulated); choose one with --study" in error
    code, out, _ = analyze(tmp_path / "t.parquet", "--study", "simulated", "--json")
    assert [tuple(row.values()) for row in json.loads(out)] == findings(RESULTS).rows()


def test_records_that_cannot_be_are_counted_and_told(analyze, tmp_path):
    (tmp_path / "t.csv").write_text(HAND + "m,math,n=100,fr,n/a,250,en es\nm,math,n=100,de,,250,en es\n")
    code, _, error = analyze(tmp_path / "t.csv")
    assert code == 0
    told = "1 record set aside: value is 'n/a', not a number such as 0.5\n1 record set aside: value is empty\n"
    assert told + "2 records set aside, 6 used" in error
    (tmp_path / "t.csv").write_text(HAND + "m,math,n=100,fr,n/a,250,en es\n" + "m,math,n=100,de,,250,en es\n" * 3)
    assert "3 records set aside: value is empty\n1 record set aside: value is 'n/a'" in analyze(tmp_path / "t.csv")[2]


def test_a_report_of_means_of_which_some_are_zero_and_nothing_tells_their_items_is_written(
    analyze, data_folder, tmp_path
):
    raw = data_folder / "lm_eval_results/raw_mgsm_direct/Llama-2-13b-chat-hf_mgsm_8-shot.json"
    code, out, _ = analyze(raw, "--out", tmp_path / "out")
    assert code == 0 and f"report: {tmp_path / 'out' / 'report.html'}" in out
    assert (tmp_path / "out/report.html").stat().st_size and (tmp_path / "out/findings.json").stat().st_size


def test_findings_are_shown_also_if_the_report_cannot_be_written(analyze, hand):
    code, out, error = analyze(hand, "--out", hand)
    assert code == 1 and "What can be concluded" in out
    assert f"{hand}: can't make the folder" in error


def test_a_folder_without_results_is_told_to_name_a_table(analyze, hand):
    code, _, error = analyze(hand.parent)
    assert (code, error) == (
        2, f"{hand.parent}: no study.yaml and no results of lm_eval are there; of tables, name one file\n"
    )  # fmt: skip
