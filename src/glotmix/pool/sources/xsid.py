"""xSID (github.com/mainlp/xsid, CC BY-SA 4.0): requests to an assistant with intent and slots, translated by people.

A file is `<tag>.<test|valid>.conll`, blocks between blank lines; a row is the call `intent(slot=value, ...)`:

    # id = 7
    # text-en = snooze my alarms for five minutes
    # text = 推迟我的闹钟五分钟
    # intent = alarm/snooze_alarm
    1	推迟	alarm/snooze_alarm	O
    4	五	alarm/snooze_alarm	B-datetime
    5	分钟	alarm/snooze_alarm	I-datetime

1. The value of a slot is the stretch of `text` that its tokens cover; a slot that comes twice holds a list.
2. Items are shared by (part, id). The English file has no ids: its nth block is id n, which `text-en` of the other
   files bears out. Japanese has only the first 250 test and 150 validation items.
3. 26 Arabic test items have another intent than every other language; they are kept as published.
4. The references of other languages hold the values of the English row too (`other_language`), if its file is there.
5. Requests recur: 49 of the 500 English test requests repeat another, and 40 of the 300 valid ones stand in the test
   part word for word. Run `glotmix pool check` before training on `valid` (option `split`).
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any, NamedTuple

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.formats import records
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed
from glotmix.pool.record import Found
from glotmix.pool.sources.api_rows import CALL_FORM, api_row

INTENTS = (
    "AddToPlaylist", "BookRestaurant", "PlayMusic", "RateBook", "SearchCreativeWork", "SearchScreeningEvent",
    "alarm/cancel_alarm", "alarm/modify_alarm", "alarm/set_alarm", "alarm/show_alarms", "alarm/snooze_alarm",
    "alarm/time_left_on_alarm", "reminder/cancel_reminder", "reminder/set_reminder", "reminder/show_reminders",
    "weather/find",
)  # fmt: skip
SLOTS = (
    "album", "artist", "best_rating", "condition_description", "condition_temperature", "cuisine", "datetime",
    "entity_name", "facility", "genre", "location", "movie_name", "movie_type", "music_item", "object_location_type",
    "object_name", "object_part_of_series_type", "object_select", "object_type", "party_size_description",
    "party_size_number", "playlist", "rating_unit", "rating_value", "recurring_datetime", "reference",
    "reference-part", "reminder/todo", "restaurant_name", "restaurant_type", "served_dish", "service", "sort",
    "track", "weather/attribute",
)  # fmt: skip
_HEADER = re.compile(r"# ?([\w-]+) *[=:] ?(.*)")
_TOOLS = (
    f"Functions: {', '.join(INTENTS)}\nParameters: {', '.join(SLOTS)}\n"
    f"{CALL_FORM}. Values are words of the request; several of one parameter are a list."
)


def read(place: str, split: str | None = None) -> Iterator[Batch]:
    """The rows of one file, or of every `*.conll` of a folder. `split` is what a `valid` file becomes.

    Raises:
        UserError: no such file, one that is not named like `de.test.conll`, or a split of which nothing can be made.
    """
    files = [(file, *_language_and_part(file)) for file in data_files(place, "*.conll")]
    if split and split not in {split if part == "valid" else part for _, _, part in files}:
        raise UserError(f"{place}: split {split!r}, but there is no valid file to make it of; leave split out")
    english = {part: _english(file) for file, language, part in files if language == "en"}
    for file, language, part in files:
        of_part = english.get(part, {})
        ids = {block.line: number for number, block in of_part.items()} if language == "en" else {}
        other = {} if language == "en" else of_part
        becomes = (split or "validation") if part == "valid" else part
        yield from parsed(file, partial(_parse, language, part, becomes, ids, other))


def _language_and_part(file: DataFile) -> tuple[str, str]:
    named = re.fullmatch(r"([\w-]+)\.(test|valid|train)\.conll", PurePath(file.name).name)
    if not named:
        raise UserError(f"{file.name}: an xSID file is named by language and part, like de.test.conll; rename it")
    return named[1], named[2]


class _English(NamedTuple):
    line: int  # of its block
    arguments: Mapping[str, Any]


def _english(file: DataFile) -> dict[str, _English]:
    """What the English file says of each item."""
    blocks = enumerate(chain.from_iterable(records(file)), start=1)
    return {str(number): _English(block.line, _readable(block)) for number, block in blocks}


def _readable(block: Found) -> Mapping[str, Any]:
    try:
        headers, tokens = _block(str(block.value))
        return _arguments(headers.get("text", ""), tokens)
    except Unusable:
        return {}


def _parse(
    language: str, part: str, split: str, ids: Mapping[int, str], english: Mapping[str, _English], record: Record
) -> list[dict[str, Any]]:
    headers, tokens = _block(str(record.value))
    text, intent = headers.get("text", ""), headers.get("intent", "")
    number = ids.get(record.line) or headers.get("id")
    if not number or not text:
        raise Unusable("empty question" if number else "no id")
    if intent not in INTENTS:
        raise Unusable("unknown intent")
    asked = [{"role": "user", "content": f"{_TOOLS}\n\n{text}"}]
    origin = "native" if language == "en" else "human-translated"
    return [
        api_row(
            f"xsid-{part}-{number}", language, asked, (intent, _arguments(text, tokens)),
            english[number].arguments if number in english else None,
            split=split, source="xsid", licence="CC-BY-SA-4.0", origin=origin,
        )
    ]  # fmt: skip


def _block(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The comments by name, and the tokens as (token, tag)."""
    headers, tokens = {}, []
    for line in text.splitlines():
        columns = line.split("\t")
        if header := _HEADER.fullmatch(line):
            headers[header[1]] = header[2].strip()
        elif len(columns) == 4:
            tokens.append((columns[1], columns[3]))
        else:
            raise Unusable("wrong column count")
    return headers, tokens


def _arguments(text: str, tokens: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Slot -> its words in the text, or the list of them if the slot comes twice."""
    found: dict[str, list[str]] = {}
    for slot, start, end in _spans(text, tokens):
        found.setdefault(slot, []).append(text[start:end])
    return {slot: values[0] if len(values) == 1 else values for slot, values in found.items()}


def _spans(text: str, tokens: list[tuple[str, str]]) -> list[tuple[str, int, int]]:
    """(slot, start, end) of each slot, in the order of the text.

    >>> _spans("wake me at 7 am", [("wake me", "O"), ("at", "O"), ("7", "B-datetime"), ("am", "I-datetime")])
    [('datetime', 11, 15)]
    """
    spans: list[tuple[str, int, int]] = []
    end, open_slot = 0, ""
    for token, tag in tokens:
        start = text.find(token, end)
        if start < 0 or text[end:start].strip():
            raise Unusable("tokens do not make the text")
        end = start + len(token)
        mark, _, slot = tag.partition("-")
        if mark == "I" and slot == open_slot:
            spans[-1] = (slot, spans[-1][1], end)
        elif mark == "B" and slot in SLOTS:
            spans.append((slot, start, end))
        elif tag != "O":
            raise Unusable("unknown slot tag")
        open_slot = slot
    if text[end:].strip():
        raise Unusable("tokens do not make all of the text")
    return spans
