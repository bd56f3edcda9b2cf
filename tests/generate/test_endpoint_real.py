"""The same greedy answers from a model in this process and from one behind a real server, over HTTP.

The server is `transformers serve`, started by the command a user would write.
"""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from glotmix.errors import GlotmixError
from glotmix.generate.backend import Output
from glotmix.generate.endpoint import Calls, EndpointBackend
from glotmix.generate.serve import open_endpoint, serving
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool

pytestmark = pytest.mark.skipif(
    not (find_spec("fastapi") and find_spec("uvicorn")), reason="needs pip install 'transformers[serving]'"
)
SERVER = f"{Path(sys.executable).parent / 'transformers'} serve {{model}} --port {{port}} --dtype float32 --device cpu"
AS_PLAIN = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
TASKS = ["math", "summarization", "instructions", "api_calls"]
LANGUAGES = ["en", "es", "ja", "ar", "th", "te", "ru"]


@pytest.fixture(scope="module")
def conversations() -> list[list[dict[str, str]]]:
    pool = LabPool()
    taken = [pool.take(task, tag, "test", [pool.item_ids(task, tag, "test")[0]]) for task in TASKS for tag in LANGUAGES]
    return [messages[:-1] for part in taken for messages in part["messages"].to_list()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The lab model with noise on its weights, so that every prompt gets an answer of its own.

    With a chat template, and with generation settings that are not greedy.
    """
    copy = tmp_path_factory.mktemp("model") / "a model"
    shutil.copytree(model_path("lab-1m"), copy)
    (copy / "chat_template.jinja").write_text(AS_PLAIN)
    settings = copy / "generation_config.json"
    own = {"repetition_penalty": 1.5, "temperature": 0.7, "do_sample": True}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | own))
    random = torch.Generator().manual_seed(0)
    weights = load_file(copy / "model.safetensors")
    for name, weight in weights.items():
        if weight.ndim > 1:
            weights[name] = weight + 0.7 * weight.std() * torch.randn(weight.shape, generator=random).to(weight.dtype)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


@pytest.fixture(scope="module")
def here(folder) -> TransformersBackend:
    return TransformersBackend(folder)


@pytest.fixture(scope="module")
def there(folder):
    with open_endpoint(folder, command=SERVER, retries=1, seconds_to_start=120) as backend:
        yield backend


@pytest.mark.parametrize(("template", "max_new_tokens"), [("plain", 16), ("plain", 40), ("chat", 40)])
def test_a_real_server_gives_the_answers_that_the_model_gives_here(
    conversations, here, there, template, max_new_tokens
):
    asked = {"template": template, "max_new_tokens": max_new_tokens}
    expected = here.generate(conversations, **asked)
    assert there.generate(conversations, **asked) == expected
    assert len({output.text for output in expected}) == len(conversations) == 28
    assert 5 < sum(output.finished for output in expected) < 28


def test_an_end_token_that_is_the_last_one_allowed_is_a_cut_to_transformers_serve(conversations, here, there):
    """The one known difference: this server calls any answer cut that used all the tokens it was allowed."""
    ended = here.generate(conversations[:1], template="plain", max_new_tokens=40)[0]
    settings = {"template": "plain", "max_new_tokens": ended.tokens + 1}
    assert here.generate(conversations[:1], **settings) == [ended]
    assert there.generate(conversations[:1], **settings) == [Output(ended.text, ended.tokens + 1, finished=False)]


def test_a_model_that_the_server_does_not_hold_is_one_clear_line(there):
    other = EndpointBackend(there.endpoint, "another-model")
    with pytest.raises(
        GlotmixError, match="requests for another-model failed, the first one: HTTP 400: Server is pinned"
    ):
        other.generate([[{"role": "user", "content": "a"}]], template="plain", max_new_tokens=4)


def test_a_server_that_runs_serves_models_by_their_folders(conversations, here, folder, tmp_path):
    without_model = SERVER.replace("serve {model}", "serve --log-level {model}")  # it gets the word "error"
    settings = {"template": "plain", "max_new_tokens": 8}
    expected = here.generate(conversations[:4], **settings)
    calls = Calls(tmp_path / "calls.sqlite")
    with serving(without_model, "error", 120) as url, open_endpoint(folder, url=url, calls=calls) as backend:
        assert backend.generate(conversations[:4], **settings) == expected
    with open_endpoint(folder, url=url, calls=calls, retries=0) as backend:  # the server is gone, the replies are not
        assert backend.generate(conversations[:4], **settings) == expected
