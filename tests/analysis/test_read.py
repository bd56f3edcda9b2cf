"""Anyone's table: little is needed, what follows is filled in and told, and what can't be right is one line."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.analysis import findings
from glotmix.analysis.read import Read, read_table
from glotmix.analysis.simulate import Truth, simulate
from glotmix.analysis.table import MEANS_SCHEMA, RESULTS_SCHEMA, meant
from glotmix.errors import UserError

LEAST = [("en", 0.5), ("es", 0.25)]
LEVELS = {0: {"en": 0.8, "es": 0.2}, 100: {"en": 0.8, "es": 0.6}}
RESULTS = simulate(Truth(LEVELS, {"en": "anchor", "es": "seen"}, {0: 1, 100: 2}, items=20), seed=0)


@pytest.fixture
def read(tmp_path):
    def of(text: str, **options: str) -> Read:
        (tmp_path / "t.csv").write_text(text)
        return read_table(tmp_path / "t.csv", **options)

    return of


def records(**columns: object) -> str:
    """A CSV table of `LEAST` with further columns of one value each."""
    rows = [",".join(map(str, ("language", "value", *columns)))]
    return "\n".join([*rows, *(",".join(map(str, (tag, value, *columns.values()))) for tag, value in LEAST)])


def test_a_language_and_a_value_are_enough(read):
    found = read(records())
    assert found.results.select(
        pl.col("model", "setting", "role").cast(pl.String), "seed", "rows_per_language"
    ).rows() == [
        ("model", "as published", "anchor", 0, 0),
        ("model", "as published", "unseen", 0, 0),
    ]
    assert found.told == (
        "no column model or task or setting or seed: taken as one model and task and setting and seed",
        "no column role or train_languages: every language but en is taken as unseen",
    )
    assert "relative to anchor" in findings(found.results)["name"].to_list()


def test_roles_follow_from_the_training_languages_of_all_settings(read):
    text = "language,value,setting,train_languages\n"
    text += "".join(f"{tag},0.5,n=0,fr\n{tag},0.5,n=9,fr; es\n" for tag in ("en", "es", "fr"))
    roles = dict(read(text, anchor="fr").results.select(pl.col("language", "role").cast(pl.String)).unique().rows())
    assert roles == {"fr": "anchor", "es": "seen", "en": "unseen"}


def test_rows_per_language_follow_from_the_name_or_from_training_on_the_anchor_alone(read):
    text = "language,value,setting,train_languages\nen,0.5,en only,en\nen,0.5,mix/n=400,en es\n"
    assert dict(read(text).results.select(pl.col("setting").cast(pl.String), "rows_per_language").rows()) == {
        "en only": 0,
        "mix/n=400": 400,
    }
    with pytest.raises(UserError, match="no rows_per_language, and setting 'mix' does not tell it as 'n=400' would"):
        read(text.replace("mix/n=400", "mix"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (records().replace("language", "langauge"), "no column 'language'; rename 'langauge', which looks like it"),
        (records().replace("language", "lang"), "no column 'language'; rename 'lang', which looks like it"),
        (records().replace("value", "accuracy"), "no column 'value'; rename 'accuracy', which looks like it"),
        (records(n=250), "no column 'rows_per_language'; rename 'n', which looks like it"),
        (records(train_langauges="en"), "no column 'train_languages'; rename 'train_langauges', which looks like it"),
        (records().replace("value", "outcome"), "no column 'value'; the table has: language, outcome"),
        (
            "model,en,es,fr\nm,0.1,0.2,0.3\n",
            "it has a column for each language (en, es, fr); give each a record of its",
        ),
        (records().replace("0.5", "50%").replace("0.25", "25%"), "the first: value is '50%', not a number such as 0.5"),
        (records().replace("0.5", "50"), "value 50.0 is outside 0 to 1; divide percentages by 100"),
        (records().replace("0.5", "-0.5"), "value -0.5 is outside 0 to 1"),
        (records().replace("es", "en"), "2 records have a double (model 'model', task 'task'"),
        (records().replace("en,", "English,"), "unknown language 'English'; did you mean 'en'?"),
        (records(seed="first"), "no record can be used; the first: seed is 'first', not a whole number"),
        ("language,value\n", "no records"),
        ("", "can't be read as csv"),
        ("\0".join(records()), "no text in UTF-8; save it as CSV in UTF-8"),
        ("\x1b[31m" + "x" * 10_000, r"the table has: '\x1b[31mxxx"),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_line_with_the_fix(read, text, message):
    with pytest.raises(UserError) as caught:
        read(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";").replace("0.", "0,"),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace("language,value", "Language,SCORE"),
        lambda text: f"\n{text}\n\n,,\n\n",
    ],
    ids=["byte order mark", "CRLF", "semicolons and decimal commas", "spaces", "capitals", "empty lines"],
)
def test_what_spreadsheets_write_is_read_as_it_is_meant(read, spoilt):
    found, plain = read(spoilt(records(seed=3))), read(records(seed=3))
    assert found.results.rows() == plain.results.rows() and len(found.results) == len(LEAST)
    assert (found.aside.is_empty(), found.told) == (True, plain.told)


def test_a_folded_or_fractional_column_of_a_typed_file_is_told(tmp_path):
    table = pl.DataFrame(LEAST, ["language", "value"], orient="row")
    table.with_columns(value=pl.struct("value")).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"t.parquet: column 'value' has type Struct\(.*\); it must be Float64"):
        read_table(tmp_path / "t.parquet")
    table.with_columns(n_items=pl.Series([250.0, 2.5])).write_parquet(tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found.results["n_items"].to_list() == [250]
    assert found.aside.rows() == [(2, "n_items is '2.5', not a whole number")]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("n_items", 0, "n_items is 0, below 1"),
        ("rows_per_language", -5, "rows_per_language is -5, below 0"),
        ("stderr", "inf", "stderr is inf; it is from 0 to 1"),
        ("stderr", "-0.1", "stderr is -0.1; it is from 0 to 1"),
        ("verdict", "boo", "verdict is 'boo'; it is one of correct"),
        ("seed", "\x1b[31m", "seed is '�[31m', not a whole number"),
    ],
)
def test_a_number_or_word_that_cannot_be_sets_its_record_aside(read, column, value, reason):
    good = {"n_items": 9, "rows_per_language": 0, "stderr": 0.1, "verdict": "wrong", "seed": 0}[column]
    found = read(records(**{column: good}) + f"\nfr,0.4,{value}\n")
    assert len(found.results) == len(LEAST)
    assert [told.startswith(reason) for told in found.aside["reason"]] == [True]


def test_gaps_in_a_column_are_filled_and_what_stands_there_is_kept(read):
    text = "language,value,setting,rows_per_language,role,seed,train_languages\n"
    text += "en,0.5,n=0,,,,en\nes,0.5,n=0,7,,3,en\nfr,0.5,n=9,,unseen,,en es fr\n"
    filled = read(text).results.select(pl.col("role").cast(pl.String), "rows_per_language", "seed")
    assert filled.rows() == [("anchor", 0, 0), ("seen", 7, 3), ("unseen", 9, 0)]


def test_a_double_is_told_how_runs_are_told_apart(read):
    with pytest.raises(UserError, match="number runs of their own in 'seed', or name test items in 'item_id'"):
        read(records() + "\nen,0.4\n")


def test_good_records_outlive_bad_ones(read):
    text = records(role="anchor", seed=0).replace("0.25,anchor", "0.25,seen")
    bad = ["fr,0.1,pupil,0", "fr,x,seen,0", "fr,,seen,0", "fr,nan,seen,0", ",0.1,seen,0", "fr,0.1,seen,1.5"]
    found = read("\n".join([text, *bad]))
    assert len(found.results) == len(LEAST)
    assert found.aside.rows() == [
        (3, "role is 'pupil'; it is one of anchor, seen, unseen"),
        (4, "value is 'x', not a number such as 0.5"),
        (5, "value is empty"),
        (6, "value is nan, not a number"),
        (7, "language is empty"),
        (8, "seed is '1.5', not a whole number"),
    ]


def test_further_columns_are_named_and_may_hold_anything(read):
    assert read(records(comment="x", **{"\x1b[31m": "y"})).told[0] == r"columns not read: comment, '\x1b[31m'"


def test_a_file_that_is_none_is_one_line(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "t.json").write_text('[{"language": "en", ')
    (tmp_path / "t.xlsx").touch()
    for name in ("t.parquet", "t.json", "t.xlsx", "absent.csv"):
        with pytest.raises(UserError) as caught:
            read_table(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name)) and "\n" not in str(caught.value)


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(sorted(set(RESULTS.columns))), max_size=8))
def test_neither_the_order_of_records_nor_columns_nobody_asks_for_change_findings(tmp_path_factory, random, dropped):
    needless = {"study", "run", "parsed", "output_tokens", "detected", "metrics", "answer_language", "parameters"}
    order = random.sample(range(len(RESULTS)), len(RESULTS))
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    RESULTS[order].drop(needless & dropped).write_parquet(path)
    assert findings(read_table(path).results).rows() == findings(RESULTS).rows()


def test_names_of_our_own_columns_are_meant_as_themselves():
    for column in (*RESULTS_SCHEMA, *MEANS_SCHEMA):
        assert meant(column.upper().replace("_", " ")) == column
    assert meant("wall_clock_minutes") is None
