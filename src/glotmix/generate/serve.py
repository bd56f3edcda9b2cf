"""A trained model behind an OpenAI-compatible server: one that runs (`url`), or one started for it (`command`).

1. `url`: the server loads models by name, and the name asked for is the model's folder (`transformers serve` does so).
2. `command`: such as `vllm serve {model} --port {port}`, run without a shell on a free port for one model. It is waited
   for, and it is gone with all its children when the `with` block ends, also by Ctrl-C, an error or a crash (`watch`).
"""

import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from glotmix.errors import GlotmixError, UserError
from glotmix.generate import watch
from glotmix.generate.endpoint import Calls, Endpoint, EndpointBackend
from glotmix.generate.replies import first_words

_STILL_LOADING = {502, 503, 504}
_SECONDS_BETWEEN_LOOKS = 0.2
_LAST_LINES = 5  # of a server's log, in an error
_MOST_LOG_BYTES = 2000


@contextmanager
def open_endpoint(
    model: Path | str,
    *,
    url: str = "",
    command: str = "",
    api_key_env: str | None = "OPENAI_API_KEY",
    calls: Calls | None = None,
    concurrency: int = 8,
    timeout: float = 600.0,
    retries: int = 8,
    seconds_to_start: float = 600.0,
) -> Iterator[EndpointBackend]:
    """A backend for `model` (a folder, or the name a server knows), at `url` or at a server that `command` starts.

    The other settings are those of `Endpoint`; `seconds_to_start` is what a started server may need to load the model.
    Requests name a folder by its absolute path; where weights may change under one path, give each its own `calls`.

    Raises:
        UserError: not exactly one of `url` and `command`, or one that can't be right.
        GlotmixError: the started server ends, or is not ready in time; its last words are in the message.
    """
    if bool(url) == bool(command):
        raise UserError("endpoint: give url (a server that runs) or command (one to start), and not both")
    name = str(Path(model).absolute()) if Path(model).is_dir() else str(model)
    with serving(command, name, seconds_to_start) if command else nullcontext(url) as address:
        endpoint = Endpoint(
            address, api_key_env=api_key_env, calls=calls, concurrency=concurrency, timeout=timeout, retries=retries
        )
        yield EndpointBackend(endpoint, name)


@contextmanager
def serving(command: str, model: str, seconds_to_start: float) -> Iterator[str]:
    """The url of a server that `command` starts for `model`, while the `with` block lasts.

    Raises:
        UserError, GlotmixError: see `open_endpoint`.
    """
    port = _free_port()
    words = [word.replace("{port}", str(port)).replace("{model}", model) for word in _words(command)]
    with tempfile.TemporaryFile() as log:
        watcher = subprocess.Popen(
            [sys.executable, "-I", str(watch.__file__), *words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # or Ctrl-C would end the watcher before the server
        )
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _wait_until_ready(url, watcher, seconds_to_start, shlex.join(words), log)
            yield url
        finally:
            assert watcher.stdin is not None
            watcher.stdin.close()
            watcher.wait()


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"command: {command!r} can't be split into words ({error}); mend its quotes") from None
    if not ("{model}" in command and "{port}" in command):
        raise UserError(
            f"command: {command!r} must say {{model}} and {{port}}, as vllm serve {{model}} --port {{port}}"
        )
    return words


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_until_ready(
    url: str, watcher: "subprocess.Popen[bytes]", seconds: float, command: str, log: BinaryIO
) -> None:
    end = time.monotonic() + seconds
    while not _answers(url):
        if watcher.poll() is not None:
            raise GlotmixError(f"the server ended before it was ready: {command}; its last words: {_tail(log)}")
        if time.monotonic() > end:
            raise GlotmixError(
                f"the server was not ready within {seconds:g} seconds: {command}; its last words: {_tail(log)}"
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _answers(url: str) -> bool:
    """Whether a server answers at `url`; any answer will do that does not say it is still loading."""
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/models", timeout=5):
            return True
    except HTTPError as error:
        return error.code not in _STILL_LOADING
    except (OSError, HTTPException):
        return False


def _tail(log: BinaryIO) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _MOST_LOG_BYTES))
    lines = [line for line in log.read().splitlines() if line.strip()][-_LAST_LINES:]
    return " | ".join(map(first_words, lines)) or "none"
