"""A language is named only when the text proves it, and then it is the right one."""

import json
import time
import unicodedata
from pathlib import Path

import pytest

from glotmix.lab import world
from glotmix.lab.languages import TAGS
from glotmix.lab.render import render
from glotmix.task.language_check import detect, is_other, passes

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


def other(text: str, language: str) -> bool:
    return is_other(detect(text, language) or "", language)


def sentences_of(data_folder: Path, file: str) -> list[str]:
    lines = (data_folder / "sib200_flores" / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize(("file", "language"), NAMES.items())
def test_real_sentences_are_recognised_and_hardly_ever_taken_for_another_language(
    data_folder: Path, file: str, language: str
) -> None:
    sentences = sentences_of(data_folder, file)
    starts = [" ".join(sentence.split()[:4])[:40] for sentence in sentences]
    found = [detect(sentence, "en") for sentence in sentences]
    assert found.count(language) >= 0.95 * len(found)
    assert sum(tag not in (language, None) for tag in found) <= 0.005 * len(found)
    assert sum(other(start, language) for start in starts) <= 0.01 * len(starts)


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
        "東京、大阪、京都、名古屋、横浜、神戸、札幌",  # Japanese or Chinese
        "Rio de Janeiro, São Paulo, Belo Horizonte, Porto Alegre",  # names are so in every language
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
    assert other(text, "en")
    assert not other(text, language)


def test_an_answer_in_the_language_of_its_reference_is_not_called_wrong_language() -> None:
    assert is_other("en", "ja", "残りは市場で売ります。")
    assert not is_other("en", "ja", "She sells the remaining eggs at the farmers' market.")


def test_decomposed_letters_are_the_same_letters() -> None:
    text = "L'été dernier, Léa a été fêtée"
    assert detect(text, "en") == detect(unicodedata.normalize("NFD", text), "en") == "fr"


@pytest.mark.parametrize("language", ["pt-BR", "zh-Hant"])
def test_a_regional_tag_is_checked_as_its_language(language: str) -> None:
    text = {
        "pt-BR": "Ela vende o resto dos ovos no mercado todos os dias.",
        "zh-Hant": "她每天把剩下的鴨蛋拿到市場上去賣",
    }
    assert not other(text[language], language)
    assert passes(text[language], language)


@pytest.mark.parametrize("language", ["sr", "sr-Latn", "sr-Cyrl", "uz", "uz-Cyrl", "hi-Latn"])
def test_a_language_may_be_written_in_its_other_script(language: str) -> None:
    text = {
        "sr": "Prodaje ostatak jaja na pijaci, a onda ide kući sa parama.\nOna prodaje i jabuke u gradu svake subote.",
        "uz": "У ҳар куни қолган тухумларни бозорда сотади ва пул топади.",
        "hi": "Vah har din bache hue ande bazaar mein bechti hai aur paise kamati hai.",
    }
    assert passes(text[language[:2]], language)
    assert not other(text[language[:2]], language)


def test_letters_of_every_script_count() -> None:
    georgian = "ის ყოველდღე ყიდის დარჩენილ კვერცხებს"
    assert detect(f"{georgian} on the market", "ka") == "ka"
    assert detect(f"{georgian} on the market", "en") is None  # not English


def test_a_latin_language_the_identifier_never_learnt_is_never_convicted_of_another() -> None:
    assert not other("She sells the rest of the eggs at the market every day.", "nv")  # Navajo


@pytest.mark.parametrize(("file", "language"), NAMES.items())
def test_real_answers_pass_and_those_with_a_line_of_another_language_do_not(
    data_folder: Path, file: str, language: str
) -> None:
    sentences = sentences_of(data_folder, file)
    assert sum(not passes(sentence, language) for sentence in sentences) <= 2
    strangers = sentences_of(data_folder, "eng_Latn" if language != "en" else "deu_Latn")
    mixed = [f"{own}\n\n{strange}" for own, strange in zip(sentences, strangers, strict=True)]
    assert sum(passes(answer, language) for answer in mixed) <= 0.01 * len(mixed)


@pytest.mark.parametrize("language", TAGS)
def test_the_labs_answers_pass_in_every_language(language: str) -> None:
    items = [world.item(task, number) for task in ("math", "summarization") for number in range(40)]
    answers = [render(item, language).answer for item in items]
    assert all(passes(answer, language) for answer in answers)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("残りは市場で売ります。\nяблоко и груша", "ja"),  # a line of fewer than five tokens
        ("彼女は iPhone と machine learning が好きです。", "ja"),  # two English words are a loan
        ("Она пишет:\n```\nfor every line in the file do this\n```", "ru"),
        ("Смотрите `git commit all the files` и https://example.org/the-rest-of-it.", "ru"),
        ("for i in range(10):\n    print(the_rest_of_the_eggs)", "ja"),
        ("def add(first, second): return first + second", "es"),
        ("import pandas as the data frame library", "de"),
        ('{"answer": "she sells the rest of the eggs"}', "fr"),
        ("『the catcher in the rye』が好きです。", "ja"),
        ("Она любит песню «all you need is love».", "ru"),
        ("", "ja"),
        ("18", "ja"),
        ("\n\n", "fr"),
        ("Leo", "ja"),
    ],
)
def test_code_loan_words_and_what_proves_nothing_pass(text: str, language: str) -> None:
    assert passes(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("She sells the rest of the eggs.", "ja"),
        ("残りの卵は sold at the market 毎日のことです。", "ja"),
        ("* りんご\n* Apples and pears are fruit\n* みかん", "ja"),
        ("사과", "ja"),  # a short answer is judged as a whole
        ('"She sells the rest of the eggs."', "ja"),  # quotes make no Japanese of it
        ("def add(first, second):\n    return first + second\nThis adds both of the numbers.", "es"),
        ("La respuesta es siete.\nThe answer is seven of them.", "es"),
        ("她每天把剩下的鸭蛋拿到市场上去卖\n残りは市場で毎日売っています", "zh"),
    ],
)
def test_a_line_or_phrase_of_another_language_fails(text: str, language: str) -> None:
    assert not passes(text, language)


@pytest.mark.parametrize(
    "unit",
    ["a ", "`", "```", "x@", "http://", "abc def", "ก", "a(", "(", "; ", "{", '"', "«", "import ", "\n", "答え\n"],
)
def test_a_megabyte_is_checked_within_a_second(unit: str) -> None:
    detect("The first call loads the identifier.", "en")
    started = time.process_time()
    passes(unit * (10**6 // len(unit)), "ja")
    assert time.process_time() - started < 1
