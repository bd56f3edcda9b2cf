"""docs/evidence.md and the command say what is computed."""

import json
from pathlib import Path

import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests
from typer.testing import CliRunner

from glotmix.cli import app
from glotmix.errors import UserError
from glotmix.evidence import CHECKS_SCHEMA, checks
from glotmix.evidence.page import FILE, _holm, checks_table, page

ROOT = Path(__file__).parents[2]


def test_the_page_is_current(found):
    table = pl.DataFrame(list(found.values()), CHECKS_SCHEMA)
    assert (ROOT / FILE).read_text(encoding="utf-8") == page(table), "run make evidence"


def test_the_page_is_the_same_every_time(english):
    again = {row["id"]: row for row in checks("english-not-all").iter_rows(named=True)}
    assert again == english


def test_the_page_counts_what_rests_on_a_test_and_what_another_noise_would_say(found):
    table = pl.DataFrame(list(found.values()), CHECKS_SCHEMA)
    text = page(table)
    assert f"Of {table['p'].is_not_null().sum()} verdicts with a test" in text
    for row in table.filter(pl.col("verdict") != pl.col("otherwise")).iter_rows(named=True):
        assert f"| {row['id']} | {row['verdict']} | {row['otherwise']} |" in text
    p = table["p"].drop_nulls().to_list()
    assert _holm(p) == multipletests(p, method="holm")[0].sum()


def test_the_command_prints_every_check_as_json(english):
    done = CliRunner().invoke(app, ["evidence", "english-not-all", "--json"])
    assert done.exit_code == 0
    assert {row["id"] for row in json.loads(done.stdout)} == set(english)


def test_the_terminal_shows_every_verdict(english):
    table = checks_table(pl.DataFrame(list(english.values()), CHECKS_SCHEMA))
    assert "claims: " in table[1]
    assert table[0].row_count == len(english)


def test_an_unknown_study_is_refused():
    with pytest.raises(UserError, match=r"study 'nobody' is unknown; use one of post-trainers-guide, english-not-all"):
        checks("nobody")
