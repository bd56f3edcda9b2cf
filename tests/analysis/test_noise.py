"""Draws have the spread that intervals have, whatever is known of items and seeds."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from glotmix.analysis import noise
from glotmix.analysis.interval import from_draws, interval, wilson
from glotmix.analysis.noise import draws, luck
from glotmix.analysis.scores import Scores, read_scores
from glotmix.analysis.simulate import Study, Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
LEVELS = {
    0: dict(zip(ROLES, (0.8, 0.3, 0.2, 0.2), strict=True)),
    9: dict(zip(ROLES, (0.8, 0.7, 0.4, 0.3), strict=True)),
}
TRUTH = Truth(LEVELS, ROLES, {0: 8, 9: 8}, run=0.3, run_by_language=0.2)


def drawn(truth: Truth, seed: int = 0) -> Scores:
    return Study((truth,)).scores(seed)[0]


def means_only(scores: Scores, counted: bool = True) -> Scores:
    """The same study as its readers know it: one mean per run and language."""
    records = [
        {
            "model": "m", "task": "t", "setting": setting.name, "seed": seed, "language": tag, "role": role,
            "rows_per_language": setting.rows_per_language, "value": value[seed, column].mean(),
            **({"n_items": value.shape[2]} if counted else {}),
        }
        for setting, value in zip(scores.settings, scores.values, strict=True)
        for seed in range(len(value))
        for column, (tag, role) in enumerate(zip(scores.languages, scores.roles, strict=True))
    ]  # fmt: skip
    return next(read_scores(pl.DataFrame(records)))


def gain(means: np.ndarray) -> np.ndarray:
    return means[..., 1, 1:3].mean(axis=-1) - means[..., 0, 1:3].mean(axis=-1)


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(drawn(TRUTH), id="seeds"),
        pytest.param(drawn(replace(TRUTH, seeds={0: 1, 9: 1})), id="assumed luck"),
        pytest.param(drawn(replace(TRUTH, seeds={0: 8, 9: 1})), id="borrowed"),
        pytest.param(drawn(replace(TRUTH, translated=False)), id="other items in every language"),
        pytest.param(means_only(drawn(TRUTH)), id="means"),
        pytest.param(means_only(drawn(replace(TRUTH, seeds={0: 1, 9: 1}))), id="means of single runs"),
        pytest.param(means_only(drawn(TRUTH), counted=False), id="means without counts"),
    ],
)
def test_draws_of_a_smooth_quantity_are_as_wide_as_its_interval(scores):
    analytic = interval(scores, [0, 1], lambda means: float(gain(means)))
    sampled = from_draws(float(gain(scores.means)), gain(draws(scores)), 200, basis="draws")
    for end in ("low", "high"):
        half = abs(getattr(sampled, end) - sampled.estimate)
        assert half == pytest.approx((analytic.high - analytic.low) / 2, rel=0.1)


def test_draws_are_made_once_for_each_table_and_nobody_can_change_them():
    scores = drawn(TRUTH)
    assert draws(scores) is draws(scores)
    with pytest.raises(ValueError, match="read-only"):
        draws(scores)[0] = 0
    assert not np.array_equal(draws(scores), draws(drawn(TRUTH, 1)))


def test_models_that_answered_the_same_items_stay_paired():
    """What draws an easy test set for one model draws it for the other."""
    alone = replace(TRUTH, run=0.0, run_by_language=0.0, item=3.0, seeds={0: 1, 9: 1})
    one, other = Study((replace(alone, model="a"), replace(alone, model="b"))).scores(0)
    assert np.corrcoef(draws(one)[:, 0, 1], draws(other)[:, 0, 1])[0, 1] > 0.5


def test_draws_follow_the_luck_of_runs_shared_by_languages_and_their_own():
    """Over many studies, the variance that draws give to luck is the true one, whether it is shared or not."""
    for run, by_language in ((0.4, 0.0), (0.0, 0.4), (0.0, 0.0)):
        spreads = {"run": run, "run_by_language": by_language}
        truth = replace(TRUTH, accuracy=dict.fromkeys((0, 9), dict.fromkeys(ROLES, 0.5)), item=0.5, **spreads)
        found = [luck(drawn(truth, seed))[0] for seed in range(40)]
        shared = np.mean([each[~np.eye(4, dtype=bool)].mean() for each in found])
        own = np.mean([np.trace(each) / 4 for each in found])
        unit = 0.3989**2 / truth.spread**2 / 0.25  # of probit, to first order, per p (1 - p)
        assert shared == pytest.approx(unit * spreads["run"] ** 2, abs=0.012)
        assert own == pytest.approx(unit * sum(each**2 for each in spreads.values()), abs=0.012)


def test_draws_without_luck_do_not_invent_it(monkeypatch):
    """What chance makes of a covariance without luck has negative values; cutting them off would leave only positive
    ones, so that many languages and few seeds would double the variance."""
    monkeypatch.setattr(noise, "DRAWS", 2000)
    tags = {"en": "anchor"} | {f"l{place}": "seen" for place in range(15)}
    truth = Truth({0: dict.fromkeys(tags, 0.5)}, tags, {0: 5}, item=0.0, items=100)
    wider: dict[str, list[float]] = {"one": [], "mean": []}
    for seed in range(30):
        scores = drawn(truth, seed)
        for name, columns in (("one", [3]), ("mean", list(range(16)))):
            found = interval(scores, [0], lambda means, of=columns: float(means[0, of].mean()))
            low, high = np.quantile(draws(scores)[:, 0, columns].mean(axis=1), [0.025, 0.975])
            wider[name].append((high - low) / (found.high - found.low))
    assert all(0.85 < np.median(ratios) < 1.3 for ratios in wider.values()), wider


@pytest.mark.usefixtures("without_luck")
def test_a_language_with_few_items_of_its_own_is_never_drawn_as_zero():
    study = simulate(replace(TRUTH, translated=False, items=60, seeds={0: 1, 9: 1}), 0)
    few = study.filter((pl.col("language") != "pt") | pl.col("item_id").is_in(["pt-item-1", "pt-item-2"]))
    scores = next(read_scores(few.with_columns(value=pl.when(pl.col("language") == "pt").then(0.5).otherwise("value"))))
    assert draws(scores)[:, :, 3].min() == pytest.approx(0.5)


def test_an_estimate_above_most_of_its_draws_has_an_interval_around_it():
    """The largest of noisy numbers: by percentiles alone, a true 0 among ten equals would seldom be covered."""
    random, covered, plain = np.random.default_rng(0), 0, 0
    for _ in range(200):
        means = random.normal(0, 1, 10)
        tops = (means + random.normal(0, 1, (2000, 10))).max(axis=1)
        found = from_draws(means.max(), tops, 10, basis="")
        covered += found.low <= 0 <= found.high
        plain += np.quantile(tops, 0.025) <= 0
    assert covered > 2 * plain


def test_the_p_of_draws_agrees_with_their_interval():
    skewed = np.random.default_rng(0).lognormal(0, 0.8, 20_000)
    found = from_draws(float(np.median(skewed)), skewed, 10, basis="")
    assert found.p(found.low) == pytest.approx(0.05) == found.p(found.high)
    assert found.low == pytest.approx(np.quantile(skewed, 0.025), rel=0.05)
    assert found.p(found.low * 0.9) < 0.05 < found.p(found.low * 1.1)


def test_resamples_without_a_value_are_told_where_they_are_one_in_1000_or_more():
    some = np.random.default_rng(0).normal(size=20_000)
    for lost, note in ((5, ""), (200, "no value in 1.0% of resamples")):
        some[:lost] = np.nan
        assert from_draws(0.0, some, 10, basis="").note == note


def test_nothing_counted_is_no_share():
    assert wilson(0, 0, "cells").note == "cannot tell: no cells"
    assert wilson(5, 10, "cells").low == pytest.approx(0.2366, abs=1e-4)  # Wilson 1927, as in every textbook
