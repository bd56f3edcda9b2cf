"""How fast outputs are scored: `python benchmarks/scoring.py --outputs 100000 [--data FOLDER]`.

1. Outputs are made to look like those of models: two in three are right, the others have another item's answer, are cut
   off, or are in another language. Hardly any two texts are equal, so that nothing is saved by remembering.
2. If `--data` has them, they are made of MGSM's worked exemplars (math, 11 languages), FLORES sentences (summarization
   and the language check, 13 languages) and BFCL's calls, in JSON and in Python's syntax (api_calls); of the lab's
   answers otherwise, as those of instructions are always.
3. Outputs are scored one after the other, in one process, language by language. What a language needs (dictionaries) is
   loaded before, and timed apart. Seconds are of processor time: other work on the machine does not count.
"""

import argparse
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from glotmix.pool import open_pool
from glotmix.pool.intake import checked
from glotmix.pool.sources import bfcl, mgsm
from glotmix.task import get_task
from glotmix.task.language_check import detect, passes

LAB_ITEMS = 300
LANGUAGE_CHECK = "language check alone"
SIB200 = {
    "arb_Arab": "ar", "ben_Beng": "bn", "deu_Latn": "de", "eng_Latn": "en", "fra_Latn": "fr", "jpn_Jpan": "ja",
    "kor_Hang": "ko", "por_Latn": "pt", "rus_Cyrl": "ru", "spa_Latn": "es", "swh_Latn": "sw", "tha_Thai": "th",
    "zho_Hans": "zh",
}  # fmt: skip


class Answer(NamedTuple):
    """What is right in a language, and what it is scored against."""

    language: str
    text: str
    reference: str


class Output(NamedTuple):
    language: str
    text: str
    reference: str
    finished: bool


Maker = Callable[[random.Random], Iterator[Answer]]


def lab_answers(task: str) -> Maker:
    pool = open_pool("lab")
    rows = [
        Answer(tag, row["messages"][-1]["content"], row["reference"])
        for tag in pool.languages(task)
        for row in pool.take(task, tag, "test", pool.item_ids(task, tag, "test")[:LAB_ITEMS]).iter_rows(named=True)
    ]
    return lambda rng: cycle(rng.sample(rows, len(rows)))


def math_answers(data: Path) -> Maker:
    """The worked solution of an exemplar, with another number in its last sentence."""
    rows = _rows(mgsm.read(str(data / "mgsm" / "exemplars.json")))
    solutions = [(row["language"], row["messages"][-1]["content"], row["reference"]) for row in rows]

    def answers(rng: random.Random) -> Iterator[Answer]:
        while True:
            language, solution, number = rng.choice(solutions)
            steps, _, end = solution.rpartition(number)
            own = str(rng.randrange(10**6))
            yield Answer(language, f"{steps}{own}{end}", own)

    return answers


def sentence_answers(data: Path) -> Maker:
    """Two sentences, in the order or the other; two in three right ones are no copy."""
    files = [(tag, data / "sib200_flores" / f"{name}.jsonl") for name, tag in SIB200.items()]
    texts = {tag: [json.loads(line)["text"] for line in file.open(encoding="utf-8")] for tag, file in files}

    def answers(rng: random.Random) -> Iterator[Answer]:
        for language in cycle(texts):
            one, two, three = rng.sample(texts[language], 3)
            yield Answer(language, f"{one} {two}", f"{rng.choice((one, three))} {two}")

    return answers


def call_answers(data: Path) -> Maker:
    rows = [
        Answer("en", written, row["reference"])
        for row in _rows(bfcl.read(str(data / "bfcl_v4_en")))
        for written in _in_both_forms(row["messages"][-1]["content"])
    ]
    return lambda rng: cycle(rng.sample(rows, len(rows)))


def _in_both_forms(answer: str) -> Iterator[str]:
    yield answer
    calls = json.loads(answer)
    calls = calls if isinstance(calls, list) else [calls]
    arguments = (", ".join(f"{name}={value!r}" for name, value in call["arguments"].items()) for call in calls)
    yield "[" + ", ".join(f"{call['name']}({given})" for call, given in zip(calls, arguments, strict=True)) + "]"


def _rows(batches: Iterator[Any]) -> list[dict[str, Any]]:
    return [row for batch in checked(batches) for row in batch.rows.to_dicts()]


def outputs(make: Maker, count: int) -> list[Output]:
    """Outputs as models give them: right, another item's answer, cut off, in another language."""
    rng = random.Random(0)
    answers = list(islice(make(rng), count))
    by_language: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_language[answer.language].append(answer)
    made = []
    for language, right, reference in answers:
        kind = rng.choices(("right", "other item", "cut", "another language"), (66, 24, 5, 5))[0]
        text = {
            "right": right,
            "other item": rng.choice(by_language[language]).text,
            "cut": right[: rng.randrange(len(right) + 1)],
            "another language": rng.choice(answers).text,
        }[kind]
        made.append(Output(language, text, reference, finished=kind != "cut"))
    return made


Scorer = Callable[[Output], object]


class Timed(NamedTuple):
    """Seconds, all and to load what the languages need, and outputs and seconds by language."""

    outputs: int
    seconds: float
    loading: float
    by_language: Mapping[str, tuple[int, float]]


def timed(score: Scorer, given: list[Output]) -> Timed:
    by_language: dict[str, list[Output]] = defaultdict(list)
    for output in given:
        by_language[output.language].append(output)
    start = time.process_time()
    for own in by_language.values():
        score(own[0])
    loading = time.process_time() - start
    found = {}
    for language, own in by_language.items():
        start = time.process_time()
        for output in own:
            score(output)
        found[language] = len(own), time.process_time() - start
    return Timed(len(given), sum(seconds for _, seconds in found.values()), loading, found)


def scorer(name: str) -> Scorer:
    if name == LANGUAGE_CHECK:
        return lambda output: (detect(output.text, output.language), passes(output.text, output.language))
    score = get_task(name).score
    return lambda output: score(output.text, output.reference, language=output.language, finished=output.finished)


def makers(data: Path) -> Iterator[tuple[str, str, Maker]]:
    """What is timed, and what its outputs are made of."""
    real: dict[str, tuple[str, Callable[[Path], Maker]]] = {
        "math": ("mgsm", math_answers),
        "summarization": ("sib200_flores", sentence_answers),
        "api_calls": ("bfcl_v4_en", call_answers),
        LANGUAGE_CHECK: ("sib200_flores", sentence_answers),
    }
    for name in ("math", "summarization", "instructions", "api_calls", LANGUAGE_CHECK):
        folder, make = real.get(name, ("", None))
        if make and (data / folder).is_dir():
            yield name, folder, make(data)
        else:
            yield name, "lab", lab_answers("summarization" if name == LANGUAGE_CHECK else name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=int, default=100_000, help="per task")
    default = os.environ.get("GLOTMIX_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with the real data sets")
    arguments = parser.parse_args()
    found = {
        name: (source, timed(scorer(name), outputs(make, arguments.outputs)))
        for name, source, make in makers(arguments.data)
    }
    show(found)


def show(found: dict[str, tuple[str, Timed]]) -> None:
    table = Table("what", "made of", "outputs", "seconds", "outputs/s", "loading, s", "slowest", "outputs/s there")
    for name, (source, work) in found.items():
        rates = {tag: count / seconds for tag, (count, seconds) in work.by_language.items()}
        slowest = min(rates, key=lambda tag: rates[tag])
        speed = (
            f"{work.outputs:,}",
            f"{work.seconds:.1f}",
            f"{work.outputs / work.seconds:,.0f}",
            f"{work.loading:.1f}",
        )
        table.add_row(name, source, *speed, slowest, f"{rates[slowest]:,.0f}")
    Console(width=120).print(table)
    print(json.dumps({name: work.by_language for name, (_, work) in found.items()}))


if __name__ == "__main__":
    main()
