"""What a judged study pays when its process is killed and its server is in trouble: `python benchmarks/judge.py`.

1. A small study of the lab is trained and its answers are generated, once.
2. A copy is judged by a local OpenAI-compatible server without any trouble.
3. Another copy is judged by a server that answers one try in four with 429, 500 or half a body, and waits before every
   reply. The process is killed with SIGKILL at three random moments, then run to its end.
4. The server counts what it would bill: every reply it made, whether it arrived or not.
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from glotmix import Study

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_server import Body, FakeServer

CONCURRENCY, KILLS, WAIT = 8, 3, 0.05
TROUBLES = ("429 0", "500", "half body")
SPEC = {
    "name": "judged",
    "models": ["lab-1m"],
    "pool": "lab",
    "tasks": ["instructions"],
    "languages": {"anchor": "en", "train": ["es", "ja"], "evaluate": ["en", "es", "ja", "th", "pt"]},
    "design": {"kind": "increments", "anchor_rows": 512, "rows_per_language": [0, 256]},
    "seeds": [0, 1],
    "recipe": {"batch_rows": 32, "learning_rate": 1.0e-3, "epochs": 1, "checkpoint_every": 50},
    "evaluation": {"items_per_language": 50, "max_new_tokens": 32},
}


def write_spec(folder: Path, url: str | None = None, kind: str = "rating") -> Path:
    judge = {"model": "fake", "url": url, "kind": kind, "api_key_env": None, "concurrency": CONCURRENCY}
    spec = SPEC | {"evaluation": SPEC["evaluation"] | ({"judge": judge} if url else {})}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return folder


def chance(body: Body, options: int) -> int:
    return int(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(), 16) % options


class Bill:
    """What the server replied, by request."""

    def __init__(self, kind: str, wait: float) -> None:
        self.kind, self.wait = kind, wait
        self.replies: Counter[str] = Counter()
        self.lost = 0

    def answer(self, body: Body) -> str:
        time.sleep(self.wait)
        self.replies[json.dumps(body, sort_keys=True)] += 1
        return (
            f"Rating: [[{1 + chance(body, 5)}]]" if self.kind == "rating" else f"Verdict: [[{'ABC'[chance(body, 3)]}]]"
        )

    def trouble(self, body: Body, before: int) -> str:
        named = "" if before or random.Random(chance(body, 2**32)).random() > 0.25 else TROUBLES[chance(body, 3)]
        self.lost += named == "half body"
        return named


def run(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "glotmix", "run", str(folder)], stdout=subprocess.DEVNULL)


def judged_in_peace(folder: Path, kind: str) -> tuple[int, Study]:
    bill = Bill(kind, 0)
    with FakeServer(bill.answer) as server:
        run(write_spec(folder, server.url, kind)).wait()
    return len(bill.replies), Study.load(folder)


def judged_in_trouble(folder: Path, kind: str, needed: int) -> tuple[Bill, int, Study]:
    bill, dice = Bill(kind, WAIT), random.Random(0)
    with FakeServer(bill.answer, bill.trouble) as server:
        write_spec(folder, server.url, kind)
        for share in sorted(dice.uniform(0.1, 0.9) for _ in range(KILLS)):
            process = run(folder)
            while len(bill.replies) < share * needed and process.poll() is None:
                time.sleep(0.01)
            process.kill()
            process.wait()
        run(folder).wait()
        return bill, len(server.requests), Study.load(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("rating", "pairwise"), default="rating")
    kind = parser.parse_args().kind
    with tempfile.TemporaryDirectory() as place:
        generated = write_spec(Path(place) / "generated")
        Study.load(generated).run()
        needed, whole = judged_in_peace(Path(shutil.copytree(generated, Path(place) / "whole")), kind)
        bill, requests, killed = judged_in_trouble(
            Path(shutil.copytree(generated, Path(place) / "killed")), kind, needed
        )
        table = Table("what", "count")
        paid = bill.replies.total()
        for what, count in {
            "answers judged": len(whole.results()),
            "calls needed (equal ones once, one to greet the judge)": needed,
            "requests that reached the server in trouble": requests,
            "refused with 429 or 500, not paid": requests - paid,
            "replies paid": paid,
            "paid a second time": paid - len(bill.replies),
            "- for half a body on the way": bill.lost,
            f"- under way at the {KILLS} kills (at most {KILLS} x {CONCURRENCY})": paid - len(bill.replies) - bill.lost,
        }.items():
            table.add_row(what, f"{count:,}")
        table.add_row("same results table", "yes" if killed.results().equals(whole.results()) else "NO")
        Console().print(table)


if __name__ == "__main__":
    main()
