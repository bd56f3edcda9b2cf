"""Right numbers are accepted however a language writes them; near misses are not."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.task import get_task
from glotmix.task.answer_phrases import fold
from glotmix.task.score import Score
from hostile import PIECES
from number_forms import FORMS, MGSM, NEAR_MISSES, PHRASE, Form, mgsm_golds

EQUATION = "5 + 6 = 11"
CASES = [(language, form) for form in FORMS for language in MGSM if language in form.languages]


def math(output: str, reference: str, language: str, finished: bool = True) -> Score:
    return get_task("math").score(output, reference, language=language, finished=finished)


@pytest.mark.parametrize(("language", "form"), CASES, ids=lambda case: getattr(case, "name", case))
def test_all_250_gold_answers_are_accepted_in_every_form_and_their_tenth_in_none(
    data_folder: Path, language: str, form: Form
) -> None:
    golds = mgsm_golds(data_folder, language)
    assert len(golds) == 250
    for reference in set(golds):
        value = int(reference.replace(",", ""))
        answer = PHRASE[language].format(form.write(value))
        for output in (answer, f"{EQUATION}\n{answer}"):
            assert math(output, reference, language).verdict == "correct", (output, reference)
        assert math(answer, f"{value}0", language).value == 0, (answer, reference)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_is_read_in_every_language_it_is_wanted_in_alone_and_as_a_label(form: Form) -> None:
    for language in form.languages:
        written = form.write(11_420)
        outputs = [written, f"Answer: {written}", PHRASE[language].format(written)]
        if re.search(r"\d", written):
            outputs += [f"{EQUATION}\n{written}", f"**Answer**\n\n{written}"]
        for output in outputs:
            assert math(output, "11420", language).value == 1, (language, output)


@pytest.mark.parametrize("language", MGSM)
def test_all_8_gold_exemplars_parse_to_their_answer(data_folder: Path, language: str) -> None:
    exemplars = json.loads((data_folder / "mgsm" / "exemplars.json").read_text(encoding="utf-8"))
    for number, answer in enumerate(exemplars["EXEMPLAR_NUMBER_ANSWERS"], start=1):
        solution = exemplars["MGSM_EXEMPLARS"][language][str(number)]["a"]
        score = math(solution, str(answer), language)
        assert (score.verdict, score.parsed) == ("correct", str(answer)), solution
        if language not in ("ja", "te"):  # theirs stand beside other text once or twice
            assert score.rule.startswith(("answer phrase", "answer label")), (score.rule, solution)


@pytest.mark.parametrize("language", PHRASE)
@pytest.mark.parametrize("near_miss", NEAR_MISSES)
def test_near_misses_of_18_are_refused(language: str, near_miss: str) -> None:
    for output in (PHRASE[language].format(near_miss), near_miss):
        score = math(output, "18", language)
        assert score.value == 0, output
        assert score.verdict == ("wrong" if re.search(r"\d", near_miss) else score.verdict), output


@pytest.mark.parametrize("language", PHRASE)
def test_the_phrase_of_every_language_outranks_a_later_number(language: str) -> None:
    for output in (PHRASE[language].format(18) + "\n7 + 7 = 14", PHRASE[language].format("18 (3×6)")):
        score = math(output, "18", language)
        assert (score.verdict, score.rule[:6]) == ("correct", "answer"), output


@pytest.mark.parametrize(
    ("output", "parsed", "place"),
    [
        ("The answer is 20. No, wait. The answer is 18.", "18", "answer phrase"),
        ("The final answer is therefore 18 eggs, not 20.", "18", "answer phrase"),
        ("The answer is:\n\n**18**", "18", "answer phrase"),
        ("The answer is 9 + 9 = 18.", "18", "answer phrase"),
        ("The answer is x = 18", "18", "answer phrase"),
        ("The answer is unclear. 9 + 9 = 18", "18", "last number"),
        ("The answer isn't 20 but 18", "18", "last number"),
        ("Answer: 18 (3×6)", "18", "answer label"),
        ("Answer: 3×6 = 18", "18", "answer label"),
        ("Answer:\n$18", "18", "answer label"),
        ("Answer: Roger has 5 balls at first.\nHe buys 6 more: 5 + 6 = 11", "11", "last number"),
        ("La respuesta final es 18, no 20.", "18", "answer phrase"),
        ("Answer: Roger has 5 balls and 6 more. 5 + 6 = 11", "11", "last number"),
        ("Step-by-Step Answer: 2 cans of 3 balls is 6 balls. 5 + 6 = 11 balls", "11", "last number"),
        ("So 9 + 9 = <<9+9=18>>18\n#### 18", "18", "#### line"),
        ("#### 2. Add\nThat makes 9 + 9 = 18", "18", "last number"),
        ("\\boxed{18} after 20 tries", "18", "boxed answer"),
        ("\\boxed{1{,}234}", "1234", "boxed answer"),
        ("\\boxed{\\frac{1}{2}}", "0.5", "boxed answer"),
        ("\\boxed{-\\frac{1}{2}}", "-0.5", "boxed answer"),
        ("\\boxed{\\text{none}} 7", "7", "last number"),
        ("\\boxed{\\text{18}}", "18", "boxed answer"),
        ("\\boxed{18\\ \\text{km}}", "18", "boxed answer"),
        ("\\boxed{\\boxed{18}}", "18", "boxed answer"),
        ("\\boxed{18\\text{ m}^2}", "18", "boxed answer"),
        ("\\boxed{1\\frac{1}{2}}", "1.5", "boxed answer"),
        ("\\boxed{十八}", "18", "boxed answer"),
        ("#### 18 km", "18", "#### line"),
        ("**The answer is: 18**", "18", "answer phrase"),
        ("**Answer:** $18$", "18", "answer label"),
        ("The answer to the question is (5 + 4) × 2 = 18.", "18", "answer phrase"),
        ("The answer is 18 = 3 × 6.", "18", "answer phrase"),
        ("The answer is \\(3 \\times 6 = 18\\).", "18", "answer phrase"),
        ("9 + 9 = 18 is the answer.", "18", "answer before phrase"),
        ("There are 5 eggs. The answer is unclear.", "5", "last number"),
        ("Beantwortung: 5 Eier sind 18", "18", "last number"),
        ("So it makes 18 (3×6).", "18", "last number"),
        ("Step 2: 18 eggs", "18", "last number"),
        ("no number at all", "", "no number"),
        ("The answer includes 3 steps.\nThat makes 18", "18", "last number"),
        ("To answer the question of how many are left, subtract 7. It is 18.", "18", "last number"),
        ("The answer is not 20 but 18.", "18", "last number"),
        ("20 is not the answer, 18 is", "18", "answer label"),
        ("Answer:\n16 - 7 = 9\n9 * 2 = 18", "18", "last number"),
        ("Answer: 16 - 7 = 9 eggs\nThen 9 * 2 = 18", "18", "last number"),
        ("Answer:\n1. She sells eggs.\n2. It makes 18.", "18", "last number"),
        ("Answer:\n18", "18", "answer label"),
        ("18\n\nExplanation: 9 eggs at $2", "18", "number on the first line"),
        ("16 - 7 = 9\nThat makes $18", "18", "last number"),
        ("It takes 18 hours, from 9:00 to 17:00.", "18", "last number"),
        ("The answer is 9 eggs × $2/egg = $18.", "18", "answer phrase"),
        ("The answer is 9 € × 2 = 18 €.", "18", "answer phrase"),
        ("The answer is negative 18.", "-18", "answer phrase"),
    ],
)
def test_the_final_answer_is_the_one_announced_last(output: str, parsed: str, place: str) -> None:
    score = math(output, "0", "en")
    assert (score.parsed, score.rule) == (parsed, f"{place}; marks as in en")


@pytest.mark.parametrize(
    ("language", "output"),
    [
        ("en", "18 eggs is the final answer."),
        ("de", "18 ist die Antwort."),
        ("es", "18 es la respuesta."),
        ("fr", "18 € est la réponse."),
        ("it", "18 è la risposta."),
        ("pt", "18 é a resposta."),
        ("ru", "18 — ответ."),
        ("ru", "18 яиц — это ответ."),
        ("sw", "18 ndilo jibu."),
        ("id", "18 adalah jawabannya."),
        ("tr", "18 cevaptır."),
        ("ar", "١٨ هو الجواب"),
        ("hi", "18 सही उत्तर है।"),
        ("bn", "১৮ হল উত্তর।"),
        ("te", "18 సమాధానం"),
        ("th", "18 คือคำตอบ"),
        ("ko", "18이 답입니다."),
        ("ja", "18が答えです。"),
        ("zh", "18就是答案。"),
    ],
)
def test_a_number_may_stand_before_the_phrase(language: str, output: str) -> None:
    score = math(f"9 + 8 = 17.\n{output}\n7 + 7 = 14", "18", language)
    assert (score.verdict, score.rule[:20]) == ("correct", "answer before phrase")


@pytest.mark.parametrize(
    ("language", "output"),
    [
        ("en", "The answer is 17. Wait, that is wrong. The answer is 18."),
        ("en", "The answer is 17. Wait, that is wrong. I forgot 3 eggs: 9 + 9 = 18. Yes, 2 times 9."),
        ("en", "\\boxed{17}. No, that's incorrect: it is 18, not 17."),
        ("de", "Die Antwort ist 17. Moment, das ist falsch: 9 + 9 = 18."),
        ("es", "La respuesta es 17. Espera, me equivoqué: son 18."),
        ("fr", "La réponse est 17. Attendez, c'est faux : 9 + 9 = 18."),
        ("ja", "答えは17です。待って、間違えました。9 + 9 = 18です。"),
        ("zh", "答案是17。不对，应该是18。"),
        ("ko", "답은 17입니다. 잠깐, 9 + 9 = 18입니다."),
        ("bn", "উত্তর হল ১৭। ভুল হয়েছে, ৯ + ৯ = ১৮।"),
    ],
)
def test_a_correction_after_a_first_answer_counts(language: str, output: str) -> None:
    assert math(output, "18", language).verdict == "correct"


def test_numbers_after_an_answer_that_is_not_taken_back_do_not_count() -> None:
    for rest in ("\n7 + 7 = 14", " They wait 5 days.", " Wait, that is right.", " (17 would be a mistake.)"):
        assert math(f"The answer is 18.{rest}", "18", "en").value == 1, rest


@pytest.mark.parametrize(
    "output",
    ["The answer is $18, $20.", "The answer is 18 € - 20 €.",
     "The answer is between 18 and 20.", "The answer is 18 or 20.", "18 × 1",
     "The answer is 18-20.", "18-20",
     "The answer is 18, 20.", "18、20", "\\boxed{18, 20}", "The answer is 18~20",
     "The answer is 18 to 20.", "\\boxed{18 \\times 1}", "The answer is 18:30.", "18 - 0 is the answer."],
)  # fmt: skip
def test_what_is_not_one_number_is_malformed(output: str) -> None:
    assert [math(output, gold, "en").verdict for gold in ("18", "20", "0", "1")] == ["malformed"] * 4


@pytest.mark.parametrize(
    "output", ["答案是一样的。", "一共十八个鸡蛋放在一起", "三角形", "一番", "千万不要", "答案是第一个。"]
)
def test_chinese_words_that_begin_with_a_numeral_are_no_answers(output: str) -> None:
    assert math(output, "1", "zh").verdict == "no_answer"


@pytest.mark.parametrize(
    ("output", "language", "parsed"),
    [
        ("答案是一共十八个。", "zh", "18"),
        ("答案是一共18个。", "zh", "18"),
        ("十八个", "zh", "18"),
        ("答えは三億二千万円です。", "ja", "320000000"),
        ("答えはマイナス5です。", "ja", "-5"),
        ("答案：负十八", "zh", "-18"),
        ("答えは4分の3です。", "ja", "0.75"),
        ("答えは20ではなく18です。", "ja", "18"),
        ("답은 4분의 3입니다.", "ko", "0.75"),
        ("答案是四分之三。", "zh", "0.75"),
        ("答案是百分之十八。", "zh", "18"),
        ("答案是三点二五。", "zh", "3.25"),
    ],
)
def test_chinese_numerals_are_answers_where_announced_or_alone(output: str, language: str, parsed: str) -> None:
    assert math(output, "0", language).parsed == parsed


HEADINGS = {
    "en": "Question:", "es": "Pregunta:", "fr": "Question :", "de": "Frage:", "pt": "Pergunta:", "ru": "Задача:",
    "zh": "问题：", "ja": "問題：", "ko": "문제:", "th": "โจทย์:", "sw": "Swali:", "bn": "প্রশ্ন:", "te": "ప్రశ్న:",
    "ar": "السؤال:", "hi": "प्रश्न:", "it": "Domanda:", "id": "Pertanyaan:", "tr": "Soru:",
}  # fmt: skip


@pytest.mark.parametrize("language", PHRASE)
def test_a_problem_that_a_base_model_goes_on_with_is_not_read(language: str) -> None:
    right, other = PHRASE[language].format(18), PHRASE[language].format(20)
    for heading in (f"\n\n{HEADINGS[language]}", f"\n**{HEADINGS[language]}**", "\nQuestion:\n"):
        loop = f"{heading} 7 + 7\n{other}" * 3
        assert math(right + loop, "18", language, finished=False).verdict == "correct", heading
        assert math(right + loop, "20", language, finished=False).verdict == "wrong", heading
        assert math("18" + loop, "18", language, finished=False).metrics["lm_eval_flexible_extract"] == 1


def test_a_problem_that_is_restated_before_its_answer_is_read() -> None:
    assert math("**Question:** 9 + 9?\n**Answer:** 18\n\n**Question:** 7?\nAnswer: 7", "18", "en").value == 1
    assert math("Let me restate the question: 9 + 9?\nAnswer: 18", "18", "en").value == 1


def test_a_number_that_is_cut_off_counts_only_if_no_other_is_announced() -> None:
    looped = "The answer is 18.\nThe answer is 1"
    assert [math(looped, "18", "en", finished).verdict for finished in (False, True)] == ["correct", "wrong"]
    assert math("9 + 8 = 17. The answer is 18", "18", "en", finished=False).verdict == "correct"


def test_a_region_has_its_own_marks() -> None:
    spanish = "Vende el resto de los huevos en el mercado todos los días y gana con ello 1.234 dólares."
    assert [math(spanish, "1234", tag).value for tag in ("es", "es-MX", "en")] == [1, 0, 1]


def test_a_point_before_three_digits_is_read_in_the_language_of_the_output() -> None:
    german = "Sie verkauft die übrigen Eier jeden Tag auf dem Markt und verdient damit 1.234 Dollar."
    english = "She sells the rest of the eggs at the market every day and makes 1.234 dollars."
    assert [math(text, "1234", "de").value for text in (german, english)] == [1, 0]
    assert [math(text, "1.234", "en").value for text in (german, english)] == [0, 1]


def test_verdicts_follow_their_order() -> None:
    german = "Sie verkauft die übrigen Eier jeden Tag auf dem Markt und verdient damit {} Dollar."
    assert math(german.format(18), "18", "th", finished=False).verdict == "correct"
    assert math(german.format(19), "18", "th", finished=False).verdict == "truncated"
    assert math("", "18", "th", finished=False).verdict == "truncated"
    assert math(german.format("keine"), "18", "th").verdict == "no_answer"
    assert math(german.format(19), "18", "th").verdict == "wrong_language"
    assert math(german.format(19), "18", "de").verdict == "wrong"


@pytest.mark.parametrize("reference", ["", "eighteen", "18 eggs"])
def test_a_reference_that_is_no_number_is_the_users_mistake(reference: str) -> None:
    with pytest.raises(UserError, match="is not a number"):
        math("18", reference, "en")


UNITS = (
    "9", "1,", "1 234 ", "1/", "\0", "answer is ", "\\boxed{", "####", "answer ", "-", "(", "۱\u200f", "答えは1+",
    "answer a b ", "\\frac{1}", "\\text   ", "{", "1万", "^{1", "1 answer ", "wait, ", "answer is 5 wait, no ", "1 1/",
    "1½", "1e9", "1.5×10^3", "3 x ", "a + ", "1 a b c + ", "十", "answer: 1 ", "1e9answer ", "\n", "18 (", "(a", "'",
    "5 million ", "=18 ",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_anything_is_scored_at_once(unit: str) -> None:
    started = time.process_time()
    for language in ("en", "fr"):
        assert math(unit * (1_000_000 // len(unit)), "77", language).verdict != "correct"
    assert time.process_time() - started < 3


@given(st.text())
@example("İ is one character")
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(
    st.lists(st.sampled_from(UNITS + PIECES) | st.text(max_size=4), max_size=15).map("".join),
    st.sampled_from(list(PHRASE)),
)
def test_any_output_has_a_verdict_that_agrees_with_its_value(output: str, language: str) -> None:
    score = math(output, "18", language)
    assert (score.verdict == "correct") == (score.value == 1)
    assert (score.verdict == "no_answer") <= (score.parsed == "")
