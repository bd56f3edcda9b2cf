import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_source import read, record, write_lines

from glotmix.errors import GlotmixError, UserError
from glotmix.pool.folder import FolderPool
from glotmix.pool.importers import ImportReport, import_pool, parse_options
from glotmix.pool.keyed import ranked
from glotmix.pool.sources import SOURCES, Source


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "toy", Source(read))


def reasons(report: ImportReport) -> dict[str, int]:
    return dict(report.rejected.rows())


def counts(report: ImportReport) -> dict[tuple[str, str, str], int]:
    return {tuple(cell): rows for *cell, rows in report.counts.rows()}


def items(pool: Path, split: str = "train", language: str = "en") -> list[str]:
    return sorted(FolderPool(pool).item_ids("math", language, split))


def content(pool: Path) -> dict[str, bytes]:
    return {str(path.relative_to(pool)): path.read_bytes() for path in pool.rglob("*") if path.is_file()}


def test_real_files_make_one_pool_and_importing_again_changes_nothing(data_folder: Path, tmp_path: Path) -> None:
    sources = {"gsm8k": data_folder / "gsm8k" / "train.jsonl", "mgsm": data_folder / "mgsm"}
    first = [import_pool(name, place, tmp_path) for name, place in sources.items()]
    assert counts(first[0]) == {("math", "en", "train"): 6973, ("math", "en", "validation"): 500}
    tags = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")
    assert counts(first[1]) == {("math", tag, "test"): 250 for tag in tags}
    assert [reasons(report) for report in first] == [{}, {}]
    before = content(tmp_path)
    assert [import_pool(name, place, tmp_path).replaced for name, place in sources.items()] == [7473, 2750]
    assert content(tmp_path) == before


def test_what_was_set_aside_is_kept_with_its_line_and_a_mended_file_clears_it(tmp_path: Path) -> None:
    broken = write_lines(tmp_path / "broken.jsonl", record(1), b"{", record(2, answer=""))
    other = write_lines(tmp_path / "other.jsonl", record(3), b"kaputt")
    report = import_pool("toy", broken, tmp_path / "pool")
    assert reasons(report) == {"broken JSON": 1, "empty answer": 1}
    import_pool("toy", other, tmp_path / "pool")
    rejected = pl.read_parquet(tmp_path / "pool" / "rejected.parquet").sort("file", "line")
    assert rejected.columns == ["file", "line", "reason", "raw"]
    assert rejected.rows() == [
        (str(broken), 2, "broken JSON", "{"),
        (str(broken), 3, "empty answer", json.dumps(record(2, answer=""))),
        (str(other), 2, "broken JSON", "kaputt"),
    ]
    write_lines(broken, record(1), record(2))
    import_pool("toy", broken, tmp_path / "pool")
    assert pl.read_parquet(tmp_path / "pool" / "rejected.parquet")["raw"].to_list() == ["kaputt"]
    assert items(tmp_path / "pool") == ["toy-1", "toy-2", "toy-3"]


def test_of_double_ids_the_first_is_kept_and_the_others_are_set_aside(tmp_path: Path) -> None:
    lines = [record(1), record(1, "fr"), record(1, answer="second"), record(2), record(1, answer="third")]
    path = write_lines(tmp_path / "train.jsonl", *lines)
    report = import_pool("toy", path, tmp_path / "pool")
    assert reasons(report) == {"duplicate id": 2}
    assert counts(report) == {("math", "en", "train"): 2, ("math", "fr", "train"): 1}
    kept = FolderPool(tmp_path / "pool").take("math", "en", "train", ["toy-1"])
    assert kept["messages"][0][1]["content"] == "a 1"
    rejected = pl.read_parquet(tmp_path / "pool" / "rejected.parquet").sort("line")
    assert rejected["line"].to_list() == [3, 5]
    assert ["second" in raw for raw in rejected["raw"]] == [True, False]


def test_one_item_in_two_splits_of_an_import_stays_in_the_first(tmp_path: Path) -> None:
    write_lines(tmp_path / "in" / "test.jsonl", record(1), record(2))
    write_lines(tmp_path / "in" / "train.jsonl", record(2), record(3))
    assert reasons(import_pool("toy", tmp_path / "in", tmp_path / "pool")) == {"duplicate id": 1}
    assert items(tmp_path / "pool", "test") == ["toy-1", "toy-2"]
    assert items(tmp_path / "pool", "train") == ["toy-3"]


def test_one_bad_file_of_a_folder_means_that_nothing_is_written(tmp_path: Path) -> None:
    write_lines(tmp_path / "in" / "a.jsonl", record(1))
    write_lines(tmp_path / "in" / "b.jsonl", b"no JSON", b"at all")
    with pytest.raises(UserError, match=r"b\.jsonl: .*no record gives a row \(line 1: broken JSON\)"):
        import_pool("toy", tmp_path / "in", tmp_path / "pool")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_split_given_by_the_user_holds_for_every_row(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1), record(2, answer=""))
    report = import_pool("toy", path, tmp_path / "pool", split="test")
    assert counts(report) == {("math", "en", "test"): 2}  # a test row may have a reference only
    report = import_pool("toy", path, tmp_path / "pool", split="validation")
    assert counts(report) == {("math", "en", "validation"): 1}


def test_what_an_import_can_not_mean_is_refused(data_folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1), record(2))
    refused: list[tuple[str, Path, dict[str, Any], str]] = [
        ("toyy", path, {}, "unknown source 'toyy'; the sources are "),
        ("toy", path, {"subset": "a"}, "toy has no option 'subset'; it takes none"),
        ("toy", path, {"split": "dev"}, "unknown split 'dev'"),
        ("toy", path, {"validation_rows": -1}, "validation_rows -1"),
        ("toy", path, {"validation_rows": 2}, "some must stay for training"),
        ("toy", path, {"validation_rows": 1, "split": "test"}, "no training rows"),
        ("mgsm", data_folder / "mgsm", {"split": "train"}, "made for evaluation"),
        ("gsm8k", data_folder / "gsm8k" / "test.jsonl", {"split": "train"}, "must not become training rows"),
    ]
    for source, place, options, message in refused:
        with pytest.raises(UserError, match=message):
            import_pool(source, place, tmp_path / "pool", **options)
    assert not (tmp_path / "pool").exists()


def test_options_of_a_source_are_written_once_each() -> None:
    assert parse_options(["mapping=a=b.yaml", "language=sw"]) == {"mapping": "a=b.yaml", "language": "sw"}
    for wrong in (["mapping"], ["a=1", "a=2"], ["split=test"]):
        with pytest.raises(UserError, match="write each once as name=value"):
            parse_options(wrong)


def test_parallel_languages_hold_out_the_same_items_and_growing_the_share_moves_none(tmp_path: Path) -> None:
    lines = [record(number, tag) for number in range(40) for tag in ("en", "fr", "ja")]
    path = write_lines(tmp_path / "train.jsonl", *lines)
    held: list[list[str]] = []
    for size in (5, 12):
        report = import_pool("toy", path, tmp_path / "pool", validation_rows=size)
        assert all(counts(report)["math", tag, "validation"] == size for tag in ("en", "fr", "ja"))
        held.append(items(tmp_path / "pool", "validation"))
        assert held[-1] == items(tmp_path / "pool", "validation", "ja")
        assert len(items(tmp_path / "pool")) == 40 - size
    assert set(held[0]) < set(held[1])
    assert held[1] == sorted(ranked([f"toy-{number}" for number in range(40)], "validation")[:12])


def test_no_item_is_trained_on_in_one_language_and_held_out_in_another(tmp_path: Path) -> None:
    lines = [record(n, "en") for n in range(40)] + [record(n, "fr") for n in range(20, 60)]
    import_pool("toy", write_lines(tmp_path / "train.jsonl", *lines), tmp_path / "pool", validation_rows=10)
    train, held = (
        {item for tag in ("en", "fr") for item in items(tmp_path / "pool", split, tag)}
        for split in ("train", "validation")
    )
    assert not train & held
    assert len(items(tmp_path / "pool", "validation", "fr")) >= 10


def test_an_item_held_out_by_an_earlier_or_a_later_import_is_trained_on_in_no_language(tmp_path: Path) -> None:
    pool, numbers = tmp_path / "pool", {"en": range(40), "fr": range(20, 60)}
    files = {tag: write_lines(tmp_path / f"{tag}.jsonl", *(record(n, tag) for n in numbers[tag])) for tag in numbers}
    moved = [import_pool("toy", files[tag], pool, validation_rows=10).moved for tag in ("en", "fr")]
    moved.append(import_pool("toy", files["en"], pool, validation_rows=3).moved)
    report = import_pool("toy", files["en"], pool)
    every = [(split, tag) for split in ("train", "validation") for tag in numbers]
    found = {cell: set(items(pool, *cell)) for cell in every}
    assert not (found["train", "en"] | found["train", "fr"]) & (found["validation", "en"] | found["validation", "fr"])
    assert found["train", "en"] | found["validation", "en"] == {f"toy-{n}" for n in numbers["en"]}
    assert sum(len(ids) for ids in found.values()) == 80
    in_french = set(ranked([f"toy-{n}" for n in numbers["fr"]], "validation")[:10])
    in_english = set(ranked([f"toy-{n}" for n in numbers["en"]], "validation")[:10])
    english = {f"toy-{n}" for n in numbers["en"]}
    assert moved == [0, len((in_french & english) - in_english), 0]
    assert moved[1] > 0
    assert counts(report).get(("math", "en", "validation"), 0) == len(found["validation", "fr"] & english)


def test_held_out_rows_that_are_imported_anew_are_held_out_no_more(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "train.jsonl", *(record(n, tag) for n in range(9) for tag in ("en", "fr")))
    import_pool("toy", path, tmp_path / "pool", validation_rows=4)
    report = import_pool("toy", path, tmp_path / "pool", validation_rows=0)
    assert counts(report) == {("math", tag, "train"): 9 for tag in ("en", "fr")}


def test_a_test_file_of_a_source_that_holds_out_by_itself_needs_no_option(data_folder: Path, tmp_path: Path) -> None:
    report = import_pool("gsm8k", data_folder / "gsm8k" / "test.jsonl", tmp_path / "pool")
    assert counts(report) == {("math", "en", "test"): 1319}


row_numbers = st.lists(st.tuples(st.integers(0, 15), st.sampled_from(["en", "fr"]), st.integers(0, 1)), max_size=25)


@settings(max_examples=25, deadline=None)
@given(row_numbers, row_numbers)
def test_rows_that_went_over_the_disk_are_those_kept_in_memory(
    earlier: list[tuple[int, str, int]], later: list[tuple[int, str, int]]
) -> None:
    def imported(folder: Path) -> tuple[Any, ...]:
        reports = []
        for number, rows in enumerate((earlier, later)):
            lines = [record(item, tag, answer=f"{number} {text}") for item, tag, text in rows]
            path = write_lines(folder / f"{number}.jsonl", record("extra"), *lines)
            reports.append(import_pool("toy", path, folder / "pool"))
        frames = {path.parent.name: pl.read_parquet(path) for path in (folder / "pool").rglob("train.parquet")}
        rejected = folder / "pool" / "rejected.parquet"
        lines_set_aside = sorted(pl.read_parquet(rejected)["line"]) if rejected.exists() else []
        return ([(counts(each), each.replaced) for each in reports], lines_set_aside), frames

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOURCES, "toy", Source(read))
        facts, frames = imported(Path(folder) / "memory")
        patch.setattr("glotmix.pool.stage.STAGED_BYTES", 1)
        patch.setattr("glotmix.pool.stage.READ_BYTES", 1)
        patch.setattr("glotmix.pool.parquet.GROUP_BYTES", 1000)
        staged_facts, staged = imported(Path(folder) / "disk")
    assert staged_facts == facts
    assert staged.keys() == frames.keys()
    assert all(staged[tag].equals(frames[tag]) for tag in frames)


def test_two_imports_into_one_pool_do_not_mix(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1), record(2))

    def again(what: str, rows: int) -> None:
        with pytest.raises(UserError, match="another import into this pool is running"):
            import_pool("toy", path, tmp_path / "pool")

    import_pool("toy", path, tmp_path / "pool", progress=again)
    assert items(tmp_path / "pool") == ["toy-1", "toy-2"]


def test_what_a_killed_import_left_behind_is_cleared(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "train.jsonl", record(1))
    (tmp_path / "pool" / ".import").mkdir(parents=True)
    (tmp_path / "pool" / ".import" / "rows.arrows").write_bytes(b"half a row")
    import_pool("toy", path, tmp_path / "pool")
    assert items(tmp_path / "pool") == ["toy-1"]
    assert sorted(found.name for found in (tmp_path / "pool").iterdir()) == ["math", "pool.json"]


@pytest.mark.parametrize("step", range(1, 8))
def test_an_import_killed_while_its_files_take_their_place_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    pool, tags = tmp_path / "pool", ("en", "fr", "ja")
    old = write_lines(tmp_path / "old.jsonl", *(record(1, tag, answer="old") for tag in tags))
    new = write_lines(tmp_path / "new.jsonl", b"{", *(record(1, tag, answer="new") for tag in tags))
    import_pool("toy", old, pool)
    moved, replace = 0, Path.replace

    def until_killed(source: Path, target: Path) -> Path:
        nonlocal moved
        moved += 1
        if moved == step:
            raise KeyboardInterrupt
        return replace(source, target)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Path, "replace", until_killed)
        import_pool("toy", new, pool)
    if not (pool / "pool.json").exists():
        with pytest.raises(UserError, match="repeat an import that was interrupted"):
            FolderPool(pool)
    import_pool("toy", write_lines(tmp_path / "other.jsonl", record(2)), pool)
    found = FolderPool(pool)
    answers = {found.take("math", tag, "train", ["toy-1"])["messages"][0][1]["content"] for tag in tags}
    assert answers == {"old" if step == 1 else "new"}
    assert items(pool) == ["toy-1", "toy-2"]
    assert (pool / "rejected.parquet").exists() == (step > 1)
    assert not list(pool.glob(".import*"))


def test_a_pool_behind_a_link_stays_where_it_is(tmp_path: Path) -> None:
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # another disk
    try:
        (tmp_path / "pool").symlink_to(elsewhere)
        for number in (1, 2):
            import_pool("toy", write_lines(tmp_path / "a.jsonl", record(number)), tmp_path / "pool")
        assert items(elsewhere) == ["toy-1", "toy-2"]
        assert (tmp_path / "pool").is_symlink()
    finally:
        shutil.rmtree(elsewhere)


def test_an_import_that_fails_while_it_is_written_leaves_the_pool_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_pool("toy", write_lines(tmp_path / "a.jsonl", record(1)), tmp_path / "pool")
    before = content(tmp_path / "pool")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("glotmix.pool.parquet.RowGroups._flush", full_disk)
    with pytest.raises(GlotmixError, match="No space left") as fault:
        import_pool("toy", write_lines(tmp_path / "b.jsonl", record(2)), tmp_path / "pool")
    assert fault.value.exit_code == 1
    assert content(tmp_path / "pool") == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "pool"]


def test_the_command_counts_rows_and_what_was_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from glotmix import cli

    def glotmix(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["glotmix", "pool", "import", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capfd.readouterr())

    path = write_lines(tmp_path / "train.jsonl", *(record(number) for number in range(9)), b"{")
    place = ("--path", str(path), "--out", str(tmp_path / "pool"))
    code, out, err = glotmix("toy", *place, "--validation-rows", "2", "--json")
    assert code == 0
    assert [row["rows"] for row in json.loads(out)] == [7, 2]
    assert "1 record set aside: broken JSON" in err
    assert str(tmp_path / "pool" / "rejected.parquet") in err
    assert "9 of the rows were there already and are replaced" in glotmix("toy", *place)[2]
    code, out, err = glotmix("toy", *place, "--option", "subset=a")
    assert (code, out, err) == (2, "", "toy has no option 'subset'; it takes none, leave it out\n")
