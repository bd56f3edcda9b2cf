"""The store: finished steps on disk, each in a folder named by its key.

store/<kind>/<key>/...      a finished step; done.json says so and is written last
store/tmp/...               steps being written; left-overs of a killed run are swept away
store/partial/<kind>-<key>  a step that can go on where it was killed (training)
store/failed/<key>.json     why a run failed, until it is tried again
store/logs/                 what workers print
"""

import contextlib
import datetime
import errno
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from glotmix.errors import GlotmixError, UserError

FULL = 1 << 20  # bytes left on a disk that counts as full
ORPHAN_SECONDS = 60  # a worker whose parent was killed ends at once; longer than that and something else is wrong


class Store:
    """Steps by kind and key. Any number of processes may read and write it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, kind: str, key: str) -> Path:
        return self.root / kind / key

    def is_done(self, kind: str, key: str) -> bool:
        return (self.folder(kind, key) / "done.json").is_file()

    @contextlib.contextmanager
    def writing(self, kind: str, key: str, **inputs: Any) -> Iterator[Path]:
        """A folder to write a step into; it becomes the finished step when the block ends well, and vanishes if not."""
        folder = self.root / "tmp" / f"{kind}-{key}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        try:
            yield folder
            self._finish(folder, kind, key, inputs)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def discard(self, kind: str, key: str) -> None:
        """Makes room for a step to be done again; from the first moment on it is no longer done."""
        (self.folder(kind, key) / "done.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder(kind, key), ignore_errors=True)

    @contextlib.contextmanager
    def resuming(self, kind: str, key: str, **inputs: Any) -> Iterator[Path | None]:
        """As `writing`, for a step that resumes: whatever an interrupted try left in the folder is still there.

        None if the step is done: another process may have finished it while this one waited for the folder.
        """
        folder = self.partial(kind, key)
        lock = folder.with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        # the worker of a run that was killed a moment ago may still be writing here
        with FileLock(lock, timeout=ORPHAN_SECONDS):
            if self.is_done(kind, key):
                yield None
            else:
                folder.mkdir(exist_ok=True)
                yield folder
                self._finish(folder, kind, key, inputs)
            lock.unlink(missing_ok=True)

    def partial(self, kind: str, key: str) -> Path:
        return self.root / "partial" / f"{kind}-{key}"

    def _finish(self, folder: Path, kind: str, key: str, inputs: dict[str, Any]) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        write_json(folder / "done.json", {"kind": kind, "key": key, "inputs": inputs, "finished": now})
        target = self.folder(kind, key)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not self.is_done(kind, key):
                raise
            shutil.rmtree(folder)  # another process finished the same step first: same key, same result

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Held by the one `run` that may work on the store; it ends with the process, however that ends.

        Raises:
            UserError: another process holds it.
            GlotmixError: the store can't be written.
        """
        lock, holder = FileLock(self.root / "lock", timeout=0), self.root / "holder.json"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            write_json(holder, {"pid": os.getpid(), "host": socket.gethostname()})
        except Timeout:
            raise UserError(
                f"{self.root.parent}: a run is at work there already{_holder(holder)}; wait for it or stop it"
            ) from None
        except OSError as error:
            lock.release()
            fix = "make the study's folder writable, or copy it to where it can be written"
            raise GlotmixError(f"{self.root}: can't be written ({error.strerror}); {fix}") from error
        try:
            shutil.rmtree(self.root / "tmp", ignore_errors=True)
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def fail(self, key: str, state: str, reason: str) -> None:
        with contextlib.suppress(OSError):  # on a full disk the reason is still printed
            self._failed(key).parent.mkdir(parents=True, exist_ok=True)
            write_json(self._failed(key), {"state": state, "reason": reason})

    def failure(self, key: str) -> tuple[str, str]:
        """How (failed or diverged) and why the run with this train key failed, or nothing twice."""
        told = read_json(self._failed(key))
        return str(told.get("state", "")), str(told.get("reason", ""))

    def retry(self, key: str) -> None:
        self._failed(key).unlink(missing_ok=True)

    def _failed(self, key: str) -> Path:
        return self.root / "failed" / f"{key}.json"


def _holder(path: Path) -> str:
    found = read_json(path)
    return f" (process {found['pid']} on {found['host']})" if found else ""


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON file, or an empty mapping if it is not there or half-written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Written whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def disk_full(error: BaseException, folder: Path) -> bool:
    """Libraries written in Rust or C++ hide the error number, so the words and the disk itself are asked too."""
    if any(isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT) for cause in _causes(error)):
        return True
    hidden = any("No space left on device" in str(cause) for cause in _causes(error))
    return hidden or ("writ" in str(error).lower() and shutil.disk_usage(folder).free < FULL)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
