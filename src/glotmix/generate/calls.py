"""Every paid reply on disk: a crash or a second run asks no server the same thing twice.

1. One SQLite file, a line per request: the request and its reply, both as JSON text that anyone can read.
2. A request is known by its content alone (model, messages, settings), never by the server's address or a key. So give
   every model whose name does not say which weights it has a file of its own.
3. A reply is on disk when `put` returns, and survives the death of the process; the first reply to a request stays.

Safe between threads and between processes of one machine (SQLite's write-ahead log needs shared memory); two machines
must not use one file at the same time.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from glotmix.errors import GlotmixError, UserError
from glotmix.generate.replies import Reply

_VERSION = 1  # of the table below
_TABLE = "CREATE TABLE calls (key TEXT PRIMARY KEY, request TEXT NOT NULL, reply TEXT NOT NULL) WITHOUT ROWID"
_SECONDS_FOR_OTHERS = 60.0  # that another process may hold the file


def request_key(request: Mapping[str, Any]) -> str:
    """SHA-256 of a request's canonical JSON, in hex."""
    return hashlib.sha256(_canonical(request).encode()).hexdigest()


class Calls:
    """Replies by request, in one file; `hits` counts those that were there, `misses` those that were not.

    Raises, here and in every method:
        UserError: `file` is no cache of calls, or one of another version.
        GlotmixError: the file can't be read or written (a full disk, no rights, damage).
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.hits = 0
        self.misses = 0
        self._lock = Lock()
        with self._clearly():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                file, timeout=_SECONDS_FOR_OTHERS, isolation_level=None, check_same_thread=False
            )
            self._open()

    def get(self, request: Mapping[str, Any]) -> Reply | None:
        """The reply that is kept for this request, its `cached` true; None if there is none."""
        key = request_key(request)
        with self._clearly():
            found = self._database.execute("SELECT reply FROM calls WHERE key = ?", (key,)).fetchone()
            reply = None if found is None else Reply(**json.loads(found[0]), cached=True)
            self.hits += reply is not None
            self.misses += reply is None
            return reply

    def put(self, request: Mapping[str, Any], reply: Reply) -> None:
        """Keeps a reply, unless the request has one by now."""
        fields = asdict(reply)
        del fields["cached"]
        line = (request_key(request), _canonical(request), json.dumps(fields))
        with self._clearly():
            self._database.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?)", line)

    def close(self) -> None:
        with self._clearly():
            self._database.close()

    def _open(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # in WAL mode safe against all but a power cut
        self._database.execute("BEGIN IMMEDIATE")
        if not self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._database.execute(_TABLE)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        self._database.execute("COMMIT")
        if version != _VERSION:
            raise UserError(f"calls: {self.file} is no cache of calls of version {_VERSION}; name another file")

    @contextmanager
    def _clearly(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors as one clear line."""
        try:
            with self._lock:
                yield
        except (OSError, sqlite3.OperationalError) as error:
            raise GlotmixError(f"calls: {self.file} can't be used ({error}); mend that or name another file") from None
        except UserError:
            raise
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            raise UserError(
                f"calls: {self.file} is no cache of calls, or damaged ({error}); move it away and run again"
            ) from None


def _canonical(request: Mapping[str, Any]) -> str:
    return json.dumps(request, sort_keys=True, separators=(",", ":"), allow_nan=False)
