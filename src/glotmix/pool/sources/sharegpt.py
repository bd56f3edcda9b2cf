"""ShareGPT-style conversations: people's chats with a model, a JSON array or JSON lines. Task instructions.

    {"id": "QWJhYvA_0", "conversations": [{"from": "human", "value": "Summarise ..."}, {"from": "gpt", "value": ...}]}

1. A row is the first exchange: what the user asks first and the answer, after the system message if there is one.
   Later turns are left out: they would make prompts many times longer than those of the test sets. The reference is
   the answer.
2. The whole conversation must alternate, user first: later parts of a split conversation, which begin with the model,
   are rejected, and so are empty turns and answers that still hold the chat page's own HTML or its "Copy code".
3. The language is the option `language`, else a record's `language` or `lang`, else the sub-folder or configuration.
4. Licence and origin: written by a model, shared by users, under no licence anyone could state.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from typing import Any

from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, DataFile, Record, Unusable, parsed

_ROLES = {
    "human": "user", "user": "user", "system": "system",
    "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "assistant": "assistant",
}  # fmt: skip
_DEBRIS = re.compile(r'<(?:div|button|span) class="(?:markdown|flex|hljs)|```\w*Copy code|^\w*Copy code`', re.MULTILINE)


def read(place: str, language: str = "") -> Iterator[Batch]:
    """The rows of one file, or of every file in a folder or hub dataset.

    Raises:
        UserError: no such file, or one without such conversations.
    """
    for file in data_files(place):
        yield from parsed(file, partial(_parse, file, language))


def _parse(file: DataFile, language: str, record: Record) -> list[dict[str, Any]]:
    value = record.value if isinstance(record.value, dict) else {}
    messages = _messages(value.get("conversations"))
    tag = language or value.get("language") or value.get("lang") or file.config
    if not tag:
        raise Unusable("no language; give the option language")
    number = value.get("id") or f"{PurePath(file.name).name.partition('.')[0]}-{record.line}"
    item_id = f"sharegpt-{number}"
    return [
        {
            "row_id": f"{item_id}:{tag}", "item_id": item_id, "task": "instructions", "language": str(tag),
            "split": file.split or "train", "messages": messages, "reference": messages[-1]["content"],
            "source": "sharegpt", "licence": "unknown", "origin": "generated",
        }
    ]  # fmt: skip


def _messages(conversation: Any) -> list[dict[str, str]]:
    """The first exchange, once the whole conversation is found sound."""
    if not isinstance(conversation, list):
        raise Unusable("no conversations")
    turns = [_turn(turn) for turn in conversation]
    opening = turns[:1] if turns and turns[0]["role"] == "system" else []
    talk = turns[len(opening) :]
    if len(talk) < 2:
        raise Unusable("no exchange")
    if any(turn["role"] != ("user", "assistant")[place % 2] for place, turn in enumerate(talk)):
        raise Unusable("turns do not alternate")
    return [*opening, *talk[:2]]


def _turn(turn: Any) -> dict[str, str]:
    match turn:
        case {"from": str(speaker), "value": str(text)} if speaker in _ROLES:
            pass
        case _:
            raise Unusable("a turn without known speaker and text")
    if not text.strip():
        raise Unusable("empty turn")
    if _DEBRIS.search(text):
        raise Unusable("HTML debris")
    return {"role": _ROLES[speaker], "content": text.strip()}
