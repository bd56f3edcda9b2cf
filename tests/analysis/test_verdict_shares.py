"""Gains told apart by verdict: they add up exactly, a collapse of form is told as one, and intervals cover."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.analysis import transfer
from glotmix.analysis.answer import answer
from glotmix.analysis.questions.verdicts import FORM, FORMAT, LANGUAGE, RIGHT, gain_parts, of_verdicts, verdict_shares
from glotmix.analysis.simulate import Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
LEVELS = {0: (0.7, 0.3, 0.3, 0.3), 100: (0.7, 0.6, 0.6, 0.3)}
TRUTH = Truth(
    {rows: dict(zip(ROLES, level, strict=True)) for rows, level in LEVELS.items()}, ROLES, {0: 2, 100: 2}, items=60
)
KINDS = ("no_answer", "truncated", "malformed", "wrong_language")


def collapsed(study: pl.DataFrame, shares: dict[tuple[int, str], float], seed: int, score: float = 0.0) -> pl.DataFrame:
    """Where a verdict by form strikes, with its share at (rows per language, verdict), whatever the model knows."""
    random = np.random.default_rng(seed).random(len(study))
    verdict, value, low = pl.col("verdict"), pl.col("value"), 0.0
    below = dict.fromkeys((rows for rows, _ in shares), 0.0)
    for (rows, kind), share in shares.items():
        low, below[rows] = below[rows], below[rows] + share
        struck = (pl.col("rows_per_language") == rows) & pl.lit(pl.Series(random)).is_between(low, low + share)
        verdict, value = (
            pl.when(struck).then(pl.lit(kind)).otherwise(verdict),
            pl.when(struck).then(score).otherwise(value),
        )
    return study.with_columns(verdict=verdict, value=value)


def by_hand(study: pl.DataFrame, role: str) -> list[float]:
    """Kitagawa for each language: kinds with their share p and mean score r."""
    parts = np.zeros(3)
    columns = study.filter(role=role)["language"].unique().to_list()
    for tag in columns:
        p, r = np.zeros((2, 3)), np.full((2, 3), np.nan)
        for at, rows in enumerate((100, 0)):
            own = study.filter(language=tag, rows_per_language=rows)
            form = own["verdict"].is_in(KINDS[:3]).to_numpy()
            other = (own["verdict"] == "wrong_language").to_numpy()
            for kind, mask in enumerate((form, other, ~(form | other))):
                p[at, kind] = mask.mean()
                r[at, kind] = own["value"].to_numpy()[mask].mean() if mask.any() else np.nan
        r = np.where(np.isnan(r), r[::-1], r)
        r = np.nan_to_num(r)
        dp, mp, dr, mr = p[0] - p[1], p.mean(axis=0), r[0] - r[1], r.mean(axis=0)
        parts += [dp[0] * (mr[0] - mr[2]), dp[1] * (mr[1] - mr[2]), (mp * dr).sum()]
    return list(parts / len(columns))


shares = st.dictionaries(
    st.tuples(st.sampled_from([0, 100]), st.sampled_from(KINDS)), st.floats(0.01, 0.24), min_size=1
)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 20), shares)
def test_parts_are_kitagawas_and_add_up_to_the_gain(seed, shares):
    study = collapsed(simulate(TRUTH, seed), shares, seed, score=0.2)
    gains = {row["name"]: row["estimate"] for row in transfer(study).iter_rows(named=True)}
    found = {row["name"]: row["estimate"] for row in verdict_shares(study).iter_rows(named=True)}
    for role, gain in (("seen", "gain of seen languages"), ("unseen", "gain of unseen languages")):
        parts = [found.get(f"{role} {name}", 0.0) for name in (FORMAT, LANGUAGE, RIGHT)]
        if f"{role} {RIGHT}" in found:
            assert parts == pytest.approx(by_hand(study, role), abs=1e-6)
            assert sum(parts) == pytest.approx(gains[gain], abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=30, max_size=30))
def test_parts_add_up_for_any_shares_and_scores_and_change_sign_with_the_settings(numbers):
    raw = np.array(numbers).reshape(2, 5, 3)
    raw[:, :2] /= 2.5
    means = raw.reshape(2, 15)
    parts = gain_parts(means, [0, 2])
    gain = (raw[0, 2:, [0, 2]] - raw[1, 2:, [0, 2]]).sum() / 2
    assert parts.sum() == pytest.approx(gain)
    assert gain_parts(means[::-1], [0, 2]) == pytest.approx(-parts)


def test_a_format_collapse_is_told_from_a_loss_of_ability():
    same = Truth({0: TRUTH.accuracy[0], 100: TRUTH.accuracy[0]}, ROLES, {0: 2, 100: 2}, items=300)
    found = verdict_shares(collapsed(simulate(same, 0), {(100, "malformed"): 0.6}, 0))
    told = {row["name"]: row for row in found.iter_rows(named=True)}
    assert told[f"seen {FORMAT}"]["conclusion"] == "lower"
    assert told[f"seen {FORMAT}"]["estimate"] == pytest.approx(-0.6 * 0.3, abs=0.03)
    assert told[f"seen {RIGHT}"]["low"] < 0 < told[f"seen {RIGHT}"]["high"]
    share = told[f"seen {FORM}"]
    assert share["low"] < 1 < share["high"] and share["unit"] == "share"
    assert f"seen {LANGUAGE}" not in told  # no such answer anywhere


def test_answers_in_another_language_are_a_part_of_their_own():
    found = verdict_shares(collapsed(simulate(TRUTH, 0), {(0, "wrong_language"): 0.5, (0, "truncated"): 0.1}, 0))
    told = {row["name"]: row["estimate"] for row in found.iter_rows(named=True)}
    assert told[f"seen {LANGUAGE}"] == pytest.approx(5 * told[f"seen {FORMAT}"], rel=0.5)
    assert told[f"seen {LANGUAGE}"] > 0.1


def test_intervals_cover():
    """The true parts: 40 % of answers lost at the baseline and 10 % after, of 0.3 and 0.6 right ones."""
    truth = {FORMAT: 0.3 * 0.45, RIGHT: 0.75 * 0.3, FORM: 0.3 * 0.45 / (0.9 * 0.6 - 0.6 * 0.3)}
    covered = dict.fromkeys(truth, 0)
    for seed in range(100):
        study = collapsed(simulate(TRUTH, seed), {(0, "no_answer"): 0.4, (100, "no_answer"): 0.1}, seed)
        for row in verdict_shares(study.filter(pl.col("role") == "seen")).iter_rows(named=True):
            name = row["name"].removeprefix("seen ")
            covered[name] += row["low"] <= truth[name] <= row["high"]
    assert all(count >= 90 for count in covered.values()), covered


def test_a_setting_without_any_answer_in_form_is_all_form():
    study = collapsed(simulate(TRUTH, 0), {(0, "malformed"): 1.1}, 0)
    told = {row["name"]: row["estimate"] for row in verdict_shares(study).iter_rows(named=True)}
    assert told[f"seen {RIGHT}"] == pytest.approx(0, abs=1e-12)
    assert told[f"seen {FORM}"] == pytest.approx(1)


@pytest.mark.parametrize("change", ["no verdict by form", "a verdict unknown", "no column"])
def test_tables_that_cannot_tell_are_not_asked(change):
    study = simulate(TRUTH, 0)
    if change == "a verdict unknown":
        struck = collapsed(study, {(0, "malformed"): 0.5}, 0)
        study = struck.with_columns(
            pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("verdict").alias("verdict")
        )
    if change == "no column":
        cells = ["model", "task", "setting", "baseline", "seed", "language", "role", "rows_per_language"]
        study = study.group_by(cells).agg(pl.col("value").mean(), n_items=pl.len())
    assert not len(verdict_shares(study))


def test_over_all_settings_parts_are_the_mean_of_each_and_their_intervals_are_closer():
    levels = {**LEVELS, 400: LEVELS[100], 900: LEVELS[100]}
    accuracy = {rows: dict(zip(ROLES, level, strict=True)) for rows, level in levels.items()}
    study = simulate(replace(TRUTH, accuracy=accuracy, seeds=dict.fromkeys(levels, 2)), 0)
    study = collapsed(study, {(100, "malformed"): 0.3, (400, "wrong_language"): 0.2, (0, "truncated"): 0.1}, 0)
    each, together = verdict_shares(study), answer([of_verdicts], study)
    assert together["setting"].unique().to_list() == [""] and len(together) < len(each) / 2
    for name in (FORMAT, LANGUAGE, RIGHT):
        (average,) = together.filter(name=f"seen {name} over all settings").iter_rows(named=True)
        own = each.filter(name=f"seen {name}")
        assert average["estimate"] == pytest.approx(own["estimate"].sum() / 3, abs=1e-6)  # where not listed it is 0
        assert average["high"] - average["low"] < (own["high"] - own["low"]).max()
