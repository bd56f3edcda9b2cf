"""The page's section on checkpoints: curves with the steps kept, how sure each choice is, small also for 220 runs."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import numpy as np
import polars as pl
import pytest
import synthetic_study as study

from glotmix.analysis import selection
from glotmix.analysis.selection import LOSS, RUN_SCHEMA, SCORE, SELECTION_SCHEMA, VALIDATION_SCHEMA, choose, curve
from glotmix.report.info import LOSSES_SCHEMA, Trainings
from glotmix.report.page import render
from glotmix.report.selection import selection_view

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def measured(rng, languages, steps, metric):
    noise = rng.normal(0, 0.3, (12, len(languages), len(steps)))
    values = np.clip(noise + 0.5 + 0.3 * np.cos(np.linspace(0, 4, len(steps))), 0, None if metric == LOSS else 1)
    item, language, step = (places.ravel() for places in np.indices(values.shape))
    items = [f"i{place}" for place in item]
    told = {"step": np.array(steps)[step], "language": np.array(languages)[language], "item_id": items}
    return pl.DataFrame(
        told | {"row_id": items, "task": "math", "metric": metric, "value": values.ravel(), "weight": 1.0}
    )


def trainings(table: pl.DataFrame, metric: str = LOSS, steps=(50, 100, 150, 200)) -> Trainings:
    """As if every run of a results table had been measured at these steps."""
    rng, parts = np.random.default_rng(0), ([], [], [])
    runs = table.select(*RUN_SCHEMA, "train_languages").unique("run", maintain_order=True)
    for run in runs.iter_rows(named=True):
        languages = run.pop("train_languages")
        rows = measured(rng, languages, steps, metric).select(VALIDATION_SCHEMA.names())
        found = choose(rows, metric)
        choice = pl.DataFrame(
            [run | {name: getattr(found, name) for name in SELECTION_SCHEMA if name not in RUN_SCHEMA}],
            SELECTION_SCHEMA,
        )
        curves = curve(rows).with_columns(selected=pl.col("step") == found.step)
        losses = pl.DataFrame({"step": steps, "value": [1 / step for step in steps]})
        named = [pl.lit(value).alias(name) for name, value in run.items()]
        parts[0].append(choice.select(SELECTION_SCHEMA.names()))
        parts[1].append(curves.with_columns(named))
        parts[2].append(losses.with_columns(named).select(LOSSES_SCHEMA.names()).cast(LOSSES_SCHEMA))
    return Trainings(*map(pl.concat, parts))


def page(table: pl.DataFrame, told: Trainings | None, **changes) -> str:
    info, *rest = study.parts(table)
    return render(replace(info, trainings=told, **changes), *rest)


def section(html: str) -> str:
    return re.search(r'<section id="selection">.*?</section>', html, re.DOTALL)[0]


@pytest.fixture(scope="module", autouse=True)
def few_splits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "SPLITS", 50)
        yield


@pytest.fixture(scope="module")
def small():
    return study.results(rows_per_language=(0, 20), items=5, roles={"en": "anchor", "es": "seen", "ja": "seen"})


@pytest.fixture(scope="module")
def small_trainings(small):
    """The second run has too few items, the choice of the third could as well be another."""
    told = trainings(small)
    agreement = pl.Series([1.0, None, 0.4, 0.5, 0.6, 1.0])
    return replace(told, selection=told.selection.with_columns(agreement=agreement))


@pytest.fixture(scope="module")
def small_page(small, small_trainings):
    return page(small, small_trainings, cost=replace(study.info(small).cost, validating=0.25))


def test_every_run_has_its_choice_and_every_setting_a_figure(small, small_page):
    found = section(small_page)
    for run in small["run"].unique():
        assert f'<th scope="row">{run}</th>' in found
    assert found.count("<svg") == small["setting"].n_unique()
    assert found.count("<b>") == 4, "a definition for every number"
    assert "training loss, dashed" in found and "mean of all" in found


def test_numbers_of_the_table_are_those_of_the_frame(small_trainings, small_page):
    first = small_trainings.selection.row(0, named=True)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", section(small_page))[:7]
    steps = ", ".join(str(step) for step in first["likely_steps"])
    share, agreement = (f"{100 * first[name]:.0f} %" for name in ("share", "agreement"))
    assert cells == [
        "4",
        str(first["step"]),
        f"{first['value']:.4f}",
        share,
        agreement,
        steps,
        f"{first['regret']:.4f}",
    ]


def test_scores_are_told_in_percent_and_without_the_training_loss(small):
    found = section(page(small, trainings(small, SCORE)))
    assert "points</td>" in found
    assert "training loss" not in found
    assert "Validation took" not in found, "nobody knows how long"


def test_runs_whose_choice_nobody_can_tell_are_counted(small_page):
    assert "2 of 6 runs: the validation items cannot tell which checkpoint is best." in section(small_page)


def test_the_share_of_time_is_told_where_it_is_known(small_page):
    assert "Validation took 25&nbsp;%" in section(small_page)


def test_a_study_without_a_choice_has_no_section(small):
    one = trainings(small, steps=(50,))
    assert 'id="selection"' not in page(small, one)
    assert selection_view(Trainings(*(table.clear() for table in vars(one).values())), study.ROLES) is None


def test_settings_of_two_designs_have_a_figure_each_whatever_they_are_called(small_trainings):
    """As `few/n=0` and `many/n=0` are."""
    both = [
        [table.with_columns(setting=f"{design}/" + pl.col("setting")) for design in ("few", "many")]
        for table in vars(small_trainings).values()
    ]
    view = selection_view(Trainings(*map(pl.concat, both)), study.ROLES)
    assert set(view.panels) == {"few/n=0", "few/n=20", "many/n=0", "many/n=20"}


def test_hostile_names_stay_text():
    table = study.results(items=10, rows_per_language=(0, 20), roles={"en": "anchor", "es": "seen"})
    bad = table.with_columns(
        run="<script>" + pl.col("run"), model=pl.lit("<img src=x>"), setting="<script>" + pl.col("setting"),
        baseline=pl.when(pl.col("baseline") == "").then(pl.lit("")).otherwise("<script>" + pl.col("baseline")),
    )  # fmt: skip
    found = section(page(bad, trainings(bad)))
    assert not re.findall(r"<(?:script|img)", found)
    assert "<script>lab-1m/n=0/seed=0" in unescape(found)


def test_of_220_runs_the_least_sure_settings_are_drawn_in_little_space():
    table = study.coverage(items=1, models=tuple(f"m{place}" for place in range(10)), controls=False)
    told = trainings(table)
    view = selection_view(told, study.CORE_ROLES)
    assert len(view.rows) == table["run"].n_unique() > 220
    assert view.folded and view.settings == 220
    assert len(view.panels) == 12
    assert sum(map(len, view.panels.values())) < 300_000
    by_setting = told.selection.group_by("model", "setting").agg(pl.col("agreement").min()).sort("agreement")
    surely = by_setting.filter(pl.col("agreement") < by_setting["agreement"][12])
    assert {f"{setting.rpartition('/')[2]} · {model}" for model, setting, _ in surely.rows()} <= view.panels.keys()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine")
def test_figures_and_table_fit_the_screen(small_page, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = tmp_path / "report.html"
    path.write_text(small_page, encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for width in (1280, 390):
            opened = browser.new_page(viewport={"width": width, "height": 900})
            opened.goto(path.as_uri())
            assert opened.evaluate("document.documentElement.scrollWidth") == width
            assert opened.locator("#selection figure svg").count() == 2
            box = opened.locator("#selection figure svg").first.bounding_box()
            assert 100 < box["height"] < 400 and box["width"] <= width
        browser.close()
