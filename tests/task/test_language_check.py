"""A language is named only when the text proves it, and then it is the right one."""

import json
import unicodedata
from pathlib import Path

import pytest

from glotmix.task.language_check import detect, is_other_language

NAMES = {
    "arb_Arab": "ar",
    "ben_Beng": "bn",
    "deu_Latn": "de",
    "eng_Latn": "en",
    "fra_Latn": "fr",
    "jpn_Jpan": "ja",
    "kor_Hang": "ko",
    "por_Latn": "pt",
    "rus_Cyrl": "ru",
    "spa_Latn": "es",
    "swh_Latn": "sw",
    "tha_Thai": "th",
    "zho_Hans": "zh",
}


@pytest.mark.parametrize(("file", "language"), NAMES.items())
def test_real_sentences_are_recognised_and_hardly_ever_taken_for_another_language(
    data_folder: Path, file: str, language: str
) -> None:
    lines = (data_folder / "sib200_flores" / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    sentences = [json.loads(line)["text"] for line in lines]
    starts = [" ".join(sentence.split()[:4])[:40] for sentence in sentences]
    found = [detect(sentence, "en") for sentence in sentences]
    assert found.count(language) >= 0.95 * len(found)
    assert sum(tag not in (language, None) for tag in found) <= 0.005 * len(found)
    assert sum(is_other_language(start, language) for start in starts) <= 0.01 * len(starts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "18",
        "5 + 6 = 11",
        "\0\0",
        "km",
        "x",
        "\\boxed{\\frac{1}{2}} \\text{}",
        "Leo",
        "l'ete «é»",
        "東京大学",
        "Sie wohnt in der москве на улице",
    ],
)
def test_where_nothing_proves_a_language_none_is_named(text: str) -> None:
    assert detect(text, "de") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("사과", "ko"),
        ("りんご", "ja"),
        ("東京へ行く", "ja"),
        ("яблоко", "ru"),
        ("แอปเปิล 3", "th"),
        ("珍妮特的鸭子每天下十六颗蛋", "zh"),
    ],
)
def test_a_script_of_its_own_decides_for_short_texts(text: str, language: str) -> None:
    assert detect(text, "en") == language
    assert is_other_language(text, "en")
    assert not is_other_language(text, language)


def test_an_answer_in_the_language_of_its_reference_is_not_called_wrong_language() -> None:
    english = "She sells the rest of the eggs at the market."
    assert is_other_language(english, "ja", reference="残りは市場で売ります。")
    assert not is_other_language(english, "ja", reference="She sells the remaining eggs at the farmers' market.")


def test_decomposed_letters_are_the_same_letters() -> None:
    text = "L'été dernier, Léa a été fêtée"
    assert detect(text, "en") == detect(unicodedata.normalize("NFD", text), "en") == "fr"


@pytest.mark.parametrize("language", ["pt-BR", "zh-Hant"])
def test_a_regional_tag_is_checked_as_its_language(language: str) -> None:
    text = {
        "pt-BR": "Ela vende o resto dos ovos no mercado todos os dias.",
        "zh-Hant": "她每天把剩下的鴨蛋拿到市場上去賣",
    }
    assert not is_other_language(text[language], language)


def test_a_latin_language_the_identifier_never_learnt_is_never_convicted_of_another() -> None:
    assert not is_other_language("She sells the rest of the eggs at the market every day.", "nv")  # Navajo
