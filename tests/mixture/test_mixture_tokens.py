"""Tokens per task and language: exactly those that a training reads."""

from pathlib import Path

import polars as pl
import pytest

from glotmix.errors import UserError
from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import encode_prompt, encode_row
from glotmix.lab.models import model_path
from glotmix.mixture import MixtureSpec, build_mixture, tokens, tokens_by_language
from glotmix.pool import ROW_SCHEMA, open_pool

TOKENIZER = model_path("lab-1m") / "tokenizer.json"


def test_tokens_are_those_that_training_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated rows, conversations of several turns, and more rows than are tokenized at a time."""
    monkeypatch.setattr(tokens, "CHUNK", 7)
    counts = {"math": {"en": 9, "bn": 12}, "summarization": {"ja": 5}}
    rows = build_mixture(MixtureSpec(counts=counts), open_pool("lab")).rows
    turns = [{"role": role, "content": role} for role in ("system", "user", "assistant", "user", "assistant")]
    several = pl.Series([*rows["messages"].to_list()[:-1], turns], dtype=ROW_SCHEMA["messages"])
    rows = rows.with_columns(messages=several)
    rows = pl.concat([rows, rows.head(4)])

    tokenizer = load_tokenizer(model_path("lab-1m"))
    encoded = [encode_row(messages, "plain", tokenizer) for messages in rows["messages"].to_list()]
    expected = (
        rows.select("task", "language")
        .with_columns(tokens=pl.Series([len(row.ids) for row in encoded]))
        .with_columns(answer_tokens=pl.Series([len(row.ids) - row.prompt_tokens for row in encoded]))
        .group_by("task", "language")
        .sum()
        .sort("task", "language")
    )
    assert tokens_by_language(rows, TOKENIZER).equals(expected)


def test_the_prompt_of_a_row_that_ends_with_its_question_is_all_of_it() -> None:
    asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why is the sky blue?"}]
    rows = pl.DataFrame([dict.fromkeys(ROW_SCHEMA) | {"row_id": "a:en", "messages": asked}], schema=ROW_SCHEMA)
    counted = tokens.row_tokens(rows, tokens.open_tokenizer(TOKENIZER))
    prompt = encode_prompt(asked, "plain", load_tokenizer(model_path("lab-1m")))
    assert counted.rows() == [("a:en", len(prompt) + 1, 1)]


def test_the_manifest_tells_the_tokens_of_each_language() -> None:
    mixture = build_mixture(MixtureSpec(counts={"math": {"en": 3, "sw": 2}}), open_pool("lab"))
    counts = mixture.manifest(tokens_by_language(mixture.rows, TOKENIZER))["counts"]
    assert [(count["language"], count["rows"]) for count in counts] == [("en", 3), ("sw", 2)]
    assert all(0 < count["answer_tokens"] < count["tokens"] for count in counts)


def test_a_tokenizer_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    rows = build_mixture(MixtureSpec(counts={"math": {"en": 1}}), open_pool("lab")).rows
    with pytest.raises(UserError, match=r"tokenizer.json: not a tokenizer one can read .*save the tokenizer again"):
        tokens_by_language(rows, tmp_path / "tokenizer.json")
