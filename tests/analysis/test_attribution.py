"""Attribution: known contributions are found with intervals that cover, and what a design cannot divide is refused."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.special import ndtr, ndtri

from glotmix.analysis.answer import answer
from glotmix.analysis.questions.attribution import attribution, contribution, designs, of_attribution
from glotmix.analysis.scores import read_scores
from glotmix.analysis.simulate import Truth, simulate
from glotmix.errors import UserError

CORE = ("en", "es", "ja", "bn", "sw")
TARGETS = (*CORE, "te")
EXPANSIONS = ((), ("fr", "th"), ("fr", "th", "de", "ru", "zh"))


def study_2() -> list[tuple[str, ...]]:
    """The 22 mixtures of "English is Not All You Need", its two unnamed languages taken to be fr and th."""
    one_left_out = [tuple(tag for tag in CORE if tag != left) for left in CORE]
    return [
        ("en",),
        *(("en", tag) for tag in CORE[1:]),
        *((*core, *more) for more in EXPANSIONS for core in one_left_out),
        CORE,
        (*CORE, *EXPANSIONS[2]),
    ]


def betas() -> dict[tuple[str, str], float]:
    """A direct row is worth 0.12, one of a high-resource language 0.03 elsewhere, others nothing."""
    trained = (*CORE, *EXPANSIONS[2])
    return {
        (k, target): 0.12 if k == target else 0.03 if k in ("en", "es") else 0.0 for k in trained for target in TARGETS
    }


def table(
    mixtures: list[tuple[str, ...]], seed: int, items: int = 60, luck: float = 0.1, bonus: float = 0.0
) -> pl.DataFrame:
    """Answers with the accuracy that is the sum of the betas; items and what a mixture does to them as `simulate.py`.
    `bonus` is for ja and bn together, beyond the sum."""
    random, spread = np.random.default_rng(seed), np.sqrt(1 + 1 + 0.25 + 2 * luck**2)
    ease, known, parts = random.normal(0, 1, items), betas(), []
    for mixture in mixtures:
        level = [0.3 + sum(known[k, tag] for k in mixture) + bonus * ({"ja", "bn"} <= set(mixture)) for tag in TARGETS]
        lucky = random.normal(0, luck) + random.normal(0, luck, len(TARGETS))
        constant = ndtri(np.array(level)) * spread + lucky
        right = random.random((len(TARGETS), items)) < ndtr(constant[:, None] + ease + random.normal(0, 0.5, items))
        parts.append(
            pl.DataFrame(
                {"language": np.repeat(TARGETS, items), "item_id": list(range(items)) * len(TARGETS)}
                | {"value": right.ravel().astype(float), "setting": "+".join(mixture)}
            ).with_columns(train_languages=pl.lit(list(mixture)))
        )
    return pl.concat(parts).with_columns(
        pl.col("item_id").cast(pl.String), model=pl.lit("m"), task=pl.lit("math"), seed=0, rows_per_language=1000,
        baseline=pl.lit(""), role=pl.when(pl.col("language") == "en").then(pl.lit("anchor")).otherwise(pl.lit("seen")),
    )  # fmt: skip


def means_of(results: pl.DataFrame) -> pl.DataFrame:
    return results.group_by(pl.exclude("item_id", "value")).agg(pl.col("value").mean())


def test_the_22_mixtures_are_the_published_ones():
    counts = sorted(len(mixture) for mixture in study_2())
    assert counts == [1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6, 9, 9, 9, 9, 9, 10]


def test_known_contributions_of_study_2_are_covered():
    known, covered, near, none, false = betas(), [], [], 0, 0
    for seed in range(10):
        for row in attribution(table(study_2(), seed)).filter(pl.col("low").is_not_null()).iter_rows(named=True):
            truth = known[tuple(row["setting"].split(" to "))]
            covered.append(row["low"] <= truth <= row["high"])
            near.append(row["estimate"] - truth)
            none, false = none + (truth == 0), false + (truth == 0 and row["p"] < 0.05)
    assert len(covered) == 10 * len(CORE) * len(TARGETS)
    assert 0.91 <= np.mean(covered) <= 0.99
    assert abs(np.mean(near)) < 0.005
    assert false / none < 0.08


def test_what_always_comes_together_is_refused_by_name():
    refused = attribution(table(study_2(), 0)).filter(pl.col("low").is_null())
    assert refused["note"].to_list() == [
        "cannot tell: de, ru and zh always come together; a design that adds them apart is needed: groups or coverage",
        "cannot tell: fr and th always come together; a design that adds them apart is needed: groups or coverage",
    ]


def test_increments_are_refused_with_the_reason():
    roles = dict.fromkeys(("es", "fr", "ja", "zh"), "seen")
    truth = Truth({rows: dict.fromkeys(roles, 0.5) for rows in (0, 100, 200)}, roles, dict.fromkeys((0, 100, 200), 1))
    found = attribution(simulate(truth, 0).with_columns(role=pl.lit("seen")))
    told = "es, fr, ja and zh always come together; a design that adds them apart is needed: groups or coverage"
    assert found["note"].to_list() == [f"cannot tell: {told}"]


def test_as_many_languages_everywhere_leave_no_single_contribution():
    """With three of four languages in each mixture, any three columns and the constant give the fourth."""
    found = attribution(table(list(combinations(CORE[:4], 3)), 0))
    assert len(found) == 4 and found["low"].null_count() == 4
    assert found["note"][0] == (
        "cannot tell: the rows of bn follow from those of the other languages; vary them by themselves"
    )


def test_estimates_and_sandwich_are_those_of_statsmodels():
    results = means_of(table(study_2(), 0))
    found = {row["setting"]: row for row in attribution(results).iter_rows(named=True)}
    (scores,) = read_scores(results)
    (design,) = designs(scores)
    x = np.array(
        [[tag in scores.settings[at].train_languages for tag in (*CORE, "fr", "de")] for at in design.settings]
    )
    for target in ("ja", "te"):
        answers = scores.means[design.settings, scores.languages.index(target)]
        theirs = sm.OLS(answers, sm.add_constant(x.astype(float))).fit(cov_type="HC2")
        for at, tag in enumerate(CORE):
            own = contribution(design, answers[:, None], design.languages.index(tag), items_known=False)
            assert (own.estimate, own.standard_error) == pytest.approx((theirs.params[1 + at], theirs.bse[1 + at]))
            assert own.estimate == pytest.approx(found[f"{tag} to {target}"]["estimate"])
        assert f"explains {theirs.rsquared:.0%} of the variance" in found[f"en to {target}"]["note"]


def test_items_that_all_mixtures_share_do_not_widen_an_interval():
    """An item's ease is the same in every mixture, so it cancels."""
    results = table(study_2(), 0)
    halved = results.with_columns(pl.col("value") / 2)
    ease = dict(zip(sorted(set(results["item_id"])), np.random.default_rng(0).uniform(0, 0.5, 60), strict=True))
    eased = halved.with_columns(pl.col("value") + pl.col("item_id").replace_strict(ease))
    numbers = ["low", "estimate", "high"]
    assert np.allclose(attribution(halved)[numbers].to_numpy(), attribution(eased)[numbers].to_numpy(), equal_nan=True)


def test_what_is_not_additive_is_told():
    def p(bonus: float) -> float:
        note = attribution(table(study_2(), 3, items=400, luck=0.0, bonus=bonus))["note"][-1]  # of te
        return float(note.split("(p = ")[1].split(")")[0])

    assert p(0.0) > 0.05 > p(0.2)


def test_no_setting_to_spare_no_interval():
    found = attribution(table([("en",), ("en", "es"), ("en", "ja")], 0))
    assert found["note"].to_list() == [
        "cannot tell: 3 settings for as many terms leave none to tell an error from; add settings"
    ]


def test_many_contributions_are_one_line_among_all_findings():
    results = table(study_2(), 0)
    assert len(answer([of_attribution], results)) == len(attribution(results)) == 32
    models = pl.concat([results.with_columns(model=pl.lit(name)) for name in "abcd"])
    assert answer([of_attribution], models)["low"].null_count() == len(answer([of_attribution], models)) == 6
    apart = [mixture for mixture in study_2() if len(mixture) < 6] + [("en", tag) for tag in EXPANSIONS[2]]
    copies = [table(apart, 0).with_columns(pl.format(f"{{}}-{at}", "language").alias("language")) for at in (1, 2)]
    results = pl.concat([table(apart, 0), *(copy.with_columns(role=pl.lit("seen")) for copy in copies)])
    assert answer([of_attribution], results)["note"].to_list() == [
        "cannot tell: 10 training languages x 18 targets are listed by glotmix.analysis.attribution alone"
    ]
    assert len(attribution(results)) == 180


def test_rows_that_lack_a_column_or_a_setting_are_refused():
    results = table(study_2(), 0, items=2)
    with pytest.raises(UserError, match="rows: no column 'rows'; it needs setting, language and rows"):
        attribution(results, pl.DataFrame({"setting": ["en"], "language": ["en"]}))
    with pytest.raises(UserError, match=r"rows: none of setting 'en\+bn'; add one for each language"):
        attribution(results, pl.DataFrame({"setting": ["en"], "language": ["en"], "rows": [1000]}))


def litmus(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs as a table of means, and their rows."""
    runs = json.loads(path.read_text())
    rows = pl.DataFrame(
        [(f"run-{at}", tag, n) for at, run in enumerate(runs) for tag, n in run["train_config"].items()],
        ["setting", "language", "rows"],
        orient="row",
    )
    values = pl.DataFrame(
        [(f"run-{at}", tag, score) for at, run in enumerate(runs) for tag, score in run["eval_results"].items()],
        ["setting", "language", "value"],
        orient="row",
    )
    role = pl.when(pl.col("language") == "en").then(pl.lit("anchor")).otherwise(pl.lit("seen"))
    whole = values.with_columns(model=pl.lit("xlm-r"), task=pl.lit("ner"), seed=0, baseline=pl.lit(""), role=role)
    return whole.with_columns(rows_per_language=1000), rows


def test_held_out_runs_of_litmus_are_predicted_better_than_by_the_mean(data_folder):
    """WikiANN: 400 runs to fit, 100 to predict, 39 languages."""
    folder = data_folder / "litmus_sumeval"
    results, rows = litmus(folder / "train" / "WikiANN_XLMR.json")
    found = attribution(results, rows)
    pair = pl.col("setting").str.split_exact(" to ", 1).struct.rename_fields(["trained", "target"])
    beta = found.select(pair.alias("pair"), "estimate", "conclusion").unnest("pair")
    held, held_rows = litmus(folder / "test_gold" / "WikiANN_XLMR.json")

    def wide(table: pl.DataFrame, value: str, languages: list[str]) -> np.ndarray:
        return table.pivot("language", index="setting", values=value).select(languages).to_numpy()

    trained, targets = (beta[name].unique().sort().to_list() for name in ("trained", "target"))
    matrix = beta.pivot("target", index="trained", values="estimate").sort("trained").select(targets).to_numpy()
    x, x_held = (np.log10(1 + wide(own, "rows", trained) / 100) for own in (rows, held_rows))
    y, y_held = (wide(own, "value", targets) for own in (results, held))
    error = y_held - (y.mean(axis=0) + (x_held - x.mean(axis=0)) @ matrix)
    by_mean = y_held - y.mean(axis=0)
    assert ((error**2).mean(axis=0) < (by_mean**2).mean(axis=0)).all()  # in every language
    assert 1 - (error**2).sum() / (by_mean**2).sum() > 0.9
    own = beta.filter(pl.col("trained") == pl.col("target"))
    assert set(own["conclusion"]) == {"higher"}
