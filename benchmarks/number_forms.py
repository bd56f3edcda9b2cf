"""Which forms of a right answer scorers accept: `python benchmarks/number_forms.py [--data FOLDER]`.

1. All 250 gold answers of MGSM, in each form of `tests/number_forms.py`, as an answer in each of MGSM's languages. A
   row is a form, with the least share accepted in any language, and that language where languages differ.
2. Below, near misses of 18: the share refused.
3. glotmix's column is `task.math`; an answer counts if it is accepted both behind the language's answer phrase ("The
   answer is 18.") and as a label ("Answer: 18"), a near miss if it is refused in both. lm-eval's is its own filter and
   metric, as its MGSM tasks configure them (extra `lm-eval`), behind the phrase. simple-evals' is `task.math_tools`,
   its rule restated, on the label that it asks for.
"""

import argparse
import os
import sys
from pathlib import Path

from lm_eval.api.metrics import exact_match_fn
from lm_eval.filters.extraction import RegexFilter
from rich.console import Console
from rich.table import Table

from glotmix.task import get_task, math_tools

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))
from number_forms import FORMS, MGSM, NEAR_MISSES, PHRASE, Form, mgsm_golds  # noqa: E402

FLEXIBLE = RegexFilter(regex_pattern=r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)


def glotmix(output: str, reference: str, language: str) -> bool:
    return get_task("math").score(output, reference, language=language).value == 1


def lm_eval(output: str, reference: str, _: str) -> bool:
    [[extracted]] = FLEXIBLE.apply([[output]], [{}])
    said = exact_match_fn(predictions=[extracted], references=[reference], ignore_case=True, ignore_punctuation=True)
    return bool(said["exact_match"])


def simple_evals(output: str, reference: str, language: str) -> bool:
    return math_tools.simple_evals(output, reference, language)


def phrase(language: str, written: str) -> str:
    return PHRASE[language].format(written)


def label(language: str, written: str) -> str:
    return f"{math_tools.ANSWER_WORDS[language]}: {written}"


TOOLS = {
    "glotmix": (glotmix, (phrase, label)),
    "lm-eval flexible": (lm_eval, (phrase,)),
    "simple-evals": (simple_evals, (label,)),
}


def accepted(tool: str, language: str, written: str, reference: str) -> list[bool]:
    """Behind the phrase, as a label, or both, as the tool is asked."""
    accepts, places = TOOLS[tool]
    return [accepts(place(language, written), reference, language) for place in places]


def share(tool: str, form: Form, language: str, golds: list[str]) -> float:
    """Percent of a language's references accepted in that form."""
    right = [all(accepted(tool, language, form.write(int(gold.replace(",", ""))), gold)) for gold in golds]
    return 100 * sum(right) / len(right)


def worst(shares: dict[str, float]) -> str:
    """The least share, and where."""
    language = min(shares, key=shares.__getitem__)
    where = f" ({language})" if len(set(shares.values())) > 1 else ""
    return f"{shares[language]:.1f}{where}"


def print_table(title: str, rows: list[tuple[str, ...]]) -> None:
    table = Table("form", "languages", *TOOLS, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("GLOTMIX_TEST_DATA", TESTS.parent.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    golds = {language: mgsm_golds(parser.parse_args().data, language) for language in MGSM}
    rows = []
    for form in FORMS:
        tags = [language for language in MGSM if language in form.languages]
        shares = [worst({tag: share(tool, form, tag, golds[tag]) for tag in tags}) for tool in TOOLS if tags]
        rows += [(form.name, "all 11" if len(tags) == len(MGSM) else " ".join(tags), *shares)] if tags else []
    print_table("Right answers accepted, % of 250, worst language", rows)
    refused = []
    for miss in NEAR_MISSES:
        shares = [sum(not any(accepted(tool, tag, miss, "18")) for tag in MGSM) / len(MGSM) for tool in TOOLS]
        refused.append((miss, "all 11", *(f"{100 * part:.1f}" for part in shares)))
    print_table("Near misses of 18 refused, % of the 11 languages", refused)


if __name__ == "__main__":
    main()
