"""Beside our score stand those of two common tools, equal to their own code or rule."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glotmix.task import get_task
from glotmix.task.math_tools import ANSWER_WORDS, flexible_extract, metrics, simple_evals

PIECES = ("1", "8", "18", "0", ".", ",", "$", " ", "-", "১৮", "１８", "\n", "180", "x", "Answer", "\0", "#")
outputs = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text()
references = st.sampled_from(["18", "1,8", "180", "0", "1.8", "-18", "8"])


@settings(deadline=None)  # numpy's first call
@given(outputs, references)
@example("so 18.00", "18")
@example("$.", "18")
@example("18 .", "18")
def test_flexible_extract_equals_lm_evals_filter_and_metric(output: str, reference: str) -> None:
    metric = pytest.importorskip("lm_eval.api.metrics").exact_match_fn
    regex = pytest.importorskip("lm_eval.filters.extraction").RegexFilter
    first = pytest.importorskip("lm_eval.filters.selection").TakeFirstFilter
    filtered = regex(regex_pattern=r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1).apply([[output]], [{}])
    [extracted] = first().apply(filtered, [{}])
    theirs = metric(predictions=[extracted], references=[reference], ignore_case=True, ignore_punctuation=True)
    assert flexible_extract(output, reference) == theirs["exact_match"]


@pytest.mark.parametrize("language", ANSWER_WORDS)
def test_the_installed_lm_eval_configures_the_filter_as_restated(language: str) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    from pathlib import Path

    import yaml

    folder = Path(lm_eval.__file__).parent / "tasks" / "mgsm"
    text = (folder / "native_cot" / f"mgsm_native_cot_{language}.yaml").read_text(encoding="utf-8")
    [flexible] = [one for one in yaml.safe_load(text)["filter_list"] if one["name"] == "flexible-extract"]
    assert flexible["filter"] == [
        {"function": "regex", "group_select": -1, "regex_pattern": r"(-?[$0-9.,]{2,})|(-?[0-9]+)"},
        {"function": "take_first"},
    ]
    shared = yaml.safe_load((folder / "native_cot" / "cot_yaml").read_text(encoding="utf-8"))
    [metric] = shared["metric_list"]
    assert (metric["metric"], metric["ignore_case"], metric["ignore_punctuation"]) == ("exact_match", True, True)
    assert "regexes_to_ignore" not in metric


@pytest.mark.parametrize(
    ("output", "reference", "accepted"),
    [
        ("Answer: 18", "18", True),
        ("Answer: $1,234.", "1,234", True),
        ("Answer: 18.00", "18", True),
        ("Answer: 1800", "18", False),
        ("Answer: 1,8", "18", True),
        ("Answer: 1.8", "18", False),
        ("Answer: 18 (3×6)", "18", False),
        ("Answer: 20. Answer: 18", "18", True),
        ("The answer is 18", "18", False),
        ("Answer: -18", "18", True),
        ("Answer: ১৮", "18", False),
        ("Answer:", "18", False),
        ("Answer: 1,800.50", "1800.5", True),
    ],
)
def test_simple_evals_rule_is_theirs(output: str, reference: str, accepted: bool) -> None:
    assert simple_evals(output, reference, "en") == accepted


def test_a_language_simple_evals_does_not_know_has_no_score_of_it() -> None:
    assert set(metrics("답: 18", "18", "ko")) == {"lm_eval_flexible_extract"}
    assert set(metrics("উত্তর: 18", "18", "bn-IN")) == {"lm_eval_flexible_extract", "simple_evals_mgsm"}


@given(outputs)
def test_they_stand_beside_our_score_and_do_not_change_it(output: str) -> None:
    score = get_task("math").score(output, "18", language="en")
    assert score.metrics == metrics(output, "18", "en")


@pytest.mark.parametrize("unit", ["9", "$", "-", "Answer", "9.", "Answer 1", "."])
def test_a_megabyte_is_scored_at_once(unit: str) -> None:
    assert metrics(unit * (1_000_000 // len(unit)), "18", "en").keys()
