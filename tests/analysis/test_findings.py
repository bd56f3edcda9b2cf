"""Findings: the right number under the right name, in a fixed order, and honest about what cannot be told."""

from dataclasses import replace

import polars as pl
import pytest

from glotmix.analysis import findings, gap, relative, transfer
from glotmix.analysis.answer import answer
from glotmix.analysis.findings import of_settings
from glotmix.analysis.simulate import Truth, simulate
from glotmix.analysis.table import FINDINGS_SCHEMA
from glotmix.errors import UserError

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
LEVELS = {0: (0.8, 0.3, 0.1, 0.2), 100: (0.75, 0.7, 0.4, 0.3), 400: (0.9, 0.8, 0.6, 0.2)}
TRUTH = Truth(
    {rows: dict(zip(ROLES, level, strict=True)) for rows, level in LEVELS.items()}, ROLES, {0: 2, 100: 1, 400: 2}
)


def exact() -> pl.DataFrame:
    """A study in which every answer scores its language's level: estimates follow by hand."""
    study = simulate(TRUTH, 0)
    level = {f"{rows} {tag}": value for rows, own in TRUTH.accuracy.items() for tag, value in own.items()}
    return study.with_columns(value=pl.format("{} {}", "rows_per_language", "language").replace_strict(level))


def of_each_setting(study: pl.DataFrame) -> pl.DataFrame:
    """The findings of single settings: those that `quantities.py` asks for."""
    return findings(study).filter(pl.col("name").is_in(answer([of_settings], study)["name"].to_list()))


def test_findings_of_settings_come_first_in_order_with_their_hand_computed_values():
    assert findings(exact()).schema == FINDINGS_SCHEMA
    found = of_each_setting(exact())
    assert found.equals(findings(exact()).head(len(found)))
    zero = (0.3 + 0.1 + 0.2) / 3 / 0.8
    expected = [
        ("n=0", "seen-unseen gap", 0.0),
        ("n=0", "relative to anchor", zero),
        ("n=100", "gain of seen languages", 0.35),
        ("n=100", "gain of unseen languages", 0.1),
        ("n=100", "gain of the anchor", -0.05),
        ("n=100", "seen gain minus unseen gain", 0.25),
        ("n=100", "seen-unseen gap", 0.25),
        ("n=100", "relative to anchor", 1.4 / 3 / 0.75),
        ("n=100", "gap to anchor closed", 1.4 / 3 / 0.75 - zero),
        ("n=400", "gain of seen languages", 0.5),
        ("n=400", "gain of unseen languages", 0.0),
        ("n=400", "gain of the anchor", 0.1),
        ("n=400", "seen gain minus unseen gain", 0.5),
        ("n=400", "seen-unseen gap", 0.5),
        ("n=400", "relative to anchor", 1.6 / 3 / 0.9),
        ("n=400", "gap to anchor closed", 1.6 / 3 / 0.9 - zero),
    ]
    assert found["setting", "name"].rows() == [(setting, name) for setting, name, _ in expected]
    assert found["estimate"].to_list() == pytest.approx([value for *_, value in expected])


def test_definitions_name_the_languages_they_are_about():
    by_name = dict(findings(exact())["name", "definition"].rows())
    assert by_name["gain of seen languages"] == "mean of a(l, s) over the seen languages (es ja), minus the same at n=0"
    assert by_name["relative to anchor"] == "R(s) = mean of a(l, s) / a(en, s) over the other languages (es ja pt)"


def test_each_function_is_its_part_of_the_findings():
    study = simulate(TRUTH, 0)
    everything = findings(study)
    for part in (transfer(study), gap(study), relative(study)):
        assert part.equals(everything.filter(pl.col("name").is_in(part["name"].to_list())))
    assert set(of_each_setting(study)["name"]) == {
        *transfer(study)["name"],
        *gap(study)["name"],
        *relative(study)["name"],
    }


def test_findings_hold_nothing_but_averages_beside_what_is_asked_of_each_setting():
    """Or a study of 152 runs would have thousands."""
    levels = {rows: LEVELS[min(rows, 400) // 100 * 100] for rows in (0, 100, 400, 401, 402, 403, 404, 405)}
    small, large = (
        simulate(replace(TRUTH, accuracy={rows: dict(zip(ROLES, own, strict=True)) for rows, own in levels.items()
                                          if rows < until}, seeds=dict.fromkeys(levels, 2)), 0)
        for until in (403, 406)
    )  # fmt: skip
    beside = [len(findings(study)) - len(of_each_setting(study)) for study in (small, large)]
    assert beside[0] == beside[1] < 50


def test_models_and_tasks_are_analysed_apart():
    study = simulate(TRUTH, 0)
    other = simulate(TRUTH, 1).with_columns(model=pl.lit("a"), task=pl.lit("summarization"))
    both = findings(pl.concat([study, other]))
    for model, own in (("simulated", study), ("a", other)):
        of_model = both.filter(pl.col("model") == model)
        assert of_model.equals(findings(own).filter(pl.col("name").is_in(of_model["name"].unique().to_list())))
    assert both.filter(pl.col("model") == "")["task"].unique().to_list() == [""]


def test_an_interval_with_zero_inside_says_what_could_have_been_seen():
    found = transfer(simulate(TRUTH, 0))
    for low, high, note in found["low", "high", "note"].rows():
        assert ("cannot tell at this size: 0." in note) == (low <= 0 <= high)
    assert {True, False} == {note.startswith("cannot tell") for note in found["note"]}
    sure = relative(simulate(TRUTH, 0)).filter(pl.col("name") == "relative to anchor")
    assert not any("cannot tell" in note for note in sure["note"])


def test_the_smallest_visible_difference_is_seen_in_four_of_five_studies():
    """2.8 standard errors for many degrees of freedom: half-width 1.96 of them, and 0.84 more for 80 % power."""
    study = simulate(Truth(dict.fromkeys((0, 100), TRUTH.accuracy[0]), ROLES, {0: 1, 100: 1}), 0)
    low, high, note = transfer(study)["low", "high", "note"].row(0)
    visible = float(note.split("size: ")[1].split()[0])
    assert visible == pytest.approx((high - low) / 2 * 2.8 / 1.96, abs=0.001)


def test_a_row_that_one_run_lacks_is_left_out_of_all_runs_and_counted():
    study = simulate(TRUTH, 0)
    first = (pl.col("item_id") == "item-0") & (pl.col("language") == "es")
    holed = findings(study.filter(~(first & (pl.col("rows_per_language") == 100))))
    without = findings(study.filter(~first))
    assert holed.drop("note").equals(without.drop("note"))
    of_scores = holed.filter(pl.col("n") > 0)
    assert all("1 of 800 test rows left out, not every run has them" in note for note in of_scores["note"])
    assert not any("left out" in note for note in without["note"])


def test_a_language_that_one_run_lacks_is_left_out_by_name():
    study = simulate(TRUTH, 0).filter(~((pl.col("language") == "pt") & (pl.col("setting") == "n=100")))
    found = findings(study)
    assert "200 of 800 test rows left out, not every run has them, all of pt among them" in found["note"][1]
    unseen = found.filter(pl.col("name") == "gain of unseen languages")
    assert unseen["estimate"].null_count() == 2
    assert unseen["note"][0].startswith("cannot tell: no unseen language in every run")


def test_languages_may_have_items_of_their_own():
    """Test sets that are not translations: nothing is left out, and languages count as independent."""
    apart = simulate(TRUTH, 0).with_columns(pl.format("{}-{}", "language", "item_id").alias("item_id"))
    found = of_each_setting(apart)
    assert found["estimate"].equals(of_each_setting(simulate(TRUTH, 0))["estimate"])
    assert found.filter(pl.col("name") == "gain of seen languages")["n"].to_list() == [400, 400]


def test_where_the_baseline_has_no_run_yet_levels_are_given_and_gains_say_which_run_lacks():
    found = of_each_setting(simulate(TRUTH, 0).filter(pl.col("rows_per_language") > 0))
    gains = found.filter(pl.col("compared_with") != "")
    assert gains["estimate"].null_count() == len(gains) == 10
    assert all(note.startswith("cannot tell: no run of the baseline n=0 in the table") for note in gains["note"])
    assert found.filter(pl.col("compared_with") == "")["low"].null_count() == 0


def test_without_an_anchor_only_setting_levels_are_given_and_gains_are_not():
    found = of_each_setting(simulate(TRUTH, 0).drop("baseline").filter(pl.col("rows_per_language") > 0))
    gains = found.filter(pl.col("name").str.contains("gain|closed"))
    assert gains["estimate"].null_count() == len(gains) == 10
    assert all(note.startswith("cannot tell: no setting with 0 rows per language") for note in gains["note"])
    assert found.filter(pl.col("name") == "seen-unseen gap")["low"].null_count() == 0


def test_no_records_no_findings():
    assert findings(simulate(TRUTH, 0).clear()).schema == FINDINGS_SCHEMA


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.lit("anchor").alias("role"), "role 'anchor' is given to en and es and ja and pt; give it to 'en' only"),
        (pl.lit(0).alias("rows_per_language"), "settings n=0, n=100, n=400 all have 0 rows per language"),
        (pl.lit("n").alias("setting"), "setting 'n' has several values of rows_per_language [0, 400]"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change, message):
    study = simulate(TRUTH, 0)
    if "several" in message:  # seeds apart, so that no record is there twice
        study = study.filter((pl.col("rows_per_language") == 0) | (pl.col("rows_per_language") == 400))
        study = study.with_columns(pl.col("seed") + pl.col("rows_per_language"))
    with pytest.raises(UserError) as caught:
        findings(study.drop("baseline").with_columns(change), anchor="en")
    assert message in str(caught.value)


def test_another_anchor_than_the_tables_is_refused():
    with pytest.raises(UserError, match="role 'anchor' is given to en; give it to 'es' only"):
        findings(simulate(TRUTH, 0), anchor="es")


@pytest.mark.parametrize(
    ("kept", "name", "why"),
    [
        (pl.col("role") != "unseen", "gain of unseen languages", "no unseen language is evaluated"),
        (pl.col("role") != "seen", "gain of seen languages", "no seen language is evaluated"),
        (pl.col("role") != "anchor", "gain of the anchor", "no anchor language is evaluated"),
        (pl.col("rows_per_language") == 0, "seen-unseen gap", "no setting trains on another language than the anchor"),
    ],
)
def test_why_a_quantity_has_no_languages(kept, name, why):
    study = simulate(TRUTH, 0).filter(kept)
    if why.startswith("no setting"):
        study = study.filter(pl.col("role") != "seen")
    told = findings(study).filter(name=name)
    assert len(told) and all(note.startswith(f"cannot tell: {why}") for note in told["note"])
    assert all("none" in definition and "()" not in definition for definition in told["definition"])
