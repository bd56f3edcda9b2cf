from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.registry import _registry as fsspec_registry
from toy_source import from_columns, record, taken, write_lines

from glotmix.errors import UserError
from glotmix.pool.files import data_files


def found(place: Path | str, pattern: str = "*") -> list[tuple[str, str, str, str]]:
    files = data_files(str(place), pattern)
    return [(file.name.removeprefix(f"{place}/"), file.format, file.split, file.config) for file in files]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_a_file_is_itself_and_its_name_tells_format_and_split(tmp_path: Path) -> None:
    names = {"en.jsonl": ("jsonl", ""), "Train.JSON.gz": ("json", "train"), "x-dev.tsv": ("tsv", "validation")}
    for name, facts in names.items():
        touch(tmp_path, name)
        (file,) = data_files(str(tmp_path / name))
        assert (file.format, file.split) == facts


def test_folders_and_names_of_the_hub_layout_tell_split_and_configuration(tmp_path: Path) -> None:
    touch(tmp_path, "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "bn/test.jsonl")
    touch(tmp_path, "dev/sw.csv", "pt-BR/train/0.jsonl", "LICENSE", "README.md", "notes.docx", ".git/a.json")
    touch(tmp_path, "dataset_infos.json", "__pycache__/a.json")
    assert found(tmp_path) == [
        ("bn/test.jsonl", "jsonl", "test", "bn"),
        ("data/train-00000-of-00002.parquet", "parquet", "train", ""),
        ("data/train-00001-of-00002.parquet", "parquet", "train", ""),
        ("dev/sw.csv", "csv", "validation", ""),
        ("pt-BR/train/0.jsonl", "jsonl", "train", "pt-BR"),
    ]
    assert found(tmp_path, "*.csv") == [("dev/sw.csv", "csv", "validation", "")]
    with pytest.raises(UserError, match=r"no mgsm_\*\.tsv in there"):
        found(tmp_path, "mgsm_*.tsv")


def test_a_pool_that_lies_among_the_files_is_no_source(tmp_path: Path) -> None:
    touch(tmp_path, "mgsm_en.tsv", "pool/pool.json", "pool/rejected.parquet", "pool/math/en/test.parquet")
    assert found(tmp_path) == [("mgsm_en.tsv", "tsv", "", "")]


README = """---
license: mit
configs:
- config_name: default
  data_files: all.jsonl
- config_name: sw
  data_files:
  - split: train
    path: sw/*
  - split: dev
    path: ["other/sw.jsonl"]
- config_name: out
  data_files:
  - split: test
    path: ["../secret.jsonl", "/etc/*", "https://example.org/a.jsonl", "sw/../../secret.jsonl"]
- config_name: below
  data_dir: other
---
# A set
"""


def test_a_readme_with_configurations_says_what_is_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    touch(folder, "all.jsonl", "sw/1.jsonl", "other/sw.jsonl", "unnamed.jsonl", "../secret.jsonl")
    (folder / "README.md").write_text(README)
    assert found(folder) == [
        ("all.jsonl", "jsonl", "train", ""),
        ("sw/1.jsonl", "jsonl", "train", "sw"),
        ("other/sw.jsonl", "jsonl", "validation", "sw"),
        ("other/sw.jsonl", "jsonl", "train", "below"),
    ]


@pytest.mark.parametrize("declared", ["data_files: 'bn/*'", "data_files: ['bn/test*', 'bn/a*']", "data_dir: bn", ""])
def test_a_test_file_trains_nothing_though_a_readme_names_no_split(tmp_path: Path, declared: str) -> None:
    touch(tmp_path, "bn/test.jsonl", "bn/a.jsonl")
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n- config_name: bn\n  {declared}\n---\n")
    expected = [("bn/a.jsonl", "jsonl", "train", "bn"), ("bn/test.jsonl", "jsonl", "test", "bn")]
    assert sorted(found(tmp_path)) == expected


@pytest.mark.parametrize("head", ["", "---\nconfigs: 5\n---\n", "---\n[\n---\n", "---\nlicense: mit\n---\n", "\xff"])
def test_a_readme_that_declares_nothing_is_no_obstacle(tmp_path: Path, head: str) -> None:
    touch(tmp_path, "bn/test.jsonl")
    (tmp_path / "README.md").write_text(head, encoding="latin-1")
    assert found(tmp_path) == [("bn/test.jsonl", "jsonl", "test", "bn")]


def test_nothing_of_a_dataset_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    folder = tmp_path / "set"
    touch(folder, "train.jsonl")
    (folder / "set.py").write_text(f"open({str(marker)!r}, 'w')")
    assert found(folder) == [("train.jsonl", "jsonl", "train", "")]
    assert not marker.exists()


@pytest.mark.parametrize(
    ("place", "message"),
    [("./missing", "no such file"), ("/missing/x.jsonl", "no such file"), ("missing.jsonl", "no such file")],
)
def test_a_local_place_that_is_not_there_is_one_line(place: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        data_files(place)


def test_a_place_without_data_is_one_line(tmp_path: Path) -> None:
    touch(tmp_path, "picture.png")
    with pytest.raises(UserError, match="no data file in there"):
        data_files(str(tmp_path))
    with pytest.raises(UserError, match="not a kind of file glotmix reads"):
        data_files(str(tmp_path / "picture.png"))


def test_a_hub_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^someone/some-set: .*the hub can't be reached \(\w+\)$"):
        data_files("someone/some-set")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `hf://` leads to."""

    class FakeHub(DirFileSystem):  # type: ignore[misc]
        protocol = "hf"
        cachable = False

        def __init__(self, **options: Any) -> None:
            super().__init__(path=str(tmp_path / "hub"), fs=fsspec.filesystem("file"))

    monkeypatch.setitem(fsspec_registry, "hf", FakeHub)
    return tmp_path / "hub" / "datasets"


def test_a_hub_name_takes_the_path_of_a_folder(hub: Path) -> None:
    write_lines(hub / "someone/some-set/bn/train.jsonl", record(1, "bn"))
    (file,) = data_files("someone/some-set")
    assert (file.name, file.format, file.split, file.config) == (
        "someone/some-set/bn/train.jsonl",
        "jsonl",
        "train",
        "bn",
    )
    assert file.url == "hf://datasets/someone/some-set/bn/train.jsonl"
    assert taken(from_columns(file)) == (["toy-1"], [])
    (hub / "someone/some-set/README.md").write_text("---\nconfigs:\n- config_name: x\n  data_files: 'bn/*'\n---\n")
    assert [file.config for file in data_files("someone/some-set")] == ["x"]


def test_of_a_dataset_with_a_loading_script_the_files_converted_by_the_hub_are_read(hub: Path) -> None:
    touch(hub, "someone/some-set/some-set.py", "someone/some-set@refs%2Fconvert%2Fparquet/bn/test/0000.parquet")
    assert [(file.split, file.config) for file in data_files("someone/some-set")] == [("test", "bn")]
