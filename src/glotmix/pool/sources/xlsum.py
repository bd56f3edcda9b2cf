"""XL-Sum (github.com/csebuetnlp/xl-sum; hub: csebuetnlp/xlsum): BBC articles with summaries, 45 languages and scripts.

    {"id": "technology-17657859", "url": "https://www.bbc.com/news/...", "title": "Yahoo files ...",
     "summary": "Yahoo has signalled it is investigating ...", "text": "Yahoo's patents suggest ..."}

Licence: CC BY-NC-SA 4.0, not for commercial use. All native. The prompt is the article alone, as in XL-Sum's baseline.

1. A file is english_train.jsonl, _val or _test; on the hub the language is the configuration (english).
2. Articles are no translations of each other: no item is shared by two languages.
3. Exceptions, both evaluated on the same articles: Chinese in two scripts (zh, zh-Hant), Serbian in two (sr-Cyrl,
   sr-Latn). Train on one and evaluate on the other only with their ids at hand.
4. XL-Sum's table calls Nepali np and Pidgin nothing; here they are ne and pcm.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

import polars as pl

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, mapped
from glotmix.pool.row import chat

TAGS = {
    "amharic": "am", "arabic": "ar", "azerbaijani": "az", "bengali": "bn", "burmese": "my", "chinese_simplified": "zh",
    "chinese_traditional": "zh-Hant", "english": "en", "french": "fr", "gujarati": "gu", "hausa": "ha", "hindi": "hi",
    "igbo": "ig", "indonesian": "id", "japanese": "ja", "kirundi": "rn", "korean": "ko", "kyrgyz": "ky",
    "marathi": "mr", "nepali": "ne", "oromo": "om", "pashto": "ps", "persian": "fa", "pidgin": "pcm",
    "portuguese": "pt", "punjabi": "pa", "russian": "ru", "scottish_gaelic": "gd", "serbian_cyrillic": "sr-Cyrl",
    "serbian_latin": "sr-Latn", "sinhala": "si", "somali": "so", "spanish": "es", "swahili": "sw", "tamil": "ta",
    "telugu": "te", "thai": "th", "tigrinya": "ti", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "uzbek": "uz",
    "vietnamese": "vi", "welsh": "cy", "yoruba": "yo",
}  # fmt: skip
_COLUMNS = dict.fromkeys(("id", "summary", "text"), pl.String())


def read(place: str) -> Iterator[Batch]:
    """The rows of one file, of a folder of such files, or of the hub's data set.

    Raises:
        UserError: no such place, a file that does not tell its language or split, or one that is not XL-Sum's.
    """
    for file in data_files(place):
        yield from mapped(file, _COLUMNS, partial(to_rows, _language(file), file.split))


def _language(file: DataFile) -> str:
    named = re.match(r"([a-z_]+)_(?:train|val|test)\.", PurePath(file.name).name)
    language = named[1] if named else file.config
    if language not in TAGS or not file.split:
        raise UserError(
            f"{file.name}: its name or folder must tell XL-Sum's language and split, like swahili_val.jsonl or"
            " swahili/validation.parquet; rename it"
        )
    return TAGS[language]


def to_rows(language: str, split: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of `ROW_SCHEMA` and `reason` from `line, id, summary, text`, in the same order."""
    item_id = pl.format("xlsum-{}-{}", pl.lit(language), "id")
    summary = pl.col("summary").str.strip_chars()
    return frame.select(
        row_id=pl.format("{}:{}", item_id, pl.lit(language)),
        item_id=item_id,
        task=pl.lit("summarization"),
        language=pl.lit(language),
        split=pl.lit(split),
        messages=chat(pl.col("text").str.strip_chars(), summary),
        reference=summary,
        source=pl.lit("xlsum"),
        licence=pl.lit("CC-BY-NC-SA-4.0"),
        origin=pl.lit("native"),
        reason=pl.lit(None, pl.String),
    )
