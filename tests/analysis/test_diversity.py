"""Languages against volume: the parts add up, each kind of control is read as what it is, and a missing one is told."""

import polars as pl
import pytest

from glotmix.analysis import diversity, transfer
from glotmix.analysis.answer import answer
from glotmix.analysis.findings import of_settings
from glotmix.analysis.questions.diversity import of_diversity
from mixture_study import mixture_study

# setting: rows of each language, control of, score of en, ja, all others
DESIGN = {
    "mix/en": ({"en": 100}, "", (0.60, 0.20, 0.20)),
    "mix/en+ja": ({"en": 100, "ja": 100}, "", (0.60, 0.60, 0.40)),
    "mix/en+ja same rows": ({"en": 200}, "mix/en+ja", (0.70, 0.30, 0.35)),
    "mix/en+ja fixed total": ({"en": 50, "ja": 50}, "mix/en+ja", (0.55, 0.50, 0.25)),
}
GAINS = {"seen": "gain of seen languages", "unseen": "gain of unseen languages", "anchor": "gain of the anchor"}
SAME_ROWS, FIXED_TOTAL = "mix/en+ja same rows", "mix/en+ja fixed total"


def study(*controls: str) -> pl.DataFrame:
    return pl.concat([setting(name, *DESIGN[name]) for name in ("mix/en", "mix/en+ja", *controls)])


def setting(name: str, rows: dict[str, int], control_of: str, levels: tuple[float, float, float]) -> pl.DataFrame:
    of = dict(zip(("en", "ja"), levels, strict=False))
    part = mixture_study(
        lambda model, task, mixture, target: of.get(target, levels[2]),
        models={"lab-1m": 10**6},
        mixtures=[tuple(rows)],
        items=400,
        seed=list(DESIGN).index(name),
    )
    return part.with_columns(
        setting=pl.lit(name),
        baseline=pl.lit("" if name == "mix/en" else "mix/en"),
        total_rows=pl.lit(sum(rows.values()), pl.Int64),
        control_of=pl.lit([control_of] if control_of else [], pl.List(pl.String)),
    )


def of(found: pl.DataFrame, name: str, setting: str = "mix/en+ja") -> dict[str, object]:
    (only,) = found.filter(name=name, setting=setting).iter_rows(named=True)
    return only


@pytest.mark.parametrize("control", [SAME_ROWS, FIXED_TOTAL])
@pytest.mark.parametrize("group", GAINS)
def test_volume_and_beyond_add_up_to_the_gain_and_the_share_is_their_ratio(control, group):
    table = study(control)
    found = diversity(table)
    volume, beyond = (of(found, f"{group} gain {which} volume")["estimate"] for which in ("by", "beyond"))
    assert volume + beyond == pytest.approx(of(transfer(table), GAINS[group])["estimate"])
    share = of(found, f"share of {group} gain beyond volume")
    assert share["compared_with"] == control
    if group != "anchor":
        assert share["estimate"] == pytest.approx(beyond / (volume + beyond))
        assert share["low"] < share["estimate"] < share["high"]


def test_beyond_a_control_of_the_same_rows_is_setting_minus_control():
    table = study(SAME_ROWS)
    found = of(diversity(table), "seen gain beyond volume")
    same = of(transfer(table), "seen gain beyond volume")
    for column in ("estimate", "low", "high", "compared_with"):
        assert found[column] == same[column]


def test_beyond_volume_at_a_fixed_total_is_control_minus_baseline():
    table = study(FIXED_TOTAL)
    found = of(diversity(table), "seen gain beyond volume")
    same = of(transfer(table), GAINS["seen"], setting=FIXED_TOTAL)
    for column in ("estimate", "low", "high", "compared_with"):
        assert found[column] == same[column]


def test_the_share_covers_the_truth_and_is_refused_where_there_is_no_gain():
    found = diversity(study(SAME_ROWS))
    for group, true in (("seen", (0.6 - 0.3) / 0.4), ("unseen", (0.4 - 0.35) / 0.2)):
        share = of(found, f"share of {group} gain beyond volume")
        assert share["low"] < true < share["high"]
        assert share["unit"] == "ratio"
    refused = of(found, "share of anchor gain beyond volume")  # the anchor gains nothing: 0.6 and 0.6
    assert refused["low"] is None
    assert refused["note"].startswith("cannot tell: the gain of en cannot be told from 0")


def test_a_design_without_control_is_told_once_and_one_with_a_control_is_not():
    bare = diversity(study())
    assert bare["setting"].to_list() == ["mix"]
    assert bare["note"][0].startswith("cannot tell: languages, rows and steps rise together")
    assert "share of gain beyond volume" not in diversity(study(SAME_ROWS))["name"].to_list()


def test_where_rows_stay_the_same_nothing_is_confounded():
    assert len(diversity(study().with_columns(total_rows=pl.lit(100)))) == 0


def test_findings_give_each_number_once():
    found = answer([of_settings, of_diversity], study(SAME_ROWS)).filter(setting="mix/en+ja")
    assert found.filter(name="seen gain by volume").height == 1
    assert found.filter(name="seen gain beyond volume").height == 1
