"""What the page tells, before it is a page."""

from dataclasses import replace

import polars as pl
import pytest
import synthetic_study as study
from hypothesis import given
from hypothesis import strategies as st

from glotmix.analysis.families import Family, families
from glotmix.analysis.quantities import ANCHOR_GAIN, GAP, RELATIVE, SEEN_BEYOND, SEEN_GAIN
from glotmix.analysis.scores import Setting, read_scores
from glotmix.analysis.table import FINDINGS_SCHEMA, UNITS, VERDICTS
from glotmix.report import SAMPLES_SCHEMA, text
from glotmix.report.cards import cards
from glotmix.report.places import placed
from glotmix.report.samples import CORRECT, FAILED, PAGE_CHARACTERS, pick
from glotmix.report.tables import finding_groups, heat_cells, scores_by_role, verdict_rows, verdict_shares

MARGIN = 0.02
TRAINED = {"n=0": ("en",), "n=20": ("en", "es", "fr", "ja", "zh"), "n=100": ("en", "es", "fr", "ja", "zh")}
FAMILY = Family(
    "",
    "n=0",
    tuple(
        Setting(name, int(name[2:]), 1000, 1000 + 4 * int(name[2:]), tags, "" if name == "n=0" else "n=0", ())
        for name, tags in TRAINED.items()
    ),
)


def finding(name, estimate, low, high, *, setting="n=100", note="", conclusion=None):
    if conclusion is None:
        clear = low is not None and not low <= 0 <= high
        conclusion = "" if name == RELATIVE else ("higher" if estimate > 0 else "lower") if clear else "cannot tell"
    where = {"name": name, "model": "lab-1m", "task": "math", "setting": setting, "compared_with": "n=0"}
    numbers = {"estimate": estimate, "low": low, "high": high, "n": 200}
    return {
        **where,
        **numbers,
        "definition": f"what {name} is",
        "unit": "score",
        "note": note,
        "conclusion": conclusion,
    }


def table(*rows):
    return pl.DataFrame(rows, FINDINGS_SCHEMA)


def groups_of(frame):
    return finding_groups(placed(frame), MARGIN)


def card(*row, **more):
    (only,) = cards(table(finding(*row, **more)), FAMILY, study.ROLES, MARGIN)
    return only


def test_card_says_what_was_added_and_what_came_of_it():
    told = card(SEEN_GAIN, 0.307, 0.269, 0.346)
    assert told.sentence.startswith("100 rows in each raise Spanish, French, Japanese and Chinese by 30.7 points")
    assert (told.estimate, told.interval, told.clear) == ("+30.7", "+26.9 to +34.6", True)


def test_card_tells_a_loss_as_a_loss():
    told = card(ANCHOR_GAIN, -0.041, -0.06, -0.02)
    assert told.sentence == "English itself loses 4.1 points to the other languages."
    assert told.estimate == "−4.1"


def test_card_does_not_say_rows_in_each_where_languages_have_different_rows():
    (told,) = cards(table(finding(SEEN_GAIN, 0.3, 0.2, 0.4)), uneven(), study.ROLES, MARGIN)
    assert told.sentence.startswith("Rows in them raise Spanish")


def uneven() -> Family:
    last = replace(FAMILY.settings[-1], total_rows=1350)
    return replace(FAMILY, settings=(*FAMILY.settings[:-1], last))


def test_card_of_an_anchor_without_rows_says_so_and_a_baseline_with_languages_is_named():
    last = replace(FAMILY.settings[-1], anchor_rows=0, total_rows=500)
    first = replace(FAMILY.settings[0], rows_per_language=5)
    family = replace(FAMILY, settings=(first, last))
    seen, anchor = cards(
        table(finding(SEEN_GAIN, 0.3, 0.2, 0.4), finding(ANCHOR_GAIN, 0.1, 0.05, 0.2)), family, study.ROLES, MARGIN
    )
    assert seen.sentence.endswith("against training on n=0.")
    assert anchor.sentence == "English itself, without a row in it, gains 10.0 points from the other languages."


def test_card_of_a_control_names_it():
    row = finding(SEEN_BEYOND, 0.12, 0.02, 0.2) | {"compared_with": "mix/n=100 same rows"}
    (told,) = cards(table(row), FAMILY, study.ROLES, MARGIN)
    assert told.sentence.endswith("by 12.0 points more than its control n=100 same rows.")


@pytest.mark.parametrize("bounds", [(-0.01, 0.05), (0.0, 0.05), (-0.05, 0.0)])
def test_card_claims_nothing_where_nothing_is_concluded(bounds):
    told = card(SEEN_GAIN, 0.02, *bounds)
    assert not told.clear
    assert "these results cannot tell" in told.sentence


def test_card_follows_the_conclusion_and_not_the_interval():
    adjusted = card(SEEN_GAIN, 0.02, 0.001, 0.04, conclusion="cannot tell")
    assert (adjusted.clear, "cannot tell" in adjusted.sentence) == (False, True)
    same = card(SEEN_GAIN, 0.001, -0.01, 0.012, conclusion="no difference")
    assert same.clear and "by less than 2 points on average" in same.sentence


def test_card_without_interval_gives_the_reason():
    told = card(RELATIVE, None, None, None, note="cannot tell: the anchor scores too near 0")
    assert (told.estimate, told.interval, told.clear) == (text.NONE, "", False)
    assert told.sentence == "Cannot tell: the anchor scores too near 0."


def test_card_is_of_the_largest_mixture_whatever_the_order_of_findings():
    rows = [finding(GAP, 0.1 * n, 0.05, 0.9, setting=f"n={n}") for n in (100, 0, 20)]
    (told,) = cards(table(*rows), FAMILY, study.ROLES, MARGIN)
    assert told.estimate == "+1000.0"
    assert [at.setting for at in told.smaller] == ["n=0", "n=20"]
    assert all(" to " in at.interval for at in told.smaller), "no estimate without its interval"


def test_findings_of_one_unit_share_a_scale_so_that_bars_compare():
    groups = groups_of(table(finding(SEEN_GAIN, 0.5, 0.4, 0.6), finding(GAP, 0.05, 0.04, 0.06)))
    big, small = (group.estimates[0] for group in groups)
    assert (big.right - big.left) == pytest.approx(10 * (small.right - small.left), abs=0.1)
    assert groups[0].zero == groups[1].zero


def test_findings_that_are_undefined_are_listed_with_their_note():
    (group,) = groups_of(table(finding(SEEN_GAIN, None, None, None, note="no baseline")))
    assert (group.estimates[0].estimate, group.estimates[0].middle, group.estimates[0].note) == (
        text.NONE,
        None,
        "no baseline",
    )


def test_mean_by_role_weighs_languages_equally():
    results = study.results(items=30)
    found = scores_by_role(results)
    by_language = results.group_by("setting", "role", "language").agg(pl.col("value").mean())
    expected = by_language.group_by("setting", "role").agg(pl.col("value").mean())
    joined = found.join(expected, on=["setting", "role"])
    assert len(joined) == len(found) == 12
    assert (joined["estimate"] - joined["value"]).abs().max() < 1e-9
    assert found.select(pl.col("estimate").is_between("low", "high").all()).item()


def test_verdict_shares_count_every_answer_once():
    results = study.results(items=30)
    shares = verdict_shares(results)
    assert (shares.group_by("language", "setting").agg(pl.col("share").sum())["share"] - 1).abs().max() < 1e-9
    rows = verdict_rows(shares, list(study.ROLES), ["n=0"])
    assert [row.language for row in rows] == list(study.ROLES)
    truth = results.filter(language="en", setting="n=0")["verdict"].eq("correct").mean()
    assert rows[0].shares["correct"] == f"{100 * truth:.1f}"


def test_heat_follows_the_score_and_leaves_holes_empty():
    part = pl.DataFrame(
        {
            "language": ["en", "es"],
            "setting": ["a", "b"],
            "estimate": [0.5, 0.1],
            "low": [0.4, None],
            "high": [0.6, None],
        }
    )
    cells = heat_cells(part, "language", ["a", "b"], 0.5)
    assert cells["en"][0].heat == 1.0
    assert cells["en"][0].interval == "40–60"
    assert cells["en"][1] is None
    assert cells["es"][1].interval == ""


@pytest.mark.parametrize(("value", "shown"), [(0.0004, "0.0"), (-0.0004, "0.0"), (-0.12, "−12.0"), (0.3, "+30.0")])
def test_differences_carry_a_sign_unless_they_round_to_zero(value, shown):
    assert text.signed(value, "score") == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.823, "ratio", "82.3 %"),
        (-0.05, "share", "−5.0 %"),
        (12345.6, "rows", "12,346 rows"),
        (13.04, "factor", "13 ×"),
        (-0.756, "correlation", "−0.76"),
    ],
)
def test_every_unit_has_a_form_of_its_own(value, unit, shown):
    assert f"{text.signed(value, unit)} {text.symbol(unit)}".rstrip() == shown
    assert set(text.FORMS) == set(UNITS)


def test_settings_with_one_baseline_are_a_family_and_only_rows_per_language_make_a_curve():
    (mix,) = families(read_scores(study.coverage(items=5)))
    assert (mix.design, mix.baseline, len(mix.settings), len(mix.mixtures), mix.curved) == (
        "mix",
        "mix/en",
        24,
        22,
        False,
    )
    assert mix.furthest is not None and mix.furthest.name == "mix/en+bn+de+es+fr+ja+ru+sw+th+zh"
    (grown,) = families(read_scores(study.results(items=5)))
    assert (grown.curved, grown.furthest and grown.furthest.name) == (True, "n=400")
    other = replace(grown.settings[-1], train_languages=("en", "ko"))
    assert not replace(grown, settings=(*grown.settings[:-1], other)).curved


def test_definitions_are_told_once_or_with_their_settings():
    found = study.findings(study.coverage(items=10))
    gains = {group.name: group for group in groups_of(found)}[SEEN_GAIN]
    assert len(gains.definitions) == 10  # sets of evaluated languages that the 22 mixtures and the control train on
    assert gains.definitions[0] == (
        "en+bn, en+bn fixed total",
        "mean of a(l, s) over the seen languages (bn), minus the same at mix/en",
    )
    (only,) = {group.name: group for group in groups_of(study.findings(study.results(items=10)))}[SEEN_GAIN].definitions
    assert only[0] == ""


def test_a_finding_against_a_control_names_it():
    groups = {group.name: group for group in groups_of(study.findings(study.coverage(items=10)))}
    assert {row.against for row in groups[SEEN_BEYOND].estimates} == {"en+bn same rows"}
    assert {row.against for row in groups[SEEN_GAIN].estimates} == {""}


answers = st.lists(
    st.tuples(st.sampled_from(("math", "api_calls")), st.sampled_from(("en", "ja")), st.sampled_from(VERDICTS)),
    max_size=60,
)


def frame(rows, length=5):
    records = [
        {"model": "m", "task": task, "setting": "n=0", "seed": 0, "language": language, "item_id": str(place)}
        | {"verdict": verdict, **dict.fromkeys(("prompt", "reference", "output", "parsed"), "ก" * length)}
        for place, (task, language, verdict) in enumerate(rows)
    ]
    return pl.DataFrame(records, SAMPLES_SCHEMA)


@given(answers)
def test_every_kind_of_failure_that_fits_is_sampled(rows):
    chosen = pick(frame(rows))
    for task, language in {row[:2] for row in rows}:
        there = [verdict for *place, verdict in rows if place == [task, language]]
        own = [sample.verdict for sample in chosen if (sample.task, sample.language) == (task, language)]
        correct, failed = own.count("correct"), [verdict for verdict in own if verdict != "correct"]
        assert correct == min(CORRECT, there.count("correct"))
        assert len(failed) == min(FAILED, len(there) - there.count("correct"))
        assert len(set(failed)) == min(FAILED, len(set(there) - {"correct"}))
        assert own[:correct] == ["correct"] * correct


@given(answers, st.integers(0, 10_000))
def test_samples_never_exceed_the_page_budget(rows, length):
    chosen = pick(frame(rows, length))
    texts = [part for sample in chosen for part in (sample.prompt, sample.reference, sample.output, sample.parsed)]
    assert sum(len(part.text) for part in texts) <= PAGE_CHARACTERS
    assert all(part.length == length and part.cut == (len(part.text) < length) for part in texts)
