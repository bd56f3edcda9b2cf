"""The command line: verbs, exit codes, one line per refusal, JSON where a table is printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from glotmix import cli
from small_study import make_study, write_spec


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made"))


@pytest.fixture
def glotmix(monkeypatch, capsys):
    def call(*words: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        monkeypatch.setattr(sys, "argv", ["glotmix", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        code = end.value.code
        return (code if isinstance(code, int) else 0, *capsys.readouterr())

    return call


def in_new_process(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-X", "importtime", "-m", "glotmix", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_help_imports_nothing_slow():
    imported = in_new_process("--help").stderr
    assert not [name for name in ("torch", "polars", "numpy", "pydantic", "yaml") if f" {name}\n" in imported]


def test_plan_imports_neither_torch_nor_transformers(made):
    imported = in_new_process("plan", made).stderr
    assert " polars\n" in imported
    assert not [name for name in ("torch", "transformers", "accelerate") if f" {name}\n" in imported]


def test_init_makes_a_study_and_never_overwrites_another(glotmix, tmp_path):
    assert glotmix("init", tmp_path / "new")[0] == 0
    assert glotmix("init", tmp_path / "new", "--preset", "quickstart")[0] == 0
    text = (tmp_path / "new" / "study.yaml").read_text()
    (tmp_path / "new" / "study.yaml").write_text(text + "# mine\n")
    code, _, error = glotmix("init", tmp_path / "new")
    assert code == 2
    assert (
        error
        == f"{tmp_path / 'new' / 'study.yaml'}: another study is there; choose another folder or remove the file\n"
    )
    assert (tmp_path / "new" / "study.yaml").read_text().endswith("# mine\n")


def test_init_with_an_unknown_preset(glotmix, tmp_path):
    code, _, error = glotmix("init", tmp_path / "new", "--preset", "slowstart")
    assert code == 2
    assert error.startswith("--preset: no preset 'slowstart'; there are english-not-all, ") and error.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_every_preset_is_a_study(tmp_path):
    from glotmix.spec import load_spec
    from glotmix.study.presets import PRESETS, init_study

    for preset in PRESETS:
        assert load_spec(init_study(tmp_path / preset, preset)).name == preset


def test_plan_shows_every_run(glotmix, made):
    code, out, _ = glotmix("plan", made)
    assert code == 0
    assert "model/n=5/seed=1" in out
    assert "en 10, es fr 5 each" in out
    assert "In all: 4 runs, 4 distinct trainings, 20 steps" in out


def test_plan_as_json(glotmix, made):
    runs = json.loads(glotmix("plan", made, "--json")[1])
    assert [run["run"] for run in runs] == [f"model/n={n}/seed={seed}" for n in (0, 5) for seed in (0, 1)]
    assert runs[2]["rows_by_language"][1] == {"task": "math", "language": "es", "rows": 5}
    assert (runs[2]["rows"], runs[2]["steps"], runs[2]["done"]) == (20, 5, False)
    assert runs[2]["tokens"] > 100


def test_status_as_table_and_json(glotmix, made):
    assert "0 done, 0 failed, 0 diverged, 0 begun, 4 waiting" in glotmix("status", made)[1]
    runs = json.loads(glotmix("status", made, "--json")[1])
    assert {(run["state"], run["evaluated"], run["evaluations"]) for run in runs} == {("waiting", 0, 4)}


@pytest.mark.parametrize("verb", ["plan", "run", "status", "report"])
def test_a_bad_study_is_one_line_and_exit_code_2(glotmix, made, tmp_path, verb):
    folder = write_spec(tmp_path, models=[str(made / "model")], pool=str(made / "pool"), recipe__batch_row=3)
    code, out, error = glotmix(verb, folder)
    assert (code, out) == (2, "")
    assert error == f"{folder / 'study.yaml'}: recipe.batch_row: unknown key; did you mean 'batch_rows'?\n"


def test_a_report_of_nothing(glotmix, made):
    assert glotmix("report", made) == (2, "", f"{made}: no run is done yet; `glotmix run {made}` starts\n")


def test_a_fault_of_our_own_is_one_line_with_its_traceback_kept(glotmix, made, monkeypatch):
    monkeypatch.setattr("glotmix.study.study.make_plan", lambda *_: 1 / 0)
    code, out, error = glotmix("plan", made)
    assert (code, out) == (1, "")
    assert error.startswith("unexpected fault, ZeroDivisionError: division by zero (traceback: ")
    assert error.count("\n") == 1
    log = Path(error.strip().removesuffix(")").split("traceback: ")[1])
    assert "ZeroDivisionError" in log.read_text()
    log.unlink()


def one_finding():
    import polars as pl

    from glotmix.analysis.table import FINDINGS_SCHEMA

    told = {"name": "gain of seen languages", "model": "m", "task": "math", "setting": "n=5", "compared_with": "n=0"}
    return pl.DataFrame([told | {"unit": "score", "estimate": 0.123, "low": -0.01, "high": 0.25}], FINDINGS_SCHEMA)


def test_findings_are_printed_with_their_intervals(glotmix, made, monkeypatch):

    from glotmix.study.study import Study

    monkeypatch.setattr(Study, "run", lambda *_, **__: one_finding())
    code, out, _ = glotmix("run", made)
    assert code == 0
    assert "m, math" in out and "+12.3" in out and "−1.0 to +25.0" in out
    assert out.endswith(f"report: {made / 'report.html'}\n")
    code, out, error = glotmix("run", made, "--json")
    assert json.loads(out)[0]["estimate"] == 0.123
    assert error == f"report: {made / 'report.html'}\n"


def test_where_runs_failed_the_findings_of_the_others_are_printed_first(glotmix, made, monkeypatch):

    from glotmix.study.study import RunsFailed, Study

    def failing(*_, **__):
        raise RunsFailed("m/n=5/seed=1: no", 1, one_finding())

    monkeypatch.setattr(Study, "run", failing)
    code, out, error = glotmix("run", made)
    assert (code, error) == (1, "m/n=5/seed=1: no\n")
    assert "+12.3" in out and out.endswith(f"report: {made / 'report.html'}\n")


def test_ctrl_c_is_one_line_and_exit_code_130(glotmix, made, monkeypatch):
    from glotmix.study.study import Study

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "run", interrupted)
    assert glotmix("run", made) == (130, "", "stopped; 0 of 4 runs are done, run again to go on\n")


def test_a_pool_is_imported(glotmix, tmp_path):
    (tmp_path / "mgsm_es.tsv").write_text("¿Cuánto es 2 + 2?\t4\nsin número\n")
    code, out, error = glotmix("pool", "import", "mgsm", "--path", tmp_path, "--out", tmp_path / "pool", "--json")
    where = tmp_path / "pool" / "rejected.parquet"
    assert (code, error) == (0, f"1 record set aside: wrong column count\nwhat is set aside is in {where}\n")
    assert json.loads(out) == [{"task": "math", "language": "es", "split": "test", "rows": 1}]
    (tmp_path / "mgsm_es.tsv").write_text("¿Cuánto es 2 + 2?\t4\n")
    code, _, error = glotmix("pool", "import", "mgsm", "--path", tmp_path, "--out", tmp_path / "pool")
    assert (code, error) == (0, "1 of the rows were there already and are replaced\n")
    assert glotmix("pool", "import", "nowhere", "--path", tmp_path, "--out", tmp_path / "pool")[0] == 2


def test_a_model_is_not_pretrained_into_a_file(glotmix, tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        code, _, error = glotmix("lab", "pretrain", "lab-1m", "--out", out)
        assert (code, error.count("\n")) == (2, 1)
        assert error.startswith(f"{out}: can't be a model's folder (")


def test_version(glotmix):
    code, out, _ = glotmix("--version")
    assert code == 0 and out.startswith("glotmix ")
