"""Summaries and short answers: identical is right in every language, different is not, the verdict says why."""

import json
import os
import subprocess
import sys
import time
import unicodedata
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from icu4py import icu_version
from rouge_score.rouge_scorer import RougeScorer

from glotmix.errors import UserError
from glotmix.lab import world
from glotmix.lab.languages import TAGS
from glotmix.lab.render import render
from glotmix.task import get_task
from glotmix.task.score import Score
from glotmix.task.segment import segmenter

NAMES = {
    "ar": "arb_Arab", "bn": "ben_Beng", "de": "deu_Latn", "en": "eng_Latn", "fr": "fra_Latn", "ja": "jpn_Jpan",
    "ko": "kor_Hang", "pt": "por_Latn", "ru": "rus_Cyrl", "es": "spa_Latn", "sw": "swh_Latn", "th": "tha_Thai",
    "zh": "zho_Hans",
}  # fmt: skip


def summary(output: str, reference: str, language: str = "en", finished: bool = True) -> Score:
    return get_task("summarization").score(output, reference, language=language, finished=finished)


def flores(data_folder: Path, language: str, count: int = 50) -> list[str]:
    lines = (data_folder / "sib200_flores" / f"{NAMES[language]}.jsonl").read_text(encoding="utf-8").splitlines()
    return [unicodedata.normalize("NFC", json.loads(line)["text"]) for line in lines[:count]]


def rouge_score(output: str, reference: str) -> dict[str, float]:
    found = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(reference, output)
    tools = f"rouge_score {version('rouge_score')}, porter nltk {version('nltk')}"
    return {f"{kind[:5]}-{kind[5:].lower()} ({tools})": float(own.fmeasure) for kind, own in found.items()}


def instruction(output: str, reference: str, language: str = "en", finished: bool = True) -> Score:
    return get_task("instructions").score(output, reference, language=language, finished=finished)


@pytest.mark.parametrize("language", NAMES)
def test_identical_summaries_score_1_and_disjoint_ones_0(data_folder: Path, language: str) -> None:
    sentences = flores(data_folder, language)
    words = segmenter(language).words
    for one, other in pairwise(sentences):
        same = summary(one, one, language)
        assert (same.value, same.metrics[same.rule], same.verdict) == (1.0, 1.0, "correct")
        assert all(value == 1 for value in same.metrics.values())
        shared = set(words(one))
        disjoint = " ".join(word for word in other.split() if not shared & set(words(word)))
        assert summary(one[: len(one) // 2], one, language).verdict == "wrong"
        assert 0 < summary(one[: len(one) // 2], one, language).value < 1
        if not shared & set(words(disjoint)):  # a language without spaces may have one "word" only
            assert summary(disjoint, one, language).value == 0.0


@pytest.mark.parametrize("language", TAGS)
def test_the_labs_headlines_score_1_against_themselves_and_0_without_a_common_word(language: str) -> None:
    headlines = sorted({render(world.item("summarization", number), language).reference for number in range(60)})
    words = segmenter(language).words
    assert all(summary(one, one, language).value == 1 for one in headlines)
    rests = [(" ".join(word for word in words(one) if word not in words(two)), two) for one, two in pairwise(headlines)]
    disjoint = [(rest, two) for rest, two in rests if rest and not set(words(rest)) & set(words(two))]
    assert len(disjoint) > 10
    assert all(summary(rest, two, language).value == 0 for rest, two in disjoint)


def test_headlines_that_share_nothing_but_their_numbers_are_not_the_same() -> None:
    score = summary("2024年、首相が3人の大臣を任命", "2024年の台風3号、九州に上陸", "ja")
    assert 0 < score.value < 0.6


@settings(deadline=None)
@given(st.text(), st.text())
@example("The CAT's naïve 3.5% rise", "cats rose, naively, by 3.5 %")
def test_english_rouge_is_that_of_rouge_score(output: str, reference: str) -> None:
    assume(reference.strip())
    found = summary(output, reference, "en")
    for name, there in rouge_score(output, reference).items():
        assert found.metrics[name] == pytest.approx(there, abs=1e-9)
    if segmenter("en").words(reference):
        assert found.value == pytest.approx(found.metrics[found.rule], abs=1e-9)


def test_english_rouge_is_that_of_rouge_score_on_real_sentences(data_folder: Path) -> None:
    sentences = flores(data_folder, "en", 200)
    for one, other in [*pairwise(sentences), *((one[:60], one) for one in sentences)]:
        found = summary(one, other, "en-GB")
        assert {name: found.metrics[name] for name in rouge_score(one, other)} == pytest.approx(
            rouge_score(one, other), abs=1e-9
        )


@pytest.mark.parametrize(
    ("language", "tools"),
    [
        ("en", ("rouge_score", "nltk")),
        ("ja", ("fugashi", "unidic-lite")),
        ("zh-Hant", ("jieba",)),
        ("th", ("pythainlp",)),
        ("ru", ("nltk",)),
    ],
)
def test_a_metric_names_the_tools_that_cut_its_words_with_their_versions(language: str, tools: tuple[str, ...]) -> None:
    score = summary("2024", "2024", language)
    names = [score.rule.replace("rouge-l", name) for name in ("rouge-1", "rouge-2", "rouge-l")]
    assert list(score.metrics)[:3] == names
    for tool in tools:
        assert version(tool) in score.rule


def test_words_without_a_dictionary_of_their_own_are_cut_by_icu_whose_version_is_named() -> None:
    score = summary("해가 뜬다", "해가 진다", "ko")
    assert (score.rule, score.value) == (f"rouge-l (ICU {icu_version})", 0.5)
    assert segmenter("my").words("မြန်မာစာသည်") != ["မြန်မာစာသည်"]  # no spaces, and yet words


def test_words_are_stemmed_where_the_usual_scorer_stems_them() -> None:
    assert summary("los perros corrían", "el perro corría", "es").value > 0
    assert summary("собаки", "собака", "ru").value == 1
    assert summary("mbwa wakubwa", "mbwa mkubwa", "sw").value == 0.5


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ja", "２０２４年にＡＢＣ", "2024年にABC"),
        ("fr", "l\u2019E\u0301TE\u0301", "l'été"),
        ("ar", "كِتابٌ", "كتاب"),
        ("bn", "বাং\u200cলা", "বাংলা"),
        ("th", "น้ำแข็ง", "น้ำแข็ง"),
        ("de", "Straße, blau!", "straße blau"),
    ],
)
def test_the_dress_of_words_does_not_matter(language: str, one: str, other: str) -> None:
    assert summary(one, other, language).value == 1


@pytest.mark.parametrize("language", ["en", "ja", "fr"])
def test_a_reference_without_a_word_is_met_by_itself_alone(language: str) -> None:
    assert summary("🎉", "🎉", language).value == 1
    assert summary("🎉🎉", "🎉", language).value == 0


def test_chrf_and_length_stand_beside_rouge() -> None:
    score = summary("A dog ran off", "A dog ran home")
    (chrf,) = [value for name, value in score.metrics.items() if name.startswith("chrf (nrefs:1|case:mixed|")]
    assert chrf == pytest.approx(sacrebleu.sentence_chrf("A dog ran off", ["A dog ran home"]).score / 100)
    assert score.metrics["length ratio (characters)"] == pytest.approx(13 / 14)


@pytest.mark.parametrize("unit", ["a", "Ａ", "ab1 "])
def test_mecab_is_given_no_text_so_long_that_it_breaks_down(unit: str) -> None:
    assert len(segmenter("ja").words(unit * 200_000)) > 100_000


@pytest.mark.parametrize("language", ["ja", "zh", "th", "de", "my"])
@pytest.mark.parametrize("unit", ["a", "答え", "ที่", "一丁", "\u0301\u0327", "ab1 ", "ﷺ"])
def test_a_megabyte_is_cut_into_words_within_two_seconds(language: str, unit: str) -> None:
    summary("a", "a", language)  # loads the segmenter
    started = time.process_time()
    assert summary(unit * (10**6 // len(unit)), "A dog ran home", language).value < 0.1
    assert time.process_time() - started < 2


def test_a_long_output_against_a_long_reference_takes_bounded_time() -> None:
    started = time.process_time()
    assert summary("a " * 100_000, "b " * 100_000, "ja").value == 0
    assert time.process_time() - started < 2


OFFLINE = """
import os, socket, sys, tempfile
def refuse(*_, **__):
    raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from glotmix.task import get_task
for language, text in {"ja": "犬が走った", "zh": "狗跑了", "th": "สุนัขวิ่ง", "fr": "le chien", "en": "a dog"}.items():
    assert get_task("summarization").score(text, text, language=language).value == 1
"""


def test_segmenters_ask_for_nothing_print_nothing_and_write_nothing(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary)}
    for name in ("PYTHAINLP_DATA", "PYTHAINLP_DATA_DIR", "PYTHAINLP_READ_ONLY", "PYTHAINLP_READ_MODE"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [*home.rglob("*"), *temporary.rglob("*")] == []


def test_verdicts_of_summaries_follow_their_order() -> None:
    german = "Sie verkauft die übrigen Eier jeden Tag auf dem Markt"
    assert summary(german, german, "de", finished=False).verdict == "correct"
    assert summary(german, german + " der Stadt", "de", finished=False).verdict == "truncated"
    assert summary(" …\0 ", german, "de").verdict == "no_answer"
    english = summary("She sells the rest of the eggs at the market", german, "de")
    assert (english.verdict, english.detected) == ("wrong_language", "en")
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


@pytest.mark.parametrize("task", ["summarization", "instructions"])
def test_a_reference_nothing_can_be_scored_against_is_the_users_mistake(task: str) -> None:
    with pytest.raises(UserError, match="reference"):
        get_task(task).score("x", " ", language="en")
