"""Whatever backend writes the answers, a study's results are the same; what can't be right is said before training."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from rich.console import Console

from glotmix import Study
from glotmix.errors import UserError
from glotmix.spec import Evaluation, load_spec
from glotmix.study.backends import answer_settings, check_backend

COMMAND = "serve {model} --port {port}"
ENDPOINT = {"kind": "endpoint", "command": COMMAND}
STUDY = {
    "name": "served",
    "models": ["lab-1m"],
    "pool": "lab",
    "tasks": ["math", "instructions"],
    "languages": {"anchor": "en", "train": ["es"], "evaluate": ["en", "es", "ja"]},
    "design": {"kind": "increments", "anchor_rows": 16, "rows_per_language": [8]},
    "recipe": {"steps": 2, "batch_rows": 4, "learning_rate": 1e-3, "select": {"rows_per_language": 2}},
    "evaluation": {"items_per_language": 6, "max_new_tokens": 40},
}


def in_key(**evaluation) -> dict:
    return answer_settings(Evaluation.model_validate(evaluation))


def test_the_kind_of_another_backend_is_in_the_key_and_where_a_server_is_is_not():
    assert "backend" not in in_key()
    assert in_key(backend="vllm") == in_key() | {"backend": "vllm"}
    served = in_key(backend=ENDPOINT)
    assert served == in_key() | {"backend": "endpoint"}
    for other in ({"command": "other {model} {port}"}, {"command": None, "url": "http://localhost:1/v1"}):
        assert in_key(backend=ENDPOINT | other | {"concurrency": 99, "api_key_env": None}) == served


def test_how_transformers_batches_is_in_the_key_where_rounding_depends_on_it():
    assert in_key(tokens_per_batch=7) == in_key()
    assert in_key(tokens_per_batch=7, precision="bfloat16") != in_key(precision="bfloat16")
    batched_elsewhere = {"backend": "vllm", "precision": "bfloat16"}
    assert in_key(tokens_per_batch=7, **batched_elsewhere) == in_key(**batched_elsewhere)


@pytest.mark.parametrize(
    ("backend", "line"),
    [
        ("hf", "evaluation.backend: Input should be 'transformers' or 'vllm' (got 'hf')"),
        ({"kind": "endpoint"}, "evaluation.backend: give exactly one of url (a server that runs) and command"),
        (ENDPOINT | {"url": "http://a/v1"}, "evaluation.backend: give exactly one of url (a server that runs) and"),
        (
            ENDPOINT | {"command": "serve {model}"},
            "evaluation.backend: command must say {model} and {port}, as in vllm",
        ),
        (ENDPOINT | {"concurency": 3}, "evaluation.backend.concurency: unknown key; did you mean 'concurrency'?"),
        ({"kind": "endpoint", "url": "localhost:1"}, "evaluation.backend.url: String should match pattern"),
    ],
)
def test_a_backend_that_cannot_be_is_one_line_with_its_key(tmp_path, backend, line):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY | {"evaluation": {"backend": backend}}))
    with pytest.raises(UserError) as refused:
        load_spec(tmp_path / "study.yaml")
    assert f"study.yaml: {line}" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed")
def test_a_backend_that_is_not_installed_is_refused_before_anything_is_trained(tmp_path):
    study = write(tmp_path, "vllm")
    with pytest.raises(UserError, match=r"^evaluation\.backend: vllm is not installed; pip install 'glotmix\[vllm\]'"):
        study.run(processes=1, console=Console(quiet=True))
    assert not any((study.store.root / "train").glob("*"))
    check_backend(Evaluation())


def test_a_job_carries_its_backend():
    for backend in ("vllm", ENDPOINT):
        asked = Evaluation.model_validate({"backend": backend})
        assert Evaluation.model_validate_json(asked.model_dump_json()) == asked
    with pytest.raises(ValidationError):
        Evaluation.model_validate({"backend": {"kind": "other"}})


def write(folder: Path, backend) -> Study:
    folder.mkdir(exist_ok=True)
    spec = STUDY | {"evaluation": STUDY["evaluation"] | {"backend": backend}}
    (folder / "study.yaml").write_text(yaml.safe_dump(spec))
    return Study.load(folder)


@pytest.mark.skipif(
    not (find_spec("fastapi") and find_spec("uvicorn")), reason="needs pip install 'transformers[serving]'"
)
def test_a_served_model_gets_the_results_that_it_gets_here(tmp_path):
    program = Path(sys.executable).parent / "transformers"
    served = {"kind": "endpoint", "command": f"{program} {COMMAND} --dtype float32 --device cpu", "api_key_env": None}
    studies = [write(tmp_path / "here", "transformers"), write(tmp_path / "there", served)]
    for study in studies:
        study.run(processes=1, console=Console(quiet=True))
    here, there = (study.results() for study in studies)
    assert len(here) == 2 * 3 * 6 and here["output_tokens"].sum() > 0
    assert there.equals(here)
    assert len(list((studies[1].store.root / "calls").glob("*.sqlite"))) == 1
