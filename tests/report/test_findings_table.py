"""Findings on a terminal: the clearest first, conclusions never cut off, names told apart and never obeyed."""

import io

import polars as pl
import pytest
from rich.console import Console

from glotmix.analysis.table import FINDINGS_SCHEMA
from glotmix.report.findings_table import LINES, findings_table

FINDING = {
    "name": "gain of seen languages",
    "model": "meta-llama/Llama-2-13b-chat-hf",
    "task": "summarization",
    "setting": "single-non-latin/n=2000",
    "compared_with": "single-non-latin/n=0",
    "definition": "a formula",
    "unit": "score",
    "estimate": 0.1234,
    "low": 0.0456,
    "high": 0.2345,
    "adjusted_p": 0.0004,
    "detectable": 0.1,
    "conclusion": "higher",
    "note": "",
}
OTHER = FINDING | {"model": "b", "task": "math", "conclusion": "no difference"}


def drawn(*findings: dict[str, object], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for part in findings_table(pl.DataFrame(findings, FINDINGS_SCHEMA)):
        console.print(part, markup=False, emoji=False, highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("conclusion", ["higher", "no difference"])
def test_numbers_and_conclusions_stand_whole_in_80_columns(conclusion):
    out = drawn(FINDING, OTHER | {"conclusion": conclusion})
    line = next(line for line in out.splitlines() if "+12.3" in line)
    assert "+4.6 to +23.4" in line and "higher" in line and "<0.001" in line
    assert all(word in out for word in conclusion.split())
    unclear = drawn(FINDING | {"conclusion": "cannot tell"}, OTHER | {"conclusion": "cannot tell"})
    assert "could be seen" in unclear and unclear.count(" 10.0") == 2


def test_settings_of_one_name_in_two_designs_are_told_apart():
    cross = FINDING | {"compared_with": "single/n=2000"}
    above = FINDING | {"setting": "", "compared_with": "multi/n=0"}
    out = drawn(FINDING, cross, above, width=200)
    assert "  single-non-latin/n=2000 − n=0 " in out
    assert "  single-non-latin/n=2000 − single/n=2000 " in out
    assert "  above multi/n=0 " in out


def test_of_many_the_clearest_are_shown_in_the_order_of_the_questions_below_their_counts():
    many = [FINDING | {"name": f"q{at % 3}", "setting": f"s={at}=", "adjusted_p": 0.04 - at / 1e4} for at in range(90)]
    out = drawn(*many, *[FINDING | {"name": "open", "conclusion": "cannot tell"}] * 2, width=200)
    counts, table = out.split("What can be concluded", 1)
    assert [line.split() for line in counts.splitlines()[2:5]] == [[f"q{at}", "30"] for at in range(3)]
    assert "and 1 more names, of which nothing can be concluded" in counts
    assert f"and {90 - LINES} more, less clear; --json prints all" in table
    shown = [at for at in range(90) if f"s={at}=" in table]
    assert shown == list(range(90 - LINES, 90))
    assert table.index("q0") < table.index("q1") < table.index("q2")
    assert "How many" not in drawn(FINDING)


def test_what_has_no_interval_is_one_line_a_name_with_its_first_reason():
    bare = FINDING | {"low": None, "high": None, "conclusion": "cannot tell"}
    out = drawn(*(bare | {"note": f"cannot tell: reason {at}"} for at in range(3)), width=200)
    assert "Without an interval\ngain of seen languages: reason 0 (3 findings)\n" in out


def test_a_note_is_shown_once_without_what_a_column_tells():
    unclear = FINDING | {"conclusion": "cannot tell", "note": "10.0 points could have been seen; one seed"}
    out = drawn(unclear, unclear, FINDING | {"note": "whole; kept"}, width=200)
    assert "Notes\nwhole; kept\none seed\n\n" in out


def test_a_terminal_never_obeys_a_name():
    out = drawn(FINDING | dict.fromkeys(("model", "task", "setting", "definition", "note"), "\x1b[31m\u202ex"))
    assert "\x1b" not in out and "\u202e" not in out and "[31m" in out
