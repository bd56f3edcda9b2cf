"""Tool-call sources: every real row is imported or rejected with its reason, and every reference can be scored."""

import contextlib
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.pool.intake import Unusable, checked
from glotmix.pool.sources import api_bank, bfcl, xsid
from glotmix.task import get_task

XSID_LANGUAGES = ["ar", "de", "en", "id", "it", "ja", "tr", "zh"]


def imported(batches: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All sound rows and all rejections, as an import has them."""
    found = list(checked(batches))
    return pl.concat(batch.rows for batch in found), pl.concat(batch.rejected for batch in found)


def reasons(rejected: pl.DataFrame) -> dict[str, int]:
    return dict(Counter(rejected["reason"]))


def calls(rows: pl.DataFrame) -> dict[str, Any]:
    return {row["row_id"]: json.loads(row["reference"]) for row in rows.iter_rows(named=True)}


def assert_scored_correct(rows: pl.DataFrame) -> None:
    task = get_task("api_calls")
    for row in rows.iter_rows(named=True):
        answer = row["messages"][-1]
        assert answer["role"] == "assistant"
        score = task.score(answer["content"], row["reference"], language=row["language"])
        assert score.verdict == "correct", row["row_id"]


@pytest.fixture(scope="module")
def xsid_rows(data_folder: Path) -> pl.DataFrame:
    rows, rejected = imported(xsid.read(str(data_folder / "xsid")))
    assert rejected.is_empty()
    return rows


def test_every_xsid_row_is_taken_and_scored(xsid_rows: pl.DataFrame) -> None:
    counts = Counter(xsid_rows.select("language", "split").iter_rows())
    size = {"test": 500, "validation": 300}
    assert counts == {
        (language, split): rows // 2 if language == "ja" else rows
        for language in XSID_LANGUAGES
        for split, rows in size.items()
    }
    assert_scored_correct(xsid_rows)


def test_xsid_items_are_translations_of_the_same_english_request(xsid_rows: pl.DataFrame, data_folder: Path) -> None:
    request = pl.col("messages").list.first().struct.field("content").str.split("\n").list.last()
    asked = dict(xsid_rows.select("row_id", request).iter_rows())
    pairs = 0
    for file in (data_folder / "xsid").glob("*.conll"):
        language, part, _ = file.name.split(".")
        for block in [] if language == "en" else file.read_text(encoding="utf-8").split("\n\n"):
            headers = dict(re.findall(r"^# ([\w-]+) = (.*)$", block, re.MULTILINE))
            if headers:
                assert asked[f"xsid-{part}-{headers['id']}:{language}"] == headers["text"].strip()
                assert asked[f"xsid-{part}-{headers['id']}:en"] == headers["text-en"].strip()
                pairs += 1
    assert pairs == 6 * 800 + 400


def test_xsid_values_are_words_of_the_request_in_its_own_language(xsid_rows: pl.DataFrame) -> None:
    for row in xsid_rows.iter_rows(named=True):
        request = row["messages"][0]["content"].splitlines()[-1]
        for value in json.loads(row["reference"])["arguments"].values():
            assert all(part in request and part for part in ([value] if isinstance(value, str) else value))
    snooze = calls(xsid_rows.filter(pl.col("item_id") == "xsid-test-7"))
    assert {row_id: call["arguments"]["datetime"] for row_id, call in snooze.items()} == {
        "xsid-test-7:ar": "خمس دقائق", "xsid-test-7:de": "fünf Minuten", "xsid-test-7:en": "five minutes",
        "xsid-test-7:id": "lima menit", "xsid-test-7:it": "cinque minuti", "xsid-test-7:ja": "5 分間",
        "xsid-test-7:tr": "5 dakika", "xsid-test-7:zh": "五分钟",
    }  # fmt: skip


def block(text: str, *tokens: str, intent: str = "weather/find", number: str = "# id = 1\n") -> str:
    lines = [f"{place}\t{token}" for place, token in enumerate(tokens, start=1)]
    return f"{number}# text = {text}\n# intent = {intent}\n" + "\n".join(lines) + "\n"


def tokens(words: str, *tags: str) -> list[str]:
    return [f"{word}\tweather/find\t{tag}" for word, tag in zip(words.split(), tags, strict=True)]


def test_spoilt_xsid_blocks_are_rejected_with_their_reason(tmp_path: Path) -> None:
    good = block("rain in Rom", *tokens("rain in Rom", "B-weather/attribute", "O", "B-location"))
    bad = {
        "tokens do not make the text": block("rain here", *tokens("rain there", "O", "O")),
        "tokens do not make all of the text": block("rain here", *tokens("rain", "O")),
        "unknown slot tag": block("rain", *tokens("rain", "B-shell")),
        "unknown intent": block("rain", *tokens("rain", "O"), intent="rm"),
        "wrong column count": block("rain", "rain\tO"),
        "no id": block("rain", *tokens("rain", "O"), number=""),
        "empty question": block("", "\tweather/find\tO"),
    }
    (tmp_path / "it.test.conll").write_text("\n".join([good, *bad.values()]), encoding="utf-8")
    rows, rejected = imported(xsid.read(str(tmp_path / "it.test.conll")))
    assert reasons(rejected) == dict.fromkeys(bad, 1)
    assert calls(rows)["xsid-test-1:it"]["arguments"] == {"weather/attribute": "rain", "location": "Rom"}


def test_a_slot_named_twice_holds_a_list_and_i_continues_only_its_own_slot(tmp_path: Path) -> None:
    tags = ["B-location", "I-location", "B-location", "O", "B-datetime"]
    text = block("New York Boston , now", *tokens("New York Boston , now", *tags))
    orphan = block("New York", *tokens("New York", "O", "I-location"), number="# id = 2\n")
    other = block("New York", *tokens("New York", "B-location", "I-datetime"), number="# id = 3\n")
    (tmp_path / "de.valid.conll").write_text(f"{text}\n{orphan}\n{other}", encoding="utf-8")
    rows, rejected = imported(xsid.read(str(tmp_path)))
    assert calls(rows)["xsid-valid-1:de"]["arguments"] == {"location": ["New York", "Boston"], "datetime": "now"}
    assert reasons(rejected) == {"unknown slot tag": 2}


def test_english_xsid_items_keep_their_number_past_a_spoilt_block(tmp_path: Path) -> None:
    good = block("rain", *tokens("rain", "O"), number="").encode()
    (tmp_path / "en.test.conll").write_bytes(b"\n".join([good, good.replace(b"rain", b"r\xe4in"), good]))
    rows, rejected = imported(xsid.read(str(tmp_path)))
    assert rows["item_id"].to_list() == ["xsid-test-1", "xsid-test-3"]
    assert reasons(rejected) == {"not UTF-8": 1}


def test_xsid_valid_may_become_training_rows_but_test_never(tmp_path: Path) -> None:
    for part in ("valid", "test"):
        (tmp_path / f"de.{part}.conll").write_text(block("rain", *tokens("rain", "O")))
    rows, _ = imported(xsid.read(str(tmp_path), split="train"))
    assert dict(rows.select("item_id", "split").iter_rows()) == {"xsid-valid-1": "train", "xsid-test-1": "test"}
    with pytest.raises(UserError, match="no valid file"):
        imported(xsid.read(str(tmp_path / "de.test.conll"), split="train"))
    (tmp_path / "german.conll").write_text(block("rain", *tokens("rain", "O")))
    with pytest.raises(UserError, match=r"named by language and part, like de\.test\.conll"):
        imported(xsid.read(str(tmp_path)))


def test_every_bfcl_row_is_taken_but_two_that_no_answer_is_right_for(data_folder: Path) -> None:
    rows, rejected = imported(bfcl.read(str(data_folder / "bfcl_v4_en")))
    assert Counter(rejected["reason"]) == {"a parameter without accepted value": 2}
    taken = Counter(re.sub(r"[-_0-9]*$", "", item) for item in rows["item_id"])
    assert taken == {
        "bfcl-simple_python": 400, "bfcl-multiple": 200, "bfcl-live_simple": 256, "bfcl-irrelevance": 240,
        "bfcl-parallel": 200, "bfcl-parallel_multiple": 200, "bfcl-live_parallel": 16,
        "bfcl-live_parallel_multiple": 24,
    }  # fmt: skip
    assert set(rows["split"]) == {"test"}
    assert_scored_correct(rows)
    found = {row["item_id"]: json.loads(row["messages"][-1]["content"]) for row in rows.iter_rows(named=True)}
    assert found["bfcl-simple_python_0"][0]["arguments"] == {"base": 10, "height": 5, "unit": "units"}
    assert found["bfcl-simple_python_2"] == [{"name": "math.hypot", "arguments": {"x": 4, "y": 5}}]  # z may be left out
    # required, though "" comes first
    assert found["bfcl-simple_python_200"][0]["arguments"]["fuel_efficiency"] == 25.0
    assert Counter(len(calls) for item, calls in found.items() if "irrelevance" in item) == {0: 240}
    assert {len(calls) for item, calls in found.items() if "-multiple" in item or "simple" in item} == {1}
    assert Counter(tuple(message["role"] for message in messages) for messages in rows["messages"]) == {
        ("user", "assistant"): 1524, ("system", "user", "assistant"): 12,
    }  # fmt: skip
    for row in rows.iter_rows(named=True):
        prompt = row["messages"][-2]["content"]
        assert all(call["name"] in prompt for call in found[row["item_id"]])
        assert "Answer with a JSON list of calls" in prompt  # whatever the number of calls, lest it tell


def test_every_accepted_value_of_bfcl_is_in_the_reference(data_folder: Path) -> None:
    rows, _ = imported(bfcl.read(str(data_folder / "bfcl_v4_en" / "BFCL_v4_multiple.json")))
    file = data_folder / "bfcl_v4_en" / "possible_answer" / "BFCL_v4_multiple.json"
    for line, reference in zip(file.read_text(encoding="utf-8").splitlines(), rows["reference"], strict=True):
        read = [{call["name"]: call["accepted"]} for call in json.loads(reference)["calls"]]
        assert read == json.loads(line)["ground_truth"]


def test_an_object_in_a_bfcl_answer_holds_first_accepted_values_too(tmp_path: Path) -> None:
    accepted = {"who": [{"name": ["Li", "LI"], "age": ["", 3]}], "points": [[[1, 2], [3, 4]]], "note": [""]}
    write_bfcl(tmp_path, [{"add": accepted}], required=["who"])
    rows, _ = imported(bfcl.read(str(tmp_path / "BFCL_v4_simple_python.json")))
    (answer,) = json.loads(rows["messages"][0][-1]["content"])
    assert answer == {"name": "add", "arguments": {"who": {"name": "Li"}, "points": [[1, 2], [3, 4]]}}


def write_bfcl(folder: Path, answer: Any, required: list[str], turns: int = 1) -> None:
    properties = {"who": {"type": "dict"}, "points": {"type": "array", "items": {"type": "array"}}, "a": {}}
    parameters = {"type": "dict", "properties": properties, "required": required}
    function = {"name": "add", "description": "", "parameters": parameters}
    turn = [{"role": "user", "content": "Add it."}]
    record = {"id": "simple_python_0", "question": [turn] * turns, "function": [function]}
    (folder / "possible_answer").mkdir(exist_ok=True)
    for path, value in (
        (folder, record),
        (folder / "possible_answer", {"id": "simple_python_0", "ground_truth": answer}),
    ):
        (path / "BFCL_v4_simple_python.json").write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("answer", "turns", "reason"),
    [
        ([{"add": {}}], 2, "several turns"),
        (None, 1, "no accepted calls"),
        (["add()"], 1, "no accepted calls"),
        ([{"add": 5}], 1, "no accepted calls"),
        ([{"add": {"a": 1}}], 1, "a parameter without accepted value"),
        ([{"add": {"a": []}}], 1, "a parameter without accepted value"),
        ([{"add": {"b": [1]}}], 1, "call can't be scored"),
    ],
)
def test_a_bfcl_request_that_no_row_can_hold_is_rejected(tmp_path: Path, answer: Any, turns: int, reason: str) -> None:
    write_bfcl(tmp_path, answer, [], turns)
    with pytest.raises(UserError, match=reason) if reason in UNUSABLE else contextlib.nullcontext():
        rows, rejected = imported(bfcl.read(str(tmp_path)))
        assert (len(rows), reasons(rejected)) == (0, {reason: 1})


UNUSABLE = ("no accepted calls", "call can't be scored")  # where all records are, the file is not BFCL's


def test_bfcl_needs_its_answers_and_its_shape(tmp_path: Path) -> None:
    write_bfcl(tmp_path, [{"add": {"a": [1]}}], [])
    assert len(imported(bfcl.read(str(tmp_path)))[0]) == 1
    (tmp_path / "BFCL_v4_multiple.json").write_text('{"text": "something else"}')
    with pytest.raises(UserError, match=r"possible_answer/BFCL_v4_multiple\.json: can't be read"):
        imported(bfcl.read(str(tmp_path)))
    (tmp_path / "possible_answer" / "BFCL_v4_multiple.json").write_text("")
    with pytest.raises(UserError, match=r"no record gives a row \(line 1: no id, question and function\)"):
        imported(bfcl.read(str(tmp_path)))


INSTRUCTION = (
    "\nGenerate an API request in the format of [ApiName(key1='value1', key2='value2', ...)] based on the previous"
    " dialogue context.\nThe current year is 2023.\nInput: \nUser: User's utterence\n\nExpected output:\n"
    "API-Request: [ApiName(key1='value1', key2='value2', ...)]\n\nAPI descriptions:\n{}"
)
HISTORY = (
    "User: Stocks?\nAPI-Request: [ToolSearcher(keywords='stock')]->{'name': 'QueryStock'}\nGenerate API Request:\n"
)
STOCK = "API-Request: [QueryStock(stock_code='MSFT', date='2022-02-04')]"


def write_api_bank(path: Path, *outputs: str, key: str = "expected_output", **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [{"instruction": INSTRUCTION, "input": HISTORY, key: output, **more} for output in outputs]
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_api_bank_files_are_told_apart_by_their_names(tmp_path: Path) -> None:
    write_api_bank(tmp_path / "training-data/lv1-api-train.json", STOCK, STOCK, key="output")
    write_api_bank(tmp_path / "training-data/lv1-train.json", STOCK, "AI: Sure.", key="output")
    write_api_bank(tmp_path / "training-data/lv1-response-train.json", "AI: Sure.", key="output")
    write_api_bank(tmp_path / "test-data/level-1-api.json", STOCK, file="Stock-level-1-2.jsonl", id=4)
    write_api_bank(tmp_path / "test-data/level-1-response.json", "AI: Sure.")
    write_api_bank(tmp_path / "test-data/level-3-batch-inf.json", STOCK, key="output", sample_id=3, api_id=1)
    write_api_bank(tmp_path / "test-data/level-3-batch-inf-icl.json", STOCK, key="output")
    rows, rejected = imported(api_bank.read(str(tmp_path)))
    assert rejected.is_empty()
    assert dict(rows.select("item_id", "split").iter_rows()) == {
        "api-bank-lv1-api-train-00001": "train",
        "api-bank-lv1-api-train-00002": "train",
        "api-bank-level-1-api-Stock-level-1-2-4": "test",
        "api-bank-level-3-batch-inf-003-1": "test",
    }
    assert_scored_correct(rows)


def test_an_api_bank_test_file_never_becomes_training_rows(tmp_path: Path) -> None:
    for name in ("level-1-api.json", "training/level-3-batch-inf.json", "spanish.json"):
        file = write_api_bank(tmp_path / name, STOCK, key="output")
        assert imported(api_bank.read(str(file)))[0]["split"].to_list() == ["test"]
        with pytest.raises(UserError, match="this is a test file"):
            imported(api_bank.read(str(file), split="train"))


def test_translations_of_api_bank_share_items_and_keep_english_names(tmp_path: Path) -> None:
    english = write_api_bank(tmp_path / "en/lv1-api-train.json", STOCK, "AI: Sure.", key="output")
    french = write_api_bank(
        tmp_path / "fr/lv1-api-train.fr.json", "API-Request: [QueryStock(stock_code='l'Oréal', date='2022-02-04')]",
        key="output",
    )  # fmt: skip
    rows = pl.concat([imported(api_bank.read(str(english)))[0], imported(api_bank.read(str(french), language="fr"))[0]])
    assert rows["item_id"].to_list() == ["api-bank-lv1-api-train-00001"] * 2
    assert rows["origin"].to_list() == ["native", "machine-translated:unknown"]
    assert calls(rows)["api-bank-lv1-api-train-00001:fr"]["arguments"]["stock_code"] == "l'Oréal"
    with pytest.raises(UserError, match="unknown language 'french'"):
        imported(api_bank.read(str(french), language="french"))


def test_references_hold_the_english_values_of_the_same_item(xsid_rows: pl.DataFrame, tmp_path: Path) -> None:
    snooze = xsid_rows.filter(pl.col("item_id") == "xsid-test-7")
    for language, reference in snooze.select("language", "reference").iter_rows():
        other = json.loads(reference).get("other_language")
        assert other is None if language == "en" else other["datetime"] == "five minutes"
    english = write_api_bank(tmp_path / "en/level-1-api.json", STOCK, STOCK.replace("MSFT", "AAPL"))
    french = write_api_bank(tmp_path / "fr/level-1-api.json", STOCK, "[QueryStock(stock_code='Pomme', tag='x')]")
    rows, _ = imported(api_bank.read(str(french), language="fr", english=str(english)))
    others = [json.loads(reference)["other_language"] for reference in rows["reference"]]
    assert others == [{"stock_code": "MSFT", "date": "2022-02-04"}, {"stock_code": "AAPL"}]
    apple = '{"name": "QueryStock", "arguments": {"stock_code": "AAPL", "tag": "x"}}'
    score = get_task("api_calls").score(apple, rows["reference"][1], language="fr")
    assert (score.verdict, score.metrics["other_language"]) == ("wrong", 1)


def test_an_api_bank_prompt_asks_for_the_form_of_its_answer(tmp_path: Path) -> None:
    rows, _ = imported(api_bank.read(str(write_api_bank(tmp_path / "level-2-api.json", STOCK))))
    prompt = rows["messages"][0][0]["content"]
    assert "ApiName(" not in prompt
    assert prompt.count('{"name": "ApiName", "arguments": {"key1": "value1", "key2": "value2", ...}}') == 2
    assert "[ToolSearcher(keywords='stock')]->" in prompt  # what was called before stays as it is


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ("GetToday()", {}),
        ("A(title='L'été d'un chat', day='lundi')", {"title": "L'été d'un chat", "day": "lundi"}),
        ("A(x=\"Stage 2\", y='it''s')", {"x": "Stage 2", "y": "it''s"}),
        ("A(price=2000.0, n=-2, none=None)", {"price": 2000.0, "n": -2, "none": None}),
        ("A(yes=True, no=false)", {"yes": True, "no": False}),
        ("A(day=2023-10-26, at=10:00:00)", {"day": "2023-10-26", "at": "10:00:00"}),
        ("A(who=Dr. O'Hara, where=Unity Hospital)", {"who": "Dr. O'Hara", "where": "Unity Hospital"}),
        ("A(data='[{'name': 'pulse', 'value': '80'}]')", {"data": [{"name": "pulse", "value": "80"}]}),
        ("A(data=[{'name': 'pulse', 'at': [1, 2]}], x='1')", {"data": [{"name": "pulse", "at": [1, 2]}], "x": "1"}),
        ("A(data={\"a\": true, \"b\": \"c, d=e\"})", {"data": {"a": True, "b": "c, d=e"}}),
        ("A(formula='(5+6)*3', note='a, b')", {"formula": "(5+6)*3", "note": "a, b"}),
        ("A(text='say \\'hi\\'', path='C:\\dir')", {"text": "say 'hi'", "path": "C:\\dir"}),
        ("A(ключ='значение', 名前='太郎')", {"ключ": "значение", "名前": "太郎"}),
        ("A(a='x',\n  b = 'y',)", {"a": "x", "b": "y"}),
        ("A(empty='')", {"empty": ""}),
    ],
)  # fmt: skip
def test_a_call_is_read_whatever_its_quotes(written: str, arguments: dict[str, Any]) -> None:
    name = written.partition("(")[0]
    for text in (f"API-Request: [{written}]", f" [{written}]\n"):
        assert api_bank.parse_call(text) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("AI: Sure, I can do that.", "no call"),
        ("", "no call"),
        ("API-Request: [A(x='1')", "no call"),
        ("[A(x='1')" + " " * 20_000 + "]", "no call"),
        ("[A(x='1'), B(y='2')]", "several calls"),
        ("[A(), B()]", "several calls"),
        ("[A(x='1')], [B(y='2')]", "several calls"),
        ("[A(x='1')]\n[B()]", "several calls"),
        ("[A(x='1)]", "arguments can't be told apart"),
        ("[A('1')]", "arguments can't be told apart"),
        ("[A(x='1', x='2')]", "arguments can't be told apart"),
        ("[A(x=)]", "arguments can't be told apart"),
        ("[A(x=__import__('os').system('ls'))]", "arguments can't be told apart"),
    ],
)
def test_what_is_no_single_call_is_unusable(text: str, reason: str) -> None:
    with pytest.raises(Unusable, match=f"^{reason}$"):
        api_bank.parse_call(text)


@pytest.mark.parametrize("value", ["{1}", "b'x'", "1e999", "NaN", "..."])
def test_a_value_that_json_does_not_have_is_rejected(tmp_path: Path, value: str) -> None:
    file = write_api_bank(tmp_path / "level-1-api.json", STOCK, f"API-Request: [A(x={value})]")
    rows, rejected = imported(api_bank.read(str(file)))
    assert (len(rows), len(rejected)) == (1, 1)


PIECES = st.sampled_from(
    ["'", '"', "\\", ",", " ", "=", "(", ")", "[", "]", "{", "}", "a", "b=", "1", ", k=", "é", ":"]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_a_call_or_unusable(text: str) -> None:
    try:
        name, arguments = api_bank.parse_call(f"[A({text})]")
    except Unusable:
        return
    assert name == "A"
    assert all(key in text for key in arguments)


@given(st.dictionaries(st.from_regex(r"[a-z_]\w{0,5}", fullmatch=True), st.text("aé,' =()x", max_size=12), max_size=4))
def test_quoted_values_survive_unless_they_look_like_the_next_key(arguments: dict[str, str]) -> None:
    hidden = any(re.search(r"'\s*(,\s*\w+\s*=|$)|\)\s*,", value) for value in arguments.values())
    if not hidden:
        written = ", ".join(f"{key}='{value}'" for key, value in arguments.items())
        assert api_bank.parse_call(f"API-Request: [A({written})]") == ("A", arguments)


@pytest.mark.parametrize("piece", [", a=", "[", "'", ")", " ", "((", "['\\x", "1,"])
def test_a_hostile_call_takes_no_time(piece: str) -> None:
    start = time.monotonic()
    for opening in ("", "x=[", "x='"):
        text = f"[A({opening}{piece * (9_000 // len(piece))})]"
        with contextlib.suppress(Unusable):
            api_bank.parse_call(text)
    assert time.monotonic() - start < 2
