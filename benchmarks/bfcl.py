"""How the AST grading agrees with BFCL's own checker: `python benchmarks/bfcl.py --data ../shared/data/bfcl_v4_en`.

1. Imports the folder, and makes the gold answers and the mutations of `tests/task/bfcl_mutations.py`.
2. Makes a virtual environment in a temporary folder with `bfcl-eval` and the few packages its checker imports.
3. Scores every answer with glotmix, in Python's syntax and in JSON, and with bfcl-eval: its decoder, then its checker.
4. Prints both by kind of mutation, and every difference.

Two are known. Positional arguments: BFCL's decoder drops them, glotmix names them by the schema. Request parallel_178:
BFCL gives each accepted call the first answer that fits, so its verdict depends on the order of the answers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from glotmix.pool.sources import bfcl
from glotmix.task import get_task

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "task"))
from bfcl_mutations import Case, bare_words, cases, positional, requests  # noqa: E402

VERSION = "2026.3.23"
# what ast_checker and its decoder import; bfcl-eval's other requirements are clients of model providers
NEEDS = ("tree_sitter==0.21.3", "tree-sitter-java==0.21.0", "tree-sitter-javascript==0.21.4", "tenacity", "filelock")
CHECKER = """
import json, sys, types
from pathlib import Path

settings = types.ModuleType("bfcl_eval.constants.model_config")  # it imports the clients of all model providers
settings.MODEL_CONFIG_MAPPING = {"any": types.SimpleNamespace(underscore_to_dot=False)}
sys.modules[settings.__name__] = settings
from bfcl_eval.constants.enums import Language, ReturnFormat
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker
from bfcl_eval.model_handler.utils import ast_parse
from bfcl_eval.utils import is_empty_output, is_function_calling_format_output


def judge(text, functions, truth, category):
    try:
        decoded = ast_parse(text, ReturnFormat.PYTHON)
    except Exception:
        return "right" if category == "irrelevance" else "not read"
    if category == "irrelevance":
        return "right" if is_empty_output(decoded) else "wrong"
    if not is_function_calling_format_output(decoded):
        return "not read"
    try:
        return "right" if ast_checker(functions, decoded, truth, Language.PYTHON, category, "any")["valid"] else "wrong"
    except Exception as error:
        return f"raised {type(error).__name__}"


for line in Path(sys.argv[1]).open(encoding="utf-8"):
    print(judge(*json.loads(line)))
"""


class Judged(NamedTuple):
    case: Case
    python: bool
    json: bool | None  # None: can't be written in JSON
    bfcl: str

    @property
    def agrees(self) -> bool:
        theirs = self.bfcl == "right"
        return self.python == theirs and self.json in (None, theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data" / "bfcl_v4_en")
    parser.add_argument("--out", type=Path, help="write the differences here, as JSON lines")
    arguments = parser.parse_args()
    rows = {row["item_id"]: row for batch in bfcl.read(str(arguments.data)) for row in batch.rows.to_dicts()}
    questions = {question.row_id: question for question in requests(arguments.data)}
    made = [case for item, row in rows.items() for case in _cases(questions[item.removeprefix("bfcl-")], row)]
    with tempfile.TemporaryDirectory() as folder:
        theirs = _with_bfcl(Path(folder), made, questions)
    start = time.process_time()
    score = get_task("api_calls").score
    references = {item.removeprefix("bfcl-"): row["reference"] for item, row in rows.items()}

    def ours(case: Case, text: str) -> bool:
        return score(text, references[case.row_id], language="en").value == 1

    judged = [
        Judged(case, ours(case, case.text), ours(case, case.json) if case.in_json else None, verdict)
        for case, verdict in zip(made, theirs, strict=True)
    ]
    seconds = time.process_time() - start
    show(judged, len(rows), len(questions) - len(rows), seconds)
    if arguments.out:
        lines = (json.dumps([*one.case, one.python, one.json, one.bfcl]) for one in judged if not one.agrees)
        arguments.out.write_text("\n".join(lines), encoding="utf-8")


def _cases(question: Any, row: dict[str, Any]) -> Iterator[Case]:
    gold = [(call["name"], call["arguments"]) for call in json.loads(row["messages"][-1]["content"])]
    yield from cases(question, gold)
    yield from bare_words(question, gold)
    yield from positional(question, gold)


def _with_bfcl(folder: Path, made: list[Case], questions: dict[str, Any]) -> list[str]:
    """The verdict of each case, in an environment of its own."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *NEEDS], check=True)
    subprocess.run([*install, "--no-deps", f"bfcl-eval=={VERSION}"], check=True)
    lines = folder / "cases.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        for case in made:
            question = questions[case.row_id]
            functions = [{"name": name, "parameters": schema} for name, schema in question.functions.items()]
            category = "irrelevance" if not question.truth else case.row_id.rpartition("_")[0]
            file.write(json.dumps([case.text, functions, question.truth, category]) + "\n")
    (folder / "checker.py").write_text(CHECKER, encoding="utf-8")
    done = subprocess.run([python, folder / "checker.py", lines], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


def show(judged: list[Judged], rows: int, left_out: int, seconds: float) -> None:
    title = f"BFCL v4: {rows:,} requests ({left_out} left out), bfcl-eval {VERSION}; correct answers of each kind"
    table = Table("kind", "answers", "rule", "glotmix, Python", "glotmix, JSON", "bfcl-eval", "agree", title=title)
    for kind in dict.fromkeys(one.case.kind for one in judged):
        of_kind = [one for one in judged if one.case.kind == kind]
        in_json = [one.json for one in of_kind if one.json is not None]
        counts = (
            len(of_kind), sum(one.case.right for one in of_kind), sum(one.python for one in of_kind),
            f"{sum(in_json)} of {len(in_json)}", sum(one.bfcl == "right" for one in of_kind),
            f"{sum(one.agrees for one in of_kind) / len(of_kind):.2%}",
        )  # fmt: skip
        table.add_row(kind, *map(str, counts))
    console = Console(width=140)
    console.print(table)
    scored = sum(1 + (one.json is not None) for one in judged)
    agreed = sum(one.agrees for one in judged)
    console.print(f"{agreed:,} of {len(judged):,} answers agree ({agreed / len(judged):.3%})")
    console.print(f"glotmix: {scored:,} outputs in {seconds:.1f} s, {100_000 * seconds / scored:.1f} s per 100,000")
    for (kind, verdict), number in Counter((one.case.kind, one.bfcl) for one in judged if not one.agrees).items():
        example = next(one.case for one in judged if not one.agrees and (one.case.kind, one.bfcl) == (kind, verdict))
        console.print(
            f"differs: {kind}, bfcl-eval {verdict}: {number}; {example.row_id} {example.text:.200}", markup=False
        )


if __name__ == "__main__":
    main()
