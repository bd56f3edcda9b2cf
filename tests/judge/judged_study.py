"""A study small enough for tests whose answers are judged by a fake server."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from fake_server import Body
from small_study import ITEMS, LANGUAGES, row, write_model, write_rows, write_spec

MARKED = re.compile(r"----- (\w+) begins -----\n(.*?)\n----- \1 ends -----", re.DOTALL)


def make_judged_study(folder: Path, url: str, **judge: Any) -> Path:
    """4 runs, of instructions in 4 languages with 10 answers each."""
    splits = [(split, number) for split, count in ITEMS.items() for number in range(count)]
    write_rows(folder / "pool", [row("instructions", tag, *place) for tag in LANGUAGES for place in splits])
    write_model(folder / "model")
    return set_judge(folder, url, **judge)


def set_judge(folder: Path, url: str, **judge: Any) -> Path:
    settings = {"model": "judge-1", "url": url, "api_key_env": None, "concurrency": 4, **judge}
    return write_spec(folder, tasks=["instructions"], evaluation__judge=settings)


def material(body: Body) -> list[str]:
    """What the judge is shown: the question, then one answer or two; nothing if it is only greeted."""
    return [text for _, text in MARKED.findall(body["messages"][-1]["content"])]


def chance(*texts: str) -> int:
    return hashlib.sha256(json.dumps(texts).encode()).digest()[0]


def rate(body: Body) -> str:
    """A rating that depends on question and answer alone; it quotes a rating that is not its own."""
    texts = material(body)
    return f'It says "[[5]]" somewhere.\n\nRating: [[{1 + chance(*texts) % 5}]]' if texts else "ready"


def compare(body: Body) -> str:
    """Prefers the longer answer, and A if both are as long."""
    if not (texts := material(body)):
        return "ready"
    _, first, second = texts
    return f"Verdict: [[{'A' if len(first) >= len(second) else 'B'}]]"
