"""The cache of calls gives back what was paid for, to whoever asks the same, and never anything else."""

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.errors import GlotmixError, UserError
from glotmix.generate.endpoint import Calls, Reply

ASKED = {"model": "m", "messages": [{"role": "user", "content": "2 + 2?"}], "temperature": 0}
REPLY = Reply("4", "stop", 7, 2)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Calls:
    return Calls(tmp_path_factory.mktemp("calls") / "calls.sqlite")


@given(
    st.text(),
    st.builds(Reply, st.text(), st.text(), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.just(False)),
)
def test_any_reply_comes_back_as_it_was_kept_first(shared, content, reply):
    request = {"prompt": content, "unique": astuple(reply)}
    shared.put(request, reply)
    shared.put(request, Reply("another", "stop", 0, 0))
    assert shared.get(request) == replace(reply, cached=True)


def test_a_request_is_known_by_its_content_in_any_order_of_names(tmp_path):
    calls = Calls(tmp_path / "calls.sqlite")
    assert calls.get(ASKED) is None
    calls.put(ASKED, REPLY)
    assert calls.get(dict(reversed(ASKED.items()))) == Reply("4", "stop", 7, 2, cached=True)
    for other in ({"model": "n"}, {"temperature": 1}, {"messages": []}, {"seed": 0}):
        assert calls.get(ASKED | other) is None
    assert (calls.hits, calls.misses) == (1, 5)


def test_replies_outlive_the_one_who_asked_and_are_text_anyone_can_read(tmp_path):
    file = tmp_path / "new" / "folder" / "calls.sqlite"
    calls = Calls(file)
    calls.put(ASKED, REPLY)
    calls.close()
    assert Calls(file).get(ASKED).text == "4"
    ((request, reply),) = sqlite3.connect(file).execute("SELECT request, reply FROM calls").fetchall()
    assert json.loads(request) == ASKED
    assert json.loads(reply) == {"text": "4", "finish_reason": "stop", "prompt_tokens": 7, "completion_tokens": 2}


WRITE = """
import sys
from pathlib import Path
from glotmix.generate.endpoint import Calls, Reply
calls = Calls(Path(sys.argv[1]))
for i in range(200):
    calls.put({"model": "m", "prompt": f"{i}"}, Reply(f"{i} of {sys.argv[2]}", "stop", 0, 0))
    assert calls.get({"model": "m", "prompt": f"{i}"}).text.startswith(f"{i} of")
"""


def test_processes_may_write_at_the_same_time(tmp_path):
    file = tmp_path / "calls.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(file), str(n)]) for n in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert sqlite3.connect(file).execute("SELECT count(*) FROM calls").fetchone() == (200,)


def test_threads_may_write_at_the_same_time(tmp_path):
    calls = Calls(tmp_path / "calls.sqlite")

    def use(n: int) -> bool:
        calls.put({"prompt": str(n)}, REPLY)
        return calls.get({"prompt": str(n)}) is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(400)))
    assert calls.hits == 400


def spoil_all(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)


def spoil_a_page(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    file.write_bytes(data)


def spoil_a_reply(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("UPDATE calls SET reply = 'half a'")


def make_newer(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 9")


def make_foreign(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE photographs (x)")


@pytest.mark.parametrize("spoil", [spoil_all, spoil_a_page, spoil_a_reply, make_newer, make_foreign])
def test_a_file_that_is_no_cache_is_one_clear_line_and_stays_as_it_is(tmp_path, spoil):
    file = tmp_path / "calls.sqlite"
    calls = Calls(file)
    calls.put(ASKED, REPLY)
    calls.close()
    spoil(file)
    before = file.read_bytes() if spoil is spoil_all else None
    with pytest.raises(UserError, match="is no cache of calls") as told:
        Calls(file).get(ASKED)
    assert str(file) in str(told.value) and "\n" not in str(told.value)
    assert before in (None, file.read_bytes())
    if spoil is make_foreign:
        assert sqlite3.connect(file).execute("SELECT name FROM sqlite_master").fetchall() == [("photographs",)]


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GlotmixError, match="can't be used"):
        Calls(tmp_path / "file" / "calls.sqlite")
    with pytest.raises(GlotmixError, match="can't be used"):
        Calls(tmp_path)
