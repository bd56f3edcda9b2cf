"""A program of its own: runs a command until it ends or until standard input closes, then ends all it left running.

The closing is what makes a server end with its owner however that one ends, SIGKILL included: the system closes pipes.
Run by path, so that it starts at once: `python -I watch.py COMMAND ...`.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

_SECONDS_TO_END = 3.0  # a model server has nothing to save


def main(command: list[str]) -> int:
    """The command's exit code; 127 if there is no such command."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    closed = threading.Event()
    threading.Thread(target=_wait_for_end_of_input, args=(closed,), daemon=True).start()
    while child.poll() is None and not closed.wait(0.1):
        pass
    _signal(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_SECONDS_TO_END)
    _signal(child.pid, signal.SIGKILL)
    return child.wait()


def _wait_for_end_of_input(closed: threading.Event) -> None:
    sys.stdin.buffer.read()
    closed.set()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code if code >= 0 else 128 - code)  # the thread may still hold standard input
