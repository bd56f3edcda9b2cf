"""Open-ended chat prompts: questions without a reference, parallel by number."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_chat_sources import imported, reasons, write

from glotmix.errors import UserError
from glotmix.pool.intake import checked
from glotmix.pool.sources import open_prompts

VICUNA = {"question_id": 1, "text": " How? ", "category": "generic"}
LLMZOO = {"id": 1, "label": "generic", "query": "How?"}


def test_every_prompt_of_both_sets_is_taken(data_folder: Path) -> None:
    rows, rejected = imported(open_prompts.read(str(data_folder / "open_ended_prompts")))
    assert rejected.is_empty()
    items = rows.group_by("source", "item_id").agg(pl.col("language").n_unique())
    counts = Counter(items.select("source", "language").rows())
    assert counts == {("vicuna80", 12): 80, ("llmzoo100", 10): 100}
    assert rows.filter(source="vicuna80")["language"].unique().sort().to_list() == [
        "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "zh",
    ]  # fmt: skip
    assert rows["reference"].null_count() == len(rows)
    assert set(rows["messages"].list.len()) == {1}
    assert set(rows["split"]) == {"test"}
    native = rows.filter(origin="native").select("source", "language").unique().rows()
    assert native == [("vicuna80", "en")]
    first = {row["language"]: row["messages"][0]["content"] for row in rows.filter(item_id="vicuna80-001").to_dicts()}
    assert first["de"] == "Wie kann ich meine Zeitmanagement-Fähigkeiten verbessern?"
    assert first["en"] == "How can I improve my time management skills?"


def test_a_row_ends_with_its_question(tmp_path: Path) -> None:
    rows, _ = imported(open_prompts.read(write(tmp_path / "questions_Deutsch.jsonl", VICUNA, lines=True)))
    (row,) = rows.to_dicts()
    assert (row["row_id"], row["item_id"], row["language"]) == ("vicuna80-001:de", "vicuna80-001", "de")
    assert row["messages"] == [{"role": "user", "content": "How?"}]
    rows, _ = imported(open_prompts.read(write(tmp_path / "ar100.jsonl", LLMZOO, lines=True)))
    assert rows["row_id"].to_list() == ["llmzoo100-001:ar"]


def test_records_that_are_none_are_rejected(tmp_path: Path) -> None:
    broken: list[dict[str, Any]] = [VICUNA | {"question_id": "1"}, VICUNA | {"text": None}, {"id": 1}, {}]
    place = write(tmp_path / "questions_Korean.jsonl", VICUNA, *broken, VICUNA | {"text": " "}, lines=True)
    _, rejected = imported(open_prompts.read(place))
    assert reasons(rejected) == {"no number and question": 4, "empty question": 1}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("questions.jsonl", "its name must tell set and language, like questions_Arabic.jsonl or ar100.jsonl"),
        ("questions_Nosuch.jsonl", "unknown language 'Nosuch'"),
        ("zzz100.jsonl", "unknown language 'zzz'"),
    ],
)
def test_a_name_that_tells_no_language_is_refused(tmp_path: Path, name: str, line: str) -> None:
    place = write(tmp_path / name, VICUNA, lines=True)
    with pytest.raises(UserError) as refused:
        list(checked(open_prompts.read(place)))
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
