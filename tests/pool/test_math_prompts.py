"""How MGSM and MSVAMP are asked: three prompts of the paper, with and without exemplars."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_math_sources import assert_scored_as_correct, question, taken, write_json, write_parquet

from glotmix.errors import UserError
from glotmix.pool import open_pool
from glotmix.pool.content import content_hash, row_hashes
from glotmix.pool.importers import import_pool
from glotmix.pool.sources import mgsm, msvamp
from glotmix.pool.sources.math_prompts import PROMPTS, WORDED, ask
from glotmix.task import get_task

TAGS = ("en", "de", "ja", "te")


def exemplars(*languages: str, count: int = 8) -> dict[str, Any]:
    """A file of MGSM's layout."""
    pairs = {
        tag: {
            str(n): {"q": f"Frage: {tag} problem {n}?", "a": f"Schritt-Antwort: {tag} steps. The answer is {n}."}
            for n in range(1, count + 1)
        }
        for tag in languages
    }
    return {"MGSM_EXEMPLARS": pairs, "EXEMPLAR_NUMBER_ANSWERS": list(range(1, count + 1))}


def folder_of(path: Path, found: dict[str, Any], **problems: str) -> str:
    path.mkdir(parents=True, exist_ok=True)
    (path / "exemplars.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    for tag, problem in problems.items():
        (path / f"mgsm_{tag}.tsv").write_text(f"{problem}\t18\n", encoding="utf-8")
    return str(path)


def contents(row: dict[str, Any]) -> list[str]:
    return [message["content"] for message in row["messages"]]


def test_the_words_are_those_of_mgsms_own_exemplars(data_folder: Path) -> None:
    found = json.loads((data_folder / "mgsm" / "exemplars.json").read_text(encoding="utf-8"))["MGSM_EXEMPLARS"]
    for tag, pairs in found.items():
        asked = pairs["1"]["q"].partition(" " if tag not in ("ja", "zh") else "：")
        problem = asked[2] if tag != "fr" else asked[2].removeprefix(": ")
        heading = pairs["1"]["a"][: len(ask(tag, problem, "native-cot").splitlines()[-1])]
        assert ask(tag, problem, "native-cot") == f"{pairs['1']['q']}\n{heading}"


@pytest.mark.parametrize("shots", ["0", "8"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_row_of_mgsm_is_asked_in_every_way(data_folder: Path, prompt: str, shots: str) -> None:
    rows, rejected = taken(mgsm.read(str(data_folder / "mgsm"), prompt, shots))
    assert rejected == {}
    assert len(rows) == 11 * 250
    assert set(rows["messages"].list.len()) == {2 + 2 * int(shots)}
    told = set(rows["source"])
    assert told == ({"mgsm"} if (prompt, shots) == ("mcot", "0") else {f"mgsm {prompt} {shots}-shot"})
    wanted = "en" if prompt == "english-cot" else None
    assert set(rows.filter(pl.col("language") != "en")["answer_language"]) == {wanted}
    assert set(rows.filter(language="en")["answer_language"]) == {None}
    asked_in_english = rows.with_columns(language=pl.coalesce("answer_language", "language"))
    assert_scored_as_correct(asked_in_english)


def test_a_prompt_reads_as_the_papers(data_folder: Path) -> None:
    place, problem = str(data_folder / "mgsm"), "Frage: Janets Enten legen 16 Eier pro Tag."
    read = {
        prompt: taken(mgsm.read(place, prompt, "8"))[0].filter(row_id="mgsm-001:de").to_dicts()[0] for prompt in PROMPTS
    }
    said = {prompt: contents(row) for prompt, row in read.items()}
    headings = {
        "direct": "Antwort:",
        "native-cot": "Schritt-für-Schritt-Antwort:",
        "english-cot": "Step-by-Step Answer:",
    }
    for prompt, heading in headings.items():
        assert said[prompt][0].startswith("Frage: Roger hat 5 Tennisbälle.")
        assert said[prompt][-2].startswith(problem)
        assert all(text.endswith(f"?\n{heading}") or text.endswith(f".\n{heading}") for text in said[prompt][:-1:2])
    assert said["direct"][1::2] == ["11", "29", "39", "9", "33", "8", "8", "5", "18"]
    assert said["native-cot"][1].startswith("Roger begann mit 5 Bällen.")
    assert said["native-cot"][-1] == "Die Antwort ist 18."
    assert said["english-cot"][1].startswith("Roger started with 5 balls.")
    assert said["english-cot"][-1] == "The answer is 18."
    assert [message["role"] for message in read["direct"]["messages"]] == ["user", "assistant"] * 9


def test_english_steps_in_english_are_native_steps(data_folder: Path) -> None:
    files = {prompt: taken(mgsm.read(str(data_folder / "mgsm"), prompt, "8"))[0] for prompt in PROMPTS[2:]}
    native, english = (rows.filter(language="en").sort("row_id") for rows in files.values())
    assert content_hash(native) == content_hash(english)


def test_every_prompt_and_number_of_shots_is_other_content(tmp_path: Path) -> None:
    place = folder_of(tmp_path, exemplars("de", "en"), de="Wie viele?")
    ways = [(prompt, shots) for prompt in PROMPTS for shots in ("0", "8")]
    hashes = {row_hashes(taken(mgsm.read(place, *way))[0])[0] for way in ways}
    assert len(hashes) == len(ways)


def test_unless_asked_otherwise_problems_are_asked_as_ever(tmp_path: Path) -> None:
    rows, _ = taken(mgsm.read(folder_of(tmp_path, exemplars("de"), de="Wie viele?")))
    assert contents(rows.to_dicts()[0]) == [
        "Question:\nWie viele?\nAnswer:\nDenken wir Schritt für Schritt.", "Die Antwort ist 18.",
    ]  # fmt: skip
    assert rows["source"].to_list() == ["mgsm"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"prompt": "cot"}, "prompt 'cot': unknown; the prompts are mcot, direct, native-cot, english-cot"),
        ({"shots": "5"}, "shots '5': MGSM has 8 exemplars a language; give 0 or 8"),
        ({"shots": "eight"}, "shots 'eight'"),
        ({"shots": "8"}, "has 7 exemplars in de; give MGSM's folder with its exemplars.json, or leave shots out"),
        ({"prompt": "direct", "split": "train"}, "made for evaluation"),
        ({"promt": "direct"}, "mgsm has no option 'promt'; it takes prompt, shots"),
    ],
)
def test_an_option_that_is_wrong_is_one_clear_line(tmp_path: Path, options: dict[str, str], line: str) -> None:
    place = folder_of(tmp_path / "mgsm", exemplars("de", "en", count=7), de="Wie viele?")
    with pytest.raises(UserError) as refused:
        import_pool("mgsm", place, tmp_path / "pool", **options)  # type: ignore[arg-type]
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "pool").exists()


def test_shots_need_exemplars_of_the_language_and_of_english_for_english_steps(tmp_path: Path) -> None:
    place = folder_of(tmp_path, exemplars("de"), de="Wie viele?", ja="何個？")
    with pytest.raises(UserError, match="has 0 exemplars in ja"):
        taken(mgsm.read(place, shots="8"))
    (tmp_path / "mgsm_ja.tsv").unlink()
    assert len(taken(mgsm.read(place, "native-cot", "8"))[0]) == 1
    with pytest.raises(UserError, match="has 0 exemplars in en"):
        taken(mgsm.read(place, "english-cot", "8"))
    with pytest.raises(UserError, match="has 0 exemplars in de"):
        taken(mgsm.read(str(tmp_path / "mgsm_de.tsv"), "direct", "8"))


def test_a_language_without_words_for_a_prompt_is_refused(tmp_path: Path) -> None:
    place = folder_of(tmp_path, {}, yo="Mélòó?")
    assert len(taken(mgsm.read(place))[0]) == 1
    with pytest.raises(UserError, match="prompt 'direct': it has no words in yo; use prompt=mcot"):
        taken(mgsm.read(place, "direct"))


@pytest.mark.parametrize("shots", ["0", "8"])
def test_an_exemplar_is_never_a_test_problem(tmp_path: Path, shots: str) -> None:
    place = folder_of(tmp_path, exemplars("de"), de=" de problem  3?")
    with pytest.raises(UserError, match="exemplar 3 in de is the test problem mgsm-001"):
        taken(mgsm.read(place, "direct", shots))


def test_no_exemplar_of_mgsm_is_among_its_shots_twice_or_in_its_test(data_folder: Path) -> None:
    rows, _ = taken(mgsm.read(str(data_folder / "mgsm"), "direct", "8"))
    for (tag,), part in rows.group_by("language"):
        asked = part["messages"].list.eval(pl.element().struct.field("content")).list.gather_every(2)
        shown = {text for texts in asked for text in texts[:-1]}
        assert len(shown) == 8, tag
        assert not shown & {texts[-1] for texts in asked}


def test_exemplars_to_train_on_are_asked_in_the_same_way(data_folder: Path, tmp_path: Path) -> None:
    place = data_folder / "mgsm" / "exemplars.json"
    rows, rejected = taken(mgsm.read(str(place), "english-cot"))
    assert rejected == {}
    assert set(rows["split"]) == {"train"}
    japanese = rows.filter(row_id="mgsm-exemplar-1:ja").to_dicts()[0]
    assert question(japanese).startswith("問題：ロジャーは5個")
    assert contents(japanese)[1].startswith("Roger started with 5 balls.")
    assert japanese["answer_language"] == "en"
    found = json.loads(place.read_text(encoding="utf-8"))
    found["MGSM_EXEMPLARS"] = {"ja": found["MGSM_EXEMPLARS"]["ja"]}
    (tmp_path / "exemplars.json").write_text(json.dumps(found))
    with pytest.raises(UserError, match="no English exemplar with its steps"):
        taken(mgsm.read(str(tmp_path / "exemplars.json"), "english-cot"))


def test_shots_of_the_hub_layout_are_its_train_split(tmp_path: Path) -> None:
    folder_of(tmp_path / "files", exemplars("de", "en"), de="Wie viele?", en="How many?")
    for tag, problem in (("de", "Wie viele?"), ("en", "How many?")):
        pairs = exemplars(tag)["MGSM_EXEMPLARS"][tag].values()
        train = [{"question": pair["q"], "answer": pair["a"], "answer_number": n} for n, pair in enumerate(pairs, 1)]
        write_parquet(tmp_path / "hub" / tag / "train-00000-of-00001.parquet", train)
        test = [{"question": problem, "answer": None, "answer_number": 18}]
        write_parquet(tmp_path / "hub" / tag / "test-00000-of-00001.parquet", test)
    for prompt in PROMPTS:
        files, _ = taken(mgsm.read(str(tmp_path / "files"), prompt, "8"))
        hub, _ = taken(mgsm.read(str(tmp_path / "hub"), prompt, "8"))
        assert hub.filter(split="test").sort("row_id").equals(files.sort("row_id"))


def test_a_colon_within_a_problem_is_no_heading(tmp_path: Path) -> None:
    question = "Leah had 32 chocolates. Note: she ate 3. How many are left?"
    write_json(tmp_path / "en" / "train.jsonl", {"question": question, "answer": "29.", "answer_number": 29})
    (row,) = taken(mgsm.read(str(tmp_path)))[0].to_dicts()
    assert contents(row) == [ask("en", question), "29.\nThe answer is 29."]


def test_a_pool_tells_how_its_problems_are_asked(data_folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "mgsm"
    place.mkdir()
    for name in ("mgsm_th.tsv", "exemplars.json"):
        shutil.copy(data_folder / "mgsm" / name, place)
    import_pool("mgsm", place, tmp_path / "pool", prompt="native-cot", shots="8")
    rows = open_pool(str(tmp_path / "pool")).take("math", "th", "test", ["mgsm-001"])
    assert rows["source"].to_list() == ["mgsm native-cot 8-shot"]


def test_msvamp_is_asked_in_the_same_ways_without_shots(tmp_path: Path) -> None:
    path = write_json(tmp_path / "test_ja.json", {"question": "何個？", "answer": "8.0"}, array=True)
    rows = {prompt: taken(msvamp.read(str(path), prompt))[0].to_dicts()[0] for prompt in PROMPTS}
    assert {prompt: contents(row) for prompt, row in rows.items()} == {
        "mcot": [ask("ja", "何個？"), "答えは8です。"],
        "direct": ["問題：何個？\n答え：", "8"],
        "native-cot": ["問題：何個？\nステップごとの答え：", "答えは8です。"],
        "english-cot": ["問題：何個？\nStep-by-Step Answer:", "The answer is 8."],
    }
    assert [row["source"] for row in rows.values()] == [
        "msvamp",
        *(f"msvamp {prompt} 0-shot" for prompt in PROMPTS[1:]),
    ]
    with pytest.raises(UserError, match="msvamp has no option 'shots'; it takes prompt"):
        import_pool("msvamp", path, tmp_path / "pool", shots="8")


def test_every_language_has_all_words_and_its_sentences_are_understood() -> None:
    for tag in WORDED:
        texts = [ask(tag, "q", prompt) for prompt in PROMPTS]
        assert len(set(texts)) == (3 if tag == "en" else 4)
        assert get_task("math").score("18", "18", language=tag).verdict == "correct"
