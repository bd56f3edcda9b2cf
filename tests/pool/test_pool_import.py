import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.folder import FolderPool
from glotmix.pool.importers import IMPORTERS, ImportReport, import_pool
from glotmix.pool.math_rows import final_line

GOOD = {"question": "What is 1 + 1,079?", "answer": "1 + 1,079 = <<1+1079=1080>>1,080.\n#### 1,080"}


def gsm8k_file(folder: Path, *lines: Any, name: str = "train.jsonl") -> Path:
    """Lines that are not bytes yet are written as JSON."""
    path = folder / name
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def good(number: int) -> dict[str, str]:
    return GOOD | {"question": f"Question {number}?"}


def reasons(report: ImportReport) -> dict[str, int]:
    return dict(report.rejected.select("reason", "lines").rows())


def counts(report: ImportReport) -> dict[tuple[str, str, str], int]:
    return {tuple(cell): rows for *cell, rows in report.counts.rows()}


def test_every_row_of_gsm8k_train_is_taken(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "gsm8k" / "train.jsonl"
    report = import_pool("gsm8k", source, tmp_path)
    assert counts(report) == {("math", "en", "train"): 6973, ("math", "en", "validation"): 500}
    assert reasons(report) == {}
    originals = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    rows = pl.concat(pl.read_parquet(tmp_path / f"math/en/{split}.parquet") for split in ("train", "validation"))
    for row, original in zip(rows.sort("item_id").iter_rows(named=True), originals, strict=True):
        question, answer = (message["content"] for message in row["messages"])
        solution, _, number = original["answer"].partition("\n####")
        assert question == original["question"].strip()
        assert row["reference"] == str(int(number.replace(",", "")))
        assert answer.endswith(f"\nThe answer is {row['reference']}.")
        assert "<<" not in answer
        assert len(answer.splitlines()) == len(solution.strip().splitlines()) + 1


def test_every_row_of_mgsm_is_taken_in_11_languages(data_folder: Path, tmp_path: Path) -> None:
    report = import_pool("mgsm", data_folder / "mgsm", tmp_path)
    tags = ["bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"]
    assert counts(report) == {("math", tag, "test"): 250 for tag in tags}
    assert reasons(report) == {}
    pool = FolderPool(tmp_path)
    items = pool.item_ids("math", "en", "test")
    english = pool.take("math", "en", "test", items)
    for tag in tags:
        rows = pool.take("math", tag, "test", items)
        assert rows["reference"].to_list() == english["reference"].to_list()
        assert rows["row_id"].to_list() == [f"{item}:{tag}" for item in items]
        assert list(pool.item_ids("math", tag, "train")) == []


def test_both_sources_make_one_pool_and_importing_again_changes_nothing(data_folder: Path, tmp_path: Path) -> None:
    def both() -> list[int]:
        sources = {"gsm8k": data_folder / "gsm8k" / "train.jsonl", "mgsm": data_folder / "mgsm"}
        return [import_pool(name, path, tmp_path).replaced for name, path in sources.items()]

    assert both() == [0, 0]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert both() == [7473, 2750]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before
    assert len(before) == 13


def test_gsm8k_test_never_becomes_training_rows(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "gsm8k" / "test.jsonl"
    renamed = tmp_path / "extra.jsonl"
    renamed.write_bytes(source.read_bytes())
    part = gsm8k_file(tmp_path, good(1), good(2), name="test-part2.jsonl")
    for path in (source, renamed, part):
        with pytest.raises(UserError, match="must not become training rows"):
            import_pool("gsm8k", path, tmp_path / "pool", validation_rows=0)
    assert not (tmp_path / "pool").exists()
    assert counts(import_pool("gsm8k", source, tmp_path / "pool", split="test")) == {("math", "en", "test"): 1319}


BAD_LINES: dict[str, Any] = {
    "broken JSON": b'{"question": "cut',
    "no question and answer text": {"question": 5, "answer": None},
    "no ####": GOOD | {"answer": "It is 5."},
    "empty question": GOOD | {"question": " \n"},
    "empty solution": GOOD | {"answer": "#### 5"},
    "answer is not a number": GOOD | {"answer": "It is five.\n#### five"},
    "not UTF-8": b'{"question": "\xff", "answer": "a #### 1"}',
    "line too long": json.dumps(GOOD | {"question": "x" * 1_000_001}).encode(),
    "duplicate question": good(1),
}


def test_bad_lines_are_set_aside_with_their_reason_and_good_ones_kept(tmp_path: Path) -> None:
    path = gsm8k_file(tmp_path, good(1), *BAD_LINES.values(), good(2))
    report = import_pool("gsm8k", path, tmp_path / "pool", validation_rows=0)
    assert reasons(report) == dict.fromkeys(BAD_LINES, 1)
    assert FolderPool(tmp_path / "pool").item_ids("math", "en", "train") == ("gsm8k-train-0001", "gsm8k-train-0011")
    rejected = pl.read_parquet(tmp_path / "pool" / "rejected.parquet")
    assert rejected.columns == ["file", "line", "reason", "raw"]
    assert dict(rejected.select("reason", "line").rows()) == {reason: n for n, reason in enumerate(BAD_LINES, start=2)}
    raw = dict(rejected.select("reason", "raw").rows())
    assert raw["broken JSON"] == '{"question": "cut'
    assert "\\xff" in raw["not UTF-8"]
    assert len(raw["line too long"]) == 10_000


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"question": "\\ud800", "answer": "a #### 1"}', b"5", b"null", b"[1, 2]", b"\0", b""]
)
def test_hostile_lines_are_bad_lines(tmp_path: Path, line: bytes) -> None:
    report = import_pool("gsm8k", gsm8k_file(tmp_path, line, good(1)), tmp_path / "pool", validation_rows=0)
    assert sum(reasons(report).values()) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=5))
def test_every_line_becomes_a_row_or_a_rejection(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for source, name, sound in (("gsm8k", "train.jsonl", json.dumps(GOOD)), ("mgsm", "mgsm_te.tsv", "q\t5")):
            path = Path(folder) / name
            path.write_bytes(b"\n".join([*lines, sound.encode()]))
            intake = IMPORTERS[source].read(path, **({"validation_rows": 0} if source == "gsm8k" else {}))
            assert len(intake.rows) + len(intake.rejected) == len(lines) + 1
            assert len(intake.frame()) >= 1


def test_a_mended_file_imported_again_clears_its_rejections_only(tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    (tmp_path / "mgsm_de.tsv").write_text("frage\t1\nkaputt\n", encoding="utf-8")
    import_pool("mgsm", tmp_path, pool)
    path = gsm8k_file(tmp_path, good(1), b"{")
    import_pool("gsm8k", path, pool, validation_rows=0)
    assert len(pl.read_parquet(pool / "rejected.parquet")) == 2
    gsm8k_file(tmp_path, good(1), good(2))
    import_pool("gsm8k", path, pool, validation_rows=0)
    assert pl.read_parquet(pool / "rejected.parquet")["raw"].to_list() == ["kaputt"]


@pytest.mark.parametrize("content", [b"", b"What is 1 + 1?\t2\n", bytes(range(256)), b'{"text": "other"}\n'])
def test_a_file_of_the_wrong_kind_is_one_error_and_nothing_is_written(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="no line gives a row"):
        import_pool("gsm8k", tmp_path / "file", tmp_path / "pool")
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UserError, match="can't be read"):
            import_pool("gsm8k", path, tmp_path / "pool")
    assert not (tmp_path / "pool").exists()


def test_mgsm_keeps_line_numbers_as_item_ids_past_a_bad_line(tmp_path: Path) -> None:
    text = '\ufeff"Quoted" 1?\t1,000\r\nno number\nthree\tcolumns\t3\nq\tfive\n\t6\nQ 7?\t7\r\n'
    (tmp_path / "mgsm_sw.tsv").write_text(text, encoding="utf-8", newline="")
    report = import_pool("mgsm", tmp_path / "mgsm_sw.tsv", tmp_path / "pool")
    assert reasons(report) == {"wrong column count": 2, "answer is not a number": 1, "empty question": 1}
    rows = FolderPool(tmp_path / "pool").take("math", "sw", "test", ["mgsm-001", "mgsm-006"])
    assert rows["reference"].to_list() == ["1000", "7"]
    assert rows["messages"][0][0] == {"role": "user", "content": '"Quoted" 1?'}
    assert rows["messages"][1][1]["content"] == "Jibu ni 7."


@pytest.mark.parametrize("name", ["mgsm_swahili.tsv", "mgsm_.tsv", "mgsm_en_test.tsv", "sw.tsv"])
def test_an_mgsm_file_must_be_named_by_its_language(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("q\t1\n")
    with pytest.raises(UserError):
        import_pool("mgsm", tmp_path / name, tmp_path / "pool")


def test_what_an_importer_does_not_know_is_refused(tmp_path: Path) -> None:
    path = gsm8k_file(tmp_path, good(1), good(2))
    with pytest.raises(UserError, match="unknown source 'gsm9k'; the sources are gsm8k, mgsm"):
        import_pool("gsm9k", path, tmp_path / "pool")
    with pytest.raises(UserError, match="mgsm has no option 'split'"):
        import_pool("mgsm", tmp_path, tmp_path / "pool", split="train")
    for options in ({"split": "dev"}, {"validation_rows": 2}, {"validation_rows": -1}):
        with pytest.raises(UserError):
            import_pool("gsm8k", path, tmp_path / "pool", **options)
    with pytest.raises(UserError, match=r"no mgsm_\*\.tsv"):
        import_pool("mgsm", tmp_path, tmp_path / "pool")


def test_the_validation_share_is_exact_and_moves_no_row_when_it_grows(tmp_path: Path) -> None:
    path = gsm8k_file(tmp_path, *(good(number) for number in range(40)))
    held_out: list[set[str]] = []
    for size in (5, 12):
        import_pool("gsm8k", path, tmp_path / "pool", validation_rows=size)
        pool = FolderPool(tmp_path / "pool")
        held_out.append(set(pool.item_ids("math", "en", "validation")))
        assert len(held_out[-1]) == size
        assert len(pool.item_ids("math", "en", "train")) == 40 - size
    assert held_out[0] < held_out[1]


def test_a_language_without_a_sentence_for_it_gets_the_number_alone() -> None:
    assert final_line("bn", "5") == "উত্তর হলো 5।"
    assert final_line("yo", "5") == "5"
