"""One try at one request, through the `openai` library: a reply, or one of three kinds of trouble.

1. `Trouble`: it may well work the next time (busy, down, cut off, nonsense).
2. `Refused`: this request will never work (400, 413, 422, ...); others may.
3. `UserError`: no request will ever work (a wrong address, key or model, no money).

The library gives addresses, keys, encoding, connections. Retries are ours, as it takes a half-sent or empty answer with
status 200 for a good one. So is the reading of bodies, which it does without any bound.
"""

import asyncio
import email.utils
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import openai

from glotmix.errors import UserError
from glotmix.generate.replies import BrokenReplyError, Reply, first_words, read_reply, said_by

MOST_BYTES = 8 * 1024 * 1024  # of a body; an answer of 100,000 tokens has less than 1 MB
_SECONDS_TO_CONNECT = 10.0
_NO_KEY = "none"  # for servers that ask for none: the library insists on one
_REFUSES_ALL = {
    401: "set {key} to a key that it takes",
    402: "pay for more at the server's owner",
    403: "set {key} to a key that may use this model",
    404: "check the url (most end in /v1) and the model's name; GET {url}/models lists the names",
    405: "check the url (most end in /v1)",
}


class Trouble(Exception):
    """Worth another try, `wait` seconds from now if the server says when."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Refused(Exception):
    """Not worth another try."""


class _Arrived(Exception):
    """How an answer leaves the library: read by us, before it reads on without bound."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """Asks one server; made by `connect`."""

    def __init__(self, client: openai.AsyncOpenAI, url: str, api_key_env: str | None, timeout: float) -> None:
        self._client = client
        self._url = url
        self._api_key_env = api_key_env
        self._timeout = timeout
        self._limit_name = "max_tokens"  # what most servers know; the newest models of OpenAI know only the other

    async def ask(self, request: Mapping[str, Any]) -> Reply:
        """One try.

        Raises:
            Trouble, Refused, UserError: see above.
        """
        arrived = await self._send(request)
        if _wants_other_limit(arrived) and "max_tokens" in request:
            self._limit_name = "max_completion_tokens"
            arrived = await self._send(request)
        return self._read(arrived)

    async def _send(self, request: Mapping[str, Any]) -> _Arrived:
        path = "/chat/completions" if "messages" in request else "/completions"
        body = {self._limit_name if name == "max_tokens" else name: value for name, value in request.items()}
        try:
            async with asyncio.timeout(self._timeout):  # the library's own holds from one packet to the next
                await self._client.post(path, body=body, cast_to=object)
        except _Arrived as arrived:
            return arrived
        except (TimeoutError, openai.APITimeoutError):
            raise Trouble(f"no answer within {self._timeout:g} seconds") from None
        except openai.APIConnectionError as error:
            cause = error.__cause__
            raise Trouble(f"no whole answer ({type(cause).__name__}: {cause})") from None
        except UnicodeEncodeError:
            raise Refused("the request has half a surrogate pair, which no JSON text can carry") from None
        raise AssertionError("an answer always leaves through _Arrived")

    def _read(self, arrived: _Arrived) -> Reply:
        status, body = arrived.status, arrived.body
        if status == 200:
            return self._reply(body)
        said = f"HTTP {status}: {said_by(self._without_key(body))}"
        if status == 429 and b"insufficient_quota" in body:
            status = 402
        if 300 <= status < 400:
            there = first_words(self._without_key(arrived.headers.get("location", "nowhere").encode()))
            raise UserError(f"endpoint {self._url} has moved to {there}; write that as url")
        if status in _REFUSES_ALL:
            fix = _REFUSES_ALL[status].format(key=self._api_key_env or "api_key_env", url=self._url)
            raise UserError(f"endpoint {self._url} refuses all requests ({said}); {fix}")
        if status in {408, 409, 425, 429} or status >= 500:
            raise Trouble(said, _wait(arrived.headers))
        raise Refused(said)

    def _reply(self, body: bytes) -> Reply:
        if len(body) > MOST_BYTES:
            raise Refused(f"a reply of more than {MOST_BYTES // 1024**2} MiB")
        try:
            return read_reply(body)
        except BrokenReplyError as error:
            said = said_by(self._without_key(body))
            raise Trouble(f"{error}{said and ': '}{said}") from None

    def _without_key(self, body: bytes) -> bytes:
        """Blotted out before words are cut: half a key would not be found."""
        key = self._client.api_key.encode()
        for written in () if key == _NO_KEY.encode() else (key, key.replace(b"/", b"\\/")):  # as some write JSON
            body = body.replace(written, b"***")
        return body


@asynccontextmanager
async def connect(url: str, api_key_env: str | None, timeout: float) -> AsyncIterator[Connection]:
    """A connection to the server at `url`, closed at the end."""
    http = openai.DefaultAsyncHttpxClient(
        event_hooks={"response": [_arrive]},
        timeout=openai.Timeout(timeout, connect=min(timeout, _SECONDS_TO_CONNECT)),
        trust_env=not _is_this_machine(url),  # a proxy is no way to this machine
        follow_redirects=False,  # a redirected POST arrives as a GET
    )
    async with openai.AsyncOpenAI(base_url=url, api_key=_key(api_key_env), max_retries=0, http_client=http) as client:
        yield Connection(client, url, api_key_env, timeout)


async def _arrive(response: Any) -> None:
    """Reads an answer as soon as its headers are there, and stops at MOST_BYTES."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            break
    raise _Arrived(response.status_code, response.headers, bytes(body))


def _key(api_key_env: str | None) -> str:
    key = os.environ.get(api_key_env or "", "").strip() or _NO_KEY
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{api_key_env} is no API key: it has characters that no key has; set it again")
    return key


def _wants_other_limit(arrived: _Arrived) -> bool:
    return arrived.status == 400 and b"max_completion_tokens" in arrived.body


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait (RFC 9110, 10.2.3: a number, or a date)."""
    said = headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
