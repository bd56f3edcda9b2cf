"""Summaries, short answers and calls: identical is right in every language, different is not, the verdict says why."""

import json
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
import sacrebleu

from glotmix.errors import UserError
from glotmix.task import get_task
from glotmix.task.score import Score

NAMES = {
    "ar": "arb_Arab", "bn": "ben_Beng", "de": "deu_Latn", "en": "eng_Latn", "fr": "fra_Latn", "ja": "jpn_Jpan",
    "ko": "kor_Hang", "pt": "por_Latn", "ru": "rus_Cyrl", "es": "spa_Latn", "sw": "swh_Latn", "th": "tha_Thai",
    "zh": "zho_Hans",
}  # fmt: skip
CALL = '{"name": "order", "arguments": {"item": "l\'été «é»", "count": 3, "express": true, "tags": ["a", 1.50]}}'


def summary(output: str, reference: str, language: str = "en", finished: bool = True) -> Score:
    return get_task("summarization").score(output, reference, language=language, finished=finished)


def instruction(output: str, reference: str, language: str = "en", finished: bool = True) -> Score:
    return get_task("instructions").score(output, reference, language=language, finished=finished)


def call(output: str, reference: str = CALL, language: str = "en", finished: bool = True) -> Score:
    return get_task("api_calls").score(output, reference, language=language, finished=finished)


@pytest.mark.parametrize("language", NAMES)
def test_identical_summaries_score_1_and_disjoint_ones_0(data_folder: Path, language: str) -> None:
    lines = (data_folder / "sib200_flores" / f"{NAMES[language]}.jsonl").read_text(encoding="utf-8").splitlines()[:50]
    sentences = [unicodedata.normalize("NFC", json.loads(line)["text"]) for line in lines]
    for one, other in pairwise(sentences):
        same = summary(one, one, language)
        assert (same.value, same.metrics["chrf"], same.verdict) == (1.0, 1.0, "correct")
        first = "".join(letter for letter in one if letter.casefold() < "m" or letter > "\u00ff")[:40]
        disjoint = "".join(letter for letter in other if letter not in first)
        assert summary(disjoint, first, language).value == 0.0
        partly = summary(one[: len(one) // 2], one, language)
        assert 0 < partly.value < 1
        assert partly.verdict == "wrong"


def test_a_summary_is_scored_by_the_metric_its_rule_names() -> None:
    score = summary("A dog ran off", "A dog ran home")
    assert score.value == pytest.approx(sacrebleu.sentence_chrf("A dog ran off", ["A dog ran home"]).score / 100)
    assert score.rule == f"chrF2|nc:6|nw:0|space:no|sacrebleu:{sacrebleu.__version__}"


def test_spaces_and_composition_of_characters_do_not_matter() -> None:
    assert summary("  l'e\u0301te\u0301\n est la", "l'été est la", "fr").verdict == "correct"
    assert summary("L'été est la", "l'été est la", "fr").verdict == "wrong"


def test_verdicts_of_summaries_follow_their_order() -> None:
    german = "Sie verkauft die übrigen Eier jeden Tag auf dem Markt"
    assert summary(german, german, "de", finished=False).verdict == "correct"
    assert summary(german, german + " der Stadt", "de", finished=False).verdict == "truncated"
    assert summary(" …\0 ", german, "de").verdict == "no_answer"
    assert summary("She sells the rest of the eggs at the market", german, "de").verdict == "wrong_language"
    assert summary("Sie kauft jeden Tag Eier auf dem Markt", german, "de").verdict == "wrong"


@pytest.mark.parametrize(
    ("output", "reference"),
    [
        ("りんご、卵。", "りんご，卵"),
        ("Apple ,egg.", "apple, egg"),
        ("تفاحة،بيضة؟", "تفاحة, بيضة"),
        ("  two\n words ", "two words"),
        ("E\u0301te\u0301", "été"),
        ("STRASSE", "straße"),
        ("!", "!"),
    ],
)
def test_the_dress_of_a_short_answer_does_not_matter(output: str, reference: str) -> None:
    assert instruction(output, reference).verdict == "correct"


@pytest.mark.parametrize("output", ["egg, apple", "apple egg", "apple, egg, egg", "apple, egg. Done", "x" * 10**6])
def test_another_short_answer_is_wrong(output: str) -> None:
    score = instruction(output, "apple, egg")
    assert (score.value, score.verdict) == (0, "wrong")


def test_a_right_short_answer_followed_by_a_megabyte_is_wrong() -> None:
    assert instruction("apple" + " " * 10**6 + "pear", "apple").value == 0


def test_an_answer_that_is_only_a_sign_is_compared_as_it_is() -> None:
    assert instruction("?", "!").value == 0


def test_verdicts_of_short_answers_follow_their_order() -> None:
    assert instruction("사과", "사과", "ja", finished=False).verdict == "correct"
    assert instruction("사과", "りんご", "ja", finished=False).verdict == "truncated"
    assert instruction(" ", "りんご", "ja").verdict == "no_answer"
    assert instruction("사과", "りんご", "ja").verdict == "wrong_language"
    assert instruction("みかん", "りんご", "ja").verdict == "wrong"


@pytest.mark.parametrize("task", ["summarization", "instructions", "api_calls"])
def test_a_reference_nothing_can_be_scored_against_is_the_users_mistake(task: str) -> None:
    with pytest.raises(UserError, match="reference"):
        get_task(task).score("x", " ", language="en")


def test_a_call_is_right_whatever_its_layout() -> None:
    arguments = '{"tags": ["A ", 1.5], "express": true, "count": 3.0, "item": "L\'E\u0301TÉ «é»"}'
    reordered = f'{{"arguments": {arguments}, "name": "order"}}'
    for output in (CALL, f"\n {CALL}\n", f"```json\n{CALL}\n```", json.dumps(json.loads(CALL)), reordered):
        score = call(output)
        assert (score.value, score.verdict, score.metrics) == (1, "correct", {"name": 1, "arguments": 1}), output


@pytest.mark.parametrize(
    ("old", "new", "name", "arguments"),
    [
        ('"order"', '"Order"', 0, 1),
        ('"count": 3', '"count": 4', 1, 0.75),
        ('"count": 3', '"count": "3"', 1, 0.75),
        ("true", "1", 1, 0.75),
        ('["a", 1.50]', '[1.50, "a"]', 1, 0.75),
        ('["a", 1.50]', '["a"]', 1, 0.75),
        ('"count": 3, ', "", 1, 0.75),
        ('"count": 3', '"count": 3, "more": null', 1, 0.8),
        ("l'été", "l'ete", 1, 0.75),
    ],
)
def test_a_call_that_differs_is_wrong_and_says_where(old: str, new: str, name: float, arguments: float) -> None:
    assert old in CALL
    score = call(CALL.replace(old, new), language="fr")
    assert (score.value, score.verdict, score.metrics) == (0, "wrong", {"name": name, "arguments": arguments})


@pytest.mark.parametrize(
    "output",
    [
        "order(item='x')",
        CALL[:-1],
        f"{CALL} {CALL}",
        f"[{CALL}]",
        "18",
        '{"name": "order"}',
        '{"name": 1, "arguments": {}}',
        '{"name": "order", "arguments": {}, "more": 1}',
        '{"name": "order", "arguments": {"count": 3, "count": 4}}',
        '{"name": "order", "arguments": {"count": NaN}}',
        '{"name": "order", "arguments": {"count": 1e99999999999999999999}}',
        '{"name": "order", "arguments": {"tags": ' + "[" * 60 + "]" * 60 + "}}",
        '{"name": "order", "arguments": ' + '{"a":' * 10_000,
        "[" * 1_000_000,
        CALL + " " * 10 + "x" * 1_000_000,
        CALL.replace("3", "3" * 1_000_000),
    ],
)
def test_what_is_not_exactly_one_call_is_malformed(output: str) -> None:
    score = call(output)
    assert (score.value, score.verdict) == (0, "malformed")


@pytest.mark.parametrize("inner", ["{}", '{"b": 1, "c": 2}', '{"b": 2}', "1", "null"])
def test_nested_arguments_are_compared_key_by_key(inner: str) -> None:
    reference = '{"name": "x", "arguments": {"a": {"b": 1}}}'
    assert call(reference, reference).value == 1
    assert call(reference.replace('{"b": 1}', inner), reference).value == 0


def test_verdicts_of_calls_follow_their_order() -> None:
    reference = '{"name": "say", "arguments": {"text": "残りは市場で売ります"}}'
    english = '{"name": "say", "arguments": {"text": "She sells the rest of the eggs at the market"}}'
    assert call(english, english, "ja", finished=False).verdict == "correct"
    assert call(english, reference, "ja", finished=False).verdict == "truncated"
    assert call("```json\n```", reference, "ja").verdict == "no_answer"
    assert call(english, reference, "ja").verdict == "wrong_language"
    assert call("She sells the rest of the eggs at the market", reference, "ja").verdict == "wrong_language"
    assert call(english, english.replace("She", "He"), "ja").verdict == "wrong"  # English was right here
    assert call(english.replace("}}", "}"), reference, "ja").verdict == "malformed"
