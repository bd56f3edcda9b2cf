import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glotmix.errors import UserError
from glotmix.language import Language
from glotmix.pool.intake import Batch, checked
from glotmix.pool.sources import opensource_guide, tldr_pages, xlsum
from glotmix.task import get_task

GUIDE_ROWS = {
    "ar": 117, "bn": 23, "de": 117, "en": 157, "es": 127, "fr": 118, "ja": 131, "ko": 146, "pt": 131, "ru": 124,
    "sw": 116, "zh": 127,
}  # fmt: skip
# rows, and how many of them share their item with an English one
TLDR_ROWS = {
    "ar": (383, 352), "bn": (488, 479), "de": (1172, 1004), "en": (2231, 2231), "es": (1957, 1851), "fr": (1405, 1250),
    "hi": (520, 452), "id": (1575, 1514), "it": (1353, 1239), "ja": (637, 535), "ko": (2155, 2020),
    "pt-BR": (1528, 1389), "ru": (1094, 1084), "th": (89, 81), "zh": (1710, 1558),
}  # fmt: skip


def taken(batches: Iterable[Batch]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows, and rejected records by reason."""
    read = list(checked(batches))
    rejected = pl.concat(batch.rejected for batch in read)
    return pl.concat(batch.rows for batch in read), dict(rejected["reason"].value_counts().rows())


def write_lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


def assert_scored_as_correct(rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        score = get_task(row["task"]).score
        for output in (row["messages"][-1]["content"], row["reference"]):
            assert score(output, row["reference"], language=row["language"]).verdict == "correct", row["row_id"]


def assert_no_test_text_is_trained_on(rows: pl.DataFrame, whole: pl.Expr) -> None:
    """`whole` tells what a test row must not share with a training row of any language."""
    splits = rows.group_by(whole.alias("whole")).agg(pl.col("split").n_unique())
    assert splits["split"].max() == 1
    assert set(rows["split"]) == {"train", "test"}


ARTICLE = {
    "id": "tech-1",
    "url": "https://bbc/1",
    "title": "Headline",
    "summary": " A short one. ",
    "text": "A story.\n",
}


def test_xlsum_files_and_the_hub_layout_give_the_same_rows(tmp_path: Path) -> None:
    for split, on_hub in (("train", "train"), ("val", "validation"), ("test", "test")):
        for language in ("english", "chinese_simplified"):
            article = ARTICLE | {"id": f"tech-{split}"}
            write_lines(tmp_path / "files" / f"{language}_{split}.jsonl", article)
            (tmp_path / "hub" / language).mkdir(parents=True, exist_ok=True)
            pl.DataFrame([article]).write_parquet(tmp_path / "hub" / language / f"{on_hub}-00000-of-00001.parquet")
    rows, rejected = taken(xlsum.read(str(tmp_path / "files")))
    assert rejected == {}
    assert taken(xlsum.read(str(tmp_path / "hub")))[0].sort("row_id").equals(rows.sort("row_id"))
    assert sorted(rows.select("language", "split", "item_id").rows()) == [
        ("en", "test", "xlsum-en-tech-test"),
        ("en", "train", "xlsum-en-tech-train"),
        ("en", "validation", "xlsum-en-tech-val"),
        ("zh", "test", "xlsum-zh-tech-test"),
        ("zh", "train", "xlsum-zh-tech-train"),
        ("zh", "validation", "xlsum-zh-tech-val"),
    ]
    row = rows.to_dicts()[0]
    assert [message["content"] for message in row["messages"]] == ["A story.", "A short one."]
    assert (row["reference"], row["licence"], row["origin"]) == ("A short one.", "CC-BY-NC-SA-4.0", "native")
    assert_scored_as_correct(rows)


def test_xlsum_knows_45_languages_each_by_its_own_tag() -> None:
    tags = list(xlsum.TAGS.values())
    assert len(set(tags)) == 45
    assert [Language.get(tag).tag for tag in tags] == tags
    assert Language.get(xlsum.TAGS["chinese_traditional"]).script == "Hant"


def test_xlsum_records_that_are_none_are_rejected_and_a_file_must_tell_language_and_split(tmp_path: Path) -> None:
    records = [ARTICLE, ARTICLE | {"text": " "}, ARTICLE | {"summary": None}, ARTICLE | {"id": None}]
    path = write_lines(tmp_path / "welsh_test.jsonl", *records)
    rows, rejected = taken(xlsum.read(str(path)))
    assert rows["row_id"].to_list() == ["xlsum-cy-tech-1:cy"]
    assert rejected == {"empty question": 1, "empty answer": 1, "no id": 1}
    write_lines(tmp_path / "hub" / "welsh" / "data.jsonl", ARTICLE)  # a language, but no split
    files = [write_lines(tmp_path / name, ARTICLE) for name in ("test.jsonl", "klingon_test.jsonl", "welsh.jsonl")]
    for place in (*files, tmp_path / "hub"):
        with pytest.raises(UserError, match="must tell XL-Sum's language and split"):
            taken(xlsum.read(str(place)))


def test_every_section_of_the_guides_is_taken(data_folder: Path) -> None:
    rows, rejected = taken(opensource_guide.read(str(data_folder / "opensource_guide")))
    assert dict(rows["language"].value_counts().rows()) == GUIDE_ROWS
    assert rejected == {}
    assert rows["row_id"].n_unique() == len(rows) == 1434
    assert len(rows.filter(split="test")) == 459
    assert_no_test_text_is_trained_on(rows, pl.col("item_id").str.extract(r"^opensource-guide-(.*?)-\d\d-h"))
    assert_scored_as_correct(rows)


def test_sections_share_items_only_where_their_articles_have_as_many_sections(data_folder: Path) -> None:
    folder = data_folder / "opensource_guide"
    counts: dict[tuple[str, str], int] = {}
    for line in (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        counts[article["slug"], article["lang"]] = article["n_sections"]
    rows, _ = taken(opensource_guide.read(str(folder)))
    shared = Counter[str]()
    for language, item_id in rows.select("language", "item_id").rows():
        slug, _, own = item_id.removeprefix("opensource-guide-").rpartition("-h")
        slug = slug[:-3]
        agree = counts[slug, {"zh": "zh-hans"}.get(language, language)] == counts[slug, "en"]
        assert agree == (not own.endswith(language))
        shared[language] += agree
    assert shared == {
        "ar": 109, "bn": 23, "de": 117, "en": 157, "es": 95, "fr": 91, "ja": 103, "ko": 118, "pt": 108, "ru": 116,
        "sw": 116, "zh": 86,
    }  # fmt: skip
    levels = rows.filter(~pl.col("item_id").str.contains(r"h\d-")).group_by("item_id").len()
    assert levels["len"].max() == 12


SECTION = {"slug": "legal", "lang": "en", "section_index": 2, "level": 3, "heading": " Why? ", "text": "Because.\n"}


def test_guides_need_their_articles_and_reject_what_is_no_section(tmp_path: Path) -> None:
    sections = write_lines(tmp_path / "sections_en.jsonl", SECTION, SECTION | {"level": "3"}, SECTION | {"text": ""})
    for place in (tmp_path, sections):
        with pytest.raises(UserError, match="belong together"):
            taken(opensource_guide.read(str(place)))
    write_lines(tmp_path / "articles.jsonl", {"slug": "legal", "lang": "en", "n_sections": 8})
    rows, rejected = taken(opensource_guide.read(str(tmp_path)))
    assert rows.select("row_id", "reference").rows() == [("opensource-guide-legal-02-h3:en", "Why?")]
    assert rejected == {"not a section": 1, "empty question": 1}
    write_lines(tmp_path / "articles.jsonl", {"slug": "legal"})
    with pytest.raises(UserError, match="needs slug, lang and n_sections"):
        taken(opensource_guide.read(str(tmp_path)))


@pytest.fixture(scope="module")
def tldr(data_folder: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    return taken(tldr_pages.read(str(data_folder / "tldr_pages")))


def test_every_example_of_tldr_pages_is_taken_but_38_that_are_only_values(
    tldr: tuple[pl.DataFrame, dict[str, int]],
) -> None:
    rows, rejected = tldr
    assert rejected == {"empty answer": 38}
    assert len(rows) == rows["row_id"].n_unique() == 18_297
    assert len(rows.filter(split="test")) == 1855
    own = pl.col("item_id").str.ends_with(pl.format("-{}", "language"))
    found = rows.group_by("language").agg(rows=pl.len(), shared=(~own).sum())
    assert {language: (n, shared) for language, n, shared in found.rows()} == TLDR_ROWS
    assert_no_test_text_is_trained_on(rows, pl.col("item_id").str.extract(r"^tldr-(.*?)-\d+(-[\w-]+)?$"))
    assert_scored_as_correct(rows)


def test_translations_that_share_an_item_have_the_same_reference(tldr: tuple[pl.DataFrame, dict[str, int]]) -> None:
    rows, _ = tldr
    assert rows.group_by("item_id").agg(pl.col("reference").n_unique())["reference"].max() == 1


def page(language: str, *examples: tuple[str, str]) -> dict[str, Any]:
    found = [{"text": text, "command": command} for text, command in examples]
    about = {"page": "common/tar", "lang": language, "title": "tar", "description": ["Archives.", "See `zip`."]}
    return about | {"examples": found}


def test_an_example_becomes_a_call_of_its_tool_without_translated_values(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "tldr_en.jsonl", page("en", ("Make", "tar {{[-c|--create]}} {{path/to/dir}}"), ("List", "tar t"))
    )
    brazil = page("pt_BR", ("Listar", "tar t"), ("Criar", "tar {{[-c|--create]}} {{caminho}}"), ("Novo", "tar x"))
    write_lines(tmp_path / "tldr_pt_BR.jsonl", brazil, "not a page", {"page": "common/tar"})
    rows, rejected = taken(tldr_pages.read(str(tmp_path)))
    assert rejected == {"not a JSON object": 1, "not a page": 1}
    assert rows.filter(language="pt-BR")["item_id"].to_list() == [
        "tldr-common.tar-2",
        "tldr-common.tar-1",
        "tldr-common.tar-3-pt-BR",
    ]
    made = rows.filter(row_id="tldr-common.tar-1:pt-BR").to_dicts()[0]
    assert json.loads(made["reference"]) == {"name": "tar", "arguments": {"command": "tar --create {{}}"}}
    assert made["messages"][0]["content"].startswith("Functions: tar\nParameters: command\n")
    assert made["messages"][0]["content"].endswith("\n\ntar: Archives. See `zip`.\nCriar")


@pytest.mark.parametrize("example", [5, None, {"text": None, "command": "tar t"}, {"text": "List", "command": ["t"]}])
def test_a_page_with_a_broken_example_is_set_aside(tmp_path: Path, example: Any) -> None:
    english = page("en", ("List", "tar t"))
    write_lines(tmp_path / "tldr_en.jsonl", english)
    broken = page("fr", ("Lister", "tar t"))
    write_lines(tmp_path / "tldr_fr.jsonl", {**broken, "examples": [example]}, broken)
    rows, rejected = taken(tldr_pages.read(str(tmp_path)))
    assert (rows["language"].to_list(), rejected) == (["en", "fr"], {"not a page": 1})


def test_tldr_pages_need_the_english_file(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "tldr_es.jsonl", page("es", ("Listar", "tar t")))
    for place in (tmp_path, path):
        with pytest.raises(UserError, match=r"tldr_en\.jsonl is missing"):
            taken(tldr_pages.read(str(place)))
    write_lines(tmp_path / "tldr_en.jsonl", {"page": "common/tar"})
    with pytest.raises(UserError, match="each page needs"):
        taken(tldr_pages.read(str(tmp_path)))
