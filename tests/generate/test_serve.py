"""A server that glotmix starts is ready when asked, and gone afterwards, whatever happened in between."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from glotmix.errors import GlotmixError, UserError
from glotmix.generate.serve import open_endpoint, serving

FILES = f"{sys.executable} -m http.server {{port}} --bind 127.0.0.1 -d {{model}}"


def is_up(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def is_gone_soon(url: str) -> bool:
    end = time.monotonic() + 5
    while is_up(url) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_up(url)


def test_a_server_is_up_inside_the_block_and_gone_after_it(tmp_path):
    with serving(FILES, str(tmp_path / "a folder"), 20) as url:
        assert is_up(url)
    assert not is_up(url)


def test_a_server_is_gone_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), serving(FILES, str(tmp_path), 20) as url:
        _ = 1 / 0
    assert not is_up(url)


OWNER = """
import sys, time
from glotmix.generate.serve import serving
with serving(sys.argv[1], sys.argv[2], 20) as url:
    print(url, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_a_server_is_gone_when_its_owner_is_stopped_by(tmp_path, how):
    command = [sys.executable, "-c", OWNER, FILES, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as owner:
        url = owner.stdout.readline().strip()
        assert is_up(url)
        os.kill(owner.pid, how)
        owner.wait(timeout=20)
    assert is_gone_soon(url)


STUBBORN = """
import os, signal, subprocess, sys, http.server
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])
open(sys.argv[1], 'w').write(str(child.pid))
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def test_a_server_that_ignores_the_request_to_end_is_killed_with_its_children(tmp_path, monkeypatch):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    with serving(f"{sys.executable} {tmp_path / 'stubborn.py'} {{model}} {{port}}", str(tmp_path / "pid"), 20) as url:
        child = int((tmp_path / "pid").read_text())
    assert not is_up(url)
    end = time.monotonic() + 5
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < end:
        if Path(f"/proc/{child}/stat").read_text().split(") ")[1][0] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_a_server_that_ends_at_once_is_told_with_its_last_words():
    command = (
        f"""{sys.executable} -c "import sys; sys.exit('no such model: \\x1b[31m' + sys.argv[1])" {{model}} {{port}}"""
    )
    with pytest.raises(GlotmixError, match="ended before it was ready") as ended, serving(command, "m1", 20):
        pass
    assert str(ended.value).endswith("its last words: no such model: [31mm1")


def test_a_command_that_does_not_exist_is_told():
    with (
        pytest.raises(GlotmixError, match="no-such-server: No such file"),
        serving("no-such-server {model} {port}", "m", 9),
    ):
        pass


def test_a_server_that_never_answers_is_given_up_and_gone(tmp_path):
    command = f"""{sys.executable} -c "import time; print('loading', flush=True); time.sleep(60)" {{model}} {{port}}"""
    start = time.monotonic()
    with (
        pytest.raises(GlotmixError, match=r"not ready within 1 seconds: .* its last words: loading"),
        serving(command, "m", 1),
    ):
        pass
    assert time.monotonic() - start < 8


@pytest.mark.parametrize("command", ["vllm serve --port {port}", "vllm serve {model}", "vllm 'serve {model} {port}"])
def test_a_command_that_cannot_work_is_refused(command):
    with pytest.raises(UserError, match="command: "), serving(command, "m", 1):
        pass


@pytest.mark.parametrize("given", [{}, {"url": "http://h/v1", "command": "x {model} {port}"}])
def test_an_endpoint_is_an_address_or_a_command(given):
    with pytest.raises(UserError, match="and not both"), open_endpoint("m", **given):
        pass


def test_no_shell_reads_the_command(tmp_path):
    seen = tmp_path / "seen"
    code = "import json,sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    command = f"{sys.executable} -c \"{code}\" {seen} {{model}} '$(touch x)' ';' {{port}}"
    with pytest.raises(GlotmixError), serving(command, "a b; {port}", 20):
        pass
    assert json.loads(seen.read_text())[:3] == ["a b; {port}", "$(touch x)", ";"]
