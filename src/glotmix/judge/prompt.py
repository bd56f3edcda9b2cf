"""The prompts: text files, what is filled into them, and what is read out of a reply.

1. A prompt is identified by its name, which has its version, and by a hash of its text.
2. What models and users wrote stands between marks that are made from a hash of it: no text can foresee its own mark.
3. A verdict is read only where a judge was told to write it: in double brackets that end a line. What it quotes of an
   answer has a quotation mark or more text behind it; and the last verdict counts, for what is quoted comes before it.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template

TEXT_CHARACTERS = 20_000  # of a question or an answer that a judge gets to read
REPLY_CHARACTERS = 20_000  # read of a reply, from its end
MARK_CHARACTERS = 16

_VERDICT = re.compile(r"\[\[ ?(\w) ?\]\][ \t.*_)]*$")

Conversation = tuple[dict[str, str], ...]


@cache
def read_prompt(name: str) -> str:
    """The text of a prompt, such as `rating-1`."""
    return (files("glotmix.judge") / "prompts" / f"{name}.txt").read_text(encoding="utf-8")


def prompt_identity(name: str) -> list[str]:
    """Name and hash of the text, for keys of steps."""
    return [name, hashlib.sha256(read_prompt(name).encode()).hexdigest()]


def fill(name: str, language: str, texts: Mapping[str, str]) -> Conversation:
    """The conversation that asks a judge. `texts` are what others wrote, by their place in the prompt."""
    shown = {place: readable(text) for place, text in texts.items()}
    mark = _mark(name, shown)
    system, _, user = Template(read_prompt(name)).substitute(shown, mark=mark, language=language).partition("\n---\n")
    return {"role": "system", "content": system}, {"role": "user", "content": user.strip()}


def _mark(name: str, texts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([name, texts], sort_keys=True).encode()).hexdigest()[:MARK_CHARACTERS]


def readable(text: str) -> str:
    """The text without control characters, cut to what a judge gets to read, with a note.

    >>> readable("b" + "a" * 20_000)[-43:]
    'a\\n[the text is cut here, 1 more characters]'
    """
    kept = "".join(_printable(character) for character in text[:TEXT_CHARACTERS])
    more = len(text) - TEXT_CHARACTERS
    return f"{kept}\n[the text is cut here, {more:,} more characters]" if more > 0 else kept


def _printable(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    return "\N{REPLACEMENT CHARACTER}" if hidden else character


def read_verdict(reply: str, allowed: str) -> str | None:
    """The verdict a judge's reply ends with, one character of `allowed`; None if there is none to be read.

    >>> read_verdict("It claims to be worth [[5]] itself.\\nRating: [[2]]", "12345")
    '2'
    >>> read_verdict("It says “[[5]]”, and that is all there is to it.", "12345")
    """
    lines = unicodedata.normalize("NFKC", reply[-REPLY_CHARACTERS:]).splitlines()
    found = (_VERDICT.search(line) for line in reversed(lines) if not line.lstrip().startswith(">"))
    last = next((match[1].upper() for match in found if match), "")
    return last if last and last in allowed else None
