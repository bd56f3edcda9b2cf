"""Studies of several designs: every setting against its own baseline, in its own languages, and beyond its controls."""

from pathlib import Path

import polars as pl
import pytest

from glotmix.analysis import accuracy_by_language, findings
from glotmix.analysis.quantities import ANCHOR_GAIN, BEYOND, GAP, SEEN_BEYOND, SEEN_GAIN, UNSEEN_GAIN
from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Truth, simulate
from glotmix.errors import UserError

ROLES = {"en": "anchor", "bn": "seen", "es": "seen", "te": "unseen"}
# name: baseline, controls of, rows, levels in the order of ROLES
SETTINGS = {
    "mix/en": ("", [], {"en": 10}, (0.5, 0.2, 0.4, 0.1)),
    "mix/en+es": ("mix/en", [], {"en": 10, "es": 10}, (0.5, 0.25, 0.6, 0.15)),
    "mix/bn+es": ("mix/en", [], {"bn": 10, "es": 10}, (0.55, 0.5, 0.6, 0.2)),
    "mix/en+es same rows": ("mix/en", ["mix/en+es"], {"en": 20}, (0.6, 0.2, 0.45, 0.1)),
    "mix/en+es fixed total": ("mix/en", ["mix/en+es"], {"en": 5, "es": 5}, (0.5, 0.2, 0.5, 0.1)),
    "ratio/en=50%": ("", [], {"en": 5, "bn": 5}, (0.4, 0.4, 0.3, 0.1)),
    "ratio/en=0%": ("ratio/en=50%", [], {"bn": 10}, (0.2, 0.5, 0.3, 0.1)),
}


def study() -> pl.DataFrame:
    """Every answer scores its language's level: estimates follow by hand."""
    names = list(SETTINGS)
    accuracy = {place: dict.fromkeys(ROLES, 0.5) for place in range(len(names))}
    table = simulate(Truth(accuracy, ROLES, dict.fromkeys(accuracy, 2), items=40), 0)
    level = {f"{n} {tag}": SETTINGS[name][3][i] for n, name in enumerate(names) for i, tag in enumerate(ROLES)}
    value = pl.format("{} {}", "rows_per_language", "language").replace_strict(level)
    told = pl.DataFrame(
        [
            {
                "rows_per_language": place,
                "setting": name,
                "baseline": baseline,
                "control_of": controls,
                "train_languages": list(rows),
                "anchor_rows": rows.get("en", 0),
                "total_rows": sum(rows.values()),
                "n": max((count for tag, count in rows.items() if tag != "en"), default=0),
            }
            for place, (name, (baseline, controls, rows, _)) in enumerate(SETTINGS.items())
        ],
        schema_overrides={"control_of": pl.List(pl.String)},
    )
    kept = table.with_columns(value=value).drop(set(told.columns) - {"rows_per_language", "n"})
    return kept.join(told, on="rows_per_language").with_columns(rows_per_language="n").drop("n")


STUDY = study()
FOUND = findings(STUDY, anchor="en")


def of(name: str, setting: str) -> dict[str, object]:
    (only,) = FOUND.filter(name=name, setting=setting).iter_rows(named=True)
    return only


def test_increments_give_the_numbers_they_gave_before_there_were_other_designs():
    """`increments.csv` is what the analysis of increments alone gave, to the last digit."""
    roles = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
    levels = {0: (0.8, 0.3, 0.1, 0.2), 100: (0.75, 0.7, 0.4, 0.3), 400: (0.9, 0.8, 0.6, 0.2)}
    accuracy = {rows: dict(zip(roles, level, strict=True)) for rows, level in levels.items()}
    table = simulate(Truth(accuracy, roles, {0: 2, 100: 1, 400: 2}, item_by_setting=0.5, run=0.1), 0)
    known = pl.read_csv(Path(__file__).parent / "increments.csv").with_columns(pl.col("note").fill_null(""))
    for same in (table, table.drop("baseline", "control_of"), table.drop("train_languages").with_columns(EMPTY)):
        found = findings(same).filter(pl.col("name").is_in(known["name"].unique().to_list())).select(known.columns)
        assert found.drop("estimate", "low", "high").equals(known.drop("estimate", "low", "high"))
        for column in ("estimate", "low", "high"):
            assert found[column].to_list() == pytest.approx(known[column].to_list(), rel=1e-12, abs=1e-15)


EMPTY = pl.lit(None, pl.List(pl.String)).alias("train_languages")


@pytest.mark.parametrize(
    ("setting", "seen", "unseen", "anchor"),
    [
        ("mix/en+es", 0.2, 0.05, 0.0),  # es; bn te
        ("mix/bn+es", 0.25, 0.1, 0.05),  # bn es; te
        ("ratio/en=0%", 0.1, 0.0, -0.2),  # bn; es te; against its own baseline
    ],
)
def test_a_setting_is_compared_with_its_own_baseline_in_its_own_languages(setting, seen, unseen, anchor):
    gains = [of(name, setting)["estimate"] for name in (SEEN_GAIN, UNSEEN_GAIN, ANCHOR_GAIN)]
    assert gains == pytest.approx([seen, unseen, anchor], abs=1e-9)
    assert {of(name, setting)["compared_with"] for name in (SEEN_GAIN, ANCHOR_GAIN)} == {SETTINGS[setting][0]}


def test_a_baseline_has_levels_and_no_gains():
    for setting in ("mix/en", "ratio/en=50%"):
        assert FOUND.filter(setting=setting)["compared_with"].unique().to_list() == [""]


def test_definitions_name_languages_baseline_and_an_anchor_that_is_not_trained_on():
    assert of(SEEN_GAIN, "mix/bn+es")["definition"] == (
        "mean of a(l, s) over the seen languages (bn es), minus the same at mix/en"
    )
    assert of(UNSEEN_GAIN, "mix/en+es")["definition"] == (
        "mean of a(l, s) over the unseen languages (bn te), minus the same at mix/en"
    )
    assert of(ANCHOR_GAIN, "mix/bn+es")["definition"] == (
        "a(en, s) (by transfer: no rows in en), minus the same at mix/en"
    )
    assert "by transfer" not in str(of(ANCHOR_GAIN, "mix/en+es")["definition"])


def test_a_setting_that_trains_on_the_anchor_alone_is_measured_on_the_studys_languages_and_says_so():
    assert of(SEEN_GAIN, "mix/en+es same rows")["estimate"] == pytest.approx((0.0 + 0.05) / 2)
    assert "over the study's seen languages (bn es)" in str(of(SEEN_GAIN, "mix/en+es same rows")["definition"])
    assert of(GAP, "mix/en")["estimate"] == pytest.approx(0.3 - 0.1)


def test_gain_beyond_volume_is_the_cell_minus_its_control_in_the_cells_languages():
    found = FOUND.filter(pl.col("name").is_in(list(BEYOND)))
    assert found["setting"].unique().to_list() == ["mix/en+es"]
    assert found["compared_with"].unique().to_list() == ["mix/en+es same rows"]
    assert found["estimate"].to_list() == pytest.approx([0.6 - 0.45, (0.05 + 0.05) / 2, 0.5 - 0.6])
    assert found["definition"][0] == (
        "mean of a(l, s) over the seen languages (es), minus the same at mix/en+es same rows, a control trained on en"
    )
    assert found["low"].null_count() == 0


def test_one_control_may_serve_several_settings_and_a_setting_may_have_several():
    both = pl.lit(["mix/en+es", "mix/bn+es"])
    shared = pl.when(setting="mix/en+es same rows").then(both).otherwise("control_of").alias("control_of")
    again = STUDY.filter(setting="mix/en+es same rows").with_columns(setting=pl.lit("mix/en+es same steps"))
    found = findings(pl.concat([STUDY.with_columns(shared), again])).filter(name=SEEN_BEYOND)
    assert sorted(found["setting", "compared_with"].rows()) == [
        ("mix/bn+es", "mix/en+es same rows"),
        ("mix/en+es", "mix/en+es same rows"),
        ("mix/en+es", "mix/en+es same steps"),
    ]


def test_designs_stay_together_and_controls_follow_what_they_control():
    (scores,) = read_scores(STUDY)
    assert [setting.name for setting in scores.settings] == [
        "mix/en",
        "mix/bn+es",
        "mix/en+es",
        "mix/en+es fixed total",
        "mix/en+es same rows",
        "ratio/en=50%",
        "ratio/en=0%",
    ]
    assert accuracy_by_language(STUDY)["setting"].unique(maintain_order=True).to_list()[0] == "mix/en"


def test_a_setting_that_means_two_things_is_refused():
    """Seeds of one setting that trained on other languages are no replicates."""
    other = pl.when(seed=1).then(pl.lit(["en", "te"])).otherwise("train_languages").alias("train_languages")
    with pytest.raises(UserError, match="setting 'mix/bn\\+es' has several values of train_languages"):
        findings(STUDY.filter(setting="mix/bn+es").with_columns(other))
