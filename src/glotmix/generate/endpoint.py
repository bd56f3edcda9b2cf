"""Any OpenAI-compatible server: many requests at once, each paid once, each with a reply or the reason why not.

1. A request is a JSON body: of /chat/completions if it has `messages`, of /completions if it has `prompt`.
2. A request that `calls` knows is not sent. A reply is in `calls` the moment it is there: a crash or Ctrl-C loses none.
3. Trouble that may pass (429, 5xx, timeouts, cut or senseless answers) is tried again after growing waits; what
   lasts is a `Failure` in the request's place, and the others go on.
4. What would fail for every request (a wrong key or model, a server that is down) stops all at once, in one line.

What happens upon which fault: docs/backends.md.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from glotmix.errors import GlotmixError, UserError
from glotmix.generate.backend import Message, Output
from glotmix.generate.calls import Calls, request_key
from glotmix.generate.replies import Failure, Reply
from glotmix.generate.template import plain_prompt

if TYPE_CHECKING:
    from glotmix.generate.connection import Connection

__all__ = ["Calls", "Endpoint", "EndpointBackend", "Failure", "Reply"]

Request = Mapping[str, Any]
_LONGEST_BACK_OFF = 30.0  # seconds
_LONGEST_RETRY_AFTER = 300.0  # seconds that a server may ask for
_FAILURES_OF_A_DEAD_SERVER = 8  # in a row, each after all its tries


class Endpoint:
    """One server.

    `url` is its base, such as http://localhost:8000/v1 (a bare host gets /v1). `api_key_env` names the environment
    variable with the key; None, or one that is not set, sends none. At most `concurrency` requests are under way. A try
    ends after `timeout` seconds; `retries` more tries follow the first, after waits that double from `first_wait`
    seconds up to 30, or as long as the server's Retry-After says (300 seconds at most).

    Raises:
        UserError: `url` is no http(s) address.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key_env: str | None = "OPENAI_API_KEY",
        calls: Calls | None = None,
        concurrency: int = 8,
        timeout: float = 600.0,
        retries: int = 8,
        first_wait: float = 0.5,
    ) -> None:
        self.url = _base(url)
        self.api_key_env = api_key_env
        self.calls = calls
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        self.first_wait = first_wait

    def ask_all(
        self,
        requests: Sequence[Request],
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Reply | Failure]:
        """What came of each request, in their order; equal requests are asked once.

        `on_progress` gets how many are settled, of how many.

        Raises:
            UserError: the server refuses all requests: a wrong address, key or model, no money.
            GlotmixError: the server seems down: many requests in a row failed for good.
        """
        keys = [request_key(request) for request in requests]
        copies = Counter(keys)
        answers: dict[str, Reply | Failure] = {}
        wanted: dict[str, Request] = {}
        for key, request in dict(zip(keys, requests, strict=True)).items():
            known = self.calls.get(request) if self.calls else None
            if known is None:
                wanted[key] = request
            else:
                answers[key] = known
        done = sum(copies[key] for key in answers)
        on_progress(done, len(keys))

        def settle(key: str, answer: Reply | Failure) -> None:
            nonlocal done
            answers[key] = answer
            done += copies[key]
            on_progress(done, len(keys))

        if wanted:
            _run(_ask(self, wanted, settle))
        return [answers[key] for key in keys]


class EndpointBackend:
    """A model behind an endpoint as a `Backend`: greedy answers, one request per conversation.

    Template `chat` leaves the writing of the prompt to the server's chat template; `plain` sends the text that the
    other backends read. An output's tokens are counted without the end token, as by the other backends.
    """

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self.endpoint = endpoint
        self.model = model

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        template: str,
        max_new_tokens: int,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Output]:
        """The greedy answer to each conversation, in their order. `on_progress` gets how many are done, of how many.

        Raises:
            UserError, GlotmixError: as by `Endpoint.ask_all`, and if any request failed: an output is never made up.
        """
        settings = {"model": self.model, "max_tokens": max_new_tokens, **_GREEDY}
        requests = [settings | _question(messages, template) for messages in conversations]
        answers = self.endpoint.ask_all(requests, on_progress)
        failed = [answer for answer in answers if isinstance(answer, Failure)]
        if failed:
            kept = " (the replies that came are kept)" if self.endpoint.calls else ""
            raise GlotmixError(
                f"endpoint {self.endpoint.url}: {len(failed)} of {len(answers)} requests for {self.model} failed, the"
                f" first one: {failed[0].reason}; mend that and run again{kept}"
            )
        return [_output(answer) for answer in answers if isinstance(answer, Reply)]


# frequency_penalty: `transformers serve` would otherwise use the repetition penalty of the model's own settings
_GREEDY = {"temperature": 0, "seed": 0, "frequency_penalty": 0}


def _question(messages: Sequence[Message], template: str) -> dict[str, Any]:
    if template == "plain":
        return {"prompt": plain_prompt(messages)}
    return {"messages": [{"role": message["role"], "content": message["content"]} for message in messages]}


_ENDED = {"stop", "eos", "eos_token", "stop_sequence"}  # the others by servers that keep to words of their own


def _output(reply: Reply) -> Output:
    finished = reply.finish_reason in _ENDED
    return Output(reply.text, max(0, reply.completion_tokens - finished), finished)


def _base(url: str) -> str:
    """`url` without a slash at its end, a bare host with /v1."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0  # a ValueError if no number
    except ValueError:
        right = False
    if not right or parts.query or "@" in parts.netloc:
        raise UserError(f"url: {url!r} is no address of a server; write one such as http://localhost:8000/v1")
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


@dataclass
class _Round:
    """The requests of one `ask_all` that still wait, and how it is going."""

    endpoint: Endpoint
    connection: "Connection"
    waiting: Iterator[tuple[str, Request]]
    settle: Callable[[str, Reply | Failure], None]
    failures_in_a_row: int = 0

    async def work(self) -> None:
        """Answers waiting requests until there are none."""
        for key, request in self.waiting:
            answer = await self._answer(request)
            if isinstance(answer, Reply) and self.endpoint.calls:
                self.endpoint.calls.put(request, answer)
            self.settle(key, answer)

    async def _answer(self, request: Request) -> Reply | Failure:
        from glotmix.generate.connection import Refused, Trouble

        for tried in range(self.endpoint.retries + 1):
            try:
                reply = await self.connection.ask(request)
                self.failures_in_a_row = 0
                return reply
            except Refused as refused:
                return Failure(str(refused))
            except Trouble as trouble:
                last = trouble
            if tried == self.endpoint.retries or (last.wait or 0) > _LONGEST_RETRY_AFTER:
                break
            await asyncio.sleep(self._back_off(tried) if last.wait is None else last.wait)
        return self._given_up(tried + 1, last)

    def _back_off(self, tried: int) -> float:
        return min(self.endpoint.first_wait * 2.0 ** min(tried, 20), _LONGEST_BACK_OFF) * random.uniform(0.75, 1.0)

    def _given_up(self, tries: int, last: Exception) -> Failure:
        reason = f"{last} (after {tries} {'try' if tries == 1 else 'tries'})"
        self.failures_in_a_row += 1
        if self.failures_in_a_row >= max(_FAILURES_OF_A_DEAD_SERVER, self.endpoint.concurrency):
            raise GlotmixError(
                f"endpoint {self.endpoint.url} seems down: {self.failures_in_a_row} requests in a row failed, the last"
                f" one: {reason}; check the server and run again"
            )
        return Failure(reason)


async def _ask(endpoint: Endpoint, wanted: dict[str, Request], settle: Callable[[str, Reply | Failure], None]) -> None:
    from glotmix.generate.connection import connect

    workers = min(endpoint.concurrency, len(wanted))
    async with connect(endpoint.url, endpoint.api_key_env, endpoint.timeout) as connection:
        together = _Round(endpoint, connection, iter(wanted.items()), settle)
        await asyncio.gather(*(together.work() for _ in range(workers)))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
    else:
        _run_beside(work)


def _run_beside(work: Coroutine[Any, Any, None]) -> None:
    """In a notebook, which has a loop of its own: in a thread, that an interrupt ends too."""
    runner = asyncio.Runner()
    with ThreadPoolExecutor(1) as thread:
        loop = thread.submit(runner.get_loop).result()
        try:
            thread.submit(runner.run, work).result()
        except KeyboardInterrupt:
            for task in asyncio.all_tasks(loop):
                loop.call_soon_threadsafe(task.cancel)
            raise
        finally:
            thread.submit(runner.close).result()
