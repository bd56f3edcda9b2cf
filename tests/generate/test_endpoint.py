"""Whatever a server does, every request gets a reply or a reason, and nothing is paid twice."""

import asyncio
import subprocess
import sys
import time

import pytest

from fake_server import FakeServer, last_text
from glotmix.errors import GlotmixError, UserError
from glotmix.generate.endpoint import Endpoint, Failure, Reply, _Round

MS = 0.001


def chat(text: str, **settings: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **settings}


def ask(server: FakeServer, requests, on_progress=lambda done, total: None, **settings):
    return Endpoint(server.url, **({"first_wait": MS, "retries": 3} | settings)).ask_all(requests, on_progress)


def test_replies_come_in_the_order_of_the_requests():
    def answer(body):
        time.sleep(0.05 if last_text(body).endswith("0") else 0)
        return f"re: {last_text(body)}"

    seen = []
    requests = [chat(f"q{i}") for i in range(20)] + [{"model": "m", "prompt": "plain", "max_tokens": 2}]
    with FakeServer(answer) as server:
        replies = ask(server, requests, lambda done, total: seen.append((done, total)))
    assert [reply.text for reply in replies] == [*(f"re: q{i}" for i in range(20)), "re: plain"]
    assert replies[0] == Reply("re: q0", "stop", prompt_tokens=1, completion_tokens=3)
    assert replies[-1] == Reply("re: plain", "length", prompt_tokens=1, completion_tokens=2)
    assert sorted(server.paths) == ["/v1/chat/completions"] * 20 + ["/v1/completions"]
    assert seen == [(n, 21) for n in range(22)]


@pytest.mark.parametrize("concurrency", [1, 5])
def test_no_more_requests_are_under_way_than_allowed(concurrency):
    with FakeServer(lambda body: time.sleep(0.02) or "") as server:
        ask(server, [chat(f"q{i}") for i in range(15)], concurrency=concurrency)
    assert server.most_at_once == concurrency


def test_equal_requests_are_paid_once():
    with FakeServer() as server:
        replies = ask(server, [chat("a"), chat("b"), chat("a")])
    assert [reply.text for reply in replies] == ["a", "b", "a"]
    assert len(server.requests) == 2


PASSING = ["429", "500", "502", "503", "504", "408", "reset", "half body", "half chunks", "silence", "drip"]
PASSING += ['body: {"choices": []}', "body: <html>busy</html>", "body: ", "body: " + "[" * 100_000, 'body: {"a": 1']
PASSING += ['body: {"error": {"message": "overloaded"}}', 'body: {"choices": [{"message": {"content": [1]}}]}']


@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_is_tried_again(trouble):
    with FakeServer(trouble=lambda body, before: trouble if before < 2 else "", silence=0.6) as server:
        replies = ask(server, [chat("a"), chat("b")], timeout=0.25)
    assert [reply.text for reply in replies] == ["a", "b"]
    assert len(server.requests) == 6


REASONS = {
    "500": "HTTP 500: fake trouble 500",
    "reset": "no whole answer (",
    "half body": "no whole answer (",
    "half chunks": "no whole answer (",
    "silence": "no answer within 0.25 seconds",
    "drip": "no answer within 0.25 seconds",
    'body: {"choices": []}': "no choices in the reply",
    'body: {"error": {"message": "overloaded"}}': "no choices in the reply: overloaded",
    "body: <html>\x1b[31mbusy</html>": "the reply is no JSON: <html> [31mbusy</html>",
    "body: ": "the reply is empty (",
    'body: {"choices": [{}]}': "the reply's first choice has neither message nor text",
}


@pytest.mark.parametrize("trouble", REASONS)
def test_trouble_that_stays_is_a_failure_in_its_place_and_the_others_go_on(trouble):
    with FakeServer(trouble=lambda body, before: trouble if last_text(body) == "b" else "", silence=0.6) as server:
        a, b, c = ask(server, [chat("a"), chat("b"), chat("c")], timeout=0.25)
    assert (a.text, c.text) == ("a", "c")
    assert isinstance(b, Failure)
    assert b.reason.startswith(REASONS[trouble])
    assert b.reason.endswith("(after 4 tries)")


@pytest.mark.parametrize(("status", "tries"), [("400", 1), ("413", 1), ("422", 1)])
def test_a_request_the_server_refuses_is_not_sent_again(status, tries):
    with FakeServer(trouble=lambda body, before: status if last_text(body) == "b" else "") as server:
        replies = ask(server, [chat("a"), chat("b"), chat("c")])
    assert replies[1] == Failure(f"HTTP {status}: fake trouble {status}")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "fix"), [("401", "set SOME_KEY"), ("403", "set SOME_KEY"), ("404", "/models"), ("402", "pay")]
)
def test_what_every_request_would_fail_on_stops_at_once(status, fix):
    with FakeServer(trouble=lambda body, before: status) as server, pytest.raises(UserError) as stopped:
        ask(server, [chat(f"q{i}") for i in range(100)], api_key_env="SOME_KEY")
    line = str(stopped.value)
    assert all(part in line for part in (server.url, f"HTTP {status}", fix)) and "\n" not in line
    assert len(server.requests) <= 8


def test_a_server_that_is_down_is_given_up_before_every_request_has_been_tried():
    with FakeServer(trouble=lambda body, before: "503") as server, pytest.raises(GlotmixError, match="seems down"):
        ask(server, [chat(f"q{i}") for i in range(100)], retries=1)
    assert len(server.requests) <= 2 * 16


def test_many_failures_among_replies_stop_nothing():
    def trouble(body, before):
        return "500" if int(last_text(body)[1:]) % 2 else ""

    with FakeServer(trouble=trouble) as server:
        replies = ask(server, [chat(f"q{i}") for i in range(40)], concurrency=2, retries=0)
    assert [isinstance(reply, Failure) for reply in replies] == [False, True] * 20


def test_no_server_at_all_is_one_clear_line():
    with FakeServer() as server:
        url = server.url
    with pytest.raises(GlotmixError, match="seems down: 8 requests in a row failed, the last one: no whole answer"):
        Endpoint(url, retries=1, first_wait=MS).ask_all([chat(f"q{i}") for i in range(20)])


def test_retry_after_is_obeyed():
    with FakeServer(trouble=lambda body, before: "429 1" if before == 0 else "") as server:
        start = time.monotonic()
        (reply,) = ask(server, [chat("a")])
        assert (reply.text, time.monotonic() - start >= 1) == ("a", True)


@pytest.mark.parametrize("wait", ["3600", "inf", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_wait_of_hours_is_a_failure_at_once(wait):
    with FakeServer(trouble=lambda body, before: f"429 {wait}") as server:
        assert ask(server, [chat("a")]) == [Failure("HTTP 429: fake trouble 429 (after 1 try)")]


@pytest.mark.parametrize("wait", ["soon", "-5", "nan", "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_senseless_wait_is_none(wait):
    with FakeServer(trouble=lambda body, before: "" if before else f"429 {wait}") as server:
        assert ask(server, [chat("a")])[0].text == "a"


def test_waits_double_up_to_half_a_minute():
    together = _Round(Endpoint("http://h"), None, iter(()), None)
    waits = [together._back_off(tried) for tried in range(2000)]
    longest = [0.5, 1, 2, 4, 8, 16] + [30] * 1994
    assert all(0.75 * most <= wait <= most for wait, most in zip(waits, longest, strict=True))


@pytest.mark.parametrize("trouble", ["endless", "endless 500"])
def test_a_body_without_end_is_read_no_further_than_its_bound(trouble, monkeypatch):
    monkeypatch.setattr("glotmix.generate.connection.MOST_BYTES", 2**20)
    with FakeServer(trouble=lambda body, before: trouble if last_text(body) == "b" else "") as server:
        a, b = ask(server, [chat("a"), chat("b")], retries=0)
    assert a.text == "a"
    assert b.reason.startswith("a reply of more than 1 MiB" if trouble == "endless" else "HTTP 500: xxx")
    assert len(b.reason) < 500


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ('{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}', Reply("", "length", 0, 0)),
        ('{"choices": [{"message": {"content": null, "refusal": "No."}}]}', Reply("No.", "", 0, 0)),
        ('{"choices": [{"text": "a\\u0000b\\ud800"}], "usage": {"prompt_tokens": -1}}', Reply("a\0b\ufffd", "", 0, 0)),
        (
            '{"choices": [{"text": ""}], "usage": {"completion_tokens": 1e99, "prompt_tokens": true}}',
            Reply("", "", 0, 0),
        ),
    ],
)
def test_odd_but_whole_answers_are_replies(body, reply):
    with FakeServer(trouble=lambda *_: f"body: {body}") as server:
        assert ask(server, [chat("a")]) == [reply]


def test_a_request_no_json_can_carry_is_a_failure():
    with FakeServer() as server:
        broken, fine = ask(server, [chat("\ud800"), chat("a")])
    assert isinstance(broken, Failure)
    assert fine.text == "a"


def test_the_limit_goes_by_the_other_name_where_a_server_wants_it():
    wish = "400: Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with FakeServer(trouble=lambda body, before: wish if "max_tokens" in body else "") as server:
        replies = ask(server, [chat(f"q{i}", max_tokens=7) for i in range(20)], concurrency=2)
    assert [reply.text for reply in replies] == [f"q{i}" for i in range(20)]
    assert sum("max_tokens" in body for body in server.requests) <= 2
    assert [body["max_completion_tokens"] for body in server.requests if "max_tokens" not in body] == [7] * 20


def test_the_key_comes_from_the_environment_and_no_message_tells_it(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-secret\n")
    with FakeServer(trouble=lambda *_: "401: sk-secret is no key") as server, pytest.raises(UserError) as stopped:
        ask(server, [chat("a")], api_key_env="SOME_KEY")
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "*** is no key" in str(stopped.value) and "secret" not in str(stopped.value)


@pytest.mark.parametrize(
    "trouble",
    [
        'body: {"error": {"message": "no such key: sk-se/cret"}}',
        r'body: {"error": "no such key: sk-se\/cret"}',
        "body: <pre>Authorization: Bearer sk-se/cret</pre>",
        f"400: {'x' * 292} sk-se/cret",  # where a message is cut
        "302 sk-se/cret",
    ],
)
def test_no_failure_tells_a_key(monkeypatch, trouble):
    monkeypatch.setenv("SOME_KEY", "sk-se/cret")
    with FakeServer(trouble=lambda *_: trouble) as server:
        try:
            (answer,) = ask(server, [chat("a")], api_key_env="SOME_KEY", retries=0)
        except UserError as stopped:
            answer = stopped
    assert "sk-se" not in str(answer) and "***" in str(answer)


def test_no_key_is_sent_where_none_is_wanted(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with FakeServer() as server:
        ask(server, [chat("a")], api_key_env=None)
    assert "secret" not in str(server.headers[0])


def test_a_key_with_characters_that_no_key_has_is_refused(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-\N{EN DASH}")
    with FakeServer() as server, pytest.raises(UserError, match="SOME_KEY is no API key"):
        ask(server, [chat("a")], api_key_env="SOME_KEY")


def test_a_proxy_is_not_asked_for_a_server_on_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with FakeServer() as server:
        assert ask(server, [chat("a")])[0].text == "a"


def test_it_works_inside_a_running_event_loop_as_in_a_notebook():
    async def cell():
        return ask(server, [chat("a")])

    with FakeServer() as server:
        assert asyncio.run(cell())[0].text == "a"


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8000", "ftp://h/v1", "http://", "https://me:secret@h/v1", "http://:secret@h/v1",
        "http://h/v1?k=1", "http://h:port/v1", "http://h:99999/v1", "http://[::1/v1",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UserError, match="is no address of a server"):
        Endpoint(url)


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys, glotmix.generate.serve; print({'openai', 'transformers', 'torch'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
