import bz2
import csv
import gzip
import json
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.parquet import write_table
from toy_source import FIELDS, from_columns, from_records, record, taken, write_lines

from glotmix.errors import UserError
from glotmix.pool import lines as text_lines
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, checked

BOTH_WAYS = pytest.mark.parametrize("way", [from_columns, from_records])
Way = Callable[[DataFile], Iterator[Batch]]


def one_file(path: Path) -> DataFile:
    (file,) = data_files(str(path))
    return file


def test_short_lines_are_handed_over_some_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}\n" * 50_000)
    assert max(map(len, records(one_file(tmp_path / "a.jsonl")))) <= 10_000


BAD_LINES: dict[bytes, str] = {
    b"": "empty line",
    b" \t": "empty line",
    b'{"id": "cut': "broken JSON",
    b"[" * 5000: "broken JSON",
    b'{"id": "\0"}': "broken JSON",
    b"null": "not a JSON object",
    b"5": "not a JSON object",
    b'[{"id": "1"}]': "not a JSON object",
    b"\xff\xfe": "not UTF-8",
    b'{"id": "\\ud800", "lang": "en"}': "not UTF-8",
    b'{"id": "x", "question": {"a": 1}}': "a field of another type",
    b'{"id": "x", "question": ["a"]}': "a field of another type",
    b"{}": "no id",
    b'{"id": "x", "lang": "en", "answer": "a"}': "empty question",
    b'{"id": "x", "lang": "en", "question": "q", "answer": "\\n"}': "empty answer",
    b'{"id": "x", "lang": "xx-lang", "question": "q", "answer": "a"}': "unknown language",
    b'{"id": "x\\n", "lang": "en", "question": "q", "answer": "a"}': "control characters in the id",
    json.dumps(record("x" * 200)).encode(): "id too long",
    json.dumps(record("x", question="x" * 200_001)).encode(): "text too long",
    json.dumps(record("x", question="x" * 1_000_001)).encode(): "line too long",
}


@BOTH_WAYS
@pytest.mark.parametrize(("line", "reason"), BAD_LINES.items(), ids=lambda value: str(value)[:30])
def test_a_bad_line_is_set_aside_and_its_neighbours_are_kept(
    tmp_path: Path, way: Way, line: bytes, reason: str
) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1), line, record(2))
    batches = list(checked(way(one_file(path))))
    assert pl.concat(batch.rows for batch in batches)["item_id"].to_list() == ["toy-1", "toy-2"]
    (rejected,) = pl.concat(batch.rejected for batch in batches).rows(named=True)
    assert (rejected["file"], rejected["line"], rejected["reason"]) == (str(path), 2, reason)
    assert rejected["raw"] == line.decode("utf-8", "backslashreplace")[:10_000]


lines_of_any_kind = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from(list(BAD_LINES)),
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))).map(
        lambda value: json.dumps(value).encode()
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).map(
        lambda text: json.dumps(record(1, question=text)).encode()
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(lines_of_any_kind, max_size=6), st.integers(20, 60))
def test_every_line_becomes_a_row_or_a_rejection_and_both_ways_agree(lines: list[bytes], block: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "BLOCK", block)  # so that lines cross the edges of blocks
        file = one_file(write_lines(Path(folder) / "train.jsonl", *lines, record("sound")))
        (items, rejected), (plain_items, plain_rejected) = taken(from_columns(file)), taken(from_records(file))
    assert len(items) + len(rejected) == len(lines) + 1
    assert (items, [line for line, _ in rejected]) == (plain_items, [line for line, _ in plain_rejected])


@BOTH_WAYS
def test_line_ends_a_byte_order_mark_and_a_missing_last_end_make_no_difference(tmp_path: Path, way: Way) -> None:
    raw = [json.dumps(record(number)).encode() for number in (1, 2)]
    for content in (b"\n".join(raw), b"\xef\xbb\xbf" + b"\r\n".join(raw) + b"\r\n", b"\n".join(raw) + b"\n"):
        (tmp_path / "a.jsonl").write_bytes(content)
        assert taken(way(one_file(tmp_path / "a.jsonl"))) == (["toy-1", "toy-2"], [])


@BOTH_WAYS
def test_text_outside_the_first_plane_survives(tmp_path: Path, way: Way) -> None:
    path = write_lines(tmp_path / "a.jsonl", record(1, question="\U0001f600 𝒳 é"))
    (rows, *_) = [batch.rows for batch in checked(way(one_file(path)))]
    assert rows["messages"][0][0]["content"] == "\U0001f600 𝒳 é"


@BOTH_WAYS
def test_of_an_endless_line_only_the_start_is_ever_in_memory(tmp_path: Path, way: Way) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1), b"x")
    with path.open("r+b") as file:
        file.truncate(300_000_000)  # zeros that take no room on the disk
        file.seek(0, 2)
        file.write(b"\n" + json.dumps(record(2)).encode())
    tracemalloc.start()
    try:
        assert taken(way(one_file(path))) == (["toy-1", "toy-2"], [(2, "line too long")])
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\x89PNG\r\n\x1a\n\0\0",
        bytes(range(256)),
        b"What is 1 + 1?\t2\n",
        gzip.compress(json.dumps(record(1)).encode()),
        json.dumps(record(1)).encode("utf-16"),
        json.dumps(record(1, lang="Deutsch")).encode(),
    ],
)
@BOTH_WAYS
def test_a_file_of_the_wrong_kind_is_one_error_naming_the_first_reason(
    tmp_path: Path, way: Way, content: bytes
) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.jsonl: not a file of this source, .*(line 1: |it is empty)") as error:
        taken(way(one_file(tmp_path / "a.jsonl")))
    assert "\n" not in str(error.value)


def written_as(path: Path, records: list[dict[str, Any]]) -> None:
    match path.suffix:
        case ".parquet":
            pl.DataFrame(records).write_parquet(path)
        case ".json":
            path.write_text(json.dumps(records, indent=1), encoding="utf-8")
        case ".csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, FIELDS)
                writer.writeheader()
                writer.writerows(records)
        case ".gz":
            path.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
        case ".bz2":
            path.write_bytes(bz2.compress("\n".join(map(json.dumps, records)).encode()))


@BOTH_WAYS
@pytest.mark.parametrize("name", ["a.parquet", "a.json", "a.csv", "a.jsonl.gz", "a.jsonl.bz2"])
def test_the_same_records_in_any_format_give_the_same_rows(tmp_path: Path, way: Way, name: str) -> None:
    records = [record(number, question=f'"q, {number}"\nมี ' + "\U0001f600") for number in range(30)]
    written_as(tmp_path / name, records)
    write_lines(tmp_path / "b.jsonl", *records)
    rows, expected = (
        pl.concat(batch.rows for batch in checked(way(one_file(tmp_path / each)))) for each in (name, "b.jsonl")
    )
    assert rows.equals(expected)


@BOTH_WAYS
def test_csv_rows_that_do_not_fit_are_set_aside_with_their_first_line(tmp_path: Path, way: Way) -> None:
    text = 'id,lang,question,answer\n1,en,"two\nlines",a\n2,en\n3,en,q,a,b\n4,en,"q"x,a\n5,en,q,a\n6,en,"open\n\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    items, rejected = taken(way(one_file(tmp_path / "a.csv")))
    assert items == ["toy-1", "toy-5"]
    assert rejected == [(4, "wrong column count"), (5, "wrong column count"), (6, "broken CSV"), (8, "broken CSV")]


# What can't stand in an array beside others: nothing, or quotes and brackets that do not pair.
UNPAIRED = (b"", b" \t", b'{"id": "cut', b"[" * 5000, b'{"id": "\0"}')


@BOTH_WAYS
@pytest.mark.parametrize("item", [line for line in BAD_LINES if line not in UNPAIRED and len(line) < 1_000_000])
def test_a_bad_item_of_an_array_is_set_aside_and_its_neighbours_are_kept(tmp_path: Path, way: Way, item: bytes) -> None:
    sound = [json.dumps(record(number), indent=1).encode() for number in (1, 2)]
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf [" + b",\n".join([sound[0], item, sound[1]]) + b"]\n")
    assert taken(way(one_file(tmp_path / "a.json"))) == (["toy-1", "toy-2"], [(2, BAD_LINES[item])])


@BOTH_WAYS
@pytest.mark.parametrize("item", ["[" * 5000 + "]" * 5000, '{"id": 1%s}' % ("0" * 5000), "{\"id\": 'x'}", '{"id": 1,}'])
def test_what_no_reader_of_json_takes_spoils_only_itself(tmp_path: Path, way: Way, item: str) -> None:
    (tmp_path / "a.json").write_text(f"[{json.dumps(record(1))}, {item}, {json.dumps(record(2))}]")
    assert taken(way(one_file(tmp_path / "a.json"))) == (["toy-1", "toy-2"], [(2, "broken JSON")])


@BOTH_WAYS
def test_numbers_beyond_the_usual_do_not_end_an_array(tmp_path: Path, way: Way) -> None:
    extra = [record(1) | {"extra": 10**30}, record(2) | {"extra": float("inf")}, record(3) | {"extra": float("nan")}]
    (tmp_path / "a.json").write_text(json.dumps(extra))
    items, rejected = taken(way(one_file(tmp_path / "a.json")))
    assert len(items) + len(rejected) == 3
    assert items[0] == "toy-1"


@BOTH_WAYS
@pytest.mark.parametrize("after", ["", ",", ', {"id": "2', ", {", "] [1]", "],"])
def test_a_json_array_is_read_up_to_where_it_breaks(tmp_path: Path, way: Way, after: str) -> None:
    (tmp_path / "a.json").write_text(f"[{json.dumps(record(1))}, 5" + after)
    items, rejected = taken(way(one_file(tmp_path / "a.json")))
    assert items == ["toy-1"]
    if after:
        assert rejected == [(2, "not a JSON object"), (3, "broken JSON; what follows it is not read")]
    else:
        assert rejected == [(2, "broken JSON; what follows it is not read")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=6), st.integers(20, 60))
def test_items_that_cross_blocks_are_whole(questions: list[str], block: int) -> None:
    records = [record(number, question=f"q {text}") for number, text in enumerate(questions)]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("glotmix.pool.json_array.BLOCK", block)
        written_as(Path(folder) / "a.json", records)
        expected = taken(from_records(one_file(write_lines(Path(folder) / "b.jsonl", *records))))
        for way in (from_columns, from_records):
            assert taken(way(one_file(Path(folder) / "a.json"))) == expected


def test_an_item_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glotmix.pool.json_array.LONGEST_ITEM", 200_000)
    monkeypatch.setattr("glotmix.pool.json_array.BLOCK", 50_000)
    (tmp_path / "a.json").write_text(json.dumps([record(1), record(2, question="x" * 900_000), record(3)]))
    items, rejected = taken(from_columns(one_file(tmp_path / "a.json")))
    assert items == ["toy-1"]
    assert rejected == [(2, "item too long; what follows it is not read")]


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl.gz", "a.jsonl.bz2", "a.jsonl.xz"])
@BOTH_WAYS
def test_a_file_that_is_not_what_its_name_says_is_one_error(tmp_path: Path, way: Way, name: str) -> None:
    for content in (b"", b"PAR1 and no more", gzip.compress(b"{}" * 1000)[:-9]):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=r"a\.(parquet|jsonl)"):
            taken(way(one_file(tmp_path / name)))


def test_two_columns_of_one_name_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,lang,question,answer,answer\n1,en,q,a,b\n", encoding="utf-8")
    (tmp_path / "a.tsv").write_text("id\tlang\tquestion\tanswer\tanswer\n1\ten\tq\ta\tb\n", encoding="utf-8")
    names = [*FIELDS, "answer"]
    write_table(pa.table([pa.array(["1"])] * 5, names=names), tmp_path / "a.parquet")
    for name in ("a.csv", "a.tsv", "a.parquet"):
        with pytest.raises(UserError, match=rf"a\.{name[2:]}: two columns are named 'answer'"):
            taken(from_columns(one_file(tmp_path / name)))


@BOTH_WAYS
def test_columns_without_a_name_are_no_matter(tmp_path: Path, way: Way) -> None:
    (tmp_path / "a.csv").write_text("id,lang,question,answer,,\n1,en,q,a,,\n", encoding="utf-8")
    assert taken(way(one_file(tmp_path / "a.csv"))) == (["toy-1"], [])


@BOTH_WAYS
def test_parquet_text_that_is_not_utf8_is_one_error(tmp_path: Path, way: Way) -> None:
    raw = pa.array([b"q", b"\xff\xfe"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    rows = pa.table({**dict.fromkeys(FIELDS, pa.array(["1", "2"])), "question": text})
    write_table(rows, tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: not a Parquet file one can read .*UTF8"):
        taken(way(one_file(tmp_path / "a.parquet")))


def test_a_parquet_column_of_another_type_is_one_error(tmp_path: Path) -> None:
    pl.DataFrame([record(1, question=["a", "b"])]).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: "):
        taken(from_columns(one_file(tmp_path / "a.parquet")))
