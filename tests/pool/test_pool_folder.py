import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from glotmix.errors import GlotmixError, UserError
from glotmix.pool import ROW_SCHEMA, open_pool
from glotmix.pool.folder import FolderPool
from glotmix.pool.sources.math_rows import math_row
from glotmix.pool.write import add_to_pool


def rows(*item_ids: str, language: str = "en", split: str = "train", **changes: str) -> pl.DataFrame:
    facts = {"split": split, "source": "toy", "licence": "CC0", "origin": "native"}
    made = [math_row(item, language, f"q {item}", "s", "7", **facts) | changes for item in item_ids]
    return pl.DataFrame(made, schema=ROW_SCHEMA)


def test_rows_come_back_whole_and_in_the_order_asked_for(tmp_path: Path) -> None:
    written = rows("a", "b", "c", "d")
    add_to_pool(tmp_path, written)
    pool = FolderPool(tmp_path)
    assert sorted(pool.item_ids("math", "en", "train")) == ["a", "b", "c", "d"]
    taken = pool.take("math", "en", "train", ["d", "a", "c"])
    assert taken.schema == ROW_SCHEMA
    assert taken.equals(written[[3, 0, 2]])
    assert pool.take("math", "en", "train", pl.Series(["c", "b"]))["item_id"].to_list() == ["c", "b"]
    assert pool.take("math", "en", "train", []).schema == ROW_SCHEMA


def test_a_cell_without_rows_is_empty_and_an_item_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    add_to_pool(tmp_path, pl.concat([rows("a"), rows("a", language="zh", split="test")]))
    pool = FolderPool(tmp_path)
    assert pool.languages("math") == ("en", "zh")
    assert pool.languages("summarization") == ()
    assert list(pool.item_ids("math", "es", "train")) == []
    with pytest.raises(GlotmixError, match="not there"):
        pool.take("math", "en", "train", ["a", "b"])


@pytest.mark.parametrize(
    ("task", "language", "split"),
    [("../math", "en", "train"), ("math", "../../en", "train"), ("math", "en", "../../train"), ("math", "", "train")],
)
def test_no_name_leads_out_of_the_pool(tmp_path: Path, task: str, language: str, split: str) -> None:
    add_to_pool(tmp_path / "pool", rows("a"))
    with pytest.raises(UserError):
        FolderPool(tmp_path / "pool").take(task, language, split, ["a"])
    evil = rows("a").with_columns(task=pl.lit(task), language=pl.lit(language), split=pl.lit(split))
    with pytest.raises(UserError):
        add_to_pool(tmp_path / "pool", evil)
    assert [path.name for path in tmp_path.iterdir()] == ["pool"]


def test_a_row_added_again_replaces_the_old_one_in_whatever_split_it_was(tmp_path: Path) -> None:
    add_to_pool(tmp_path, rows("a", "b", "c"))
    assert add_to_pool(tmp_path, rows("b", split="validation")) == 1
    pool = FolderPool(tmp_path)
    assert sorted(pool.item_ids("math", "en", "train")) == ["a", "c"]
    assert list(pool.item_ids("math", "en", "validation")) == ["b"]
    assert json.loads((tmp_path / "pool.json").read_text())["counts"] == [
        {"task": "math", "language": "en", "split": "train", "rows": 2},
        {"task": "math", "language": "en", "split": "validation", "rows": 1},
    ]


def test_the_order_of_additions_leaves_no_trace(tmp_path: Path) -> None:
    add_to_pool(tmp_path / "one", rows("a", "b"))
    add_to_pool(tmp_path / "one", rows("c"))
    add_to_pool(tmp_path / "two", rows("c", "b"))
    add_to_pool(tmp_path / "two", rows("a"))
    one, two = (pl.read_parquet(tmp_path / name / "math/en/train.parquet") for name in ("one", "two"))
    assert one.equals(two)


def test_an_import_interrupted_while_files_take_their_place_leaves_no_pool_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to_pool(tmp_path / "pool", rows("a"))

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("glotmix.pool.write.version", full_disk)
        with pytest.raises(GlotmixError, match="No space left") as fault:
            add_to_pool(tmp_path / "pool", rows("b"))
    assert fault.value.exit_code == 1
    with pytest.raises(UserError, match="interrupted"):
        FolderPool(tmp_path / "pool")
    add_to_pool(tmp_path / "pool", rows("b"))
    assert sorted(FolderPool(tmp_path / "pool").item_ids("math", "en", "train")) == ["a", "b"]
    assert not list(tmp_path.rglob(".*"))


def test_a_folder_that_is_no_pool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no pool there"):
        open_pool("missing", relative_to=tmp_path)


def test_files_that_are_not_rows_are_refused_with_their_path(tmp_path: Path) -> None:
    add_to_pool(tmp_path, rows("a"))
    file = tmp_path / "math/en/train.parquet"
    pool = FolderPool(tmp_path)
    pl.concat([rows("a"), rows("a")]).write_parquet(file)
    with pytest.raises(UserError, match="double"):
        pool.item_ids("math", "en", "train")
    rows("a").drop("reference").write_parquet(file)
    with pytest.raises(UserError, match=r"train\.parquet: column 'reference'"):
        pool.item_ids("math", "en", "train")
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match="not a Parquet file"):
        pool.item_ids("math", "en", "train")


def test_a_pool_named_like_a_pattern_is_read_itself(tmp_path: Path) -> None:
    add_to_pool(tmp_path / "ab", rows("other"))
    add_to_pool(tmp_path / "a[b]", rows("a"))
    add_to_pool(tmp_path / "a[b]", rows("b"))
    pool = FolderPool(tmp_path / "a[b]")
    assert sorted(pool.item_ids("math", "en", "train")) == ["a", "b"]
    assert pool.take("math", "en", "train", ["a"]).equals(rows("a"))


def test_a_pool_is_found_by_name_or_relative_to_the_study(tmp_path: Path) -> None:
    add_to_pool(tmp_path / "study" / "pool", rows("a"))
    assert open_pool("pool", relative_to=tmp_path / "study").name == "pool"
    assert open_pool("lab").name == "lab"


def test_pools_mixtures_and_designs_do_without_torch() -> None:
    modules = "glotmix.pool.importers, glotmix.mixture, glotmix.design"
    check = f"import sys, {modules}; sys.exit(bool({{'torch', 'transformers'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
