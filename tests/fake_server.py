"""An OpenAI-compatible server that says what a test wants and breaks as a test wants: real HTTP over real sockets.

    with FakeServer(lambda request: "18") as server:
        Endpoint(server.url).ask_all([{"model": "m", "messages": [...]}])
        server.requests  # every body that arrived, in order of arrival: what a real server would have been paid for

1. `answer` gets a request's body (parsed JSON) and gives the text of the reply; by default the last text it was asked.
2. `trouble` gets the body and how often the very same body had arrived before; it names what goes wrong, "" if nothing:

| trouble                  | what the server does                                                                     |
|--------------------------|------------------------------------------------------------------------------------------|
| `429`, `500`, any status | that status, with an error body in OpenAI's form                                         |
| `429 2`                  | the same with `Retry-After: 2`; `302 there` with `Location: there`                       |
| `400: ...`               | the same with this message                                                               |
| `silence`                | no answer for `FakeServer.silence` seconds                                               |
| `drip`                   | a byte of the answer every 50 ms, so that no pause is long and the whole never ends      |
| `reset`                  | the connection is reset                                                                  |
| `half body`              | fewer bytes than Content-Length says                                                     |
| `half chunks`            | a chunked body that is cut                                                               |
| `endless`                | a chunked body without an end                                                            |
| `endless 500`            | the same with status 500                                                                 |
| `body: ...`              | status 200 and this body                                                                 |

A test that needs the server to wait can do so in `answer`: each request has a thread of its own.
"""

import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

Body = dict[str, Any]


def last_text(body: Body) -> str:
    return body["messages"][-1]["content"] if "messages" in body else body["prompt"]


class FakeServer:
    """The server, on a free port of this machine, while a `with` block lasts."""

    def __init__(
        self,
        answer: Callable[[Body], str] = last_text,
        trouble: Callable[[Body, int], str] = lambda body, before: "",
        silence: float = 5.0,
    ) -> None:
        self.answer = answer
        self.trouble = trouble
        self.silence = silence
        self.requests: list[Body] = []
        self.headers: list[Message] = []  # one per request; names in any case
        self.paths: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._before: Counter[str] = Counter()
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def arrive(self, path: str, headers: Message, body: Body) -> int:
        """Notes a request; how often the very same body had arrived before."""
        with self._lock:
            key = json.dumps(body, sort_keys=True)
            self.requests.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            self._before[key] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self._before[key] - 1

    def leave(self) -> None:
        with self._lock:
            self._at_once -= 1

    def reply(self, body: Body) -> bytes:
        text = self.answer(body)
        said = {"message": {"role": "assistant", "content": text}} if "messages" in body else {"text": text}
        tokens = len(text.split())
        finish = "stop" if tokens < body.get("max_tokens", tokens + 1) else "length"
        usage = {"prompt_tokens": len(last_text(body).split()), "completion_tokens": tokens + (finish == "stop")}
        return json.dumps({"choices": [{"index": 0, "finish_reason": finish, **said}], "usage": usage}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what the tests are about."""


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # 40 ms a reply

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_body(200, b'{"object": "list", "data": []}')

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            before = fake.arrive(self.path, self.headers, body)
            try:
                self.respond(body, fake.trouble(body, before))
            finally:
                fake.leave()

        def respond(self, body: Body, trouble: str) -> None:
            status, _, said = trouble.partition(": ")
            status, _, wait = status.partition(" ")
            if trouble == "silence":
                time.sleep(fake.silence)
                self.close_connection = True
            elif trouble == "drip":
                self.send_chunks([b"x"] * 10_000, pause=0.05)
            elif trouble == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.shutdown(socket.SHUT_RD)
                self.close_connection = True
            elif trouble == "half body":
                self.send_body(200, fake.reply(body)[:-5], missing=5)
                self.close_connection = True
            elif trouble == "half chunks":
                self.send_chunks([fake.reply(body)[:-5]])
                self.close_connection = True
            elif status == "endless":
                self.send_chunks([b"x" * 65536] * 100_000, status=int(wait or 200))
            elif status == "body":
                self.send_body(200, said.encode())
            elif status:
                error = {"error": {"message": said or f"fake trouble {status}", "type": "fake"}}
                self.send_body(int(status), json.dumps(error).encode(), wait=wait)
            else:
                self.send_body(200, fake.reply(body))

        def send_body(self, status: int, body: bytes, wait: str = "", missing: int = 0) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) + missing))
            if wait:
                self.send_header("Location" if status == 302 else "Retry-After", wait)
            self.end_headers()
            self.wfile.write(body)

        def send_chunks(self, chunks: list[bytes], status: int = 200, pause: float = 0.0) -> None:
            self.send_response(status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                for chunk in chunks:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    time.sleep(pause)

    return Handler
