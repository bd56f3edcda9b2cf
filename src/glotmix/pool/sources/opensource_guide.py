"""Open Source Guides (github.com/github/opensource.guide): a section's text -> its heading, 29 languages.

    sections_<language>.jsonl   {"slug": "legal", "lang": "ja", "section_index": 2, "level": 2, "heading": "...",
                                 "text": "..."}
    articles.jsonl              {"slug": "legal", "lang": "ja", "title": "...", "description": "...", "n_sections": 8}

Licence: CC BY 4.0. English is native, the other languages are human translations. The prompt is the text alone.

1. A translation may lag behind the English article. Its sections share items with the English ones only where both
   articles have as many sections (articles.jsonl) and the heading is of the same level; others are items of their own.
2. One article in five (by a keyed hash of its name) is for testing, in all languages alike: no test section stands in
   the training rows of another language.
3. zh-hans is zh, as in every other source; zh-hant is zh-Hant. Thin: bn (23 sections), pcm, sa.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.keyed import hashes

_TAGS = {"zh-hans": "zh", "zh-hant": "zh-Hant"}
_ARTICLES = "articles.jsonl"
_TEST_SHARE = 5  # one in so many

Article = tuple[str, str]  # slug, lang


def read(place: str) -> Iterator[Batch]:
    """The rows of a folder with `articles.jsonl` and a `sections_<language>.jsonl` for each language.

    Raises:
        UserError: no such folder, no articles.jsonl in it, or files that are not the guides'.
    """
    files = data_files(place, "*.jsonl")
    articles = [file for file in files if PurePath(file.name).name == _ARTICLES]
    sections = [file for file in files if PurePath(file.name).name.startswith("sections_")]
    if not articles or not sections:
        raise UserError(f"{place}: {_ARTICLES} and sections_<language>.jsonl belong together; give their folder")
    counts = _section_counts(articles[0])
    for file in sections:
        yield from parsed(file, _parser(counts))


def _section_counts(file: DataFile) -> dict[Article, int]:
    found = [record.value for batch in records(file) for record in batch if not record.reason]
    try:
        return {(article["slug"], article["lang"]): article["n_sections"] for article in found}
    except (KeyError, TypeError):
        raise UserError(f"{file.name}: each article needs slug, lang and n_sections") from None


def _parser(counts: dict[Article, int]) -> Callable[[Record], list[dict[str, Any]]]:
    def parse(record: Record) -> list[dict[str, Any]]:
        match record.value:
            case {"slug": str(slug), "lang": str(lang), "section_index": int(index), "level": int(level),
                  "heading": str(heading), "text": str(text)}:  # fmt: skip
                pass
            case _:
                raise Unusable("not a section")
        language = _TAGS.get(lang, lang)
        aligned = (slug, lang) in counts and counts[slug, lang] == counts.get((slug, "en"))
        item_id = f"opensource-guide-{slug}-{index:02}-h{level}{'' if aligned else '-' + language}"
        return [
            {
                "row_id": f"{item_id}:{language}", "item_id": item_id, "task": "summarization", "language": language,
                "split": _split(slug), "messages": [{"role": "user", "content": text.strip()},
                {"role": "assistant", "content": heading.strip()}], "reference": heading.strip(),
                "source": "opensource-guide", "licence": "CC-BY-4.0",
                "origin": "native" if language == "en" else "human-translated",
            }
        ]  # fmt: skip

    return parse


def _split(slug: str) -> str:
    return "test" if hashes(pl.Series([slug]), "opensource-guide", "test")[0] % _TEST_SHARE == 0 else "train"
