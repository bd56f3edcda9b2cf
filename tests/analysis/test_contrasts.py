"""Contrasts: paired by item at equal rows, honest about peaks and totals, and only between groups that compare."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from glotmix.analysis import Declared, compare, noise
from glotmix.analysis.answer import answer
from glotmix.analysis.questions.contrasts import ALL_ROWS, EQUAL_ROWS, EQUAL_TOTAL, PEAK, of_groups
from glotmix.analysis.series import Levels, best_against_best
from glotmix.errors import UserError
from glotmix.evidence.tables import table
from made_runs import ROLES, Made, made


@pytest.fixture(autouse=True, scope="module")
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "DRAWS", 2000)
        yield


LATIN, OTHER = ("en", "es", "fr"), ("en", "ja", "zh")
MIXED = ("en", "es", "fr", "ja", "zh")
ROWS = (100, 200, 400)


def series(design: str, languages: tuple[str, ...], levels: tuple[float, ...], rows=ROWS) -> list[Made]:
    return [Made(f"{design} n={n}", level, n, languages, "n=0") for n, level in zip(rows, levels, strict=True)]


BASE = Made("n=0", 0.2, seeds=3)
SCRIPTS = [
    BASE,
    *series("scripts/latin", LATIN, (0.3, 0.4, 0.5)),
    *series("scripts/other", OTHER, (0.25, 0.3, 0.35)),
]
WITH_MIXED = [*SCRIPTS, *series("mixed/all", MIXED, (0.35, 0.5, 0.55))]


def groups(settings: list[Made], declared: Declared | None = None, **more) -> pl.DataFrame:
    return answer([of_groups], made(settings, **more), declared)


def level(study: pl.DataFrame, setting: str, tags: list[str]) -> np.ndarray:
    """(items,): mean over languages, by item."""
    own = study.filter((pl.col("setting") == setting) & pl.col("language").is_in(tags))
    return own.group_by("item_id").agg(pl.col("value").mean()).sort("item_id")["value"].to_numpy()


@pytest.mark.usefixtures("without_luck")
def test_two_settings_are_compared_by_item():
    study = made([replace(own, seeds=1) for own in SCRIPTS])
    found = compare(study, "scripts/latin n=200", "scripts/other n=200", ["es", "ja"])
    difference = level(study, "scripts/latin n=200", ["es", "ja"]) - level(study, "scripts/other n=200", ["es", "ja"])
    half = 1.98422 * difference.std(ddof=1) / 10  # t of 99 degrees, 100 items
    assert found["estimate"].to_list() == pytest.approx([difference.mean()])
    assert [found["low"][0], found["high"][0]] == pytest.approx(
        [difference.mean() - half, difference.mean() + half], abs=1e-5
    )
    assert (found["setting"][0], found["compared_with"][0]) == ("scripts/latin n=200", "scripts/other n=200")


@pytest.mark.usefixtures("without_luck")
def test_two_series_are_compared_at_every_n_over_all_and_at_the_peak():
    study = made([replace(own, seeds=1) for own in SCRIPTS])
    found = compare(study, "scripts/latin", "scripts/other")
    tags = [tag for tag in ROLES if tag != "en"]
    by_name = {name: [level(study, f"scripts/{name} n={n}", tags) for n in ROWS] for name in ("latin", "other")}
    apart = np.array([one - other for one, other in zip(*by_name.values(), strict=True)])
    assert found["name"].to_list() == [EQUAL_ROWS] * 3 + [ALL_ROWS, PEAK]
    highest = [max(each.mean() for each in own) for own in by_name.values()]
    assert found["estimate"].to_list() == pytest.approx([*apart.mean(axis=1), apart.mean(), highest[0] - highest[1]])
    half = 1.98422 * apart.mean(axis=0).std(ddof=1) / 10
    assert found["high"][3] - found["estimate"][3] == pytest.approx(half, abs=1e-5)


def test_all_rows_see_what_no_single_n_can():
    found = compare(made(SCRIPTS, seed=1), "scripts/latin", "scripts/other")
    width = (found["high"] - found["low"]).to_list()
    assert width[3] < 0.8 * min(width[:3])


FLAT, STEEP = np.full(8, 0.35), np.array([0.1, 0.3, 0.34])


@pytest.mark.parametrize(("one", "other"), [(FLAT, STEEP), (STEEP, FLAT), (FLAT, FLAT), (STEEP, STEEP)])
def test_intervals_of_peaks_cover_whatever_the_shape_and_plain_resamples_do_not(one, other):
    random, error, truth = np.random.default_rng(0), 0.02, one.max() - other.max()
    both = np.concatenate([one, other])
    places = (range(len(one)), range(len(one), len(both)))
    covered = naive = false = 0
    for _ in range(400):
        seen = both + random.normal(0, error, len(both))
        levels = Levels(seen, random.normal(0, error, (500, len(both))), 100, "")
        found, p = best_against_best(levels, *places)
        covered += found.low <= truth <= found.high
        false += p < 0.05 and truth == 0
        drawn = [(seen + levels.errors)[:, list(part)].max(axis=1) for part in places]
        low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
        naive += low <= truth <= high
        assert abs(p - 0.05) < 0.01 or (p < 0.05) == (not found.low <= 0 <= found.high)
    assert covered >= 0.93 * 400
    assert false <= 0.05 * 400
    if len(one) != len(other):
        assert naive < 0.75 * 400


def test_groups_are_compared_by_script_and_by_what_neither_trains_on():
    found = groups(SCRIPTS).filter(pl.col("name") == ALL_ROWS)
    assert set(found["setting"]) == {"scripts/en+es+fr"} and set(found["compared_with"]) == {"scripts/en+ja+zh"}
    assert [text.split(" over ")[1].split(", mean")[0] for text in found["definition"]] == [
        "all languages but the anchor (es fr ja zh ko pt)",
        "languages of Latin script (es fr pt)",
        "languages of other scripts (ja zh ko)",
        "all languages but the anchor, trained by neither (ko pt)",
        "languages of Latin script, trained by neither (pt)",
        "languages of other scripts, trained by neither (ko)",
    ]  # es fr pt are the trained family too: it is there once


def test_a_family_with_a_trained_and_an_untrained_language_is_a_target():
    found = groups(SCRIPTS, Declared(groups={"west": ("es", "fr")})).filter(pl.col("name") == ALL_ROWS)
    told = [text.split(" over ")[1].split(", mean")[0] for text in found["definition"]]
    assert told[1] == "west (es fr)" and told[-1] == "Indo-European languages (es fr pt)"


def test_a_declared_group_that_nobody_is_evaluated_in_is_refused():
    with pytest.raises(UserError, match="group 'east': language 'xx' is evaluated in no run"):
        groups(SCRIPTS, Declared(groups={"east": ("xx",)}))


def test_equal_rows_of_unequal_groups_say_so_and_equal_totals_are_compared_too():
    study, tags = made(WITH_MIXED), [tag for tag in ROLES if tag != "en"]
    of_all = pl.col("definition").str.contains("all languages but the anchor (es", literal=True)
    found = answer([of_groups], study).filter(of_all & (pl.col("compared_with") == "scripts/en+es+fr"))
    mixed = found.filter(pl.col("setting") == "mixed/en+es+fr+ja+zh")
    notes = dict(mixed["name", "note"].rows())
    assert "not equal rows in total: 1,400 to 2,600 against 1,200 to 1,800" in notes[ALL_ROWS]
    assert "not equal rows" not in notes[EQUAL_TOTAL]
    more, fewer = (  # of four languages and of two, at 1,400 and 1,800 rows in total
        [level(study, f"{name} n={n}", tags).mean() for n in rows]
        for name, rows in (("mixed/all", (100, 200)), ("scripts/latin", (200, 400)))
    )
    expected = np.mean(more) - np.mean(fewer)
    assert mixed.filter(pl.col("name") == EQUAL_TOTAL)["estimate"].to_list() == pytest.approx([expected])
    assert EQUAL_TOTAL not in groups(SCRIPTS)["name"].to_list()  # two languages each: equal rows are equal totals


def test_what_does_not_compare_is_no_group():
    sets = [BASE, *(Made(f"c/{tags[-1]}", 0.4, 100, tags, "n=0") for tags in (("en", "es"), ("en", "ja")))]
    anchors = [replace(own, anchor_rows=500 if "other" in own.setting else 1000) for own in SCRIPTS]
    tasks = [replace(own, tasks=("math", "sum") if "other" in own.setting else ("math",)) for own in SCRIPTS]
    untold = [replace(own, languages=()) for own in SCRIPTS]
    for settings in (sets, anchors, tasks, untold, SCRIPTS[:4]):
        assert groups(settings).is_empty()


def test_a_series_that_another_design_has_in_full_is_compared_once():
    again = [replace(own, setting=own.setting.replace("scripts", "more")) for own in SCRIPTS[1:3]]
    twice = groups([*SCRIPTS, *again])
    assert twice["name", "setting", "compared_with"].equals(groups(SCRIPTS)["name", "setting", "compared_with"])


def test_tags_that_are_no_languages_are_in_no_script():
    study = made(SCRIPTS).with_columns(pl.col("language").replace({"ko": "korean"}))
    found = answer([of_groups], study)
    assert any("languages of other scripts (ja zh)" in text for text in found["definition"])


@pytest.mark.parametrize(
    ("a", "b", "languages", "said"),
    [
        ("scripts/latn", "scripts/other", None, "no setting or series 'scripts/latn'.*nearest is 'scripts"),
        ("scripts", "scripts/other", None, "'scripts' has 'scripts/latin n=100' and 'scripts/other n=100'"),
        ("scripts/latin", "scripts/other", ["xx"], "'xx' is evaluated in no run"),
    ],
)
def test_mistakes_in_what_is_compared_are_one_clear_line(a, b, languages, said):
    with pytest.raises(UserError, match=said):
        compare(made(SCRIPTS), a, b, languages)


def test_settings_that_both_have_are_refused():
    for a, b in (("scripts/latin", "scripts/latin n=100"), ("n=0", "n=0")):
        with pytest.raises(UserError, match="both have setting"):
            compare(made(SCRIPTS), a, b)


def test_settings_of_two_models_are_no_pair():
    study = pl.concat([made(SCRIPTS[:4]), made([replace(own, model="w") for own in (BASE, *SCRIPTS[4:])])])
    with pytest.raises(UserError, match="no model and task has both"):
        compare(study, "scripts/latin", "scripts/other")


def test_the_script_peaks_of_study_1_are_its_printed_numbers_and_cannot_be_told_apart():
    guide = table("post-trainers-guide").filter((pl.col("model") == "Aya23-7B") & (pl.col("task") == "MR"))
    found = answer([of_groups], guide).filter(
        (pl.col("name") == PEAK) & pl.col("definition").str.contains("(es fr ja zh ar ko pt)", literal=True)
    )
    points = {frozenset(pair): 100 * value for *pair, value in found["setting", "compared_with", "estimate"].rows()}
    printed = {"latin/en+es+fr": 37.43, "non-latin/en+ja+zh": 36.57, "single/en+es+fr+ja+zh": 38.43}
    for (one, other), value in ((tuple(pair), value) for pair, value in points.items()):
        assert abs(value) == pytest.approx(abs(printed[one] - printed[other]), abs=0.011)
    assert len(points) == 3 and set(found["conclusion"]) == {"cannot tell"}
