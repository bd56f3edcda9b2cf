"""Calls: read in any form they are written in and never executed, graded in three ways side by side."""

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glotmix.errors import UserError
from glotmix.task import get_task
from glotmix.task.calls.bounds import Call
from glotmix.task.calls.read import read_calls
from glotmix.task.score import Score

CALL = '{"name": "order", "arguments": {"item": "l\'été «é»", "count": 3, "express": true, "tags": ["a", 1.50]}}'
ARGUMENTS = json.loads(CALL)["arguments"]
FLIGHT = {
    "name": "book",
    "parameters": {
        "properties": {
            "city": {"type": "string"}, "seats": {"type": "integer"}, "price": {"type": "float"},
            "days": {"type": "array", "items": {"type": "string"}}, "at": {"type": "tuple", "items": {"type": "float"}},
            "who": {"type": "dict"}, "class": {"type": "string", "enum": ["first", "second"]},
        },
        "required": ["city"],
    },
}  # fmt: skip


def score(output: str, reference: str = CALL, language: str = "en", finished: bool = True) -> Score:
    return get_task("api_calls").score(output, reference, language=language, finished=finished)


def wanted(*calls: dict[str, Any], name: str = "book") -> str:
    """A reference of calls with accepted values."""
    return json.dumps({"calls": [{"name": name, "accepted": call} for call in calls], "functions": [FLIGHT]})


def called(*calls: dict[str, Any], name: str = "book") -> str:
    return json.dumps([{"name": name, "arguments": call} for call in calls])


WRITTEN = {
    "json alone": [
        CALL, f"\n {CALL}\n", f"[{CALL}]", json.dumps(json.loads(CALL)),
        json.dumps({"name": "order", "arguments": json.dumps(ARGUMENTS)}),
        json.dumps({"id": "call_1", "type": "function", "function": {"name": "order", "arguments": ARGUMENTS}}),
        json.dumps({"role": "assistant", "content": None, "tool_calls": [
            {"id": "1", "index": 0, "type": "function",
             "function": {"name": "order", "arguments": json.dumps(ARGUMENTS)}}]}),
    ],
    "json fenced": [f"```json\n{CALL}\n```", f"```json {CALL}```", f"Voilà :\n```\n[{CALL}]\n```\nC'est tout."],
    "json tagged": [f"<tool_call>\n{CALL}\n</tool_call>", f"Bien sûr.<tool_call>{CALL}</tool_call>"],
    "python alone": [
        "order(item=\"l'été «é»\", count=3, express=True, tags=['a', 1.5])",
        "[order(tags=('a', 15e-1), express=true, count=3.0, item='l\\'e\\u0301te\\u0301 «é»')]",
        "order(\n  item=\"l'été «é»\",\n  count=3, express=True, tags=['a', 1.5],\n)",
    ],
    "python fenced": ["```python\n[order(item=\"l'été «é»\", count=3, express=True, tags=['a', 1.5])]\n```"],
    "api-bank alone": [
        "API-Request: [order(item='l'été «é»', count=3, express=True, tags=['a', 1.5])]",
        "API-Request : [order(item='l'été «é»', count=3, express=True, tags=['a', 1.5])]",
        "API-Request：[order(item='l'été «é»', count=3, express=True, tags=['a', 1.5])]",
        "[order(item='l'été «é»', count=3, express=true, tags='['a', 1.5]')]",
        "order(item=l'été «é», count=3, express=True, tags=['a', 1.5])",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "output"), [(rule, output) for rule, outputs in WRITTEN.items() for output in outputs]
)
def test_one_call_is_right_in_every_form_and_the_rule_names_the_form(rule: str, output: str) -> None:
    found = score(output, language="fr")
    assert (found.value, found.verdict, found.rule) == (1, "correct", f"{rule}, strict")
    assert found.metrics == {
        "strict": 1, "ast": float("3.0" not in output and "('a'" not in output),
        "name": 1, "arguments": 1, "identifiers": 1, "free_text": 1,
    }  # fmt: skip


VALUES = {
    "apostrophes": "l'été d'un chat", "quotes": 'say "hi"', "both": "\"l'été\"", "backslash": "C:\\dir\\",
    "Japanese": "りんご、卵（2個）", "Arabic": "موعد \"غدًا\"", "brackets": "f(x)[0] = {1}, y=2", "line\nbreak": "a\nb",
    "nested": {"a": [{"b": [1, -2.5, None, True, "c'd"]}]}, "empty": [[], {}, ""], "number": -0.5, "big": 10**30,
    "looks like a call": "[f(a='b'), g()]", "comma key": "x, b='y'",
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_survive_in_json_and_in_python(value: Any) -> None:
    expected = [Call("a.b.f", {"ключ": value, "n": 1}), Call("g", {})]
    for text in (
        json.dumps([call._asdict() for call in expected]),
        json.dumps([call._asdict() for call in expected], ensure_ascii=False),
        f"[a.b.f(ключ={value!r}, n=1), g()]",
    ):
        assert read_calls(text).calls == expected


@pytest.mark.parametrize(
    "output",
    [
        CALL[:-1],
        f"{CALL} {CALL}",
        f"Sure: {CALL}",
        f"I call order({CALL})",
        "18",
        "f(a=b())",
        "f(a=[x for x in y])",
        "f(a=__import__('os').system('ls'))",
        "f(lambda: 1)",
        "f(**{'a': 1})",
        "f(a={1: 2})",
        "f(a={'b': 1, 'b': 2})",
        "f(a=1, a=2)",
        "f(a=1)(b=2)",
        "f(a=1e999)",
        "f(a=b'x')",
        "[f(a=1), 2]",
        "order('x')",
        '{"name": "order"}',
        '{"name": 1, "arguments": {}}',
        '{"name": "order", "arguments": [1]}',
        '{"name": "order", "arguments": "[1]"}',
        '{"name": "order", "arguments": {}, "more": 1}',
        '{"name": "order", "arguments": {"count": 3, "count": 4}}',
        '{"name": "order", "arguments": {"count": NaN}}',
        '{"name": "order", "arguments": {"count": 1e99999999999999999999}}',
        f"<tool_call>{CALL}",
        f"```json\n{CALL}\n```\nor\n```json\n{CALL}\n```",
    ],
)
def test_what_is_not_calls_alone_is_malformed_and_never_executed(output: str) -> None:
    found = score(output)
    assert (found.value, found.verdict, found.rule) == (0, "malformed", "no call read, strict")


@pytest.mark.parametrize("form", ['{"name": "f", "arguments": {"a": %s}}', "f(a=%s)"])
def test_no_parser_sees_what_is_nested_too_deep(form: str) -> None:
    assert read_calls(form % ("[" * 48 + "]" * 48)).calls
    assert read_calls(form % ("[" * 51 + "]" * 51)).calls is None


def test_where_two_forms_could_be_the_mark_of_api_bank_decides() -> None:
    written = "[f(a='[1]', b='it''s')]"
    assert read_calls(written).calls == [Call("f", {"a": [1], "b": "it''s"})]  # no Python: b is two strings
    assert read_calls("[f(a='[1]')]").calls == [Call("f", {"a": "[1]"})]
    assert read_calls("API-Request: [f(a='[1]')]").calls == [Call("f", {"a": [1]})]
    assert read_calls("API-Request: [f(a='1'), g(b='2')]").calls is None


def test_every_literal_of_python_that_is_a_value_is_read() -> None:
    written = """f(a='''l'été "là" [''', b=.5, c=[-.5, 0x1f, 1_000], d='\\x61', e=\"\"\"\n{\"\"\")"""
    expected = {"a": 'l\'été "là" [', "b": 0.5, "c": [-0.5, 31, 1000], "d": "a", "e": "\n{"}
    assert read_calls(written) == ([Call("f", expected)], written, "python alone")


def test_an_expression_is_text_and_never_computed() -> None:
    assert read_calls("f(a=2**3, b=2024-02-04, c=x, d=l'été)").calls == [
        Call("f", {"a": "2**3", "b": "2024-02-04", "c": "x", "d": "l'été"})
    ]


@pytest.mark.parametrize(
    ("old", "new", "name", "arguments"),
    [
        ('"order"', '"Order"', 0, 1),
        ('"count": 3', '"count": 4', 1, 0.75),
        ('"count": 3', '"count": "3"', 1, 0.75),
        ("true", "1", 1, 0.75),
        ("3", "true", 1, 0.75),
        ('["a", 1.50]', '[1.50, "a"]', 1, 0.75),
        ('["a", 1.50]', '["a"]', 1, 0.75),
        ('"count": 3, ', "", 1, 0.75),
        ('"count": 3', '"count": 3, "more": null', 1, 0.8),
        ("l'été", "L'été", 1, 0.75),
        ("l'été", "l'ete", 1, 0.75),
        ('"a"', '"a "', 1, 0.75),
    ],
)
def test_a_call_that_differs_is_wrong_and_says_where(old: str, new: str, name: float, arguments: float) -> None:
    assert old in CALL
    found = score(CALL.replace(old, new), language="fr")
    assert (found.value, found.verdict) == (0, "wrong")
    assert (found.metrics["strict"], found.metrics["name"], found.metrics["arguments"]) == (0, name, arguments)


@pytest.mark.parametrize("inner", ["{}", '{"b": 1, "c": 2}', '{"b": 2}', "1", "null", '{"b": {"c": 1}}'])
def test_nested_arguments_are_compared_key_by_key(inner: str) -> None:
    reference = '{"name": "x", "arguments": {"a": {"b": 1}}}'
    assert score(reference, reference).value == 1
    assert score(reference.replace('{"b": 1}', inner), reference).value == 0


def test_the_ast_grading_stands_beside_the_strict_one() -> None:
    reference = '{"name": "f", "arguments": {"day": "May 1, 2024", "price": 2.0, "n": 3}}'
    near = score('{"name": "f", "arguments": {"day": "may 1 2024", "price": 2, "n": 3}}', reference)
    assert (near.value, near.metrics["strict"], near.metrics["ast"]) == (0, 0, 1)
    other_type = score('{"name": "f", "arguments": {"day": "May 1, 2024", "price": 2.0, "n": 3.0}}', reference)
    assert (other_type.value, other_type.metrics["strict"], other_type.metrics["ast"]) == (1, 1, 0)


ACCEPTED: dict[str, Any] = {"city": ["New York", "NYC"], "seats": [2, ""], "price": [10.0, ""]}


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ({"city": "new york."}, True),
        ({"city": "nyc", "seats": 2, "price": 10}, True),
        ({"city": "NYC", "seats": 2.0}, False),
        ({"city": "NYC", "seats": True}, False),
        ({"city": "NYC", "seats": "2"}, False),
        ({"city": "Boston"}, False),
        ({"seats": 2}, False),
        ({"city": "NYC", "shoes": 2}, False),
        ({"city": "NYC", "class": "first"}, False),
    ],
)
def test_any_accepted_value_is_right_and_what_may_be_left_out_may_be(arguments: dict[str, Any], right: bool) -> None:
    found = score(called(arguments), wanted(ACCEPTED))
    assert (found.value, found.metrics["ast"], found.rule) == (right, right, "json alone, ast")


def test_strictly_an_accepted_value_is_spelled_as_it_is() -> None:
    assert score(called({"city": "NYC"}), wanted(ACCEPTED)).metrics["strict"] == 1
    assert score(called({"city": "nyc"}), wanted(ACCEPTED)).metrics["strict"] == 0


@pytest.mark.parametrize(
    ("key", "accepted", "value", "right"),
    [
        ("days", [["Mon", "Tue"]], "['mon', 'tue.']", True),
        ("days", [["Mon", "Tue"]], "['Tue', 'Mon']", False),
        ("days", [["Mon", "Tue"]], "('Mon', 'Tue')", False),
        ("days", [["Mon"], ""], "[]", True),
        ("days", [["Mon"]], "[1]", False),
        ("at", [[1.5, 2.0]], "(1.5, 2.0)", True),
        ("at", [[1.5, 2.0]], "[1.5, 2.0]", True),
        ("at", [[1.5, 2.0]], "(1.5, 2)", False),
        ("who", [{"name": ["Ana"], "age": [3, ""]}], "{'name': 'ANA'}", True),
        ("who", [{"name": ["Ana"], "age": [3, ""]}], "{'name': 'Ana', 'age': 3}", True),
        ("who", [{"name": ["Ana"], "age": [3, ""]}], "{'age': 3}", False),
        ("who", [{"name": ["Ana"], "age": [3, ""]}], "{'name': 'Ana', 'sex': 'f'}", False),
        ("who", [{"name": ["Ana"]}], "'Ana'", False),
        ("seats", ["n"], "n", True),
        ("seats", ["n"], "'N'", False),
    ],
)
def test_lists_tuples_objects_and_variables_follow_the_ast_rule(
    key: str, accepted: list[Any], value: str, right: bool
) -> None:
    reference = wanted({"city": ["Rome"], key: accepted})
    assert score(f"[book(city='Rome', {key}={value})]", reference).metrics["ast"] == right


def test_lists_of_objects_are_compared_one_by_one() -> None:
    reference = '{"calls": [{"name": "f", "accepted": {"a": [[{"b": ["x"]}, {"b": ["y", ""]}]]}}]}'
    for value, right in {
        "[{'b': 'X'}, {'b': 'y'}]": 1, "[{'b': 'x'}, {}]": 1, "[{'b': 'y'}, {'b': 'x'}]": 0, "[{'b': 'x'}]": 0,
        "[{'b': 'x'}, 1]": 0, "[]": 0,
    }.items():  # fmt: skip
        assert score(f"f(a={value})", reference).value == right, value


def test_parallel_calls_are_matched_in_any_order_each_used_once() -> None:
    either, rome = {"city": ["Rome", "Bern"]}, {"city": ["Rome"]}
    reference = wanted(either, rome)
    assert score(called({"city": "Rome"}, {"city": "Bern"}), reference).value == 1
    assert score(called({"city": "Bern"}, {"city": "Rome"}), reference).value == 1
    assert score(called({"city": "Rome"}, {"city": "Rome"}), reference).value == 1
    assert score(called({"city": "Bern"}, {"city": "Bern"}), reference).metrics["arguments"] == 0.5
    for calls in ([{"city": "Rome"}], [{"city": "Rome"}] * 3, []):
        assert score(called(*calls), reference).verdict == "wrong"
    half = score(called({"city": "Rome"}), reference).metrics
    assert (half["ast"], half["name"], half["arguments"]) == (0, 0.5, 0.5)


@pytest.mark.parametrize("output", ["I can't do that.", "", "[]", "[book", "None of these fits (sorry)."])
def test_where_no_call_is_wanted_any_answer_without_one_is_right(output: str) -> None:
    found = score(output, wanted())
    assert (found.value, found.verdict, found.metrics) == (1, "correct", {"strict": 1, "ast": 1})


@pytest.mark.parametrize("output", [called({"city": "Rome"}), "Well:\n```\nf(a=1)\n```", called({}, name="other")])
def test_where_no_call_is_wanted_a_call_is_wrong(output: str) -> None:
    assert score(output, wanted()).verdict == "wrong"


def test_positional_arguments_are_named_by_the_schema() -> None:
    assert score("[book('Rome', 2)]", wanted({"city": ["Rome"], "seats": [2]})).value == 1
    assert score("[book(2, 'Rome')]", wanted({"city": ["Rome"], "seats": [2]})).verdict == "wrong"
    assert score("[book('Rome', city='Rome')]", wanted({"city": ["Rome"]})).verdict == "malformed"
    assert score("[order('Rome')]", wanted({"city": ["Rome"]})).verdict == "malformed"


BOOKING = {
    "name": "book", "arguments": {"where": "Genf", "what": "ein Zimmer", "id": "AB-12", "day": "2024-02-04", "n": 2},
    "other_language": {"where": "Geneva", "what": "a room", "id": "AB-12", "day": "2024-02-04", "n": 2},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"identifiers": 1, "free_text": 1, "free_text_either": 1}),
        (
            {"where": "Geneva"},
            {"identifiers": 1, "free_text": 0.5, "free_text_either": 1, "other_language": 1},
        ),
        (
            {"where": "Geneva", "what": "a house", "n": 3},
            {"identifiers": 2 / 3, "free_text": 0, "free_text_either": 0.5, "other_language": 0.5},
        ),
    ],
)
def test_errors_are_told_by_kind_of_value_and_by_the_other_language(
    changes: dict[str, Any], expected: dict[str, float]
) -> None:
    output = {"name": "book", "arguments": BOOKING["arguments"] | changes}  # type: ignore[operator]
    metrics = score(json.dumps(output), json.dumps(BOOKING), "de").metrics
    assert {name: metrics.get(name) for name in expected} == expected
    assert ("other_language" in metrics) == ("other_language" in expected)


def test_a_choice_of_the_schema_is_no_free_text() -> None:
    reference = wanted({"city": ["Rome"], "class": ["first"]})
    metrics = score(called({"city": "Rome", "class": "second"}), reference).metrics
    assert (metrics["identifiers"], metrics["free_text"]) == (0, 1)


@pytest.mark.parametrize(
    "reference",
    [
        " ", "x", "[]", "{}", '{"name": "f"}', '{"name": "f", "arguments": {}, "more": 1}',
        '{"calls": [{"name": "f"}]}',
        '{"calls": [{"name": "f", "accepted": {"a": 1}}]}', '{"calls": [{"name": "f", "accepted": {"a": []}}]}',
        '{"calls": [{"name": "f", "accepted": {"a": [{"b": 1}]}}]}', '{"calls": [], "functions": 1}',
        '{"calls": [], "functions": [{}]}', '{"name": "f", "arguments": {}, "other_language": 1}',
    ],
)  # fmt: skip
def test_a_reference_that_is_none_is_the_users_mistake(reference: str) -> None:
    with pytest.raises(UserError, match=r"api_calls reference .* is none \(.*fix the row"):
        score("x", reference)


def test_verdicts_of_calls_follow_their_order() -> None:
    reference = '{"name": "say", "arguments": {"text": "残りは市場で売ります"}}'
    english = '{"name": "say", "arguments": {"text": "She sells the rest of the eggs at the market"}}'
    assert score(english, english, "ja", finished=False).verdict == "correct"
    assert score(english, reference, "ja", finished=False).verdict == "truncated"
    assert score("```json\n```", reference, "ja").verdict == "no_answer"
    assert score(english, reference, "ja").verdict == "wrong_language"
    assert score("She sells the rest of the eggs at the market", reference, "ja").verdict == "wrong_language"
    assert score(english, english.replace("She", "He"), "ja").verdict == "wrong"  # English was right here
    assert score(english.replace("}}", "}"), reference, "ja").verdict == "malformed"
    assert score("say(text='She sells the rest of the eggs at", reference, "ja").verdict == "malformed"


DEEP = 10_000
HOSTILE = {
    "json lists": '{"name": "f", "arguments": {"a": ' + "[" * DEEP + "]" * DEEP + "}}",
    "json objects": '{"name": "f", "arguments": ' + '{"a":' * DEEP,
    "json in json": '{"name": "f", "arguments": "' + "[" * DEEP + '"}',
    "python lists": "f(a=" + "[" * DEEP + "]" * DEEP + ")",
    "python calls": "f(" * DEEP + ")" * DEEP,
    "python signs": "f(a=" + "-" * DEEP + "1)",
    "python sums": "f(a=1" + "-1" * DEEP + ")",
    "python dots": "a" + ".a" * DEEP + "(b=1)",
    "python lambdas": "f(a=" + "lambda:" * DEEP + "1)",
    "python nots": "f(a=" + "not " * DEEP + "1)",
    "python chain": "f" + "()" * DEEP,
    "python strings": "f(a=" + "'x'" * DEEP + ")",
    "open strings": "f(a=" + "'''\\" * (DEEP // 2),
    "escaped quotes": "f(a=" + "\\'" * DEEP,
    "unbalanced quotes": "'\"" * DEEP,
    "keys": "f(" + ", a=" * DEEP + ")",
    "many calls": "[" + ", ".join(["f(a=1)"] * 1_000) + "]",
    "many arguments": "f(" + ", ".join(f"a{n}=1" for n in range(DEEP // 2)) + ")",
    "tags": "<tool_call>" * DEEP,
    "fences": "```" * DEEP,
    "spaces": "f(a=1" + " " * 90_000 + "x",
    "tabs before a comma": "f(" + "a\t" * 40_000,
    "exponents": '{"name": "f", "arguments": {"a": ' + "9" * 90_000 + "}}",
    "python number": "f(a=" + "9" * 90_000 + ")",
    "huge exponent": "f(a=1e999999)",
    "NUL bytes": "f(a='\0')\0",
    "surrogates": '{"name": "f", "arguments": {"a": "\\ud800", "b": "\ud800"}}',
    "surrogates in python": "f(a='\ud800')",
    "right-to-left": "\u202ef(a='\u200f')",
    "a megabyte": CALL + " " * 10 + "x" * 1_000_000,
}


@pytest.mark.parametrize("output", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_output_gets_a_verdict_in_no_time(output: str) -> None:
    started = time.process_time()
    for reference in (CALL, wanted({"city": ["Rome"]}), wanted()):
        found = score(output, reference)
        assert (found.value == 1) == (found.verdict == "correct")
    assert time.process_time() - started < 3


PIECES = st.sampled_from([
    "[", "]", "(", ")", "{", "}", ",", ":", "=", "'", '"', "\\", "-", ".", "```", "<tool_call>", "</tool_call>", "f(",
    "a=", "1", "1e9", " ", "\n", "\0", "\ud800", "true", "é", '"name"', '"arguments"', "API-Request: ", "lambda", "**",
    "API-Request: [f(", '{"name": "f", "arguments": ',
])  # fmt: skip


@settings(deadline=1_000)
@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from([CALL, wanted({"city": ["Rome"]}), wanted()]))
@example("f(a=1)" * 2, CALL)
def test_any_text_gets_a_verdict(output: str, reference: str) -> None:
    found = score(output, reference)
    assert (found.value == 1) == (found.verdict == "correct")
    assert all(0 <= share <= 1 for share in found.metrics.values())


names = st.from_regex(r"[a-z][a-z_]{0,5}", fullmatch=True).filter(
    lambda name: name not in {"as", "if", "in", "is", "or"}
)
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab'\"é", max_size=3), inner, max_size=3),
    max_leaves=6,
)
calls = st.lists(st.builds(Call, st.just("f") | st.just("a.b"), st.dictionaries(names, values, max_size=3)), max_size=3)


@given(calls)
def test_calls_written_in_python_or_json_are_read_back(expected: list[Call]) -> None:
    if not any("import" in call.arguments or "def" in call.arguments for call in expected):
        written = ", ".join(f"{n}({', '.join(f'{k}={v!r}' for k, v in a.items())})" for n, a in expected)
        keywords = {"and", "def", "del", "for", "not", "try", "else", "from", "pass", "with", "elif", "break", "class"}
        if not any(keywords & call.arguments.keys() for call in expected):
            assert read_calls(f"[{written}]").calls == expected
    assert read_calls(json.dumps([call._asdict() for call in expected])).calls == expected
