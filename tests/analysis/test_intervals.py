"""Contract 7: items stay together with all their languages, runs are paired by item, seeds are a level of their own."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from glotmix.analysis import accuracy_by_language, transfer
from glotmix.analysis.answer import answer
from glotmix.analysis.findings import of_settings
from glotmix.analysis.interval import interval
from glotmix.analysis.noise import draws
from glotmix.analysis.quantities import GAP_CLOSED, RELATIVE, SEEN_GAIN, measure, quantities
from glotmix.analysis.questions.oscillation import of_oscillations
from glotmix.analysis.questions.peak import of_peaks
from glotmix.analysis.questions.plateau import of_plateaus
from glotmix.analysis.questions.saturation import of_saturations
from glotmix.analysis.scores import Scores, read_scores
from glotmix.analysis.simulate import Truth, simulate

ROLES = {"en": "anchor", "es": "seen", "ja": "seen", "pt": "unseen"}
TRUTH = Truth(
    {0: dict(zip(ROLES, (0.8, 0.3, 0.1, 0.2), strict=True)), 100: dict(zip(ROLES, (0.8, 0.7, 0.4, 0.3), strict=True))},
    ROLES,
    {0: 3, 100: 3},
    items=60,
    item_by_setting=0.5,
    run=0.1,
)
NUMBERS = ["estimate", "low", "high"]
studies = st.integers(0, 50).map(lambda seed: simulate(TRUTH, seed))
few = settings(max_examples=10, deadline=None)


def findings(study: pl.DataFrame) -> pl.DataFrame:
    """Those of single settings: what is asked of several has tests of its own."""
    return answer([of_settings], study)


def close(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return bool(np.allclose(one[NUMBERS].to_numpy(), other[NUMBERS].to_numpy(), rtol=0, atol=1e-9))


def width(table: pl.DataFrame) -> np.ndarray:
    return (table["high"] - table["low"]).to_numpy()


@few
@given(studies, st.randoms(use_true_random=False))
def test_order_of_records_names_of_items_and_numbers_of_seeds_change_nothing(study, random):
    names = study["item_id"].unique().sort().to_list()
    renamed = dict(zip(names, random.sample(names, len(names)), strict=True))
    seeds = {0: random.randrange(100, 200), 1: random.randrange(200, 300), 2: random.randrange(50)}
    changed = study.with_columns(pl.col("item_id").replace(renamed), pl.col("seed").replace(seeds))
    changed = changed.sample(fraction=1, shuffle=True, seed=random.randrange(1000))
    assert close(findings(study), findings(changed))
    assert close(accuracy_by_language(study), accuracy_by_language(changed))


@few
@given(studies)
def test_copies_of_a_language_do_not_narrow_an_interval(study):
    """Four identical 'translations' of one language tell no more than that language."""
    by_role = study.with_columns(train_languages=pl.lit(None, pl.List(pl.String)))
    alone = by_role.filter(pl.col("language").is_in(["en", "es", "pt"]))
    spanish = alone.filter(pl.col("language") == "es")
    copies = [spanish.with_columns(language=pl.lit(f"es-{country}")) for country in ("MX", "AR", "CO")]
    assert close(transfer(alone), transfer(pl.concat([alone, *copies])))


single = st.integers(0, 50).map(lambda seed: simulate(replace(TRUTH, seeds={0: 1, 100: 1}), seed))


@pytest.mark.usefixtures("without_luck")
@few
@given(single, st.integers(0, 9))
def test_what_an_item_adds_at_every_setting_leaves_gains_alone(study, seed):
    halved = study.with_columns(pl.col("value") / 2)
    names = study["item_id"].unique().sort().to_list()
    ease = dict(zip(names, np.random.default_rng(seed).uniform(0, 0.5, len(names)), strict=True))
    eased = halved.with_columns(pl.col("value") + pl.col("item_id").replace_strict(ease))
    assert close(transfer(halved), transfer(eased))


def test_runs_are_paired_by_item_not_by_position():
    study = simulate(replace(TRUTH, item=3.0, item_by_setting=0.0), 0)
    trained, item = pl.col("rows_per_language") > 0, pl.col("item_id")
    reverse = {f"item-{number}": f"item-{59 - number}" for number in range(60)}
    crossed = study.with_columns(pl.when(trained).then(item.replace(reverse)).otherwise(item).alias("item_id"))
    strange = study.with_columns(pl.when(trained).then("other-" + item).otherwise(item).alias("item_id"))
    assert np.allclose(transfer(study)["estimate"], transfer(crossed)["estimate"])
    assert (width(transfer(study))[:3] < 0.85 * width(transfer(crossed))[:3]).all()
    assert transfer(strange)["estimate"].null_count() == 4


@few
@given(single)
def test_a_setting_or_language_that_a_finding_does_not_name_does_not_move_it(study):
    """But for what its replicates tell of seed noise."""
    other = simulate(replace(TRUTH, accuracy={50: TRUTH.accuracy[0]}, seeds={50: 1}), 99)
    more = transfer(pl.concat([study, other])).filter(pl.col("setting") == "n=100")
    assert close(transfer(study), more)
    gain = pl.col("name") == SEEN_GAIN
    without = study.filter(pl.col("language") != "pt")
    assert close(transfer(study).filter(gain), transfer(without).filter(gain))


def bootstrap(scores: Scores, of, resamples: int) -> float:
    """Standard error by the textbook way: draw items with replacement, all languages and runs of an item together."""
    n = scores.used.shape[1]
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    means = np.stack([weights @ value.mean(axis=0).T for value in scores.values], axis=1)  # (resamples, settings, l)
    return float(np.std([of(one) for one in means]))


@pytest.mark.usefixtures("without_luck")
@pytest.mark.parametrize("name", [SEEN_GAIN, GAP_CLOSED])
def test_item_noise_is_what_a_cluster_bootstrap_over_items_gives(name):
    scores = next(read_scores(simulate(replace(TRUTH, seeds={0: 1, 100: 1}, items=200), 3)))
    quantity = next(quantity for quantity in quantities(scores, 1) if quantity.name == name)
    reordered = Scores(**{**scores.__dict__, "values": scores.values[::-1]})  # the gain's order: n, then 0
    expected = bootstrap(reordered, quantity.of, 4000)
    assert measure(scores, quantity).standard_error == pytest.approx(expected, rel=0.06)


def test_seed_noise_is_a_level_of_its_own():
    """Runs that differ in level by far more than items explain leave two degrees of freedom for three seeds."""
    lucky = pl.when(pl.col("seed") == 0).then(0.2).when(pl.col("seed") == 1).then(0.5).otherwise(0.8)
    study = simulate(TRUTH, 0).filter(rows_per_language=0).with_columns(value=lucky)
    cell = interval(next(read_scores(study)), [0], lambda means: means[0, 0])
    assert cell.standard_error == pytest.approx(0.3 / math.sqrt(3))
    assert cell.degrees == pytest.approx(2)
    assert cell.high - cell.estimate == pytest.approx(4.302653 * 0.3 / math.sqrt(3))


def test_settings_with_several_seeds_measure_luck_together_in_units_of_what_a_share_varies_by():
    """Two settings whose runs lie 0.1 and 0.06 around 0.5 and 0.9 have the same luck, measured twice."""
    scores = levels({0: (0.4, 0.5, 0.6), 100: (0.84, 0.9, 0.96)})
    for place, error in enumerate((0.1, 0.06)):
        cell = interval(scores, [place], lambda means: means[0, 0])
        assert cell.standard_error == pytest.approx(error / math.sqrt(3))
        assert cell.degrees == pytest.approx(4)


def levels(seeds: dict[int, tuple[float, ...]]) -> Scores:
    """A study in which all answers of a run score the same, so that only seeds vary."""
    of_run = {f"{rows} {seed}": value for rows, values in seeds.items() for seed, value in enumerate(values)}
    counts = {rows: len(values) for rows, values in seeds.items()}
    study = simulate(replace(TRUTH, accuracy=dict.fromkeys(seeds, TRUTH.accuracy[0]), seeds=counts), 0)
    value = pl.format("{} {}", "rows_per_language", "seed").replace_strict(of_run)
    return next(read_scores(study.with_columns(value=value)))


def test_borrowed_seed_noise_shrinks_towards_the_ends_of_the_scale_and_is_one_piece_of_evidence():
    scores = levels({0: (0.4, 0.5, 0.6), 50: (0.5,), 100: (0.9,)})
    cell = interval(scores, [2], lambda means: means[0, 0])
    assert cell.standard_error == pytest.approx(0.1 * 0.3 / 0.5)  # sqrt(.9 * .1) / sqrt(.5 * .5)
    change = interval(scores, [2, 1], lambda means: means[0, 0] - means[1, 0])
    assert change.standard_error == pytest.approx(math.hypot(0.1, 0.06))
    assert change.degrees == pytest.approx(2)


def test_borrowed_noise_never_leaves_fewer_degrees_of_freedom_than_it_was_measured_with():
    """Answers that hardly vary beside a lender whose seeds differ by chance alone: most of its noise is taken off."""
    steady = pl.when(pl.col("item_id").str.ends_with("1")).then(0.51).otherwise(0.5)
    for seed in range(10):
        study = simulate(replace(TRUTH, item=0.0, item_by_setting=0.0, run=0.0, seeds={0: 3, 100: 1}), seed)
        study = study.with_columns(value=pl.when(pl.col("rows_per_language") > 0).then(steady).otherwise("value"))
        assert interval(next(read_scores(study)), [1], lambda means: means[0, 0]).degrees >= 2


@few
@given(studies)
def test_relative_performance_has_an_interval_symmetric_in_ratios(study):
    level = findings(study).filter(pl.col("name") == RELATIVE)
    assert np.allclose(level["low"] * level["high"], level["estimate"] ** 2)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 3), st.lists(st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.37]), min_size=8, max_size=8)
)
@pytest.mark.filterwarnings("error")
def test_no_table_however_small_or_uniform_gives_an_absurd_interval(items, seeds, values):
    study = simulate(replace(TRUTH, items=items, seeds={0: seeds, 100: 1}), 0)
    study = study.with_columns(value=pl.Series([values[i % 8 - i % 3] for i in range(len(study))]))
    for table in (findings(study), accuracy_by_language(study)):
        known = table.drop_nulls(NUMBERS)
        assert (known["low"] <= known["estimate"] + 1e-12).all() and (known["estimate"] <= known["high"] + 1e-12).all()
        assert (known["low"] < known["high"]).all()
    assert len(known) == (0 if items == 1 else len(table))
    assert known.is_empty() or (known["low"].min() >= 0 and known["high"].max() <= 1)


def test_noise_of_single_answers_is_not_counted_twice():
    """Seeds that differ by chance alone: the error is that of the mean over items and seeds, not sqrt(2) of it."""
    truth = replace(TRUTH, item=0.0, item_by_setting=0.0, run=0.0, items=400, seeds={0: 8, 100: 8})
    variances = []
    for seed in range(20):
        scores = next(read_scores(simulate(truth, seed)))
        variances.append(interval(scores, [0], lambda means: means[0, 0]).standard_error ** 2)
    assert np.mean(variances) == pytest.approx(0.8 * 0.2 / 3200, rel=0.35)


def test_a_single_seed_borrows_seed_noise_and_says_so():
    truth = replace(TRUTH, run=0.5)
    three = simulate(truth, 0)
    both = findings(three.filter((pl.col("rows_per_language") == 0) | (pl.col("seed") == 0)))
    none = findings(three.filter(pl.col("seed") == 0))
    gains = pl.col("name") == SEEN_GAIN
    assert "one seed at n=100: seed noise taken from n=0" in both.filter(gains)["note"][0]
    assert "one seed everywhere: the luck of a run is assumed (1.5 points at 40 %)" in none.filter(gains)["note"][0]
    assert none.filter(gains)["basis"][0] == "items and assumed luck of runs"
    assert width(both.filter(gains))[0] > 1.5 * width(none.filter(gains))[0]


def test_where_no_setting_has_a_second_seed_luck_is_that_of_study_1_shared_and_in_each_language():
    """Items that answer alike leave the luck of the run, 1.5 points at 40 %, beside the limit for 0 of 60 items."""
    scores = levels({0: (0.4,), 100: (0.9,)})
    limit = (1 - 0.025 ** (1 / 60)) / stats.t.ppf(0.975, 59)
    for columns in ([0], [0, 1, 2]):
        of = interval(scores, [1], lambda means, of=columns: means[0, of].mean())
        luck = 0.015 * math.sqrt(0.9 * 0.1 / 0.4 / 0.6) * math.sqrt(1 + 1 / len(columns))
        assert of.standard_error == pytest.approx(math.hypot(limit, luck))
        drawn = draws(scores)[:, 1, columns].mean(axis=1)
        assert drawn.std() == pytest.approx(luck, rel=0.03)


def test_a_note_names_at_most_three_settings():
    scores = levels({0: (0.4, 0.5), **dict.fromkeys((100, 200, 300, 400, 500), (0.4,))})
    note = interval(scores, [1, 2, 3, 4, 5], lambda means: means[:, 0].mean()).note
    assert note == "one seed at n=100, n=200, n=300 and 2 more: seed noise taken from n=0"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_wrong_or_all_right_gives_an_interval_that_is_neither_empty_nor_out_of_range(value):
    study = simulate(TRUTH, 0).with_columns(value=pl.lit(value))
    cells = accuracy_by_language(study)
    assert (cells["estimate"] == value).all()
    assert cells["low"].min() >= 0 and cells["high"].max() <= 1
    assert width(cells) == pytest.approx(4.0 / 64.0, abs=0.005)  # Wilson at 0 of 60: q² / (n + q²)
    gains = transfer(study)
    assert gains.filter(pl.col("name") == SEEN_GAIN)["high"][0] == pytest.approx(1 - 0.025 ** (1 / 60))
    assert all("cannot tell" in note and "no variation in 60 items" in note for note in gains["note"])


def test_curves_on_which_no_answer_differs_tell_nothing():
    """Resamples of equal answers are equal: a peak gain of 0 to 0 would be sure of nothing seen."""
    levels = dict.fromkeys((0, 50, 100, 200), TRUTH.accuracy[0])
    study = simulate(replace(TRUTH, accuracy=levels, seeds=dict.fromkeys(levels, 2)), 0).with_columns(value=pl.lit(0.0))
    found = answer([of_plateaus, of_saturations, of_oscillations, of_peaks], study)
    assert found["low"].null_count() == len(found) > 9
    assert all(note.startswith("cannot tell: no answer differs") for note in found.filter(unit="score")["note"])


@pytest.mark.parametrize("weak", ["all", "most"])
def test_a_ratio_to_an_anchor_that_scores_about_zero_is_refused(weak):
    keep = (pl.col("language") == "en") & ((pl.col("item_id") != "item-7") | (weak == "all"))
    study = simulate(TRUTH, 0).with_columns(pl.when(keep).then(0.0).otherwise("value").alias("value"))
    ratios = findings(study).filter(pl.col("name").is_in([RELATIVE, GAP_CLOSED]))
    assert ratios["low"].null_count() == ratios["high"].null_count() == len(ratios) == 3
    assert ratios["estimate"].null_count() == (3 if weak == "all" else 0)
    assert all(note == "cannot tell: the anchor scores too near 0 for a ratio to it" for note in ratios["note"])


def test_a_relative_performance_of_zero_has_no_interval_and_says_so():
    study = simulate(TRUTH, 0)
    study = study.with_columns(pl.when(pl.col("language") == "en").then("value").otherwise(0.0).alias("value"))
    level = findings(study).filter(pl.col("name") == RELATIVE)
    assert level["estimate"].to_list() == [0.0, 0.0]
    assert level["note"].to_list() == ["cannot tell: every other language scores 0"] * 2
