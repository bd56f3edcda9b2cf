"""Test rows hidden among training rows must be found, whatever they were dressed up as, and hardly anything else."""

import difflib
import random
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.checks.contamination import contamination
from glotmix.pool.checks.finding import Examined
from glotmix.pool.folder import FolderPool
from small_pool import gsm8k, gsm8k_rows, mgsm_rows, row, small_portions, write_pool


def found(pool: FolderPool, *evaluation: FolderPool) -> dict[str, tuple[str, str]]:
    """The contaminated rows: row id to (test row, detail)."""
    findings = list(contamination(Examined(pool, evaluation)))
    assert {finding.severity for finding in findings} <= {"error"}
    return {row_id: (other, detail) for finding in findings for row_id, other, detail in finding.rows.iter_rows()}


def spaced(text: str) -> str:
    return "  " + re.sub(r"([.?!]) ", "\\1\n\n", text).replace(" ", "\u00a0 ")


def numbers_as(write: Callable[[int], str]) -> Callable[[str], str]:
    return lambda text: re.sub(
        r"(?<![\d.,/:])\d{1,3}(,\d{3})+(?![\d.,])|(?<![\d.,/:])\d{4,}(?![\d.,/:])", write_match(write), text
    )


def write_match(write: Callable[[int], str]) -> Callable[[re.Match[str]], str]:
    return lambda match: write(int(match[0].replace(",", "")))


DRESSED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "spacing": spaced,
    "upper case": str.upper,
    "title case": str.title,
    "no punctuation": lambda text: re.sub(r"[^\w\s]", "", text),
    "other punctuation": lambda text: text.replace(".", " ;").replace("?", " ?!").replace(",", " -").replace("’", "'"),
    "1,000": numbers_as("{:,}".format),
    "1 000": numbers_as(lambda n: f"{n:,}".replace(",", " ")),
    "1.000": numbers_as(lambda n: f"{n:,}".replace(",", ".")),
    "1000": numbers_as(str),
    "1,000.00": numbers_as("{:,}.00".format),
    "native digits": lambda text: text.translate({ord("0") + n: chr(0x966 + n) for n in range(10)}),
    "all at once": lambda text: spaced(numbers_as("{:,}.00".format)(text).upper().replace(",", " ,").replace("?", "!")),
}


@pytest.fixture(scope="module")
def english(data_folder: Path):
    """GSM8K's training rows, and the 250 test questions that MGSM is made of."""
    return gsm8k(data_folder, "train"), gsm8k(data_folder, "test", 250)


@pytest.mark.parametrize("dress", DRESSED)
def test_all_250_mgsm_questions_are_found_among_training_rows(tmp_path: Path, data_folder: Path, english, dress):
    train, test = english
    hidden = [(DRESSED[dress](question), solution, number) for question, solution, number in test]
    rows = [*gsm8k_rows(train[:1000], "train"), *gsm8k_rows(hidden, "train", "hidden"), *mgsm_rows(data_folder, ["en"])]
    caught = found(write_pool(tmp_path, rows))
    assert {row_id: other for row_id, (other, _) in caught.items()} == {
        f"hidden-train-{n}:en": f"mgsm-{n}:en" for n in range(250)
    }


def test_questions_changed_in_their_words_are_found_by_overlap(tmp_path: Path, data_folder: Path, english):
    """Another name and object throughout, other numbers, a sentence more, a sentence less."""
    _, test = english
    changes = {
        "names": lambda text: re.sub(r"\b(?!The|A|If|How|In|On|He|She|It)[A-Z][a-z]+", "Ola", text),
        "numbers": lambda text: re.sub(r"\d+", lambda match: str(int(match[0]) + 3), text),
        "prompt": lambda text: f"Solve this problem step by step and end with the answer.\n\n{text}\n\nThink first.",
        "cut": lambda text: text[: int(0.8 * len(text))],
    }
    shares = {}
    for name, change in changes.items():
        hidden = [(change(question), solution, number) for question, solution, number in test]
        rows = [*gsm8k_rows(hidden, "train", "hidden"), *mgsm_rows(data_folder, ["en"])]
        shares[name] = len(found(write_pool(tmp_path / name, rows))) / 250
    print(shares)
    assert shares["prompt"] == 1
    assert shares["cut"] == 1
    assert shares["names"] > 0.95
    assert shares["numbers"] > 0.9


def test_what_is_found_in_gsm8k_train_is_a_test_question_in_other_words(tmp_path: Path, data_folder: Path, english):
    train, _ = english
    test = gsm8k(data_folder, "test")
    pool = write_pool(tmp_path, [*gsm8k_rows(train, "train"), *gsm8k_rows(test, "test"), *mgsm_rows(data_folder)])
    caught = found(pool)
    alike = {}
    for row_id, (other, detail) in caught.items():
        one, two = train[int(re.findall(r"\d+", row_id)[-1])][0], test[int(re.findall(r"\d+", other)[-1])][0]
        alike[row_id] = difflib.SequenceMatcher(None, one.split(), two.split()).ratio()
        print(f"{alike[row_id]:.2f} by words ({detail})\n  {one}\n  {two}")
    assert 1 <= len(caught) <= 5
    assert min(alike.values()) > 0.75
    chance = [
        difflib.SequenceMatcher(None, one[0].split(), two[0].split()).ratio()
        for one, two in zip(train, test, strict=False)
    ]
    assert max(chance) < 0.5


def test_hidden_questions_are_found_in_every_language(tmp_path: Path, data_folder: Path):
    tested = mgsm_rows(data_folder)
    hidden = [
        row(f"other-{n}", spaced(str(one["messages"][0]["content"])).upper(), language=str(one["language"]))
        for n, one in enumerate(tested)
    ]
    assert len(found(write_pool(tmp_path, [*tested, *hidden]))) == len(tested) == 2750


@pytest.mark.parametrize("frame", ["{}", "Solve this problem.\n\n{}\n\nThink first."])
def test_a_question_is_found_in_whatever_frame_it_stands_however_short_it_is(tmp_path: Path, data_folder: Path, frame):
    """Chinese questions have as few as 20 characters: too few for a share of them to mean much."""
    tested = [
        one | {"messages": [{"role": "user", "content": f"Question:\n{one['messages'][0]['content']}\nAnswer:"}]}
        for one in mgsm_rows(data_folder, ["zh", "ja"])
    ]
    hidden = [
        row(f"h{n}", frame.format(one["messages"][0]["content"]), language=str(one["language"]))
        for n, one in enumerate(mgsm_rows(data_folder, ["zh", "ja"]))
    ]
    caught = found(write_pool(tmp_path, [*tested, *hidden]))
    assert len(caught) == 500
    assert {detail for _, detail in caught.values()} <= {"same text", "same request"}


def test_long_texts_are_looked_at_a_few_at_once(tmp_path: Path, monkeypatch):
    at_once = small_portions(monkeypatch, "contamination", 5_000)
    texts = [" ".join(sentence(20 * n + k) for k in range(20)) for n in range(12)]
    rows = [row(f"t{n}", text, split="test") for n, text in enumerate(texts[:6])]
    rows += [row(f"c{n}", text) for n, text in enumerate(texts[6:])]
    rows += [row(f"h{n}", "Once upon a time " + text[100:]) for n, text in enumerate(texts[:6])]
    caught = found(write_pool(tmp_path, rows))
    assert {row_id: other for row_id, (other, _) in caught.items()} == {f"h{n}:en": f"t{n}:en" for n in range(6)}
    assert all(0.9 < float(detail.split()[0]) <= 1 for _, detail in caught.values())
    assert max(at_once) < 5_000 + 3_000 < sum(at_once)


def test_an_item_is_found_by_its_id_in_whatever_language_it_trains(tmp_path: Path):
    rows = [
        row("a", "Wie viele Äpfel sind es?", language="de"),
        row("a", "How many apples are there?", split="test"),
        row("b", "Wie viele Birnen sind es?", language="de", split="validation"),
        row("a", "How many apples, in brief?", task="summarization", reference="none"),
    ]
    assert found(write_pool(tmp_path, rows)) == {"a:de": ("a:en", "same item")}


def test_test_rows_of_another_pool_are_looked_for_and_a_pool_without_any_is_refused(tmp_path: Path):
    train = write_pool(tmp_path / "train", [row("a", "How many apples are there?")])
    test = write_pool(tmp_path / "test", [row("z", "how many APPLES are there", split="test")])
    assert found(train, test) == {"a:en": ("z:en", "same text")}
    assert found(test, test) == {}
    with pytest.raises(UserError, match="no test rows"):
        found(test, train)


def test_a_phrase_that_every_prompt_has_contaminates_nothing(tmp_path: Path):
    phrase = "You are a careful assistant. Read the following request, choose the tool that fits, and answer in JSON: "
    words = [
        f"{noun} {verb}" for noun in ("lamp", "door", "oven", "song", "road", "film") for verb in ("on", "off", "up")
    ]
    rows = [row(f"{split}-{n}-{k}", f"{phrase}{word} {split} {k}", split=split)
            for split in ("train", "test") for n, word in enumerate(words) for k in range(3)]  # fmt: skip
    assert found(write_pool(tmp_path, rows)) == {}


@settings(max_examples=10, deadline=None)
@given(order=st.randoms(use_true_random=False), hidden=st.sets(st.integers(0, 59), max_size=20))
def test_exactly_the_hidden_rows_are_found_in_whatever_order_rows_come(tmp_path_factory, order: random.Random, hidden):
    texts = [sentence(number) for number in range(120)]
    rows = [row(f"t{n}", texts[n], split="test") for n in range(60)]
    rows += [row(f"c{n}", texts[60 + n]) for n in range(60)] + [row(f"h{n}", spaced(texts[n]).lower()) for n in hidden]
    order.shuffle(rows)
    pool = write_pool(tmp_path_factory.mktemp("pool"), rows)
    assert {row_id: other for row_id, (other, _) in found(pool).items()} == {f"h{n}:en": f"t{n}:en" for n in hidden}


def sentence(number: int) -> str:
    """One of many texts that share no phrase."""
    noise = random.Random(number)
    return " ".join("".join(noise.choices("abcdefghijklmnoprstuvw", k=noise.randint(2, 9))) for _ in range(20)) + "."


def test_the_found_rows_have_the_columns_that_findings_promise(tmp_path: Path):
    rows = [row("a", "How many apples are there?"), row("b", "How many apples are there?", split="test")]
    (finding,) = contamination(Examined(write_pool(tmp_path, rows)))
    assert finding.rows.schema == {"row_id": pl.String, "other": pl.String, "detail": pl.String}
    assert (finding.cell, finding.checked, finding.of) == (("math", "en", "train"), 1, 1)
