"""What a server's answer comes down to: a reply, or the reason why there is none. Nothing a server sends is trusted."""

import json
from dataclasses import dataclass
from typing import Any

_MOST_TOKENS = 2**31  # a count above it is no count
_LONGEST_MESSAGE = 300  # characters of a server's words in one of ours


@dataclass(frozen=True)
class Reply:
    """The first choice of a server's answer.

    `finish_reason` is the server's word: "stop" if the model ended its answer, "length" if it was cut at the limit,
    "" if the server does not say. The token counts are the server's too, 0 if it gives none; most servers count the end
    token into `completion_tokens`. `cached`: it came from disk and cost nothing.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cached: bool = False


@dataclass(frozen=True)
class Failure:
    """A request that got no reply for good, and why, in one line."""

    reason: str


class BrokenReplyError(ValueError):
    """A body that is no chat completion and no completion: cut, no JSON, without choices."""


def read_reply(body: bytes) -> Reply:
    """The reply in the body of /chat/completions or /completions.

    Content null is an empty answer (all tokens went into reasoning, say); a refusal counts as the answer.

    >>> read_reply(b'{"choices": [{"text": "18", "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}')
    Reply(text='18', finish_reason='stop', prompt_tokens=0, completion_tokens=2, cached=False)
    >>> read_reply(b'{"choices": []}')
    Traceback (most recent call last):
    glotmix.generate.replies.BrokenReplyError: no choices in the reply
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BrokenReplyError("the reply is no JSON" if body.strip() else "the reply is empty") from None
    choices = found.get("choices") if isinstance(found, dict) else None
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        raise BrokenReplyError("no choices in the reply")
    usage = found.get("usage")
    return Reply(
        text=_clean(_text(choices[0])),
        finish_reason=_short(choices[0].get("finish_reason")),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
    )


def said_by(body: bytes) -> str:
    """The message in a server's error body, short and printable; its first words if it has no known form."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return first_words(body)
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return _short(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))


def first_words(body: bytes) -> str:
    return _short(body[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace"))


def _text(choice: dict[str, Any]) -> str:
    if "text" in choice:
        text = choice["text"]
    else:
        message = choice.get("message")
        if not isinstance(message, dict):
            raise BrokenReplyError("the reply's first choice has neither message nor text")
        text = message.get("content")
        text = message.get("refusal") if text is None else text
    if not isinstance(text, str | None):
        raise BrokenReplyError("the reply's answer is no text")
    return text or ""


def _clean(text: str) -> str:
    """JSON can spell half a surrogate pair, which no file of ours can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(usage: object, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else 0


def _short(value: object) -> str:
    """One printable line: a server's words may end up in a terminal."""
    text = _clean(value)[: 4 * _LONGEST_MESSAGE] if isinstance(value, str) else ""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]} ..."
