"""What was paid for is not paid for again, not even after a crash; a backend asks greedily and makes nothing up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fake_server import FakeServer, last_text
from glotmix.errors import GlotmixError
from glotmix.generate.endpoint import Calls, Endpoint, EndpointBackend, Failure


def chat(text: str) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def ask(server: FakeServer, requests, calls: Calls, on_progress=lambda done, total: None, retries: int = 0):
    return Endpoint(server.url, calls=calls, retries=retries).ask_all(requests, on_progress)


def test_what_calls_knows_is_not_asked(tmp_path):
    calls, seen = Calls(tmp_path / "calls.sqlite"), []
    with FakeServer() as server:
        first = ask(server, [chat("a"), chat("b")], calls)
        again = ask(server, [chat("b"), chat("c"), chat("a")], calls, lambda *counts: seen.append(counts))
    assert [reply.text for reply in again] == ["b", "c", "a"]
    assert [reply.cached for reply in again] == [True, False, True]
    assert not any(reply.cached for reply in first)
    assert len(server.requests) == 3
    assert seen == [(2, 3), (3, 3)]


def test_a_failure_is_asked_again_the_next_time(tmp_path):
    with FakeServer(trouble=lambda body, before: "" if before else "500") as server:
        calls = Calls(tmp_path / "calls.sqlite")
        assert isinstance(ask(server, [chat("a")], calls)[0], Failure)
        assert ask(server, [chat("a")], calls)[0].text == "a"


ASK_FOREVER = """
import sys
from pathlib import Path
from glotmix.generate.endpoint import Calls, Endpoint
url, file, count = sys.argv[1:]
requests = [{"model": "m", "messages": [{"role": "user", "content": f"q{i}"}]} for i in range(int(count))]
endpoint = Endpoint(url, calls=Calls(Path(file)), concurrency=4)
endpoint.ask_all(requests, lambda done, total: print(done, flush=True))
"""


IN_A_NOTEBOOK = """
import asyncio
async def cell():
    {}
asyncio.new_event_loop().run_until_complete(cell())
""".format(ASK_FOREVER.replace("\n", "\n    "))


def stop_in_the_middle(server: FakeServer, file: Path, how: signal.Signals, code: str = ASK_FOREVER) -> float:
    """Seconds that a process asking 200 questions lives on after the signal, sent once 20 are answered."""
    command = [sys.executable, "-c", code, server.url, str(file), "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            if int(line) >= 20:
                break
        os.kill(process.pid, how)
        start = time.monotonic()
        try:
            assert process.wait(timeout=10) != 0
        finally:
            process.kill()
        return time.monotonic() - start


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_after_a_crash_no_reply_that_had_come_is_paid_again(tmp_path, how):
    file = tmp_path / "calls.sqlite"
    with FakeServer(lambda body: time.sleep(0.01) or last_text(body)) as server:
        assert stop_in_the_middle(server, file, how) < 2
        time.sleep(0.1)
        before, calls = len(server.requests), Calls(file)
        replies = ask(server, [chat(f"q{i}") for i in range(200)], calls)
    assert [reply.text for reply in replies] == [f"q{i}" for i in range(200)]
    assert 20 <= calls.hits < 200
    assert before - calls.hits <= 4  # those under way when it was stopped
    assert len(server.requests) - before == 200 - calls.hits


@pytest.mark.parametrize("code", [ASK_FOREVER, IN_A_NOTEBOOK])
def test_ctrl_c_waits_for_no_answer_and_asks_no_more(tmp_path, code):
    def trouble(body, before):
        return "silence" if int(last_text(body)[1:]) >= 24 else ""

    with FakeServer(trouble=trouble, silence=60) as server:
        assert stop_in_the_middle(server, tmp_path / "calls.sqlite", signal.SIGINT, code) < 2
    assert len(server.requests) < 40


@pytest.mark.parametrize(
    ("said", "finished"), [("stop", True), ("eos", True), ("eos_token", True), ("length", False), ("", False)]
)
def test_an_answer_is_finished_if_its_server_says_so_in_any_of_the_usual_words(said, finished):
    body = {"choices": [{"text": "a b", "finish_reason": said}], "usage": {"completion_tokens": 3}}
    with FakeServer(trouble=lambda *_: f"body: {json.dumps(body)}") as server:
        backend = EndpointBackend(Endpoint(server.url), "m")
        (output,) = backend.generate([[{"role": "user", "content": "?"}]], template="plain", max_new_tokens=3)
    assert (output.finished, output.tokens) == (finished, 3 - finished)


def test_a_backend_asks_greedily_and_counts_tokens_without_the_end_token():
    conversations = [[{"role": "user", "content": "two words"}], [{"role": "user", "content": "four words in all"}]]
    with FakeServer() as server:
        backend = EndpointBackend(Endpoint(server.url), "some-model")
        outputs = backend.generate(conversations, template="plain", max_new_tokens=4)
        assert [(o.text, o.tokens, o.finished) for o in outputs] == [
            ("two words\n", 2, True),
            ("four words in all\n", 4, False),
        ]
        backend.generate(conversations[:1], template="chat", max_new_tokens=4)
    assert server.requests[-1] == {
        "model": "some-model", "messages": conversations[0], "max_tokens": 4,
        "temperature": 0, "seed": 0, "frequency_penalty": 0,
    }  # fmt: skip


def test_a_backend_makes_up_no_output_for_a_failed_request(tmp_path):
    with FakeServer(trouble=lambda body, before: "400" if last_text(body) == "b\n" else "") as server:
        backend = EndpointBackend(Endpoint(server.url, calls=Calls(tmp_path / "c")), "m")
        with pytest.raises(GlotmixError, match="1 of 2 requests for m failed, the first one: HTTP 400") as failed:
            backend.generate([[{"role": "user", "content": text}] for text in "ab"], template="plain", max_new_tokens=4)
    assert "are kept" in str(failed.value)
