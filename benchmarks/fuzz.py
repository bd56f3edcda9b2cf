"""Tries to break whatever reads a model's output: `python benchmarks/fuzz.py --examples 2000 [--faults FILE]`.

1. Hostile texts (`tests/hostile.py`) go to every scorer in every language, to what reads references, calls and the
   replies of judges and endpoints, to the judge's prompts, and to the language check: as many small ones each as asked
   for, and a tenth as many monsters, of a megabyte or nested 10,000 deep.
2. A **fault** is an exception, a score that is none, or more than `--bound` seconds of processor time for one text.
3. Exit code 1 if there is any. Faults are printed, one of each kind, and kept whole in `--faults` as JSON lines.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from glotmix.analysis.table import VERDICTS
from glotmix.errors import UserError
from glotmix.generate.replies import BrokenReplyError, read_reply
from glotmix.judge import Answer, Case, pairwise, rating
from glotmix.task import NAMES, Score, get_task
from glotmix.task.calls.read import read_calls
from glotmix.task.language_check import detect, passes

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hostile import GOLD, LANGUAGES, REFERENCES, any_references, anything, huge_outputs, monsters, outputs, replies

QUESTION = "Name two things one can eat."
languages = st.sampled_from(LANGUAGES)
finished = st.booleans()


@dataclass(frozen=True)
class Target:
    """What is tried: `read` gets what `small` or `huge` draws and says in a word what came of it."""

    name: str
    small: st.SearchStrategy[Any]
    huge: st.SearchStrategy[Any]
    read: Callable[..., str]


@dataclass
class Tried:
    """What came of the tries."""

    examples: int = 0
    longest: float = 0.0  # seconds
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)


def sound(score: Score, best: float = 1) -> str:
    """The verdict.

    Raises:
        AssertionError: this is no score.
    """
    assert score.verdict in VERDICTS, f"verdict {score.verdict!r}"
    assert math.isnan(score.value) == (score.verdict == "unjudged"), f"value {score.value} of {score.verdict}"
    assert not score.value < 0 and not score.value > best, f"value {score.value}"
    assert all(math.isfinite(value) for value in score.metrics.values()), f"metrics {score.metrics}"
    assert len(score.parsed) <= 100_000, f"{len(score.parsed)} characters parsed"
    return score.verdict


def task_target(task: str) -> Target:
    def read(output: str, language: str, ended: bool) -> str:
        return sound(get_task(task).score(output, REFERENCES[task], language=language, finished=ended))

    return Target(task, *(st.tuples(text, languages, finished) for text in (outputs(task), huge_outputs(task))), read)


def judge_target(name: str, judged: Any, against: Answer | None) -> Target:
    """The answer tries to be its own judge; the judge's replies are hostile too."""

    def read(answer: str, reply: str, language: str, ended: bool) -> str:
        case = Case(QUESTION, language, Answer(answer, ended), against)
        asked = judged.conversations(case)
        assert all([message["role"] for message in conversation] == ["system", "user"] for conversation in asked)
        assert all(len(message["content"]) < 100_000 for conversation in asked for message in conversation)
        json.dumps(asked).encode()
        return sound(judged.score(case, [reply for _ in asked]))

    small = st.tuples(outputs("instructions"), anything | replies(), languages, finished)
    huge = st.tuples(huge_outputs("instructions") | outputs("instructions"), monsters, languages, finished)
    return Target(name, small, huge, read)


def reference_target() -> Target:
    """References come from files of users: one that is none is refused, in one line, and one that is one scores."""

    def read(task: str, reference: str, language: str) -> str:
        try:
            score = get_task(task).score(reference, reference, language=language)
        except UserError as refused:
            assert len(str(refused).splitlines()) == 1, "a refusal of several lines"
            return "refused"
        return f"{task} {sound(score)}"

    drawn = st.sampled_from(NAMES).flatmap(lambda task: st.tuples(st.just(task), any_references(task), languages))
    huge = st.tuples(st.sampled_from(NAMES), monsters, languages)
    return Target("references", drawn, huge, read)


def calls_found(text: str) -> str:
    return "no call" if read_calls(text).calls is None else "calls"


def language_found(text: str, language: str) -> str:
    found, passed = detect(text, language), passes(text, language)
    assert found is None or found in LANGUAGES or len(found) <= 3, f"language {found!r}"
    return f"{'told' if found else 'not told'}, {'passed' if passed else 'refused'}"


def reply_found(body: bytes) -> str:
    try:
        return f"text {type(read_reply(body).text).__name__}"
    except BrokenReplyError:
        return "broken"


SHAPES: tuple[Any, ...] = (
    [], {}, "x", 1, None, {"choices": []}, {"choices": [{}]}, {"choices": [None]}, {"choices": {"0": 1}},
    {"error": "no"},
    {"choices": [{"message": None}]}, {"choices": [{"message": {"content": 1}}]}, {"choices": [{"text": []}]},
    {"choices": [{"text": "a"}], "usage": {"prompt_tokens": "x", "completion_tokens": 10**30}},
)  # fmt: skip


def bodies(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """What a server may send: a reply with such a text, JSON of another shape, or no JSON; whole or cut."""
    replies = texts.map(lambda text: {"choices": [{"message": {"role": "assistant", "content": text}}]})
    sent = st.one_of(replies, st.sampled_from(SHAPES)).map(json.dumps) | texts
    return st.builds(lambda text, cut: text.encode(errors="replace")[: len(text) - cut], sent, st.integers(0, 20))


def targets() -> Iterator[Target]:
    yield from map(task_target, NAMES)
    yield reference_target()
    any_call = outputs("api_calls") | anything
    yield Target("parsers of calls", st.tuples(any_call), st.tuples(monsters), calls_found)
    any_text = st.sampled_from(NAMES).flatmap(outputs) | st.sampled_from(
        [text for texts in GOLD.values() for text in texts]
    )
    yield Target("language check", st.tuples(any_text, languages), st.tuples(monsters, languages), language_found)
    yield judge_target("judge, rating", rating, None)
    yield judge_target("judge, pairwise", pairwise, Answer("🍎, 🥚"))
    yield Target("endpoint's replies", st.tuples(bodies(anything)), st.tuples(bodies(monsters)), reply_found)


def load() -> None:
    """What is loaded once is no text's fault."""
    for language in LANGUAGES:
        for task in NAMES:
            get_task(task).score("18", REFERENCES[task], language=language)


def fuzz(target: Target, examples: int, huge: int, bound: float, start: int) -> Tried:
    """Tries a target; what goes wrong is noted, and the next text is tried."""
    tried = Tried()
    for texts, count in ((target.small, examples), (target.huge, huge)):
        _run(target, texts, count, bound, start, tried)
    return tried


def _run(target: Target, texts: st.SearchStrategy[Any], count: int, bound: float, start: int, tried: Tried) -> None:
    @seed(start)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(texts)
    def attempt(drawn: tuple[Any, ...]) -> None:
        began = time.process_time()
        try:
            tried.verdicts[target.read(*drawn)] += 1
            fault = ""
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"[:200]
        seconds = time.process_time() - began
        tried.examples += 1
        tried.longest = max(tried.longest, seconds)
        if fault or seconds > bound:
            tried.faults.append({"fault": fault or f"{seconds:.1f} s", "input": list(map(_shown, drawn))})

    attempt()


def _shown(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def show(found: dict[str, Tried]) -> None:
    table = Table("what", "examples", "longest, s", "exceptions", "too slow", "verdicts")
    for name, tried in found.items():
        slow = sum(fault["fault"].endswith(" s") for fault in tried.faults)
        verdicts = ", ".join(f"{verdict} {count:,}" for verdict, count in tried.verdicts.most_common())
        counts = (f"{tried.examples:,}", f"{tried.longest:.2f}", str(len(tried.faults) - slow), str(slow))
        table.add_row(name, *counts, verdicts)
    Console(width=160).print(table)
    for name, tried in found.items():
        first = {fault["fault"].partition(":")[0]: fault for fault in reversed(tried.faults)}
        for fault in first.values():
            print(f"{name}: {fault['fault']}\n    " + ", ".join(f"{part!r:.200}" for part in fault["input"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2_000, help="small texts per target")
    parser.add_argument("--bound", type=float, default=2.0, help="seconds of processor time for one text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="a target whose name starts so")
    parser.add_argument("--faults", type=Path, help="write every fault with its input here, as JSON lines")
    arguments = parser.parse_args()
    chosen = [target for target in targets() if target.name.startswith(arguments.only or "")]
    huge = max(1, arguments.examples // 10)
    load()
    found = {target.name: fuzz(target, arguments.examples, huge, arguments.bound, arguments.seed) for target in chosen}
    show(found)
    faults = [{"what": name, **fault} for name, tried in found.items() for fault in tried.faults]
    if arguments.faults:
        arguments.faults.write_text("".join(json.dumps(fault) + "\n" for fault in faults), encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
