"""What is wrong in a pool is found, and what is right is left alone."""

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from glotmix.cli import app
from glotmix.errors import GlotmixError, UserError
from glotmix.pool import open_pool
from glotmix.pool.checks import CHECKS, FINDINGS_SCHEMA, check_pool, failing, open_folder, save
from glotmix.pool.checks import answers as answers_check
from glotmix.pool.checks import language as language_check
from glotmix.pool.checks.finding import Examined, Finding
from glotmix.pool.checks.text import key, portions
from glotmix.pool.folder import FolderPool
from glotmix.pool.inspect import inspect_pool
from glotmix.pool.intake import REJECTED_SCHEMA
from glotmix.pool.write import REJECTED
from small_pool import gsm8k, gsm8k_rows, mgsm_rows, row, small_portions, write_pool

NOISE = "abcdefghijklmnoprstuvw"


def run(check: str, pool: FolderPool) -> list[Finding]:
    return [finding for finding in CHECKS[check](Examined(pool)) if len(finding.rows)]


def found(check: str, pool: FolderPool) -> set[str]:
    return {row_id for finding in run(check, pool) for row_id in finding.rows["row_id"]}


def keys(*texts: str) -> list[str | None]:
    return pl.DataFrame({"text": texts}).select(key(pl.col("text"))).to_series().to_list()


def sentence(number: int, words: int = 20) -> str:
    """One of many texts that share no phrase."""
    noise = random.Random(number)
    return " ".join("".join(noise.choices(NOISE, k=noise.randint(2, 9))) for _ in range(words)) + "."


# a text is the same text whatever its dress


@pytest.mark.parametrize(
    "texts",
    [
        ("It costs $1,000.00!", "it  costs 1 000", "It costs 1.000 .", "IT COSTS\n1000", "It costs １０００"),
        ("Straße, 5 km", "STRASSE 5 KM"),
        ("२० फल", "20 फल"),
        ("૨૦ ફળ", "20 ફળ", "᠒᠐ ફળ"),
        ("😀 😀", "😀😀"),
        ("1,14,200", "114200"),
        ("「りんごは3個。」", "りんごは 3 個"),
        ("3 × 2 − 1", "3*2-1"),
    ],
)
def test_texts_that_differ_in_their_dress_have_one_key(texts: tuple[str, ...]):
    assert len(set(keys(*texts))) == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [("3 + 2", "3 - 2"), ("1.5 kg", "15 kg"), ("-5", "5"), ("x < 3", "x > 3"), ("กา", "กำ"), ("1/2", "12"), ("é", "e")],
)
def test_texts_that_differ_in_what_they_say_have_two(one: str, two: str):
    assert len(set(keys(one, two))) == 2


def test_a_text_of_signs_alone_is_its_signs_and_a_blank_one_is_no_text():
    assert keys("", " \n", " ... ", "?!", "…") == [None, None, "...", "?!", "..."]


def test_portions_hold_every_row_once_and_at_most_one_beyond_their_size(monkeypatch):
    monkeypatch.setattr("glotmix.pool.checks.text.AT_ONCE", 10)
    sizes = pl.Series([0, 4, 6, 1, 30, 0, 2, 9, None, 10])
    parts = list(portions(sizes.to_frame("size"), sizes))
    assert pl.concat(parts)["size"].to_list() == sizes.to_list()
    assert [part["size"].to_list() for part in parts] == [[0, 4], [6, 1], [30, 0, 2], [9, None], [10]]
    assert not list(portions(sizes.to_frame("size").clear(), sizes.clear()))


# bad rows in a real pool


def test_each_bad_row_is_found_by_its_check_and_nothing_else_is(tmp_path: Path, data_folder: Path):
    rows = {str(one["row_id"]): one for one in [*mgsm_rows(data_folder), *clean(data_folder)]}
    assert check_pool(write_pool(tmp_path / "clean", list(rows.values()))).rows.is_empty()

    def prompt(row_id: str) -> str:
        return str(rows[row_id]["messages"][0]["content"])

    question, same = prompt("gsm8k-train-3:en"), str(rows["gsm8k-train-4:en"]["reference"])
    bad = [
        row("german", prompt("mgsm-1:de") + " Und warum?", "18", "18", language="fr", split="test"),
        row("latin", "Skolko yablok ostalos u Mashi posle obeda?", "18", "18", language="ru", split="test"),
        row("twice", question.upper() + " ", source="gsm8k"),
        row(
            "nearly",
            prompt("gsm8k-train-4:en").replace(" ", " surely ", 1),
            f"The answer is {same}.",
            same,
            source="gsm8k",
        ),
        row("held-out", prompt("gsm8k-train-5:en") + "!", split="validation", source="gsm8k"),
        row("tested", prompt("mgsm-9:en").lower(), source="gsm8k"),
        row("wrong", sentence(1), "So there are 8 of them.", source="gsm8k"),
        row("unreadable", sentence(2), None, "seven", split="test"),
        row("short", "So?", source="gsm8k"),
    ]
    rows |= {str(one["row_id"]): one for one in bad}
    longer = rows["mgsm-20:zh"]
    rows["mgsm-20:zh"] = row(
        "mgsm-20", prompt("mgsm-20:zh") * 9, "18", "18", language="zh", split="test", source="mgsm"
    )
    del rows["mgsm-30:sw"]
    report = check_pool(write_pool(tmp_path / "bad", list(rows.values())))
    assert longer != rows["mgsm-20:zh"]
    assert set(report.rows.select("check", "row_id").rows()) == {
        ("language", "german:fr"),
        ("script", "latin:ru"),
        ("exact_duplicates", "twice:en"),
        ("near_duplicates", "nearly:en"),
        ("exact_duplicates", "gsm8k-train-5:en"),
        ("exact_duplicates", "tested:en"),
        ("contamination", "tested:en"),
        ("answers", "wrong:en"),
        ("answers", "unreadable:en"),
        ("parallel", "mgsm-30:en"),
        ("lengths", "mgsm-20:zh"),
        ("lengths", "short:en"),
    }
    severe = dict(report.rows.select("row_id", "severity").rows())
    assert severe["twice:en"] == "warning"
    assert severe["gsm8k-train-5:en"] == severe["tested:en"] == "error"


def clean(data_folder: Path) -> Iterable[dict[str, object]]:
    return gsm8k_rows(gsm8k(data_folder, "train", 400), "train")


@settings(max_examples=8, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_finding(tmp_path_factory, order: random.Random):
    rows = [
        row(f"{split}-{n}", sentence(n), split=split)
        for split in ("train", "test")
        for n in range(0, 40, 1 + (split == "test"))
    ]
    rows += [row(f"near-{n}", sentence(n).replace(".", " indeed."), "8") for n in range(10)]
    first = check_pool(write_pool(tmp_path_factory.mktemp("one"), rows))
    order.shuffle(rows)
    second = check_pool(write_pool(tmp_path_factory.mktemp("two"), rows))
    assert first.findings.equals(second.findings)
    assert first.rows.equals(second.rows)
    assert {"contamination", "exact_duplicates", "near_duplicates", "answers"} <= set(first.findings["check"])


# duplicates


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(st.integers(0, 199), st.sampled_from(["same", "spaced", "word more", "letter less"]), max_size=30)
)
def test_injected_duplicates_are_always_found_and_nothing_else(tmp_path_factory, copies: dict[int, str]):
    change = {
        "same": str,
        "spaced": lambda text: text.upper().replace(" ", "  "),
        "word more": lambda text: "hm, " + text,
        "letter less": lambda text: text[:-2],
    }
    rows = [row(f"a{n:03}", sentence(n)) for n in range(200)]
    rows += [row(f"b{n:03}", change[how](sentence(n)), split="validation") for n, how in copies.items()]
    rows += [row(f"c{n:03}", change[how](sentence(n))) for n, how in copies.items()]
    pool = write_pool(tmp_path_factory.mktemp("pool"), rows)
    twice = found("exact_duplicates", pool) | found("near_duplicates", pool)
    assert twice == {f"{letter}{n:03}:en" for n in copies for letter in "ac"}


def test_a_duplicate_is_the_row_that_can_go(tmp_path: Path):
    rows = [row(name, sentence(7), split=split) for name, split in [("b", "train"), ("a", "train"), ("c", "test")]]
    across = run("exact_duplicates", write_pool(tmp_path / "across", rows))
    assert [(f.severity, f.cell.split, f.rows.select("row_id", "other").rows()) for f in across] == [
        ("error", "train", [("a:en", "c:en"), ("b:en", "c:en")])
    ]
    within = run("exact_duplicates", write_pool(tmp_path / "within", rows[:2]))
    assert [(f.severity, f.rows.select("row_id", "other").rows()) for f in within] == [("warning", [("b:en", "a:en")])]


def test_a_problem_with_other_numbers_is_another_problem(tmp_path: Path):
    text = sentence(1, words=40) + " He has {} of them."
    rows = [row(f"a{n}", text.format(n)) for n in (3, 5)] + [row("b", text.format(5).replace("He", "She"))]
    pool = write_pool(tmp_path, rows)
    assert found("near_duplicates", pool) == {"b:en"}


def test_a_prompt_with_another_answer_is_no_near_duplicate_and_an_exact_one_says_so(tmp_path: Path):
    text = sentence(1)
    rows = [row("a", text), row("b", "hm " + text, reference="8"), row("c", text.upper(), reference="9")]
    pool = write_pool(tmp_path, rows)
    assert not found("near_duplicates", pool)
    (finding,) = run("exact_duplicates", pool)
    assert finding.rows.rows() == [("c:en", "a:en", "same prompt, another answer")]


def test_a_phrase_that_all_prompts_share_makes_no_duplicates(tmp_path: Path):
    phrase = (
        "You are a careful assistant. Read the request below, then choose the right tool and answer with its call: "
    )
    assert not found(
        "near_duplicates", write_pool(tmp_path, [row(f"a{n}", phrase + sentence(n, 6)) for n in range(60)])
    )


def test_near_duplicates_are_the_same_however_few_texts_are_looked_at_at_once(tmp_path: Path, monkeypatch):
    texts = [sentence(n) for n in range(12)]
    rows = [row(f"a{n}", text) for n, text in enumerate(texts)]
    pool = write_pool(tmp_path, rows + [row(f"b{n}", "well " + text) for n, text in enumerate(texts)])
    at_once = small_portions(monkeypatch, "near", 1_000)
    assert found("near_duplicates", pool) == {f"b{n}:en" for n in range(12)}
    assert max(at_once) < 1_000 + 2 * 250 < sum(at_once)


def test_the_same_text_in_two_languages_is_no_duplicate(tmp_path: Path):
    rows = [row("a", sentence(1)), row("b", sentence(1), language="sw")]
    pool = write_pool(tmp_path, rows)
    assert not found("exact_duplicates", pool) | found("near_duplicates", pool)


# languages and scripts


def test_rows_that_prove_no_language_are_counted_as_skipped(tmp_path: Path):
    texts = ["12 + 7 = ?", "OK", "Ana?", "Wie viele Äpfel hat sie am Ende des Tages noch übrig?"]
    rows = [row(f"a{n}", text, "18", language="de") for n, text in enumerate(texts)]
    rows += [row("klingon", "nuqneH tlhIngan maH taH", "18", language="tlh")]
    by_tag = {f.cell.language: f for f in language_check.language(Examined(write_pool(tmp_path, rows)))}
    assert [(by_tag[tag].checked, by_tag[tag].skipped, len(by_tag[tag].rows)) for tag in ("de", "tlh")] == [
        (1, 3, 0),
        (0, 1, 0),
    ]


def test_a_language_tag_that_is_wrong_throughout_is_an_error_and_a_sample_has_an_interval(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(language_check, "ROWS", 40)
    german = "Wie viele Äpfel hat sie am Ende des Tages noch übrig, wenn sie {} davon isst?"
    spanish = "¿Cuántas manzanas le quedan al final del día si se come {} de ellas?"
    texts = [(german if n % 4 else spanish).format(n) for n in range(400)]
    pool = write_pool(tmp_path, [row(f"a{n}", text, "7", language="es") for n, text in enumerate(texts)])
    (finding,) = check_pool(pool).findings.filter(check="language").iter_rows(named=True)
    assert (finding["severity"], finding["checked"], finding["of"]) == ("error", 40, 400)
    assert 0.5 < finding["low"] < 0.75 < finding["high"] < 1


def test_an_english_title_does_not_make_a_request_english(tmp_path: Path):
    texts = {
        "zh": "播放 Another Passenger from Louis Nelson Delisle",
        "ar": "شغِّل ألبوم Everybody Happy لـ Lee Aaron Junior",
    }
    pool = write_pool(tmp_path, [row("a", text, "18", language=tag) for tag, text in texts.items()])
    assert not found("language", pool) | found("script", pool)


def test_an_english_frame_around_requests_does_not_make_them_english(tmp_path: Path):
    frame = "You are a careful assistant. Choose the right tool from this list and answer with its call.\n{}"
    texts = {
        "de": "Wie viele Äpfel hat sie am Ende des Tages noch übrig, Nummer {}?",
        "th": "เธอเหลือแอปเปิ้ลกี่ผลในตอนท้ายของวัน ข้อ {}",
    }
    rows = [row(f"a{n}", frame.format(texts[tag].format(n)), "7", language=tag) for tag in texts for n in range(20)]
    rows.append(row("b", frame.format("How many apples are left at the end of the day?"), "7", language="th"))
    pool = write_pool(tmp_path, rows)
    assert found("language", pool) == found("script", pool) == {"b:th"}


def test_chinese_in_a_japanese_row_is_found_though_their_scripts_overlap(tmp_path: Path):
    pool = write_pool(tmp_path, [row("a", "安娜有三个苹果,又买了四个,她一共有几个苹果?", "18", language="ja")])
    assert found("language", pool) == {"a:ja"}


@pytest.mark.parametrize("source", ["mgsm", "sib200_flores", "opensource_guide", "tldr_pages", "xsid"])
def test_real_texts_are_hardly_ever_taken_for_another_language(tmp_path: Path, data_folder: Path, monkeypatch, source):
    monkeypatch.setattr(language_check, "ROWS", 150)
    pool = write_pool(tmp_path, real_rows(data_folder, source))
    findings = list(language_check.language(Examined(pool)))
    shares = {tuple(f.cell): len(f.rows) / max(1, f.checked) for f in findings}
    print({place: share for place, share in shares.items() if share})
    most = {"mgsm": 0, "sib200_flores": 0, "opensource_guide": 0, "tldr_pages": 0.01, "xsid": 0.04}  # xsid: song titles
    assert max(shares.values()) <= most[source]
    assert all(finding.severity == "warning" for finding in findings)
    assert not found("script", pool)


def real_rows(data_folder: Path, source: str) -> list[dict[str, object]]:
    """Prompts of a real data set under their languages."""
    if source == "mgsm":
        return mgsm_rows(data_folder)
    texts: list[tuple[str, str]] = []
    for file in sorted((data_folder / source).glob("*_*.jsonl" if source != "xsid" else "*.test.conll")):
        tag = language_of(file, source)
        lines = file.read_text(encoding="utf-8").splitlines()
        if source == "xsid":
            texts += [(tag, line.partition("text = ")[2]) for line in lines if line.startswith("# text = ")]
        else:
            texts += [(tag, text) for line in lines for text in prompts(json.loads(line))]
    return [row(f"{source}-{n}", text, None, language=tag, task="api_calls") for n, (tag, text) in enumerate(texts)]


def language_of(file: Path, source: str) -> str:
    name = file.name.split(".")[0].removeprefix("sections_").removeprefix("tldr_")
    three = {"arb": "ar", "ben": "bn", "deu": "de", "eng": "en", "fra": "fr", "jpn": "ja", "kor": "ko"}
    three |= {"por": "pt", "rus": "ru", "spa": "es", "swh": "sw", "tha": "th", "zho": "zh"}
    return three[name[:3]] if source == "sib200_flores" else {"zh-hans": "zh", "pt_BR": "pt-BR"}.get(name, name)


def prompts(record: dict) -> list[str]:
    return [example["text"] for example in record["examples"]] if "examples" in record else [record["text"]]


# answers, parallel items, lengths


def test_own_answers_are_scored_by_their_task(tmp_path: Path, monkeypatch):
    call = '{"name": "set_alarm", "arguments": {"hour": 7}}'
    rows = [
        row("right", "q", "The answer is 7."),
        row("no number", "q", "I do not know."),
        row("free", "q", "Anything at all.", ""),
        row("same call", "q", call, call, task="api_calls"),
        row("no call", "q", "set_alarm(7)", call, task="api_calls"),
        row("prompt only", "q", None, "7", split="test"),
        row("no reference", "q", "7", "", split="test"),
    ]
    pool = write_pool(tmp_path, rows)
    assert found("answers", pool) == {"no number:en", "no call:en", "no reference:en"}
    by_place = {(f.cell.task, f.cell.split): f for f in answers_check.answers(Examined(pool))}
    assert (by_place["math", "train"].checked, by_place["math", "train"].skipped) == (2, 1)
    assert (by_place["math", "test"].checked, by_place["math", "test"].skipped) == (1, 1)


def test_only_sources_that_are_parallel_with_the_anchor_are_expected_to_be_complete(tmp_path: Path):
    rows = [row(f"m{n}", "q", language=tag, source="m") for tag in ("en", "fr", "sw") for n in range(10)]
    rows += [row(f"g{n}", "q", source="g") for n in range(30)] + [
        row(f"s{n}", "q", language="sw", source="s") for n in range(5)
    ]
    rows = [one for one in rows if one["row_id"] not in ("m3:sw", "m4:fr")]
    (french, swahili) = run("parallel", write_pool(tmp_path, rows))
    assert (french.cell.language, french.rows.rows(), french.checked) == ("fr", [("m4:en", None, "no row in fr")], 10)
    assert (swahili.cell.language, swahili.rows.rows(), swahili.checked) == (
        "sw",
        [("m3:en", None, "no row in sw")],
        10,
    )


def test_a_translation_that_stops_early_is_found_by_the_ratio_to_its_anchor(tmp_path: Path):
    texts = [sentence(n, words=5 + n % 60) for n in range(200)]  # lengths vary so much that none is odd by itself
    rows = [row(f"a{n}", text) for n, text in enumerate(texts)]
    rows += [row(f"a{n}", text[: len(text) // (8 if n == 50 else 1)], language="sw") for n, text in enumerate(texts)]
    (finding,) = run("lengths", write_pool(tmp_path, rows))
    assert finding.rows["row_id"].to_list() == ["a50:sw"]
    assert "times as long as the anchor's" in finding.rows["detail"][0]


def test_each_source_has_lengths_of_its_own_and_few_rows_have_none(tmp_path: Path):
    rows = [row(f"long{n}", sentence(n), source="a") for n in range(100)]
    rows += [row(f"short{n}", sentence(n, words=1), source="b") for n in range(100)]
    rows += [row(f"few{n}", "q" * 9**n, source="c") for n in range(5)]
    pool = write_pool(tmp_path, rows)
    assert not found("lengths", pool)
    (finding,) = (f for f in CHECKS["lengths"](Examined(pool)))
    assert (finding.checked, finding.skipped) == (200, 5)


# the report


def test_the_prompt_is_all_that_comes_before_the_answer(tmp_path: Path):
    turns = [
        {"role": role, "content": text}
        for role, text in [("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "v")]
    ]
    rows = [
        row("a", "q") | {"messages": turns},
        row("b", "q") | {"messages": [*turns, {"role": "assistant", "content": "w"}]},
    ]
    rows.append(row("c", "s u a v"))
    assert found("exact_duplicates", write_pool(tmp_path, rows)) == {"b:en", "c:en"}


def test_every_finding_leads_to_its_rows_and_their_text(tmp_path: Path):
    pool = write_pool(tmp_path, [row(f"a{n}", sentence(n // 2)) for n in range(20)])
    report = check_pool(pool)
    (finding,) = report.findings.iter_rows(named=True)
    assert (finding["rows"], len(finding["examples"])) == (10, 5)
    assert report.rows.height == 10
    assert {*finding["examples"], *report.rows["other"][:5]} == set(report.texts["row_id"])
    out = save(report, pool.folder)
    assert pl.read_parquet(out / "rows.parquet").equals(report.rows)
    assert pl.read_parquet(out / "findings.parquet").schema == FINDINGS_SCHEMA
    assert open_folder(str(tmp_path)).languages("math") == ("en",)


def test_an_empty_pool_has_no_findings(tmp_path: Path):
    report = check_pool(write_pool(tmp_path, []))
    assert report.findings.schema == FINDINGS_SCHEMA
    assert report.findings.is_empty()


def test_progress_is_told_once_per_check_and_cell(tmp_path: Path):
    told = []
    check_pool(
        write_pool(tmp_path, [row("a", "q"), row("b", "r", split="test")]), progress=lambda *done: told.append(done)
    )
    assert len(told) == len(set(told)) == 2 * len(CHECKS)


def test_a_pool_fails_on_what_it_is_told_to_fail_on(tmp_path: Path):
    findings = check_pool(write_pool(tmp_path, [row("a", sentence(1)), row("b", sentence(1))])).findings
    assert failing(["error", "language"])(findings) == ""
    for names in (["warning"], ["exact_duplicates"], ["error", "warning"]):
        assert failing(names)(findings) == f"the pool fails --fail-on {' '.join(names)}: exact_duplicates 1 rows"
    with pytest.raises(UserError, match=r"'spelling'.*lengths"):
        failing(["spelling"])


def test_a_pool_that_can_not_be_written_or_is_no_folder_is_told_in_one_line(tmp_path: Path):
    report = check_pool(write_pool(tmp_path, [row("a", "q")]))
    (tmp_path / "check").write_text("in the way")
    with pytest.raises(GlotmixError, match="check"):
        save(report, tmp_path)
    with pytest.raises(UserError, match=r"lab.*generated"):
        open_folder("lab")


def test_the_command_prints_findings_and_fails_with_one_line(tmp_path: Path):
    write_pool(tmp_path / "pool", [row("a", sentence(1)), row("b", sentence(1), split="test")])
    args = ["pool", "check", str(tmp_path / "pool"), "--html", str(tmp_path / "page.html")]
    fine = CliRunner().invoke(app, args)
    assert fine.exit_code == 0
    assert "math en train  1 of 1" in fine.stdout
    assert "a:en" in (tmp_path / "page.html").read_text(encoding="utf-8")
    as_json = json.loads(CliRunner().invoke(app, [*args, "--json"]).stdout)
    assert [finding["check"] for finding in as_json] == ["contamination", "exact_duplicates"]
    failed = CliRunner().invoke(app, [*args, "--fail-on", "contamination"])
    assert isinstance(failed.exception, GlotmixError)
    assert failed.exception.exit_code == 1
    assert len(str(failed.exception).splitlines()) == 1


# inspect


def test_inspect_tells_what_is_in_every_cell(tmp_path: Path):
    rows = [
        row("a", "12345", "1234567890"),
        row("b", "123", "12", source="other"),
        row("a", "123456", None, language="fr"),
    ]
    pool = write_pool(tmp_path, rows)
    rejected = [("f", 1, "no number", "x"), ("f", 2, "no number", "y"), ("f", 3, "too long", "z")]
    pl.DataFrame(rejected, REJECTED_SCHEMA, orient="row").write_parquet(tmp_path / REJECTED)
    told = inspect_pool(pool)
    english, french = told.cells.iter_rows(named=True)
    assert english == {
        "task": "math", "language": "en", "split": "train", "rows": 2, "parallel": 2,
        "prompt_mean": 4.0, "prompt_median": 4.0, "answer_mean": 6.0, "answer_median": 6.0,
        "origin": "native", "source": "other, toy", "licence": "CC0",
    }  # fmt: skip
    assert (french["rows"], french["parallel"], french["answer_mean"]) == (1, 1, None)
    assert told.rejected.rows() == [("no number", 2), ("too long", 1)]
    shown = CliRunner().invoke(app, ["pool", "inspect", str(tmp_path)])
    assert "2 records set aside at import: no number" in shown.output
    assert re.search(r"other, toy +native +CC0 +2 +en\b", shown.output) and re.search(
        r"toy +native +CC0 +1 +fr\b", shown.output
    )
    assert len(json.loads(CliRunner().invoke(app, ["pool", "inspect", str(tmp_path), "--json"]).stdout)) == 2


def test_inspect_reads_generated_and_empty_pools_too(tmp_path: Path):
    lab = inspect_pool(open_pool("lab")).cells
    assert lab.height == 4 * 14 * 3
    assert lab.filter(language="th", split="train")["rows"].unique().to_list() == [100_000]
    assert inspect_pool(write_pool(tmp_path, [])).cells.is_empty()
