"""BFCL's real requests: every gold answer is right in both forms, and every kind of mutation scores as its rule says.

`benchmarks/bfcl.py` compares all mutations with BFCL's own checker; here are the first of each kind.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from bfcl_mutations import Case, bare_words, cases, positional, requests

from glotmix.pool.sources import bfcl
from glotmix.task import get_task

KINDS = 32
OF_EACH_KIND = 30


@pytest.fixture(scope="module")
def answered(data_folder: Path) -> list[tuple[str, list[Case]]]:
    """Each reference with its cases: the gold answers of all, the first mutations of each kind."""
    rows = {
        row["item_id"]: row for batch in bfcl.read(str(data_folder / "bfcl_v4_en")) for row in batch.rows.to_dicts()
    }
    found = []
    kept: Counter[str] = Counter()
    for request in requests(data_folder / "bfcl_v4_en"):
        if row := rows.get(f"bfcl-{request.row_id}"):
            gold = [(call["name"], call["arguments"]) for call in json.loads(row["messages"][-1]["content"])]
            made = [*cases(request, gold), *bare_words(request, gold), *positional(request, gold)]
            few = [case for case in made if case.kind == "gold" or kept[case.kind] < OF_EACH_KIND]
            kept.update(case.kind for case in few)
            found.append((row["reference"], few))
    return found


def test_every_answer_scores_as_the_ast_rule_says(answered: list[tuple[str, list[Case]]]) -> None:
    score = get_task("api_calls").score
    seen: Counter[str] = Counter()
    for reference, made in answered:
        for case in made:
            for text in (case.text, case.json) if case.in_json else (case.text,):
                found = score(text, reference, language="en")
                assert (found.value == 1) == case.right == (found.metrics["ast"] == 1), (case, found.rule)
                assert found.rule.split()[0] in ("json", "python", "no")
                seen[case.kind] += 1
    assert seen["gold"] == 2 * 1536
    assert len(seen) == KINDS, sorted(seen)
