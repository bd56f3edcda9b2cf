"""The report in a real browser, as a reader opens it: from a file, offline, at a desk and on a phone."""

import shutil
from pathlib import Path

import polars as pl
import pytest
import synthetic_study as study

from glotmix.report.page import write_report

ARGUMENTS = """
    --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync
"""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECTIONS = (
    *("answer", "conclusions", "design", "curves", "comparisons", "heatmap", "verdicts", "languages", "findings"),
    *("methods", "samples", "reproduce"),
)
INJECTED = "<script>document.title = 'owned'</script>"
UNBROKEN = "x" * 1_500
INSIDE = """() => [...document.querySelectorAll('figure')].every(figure => {
    const box = figure.getBoundingClientRect();
    return [...figure.querySelectorAll('svg text')].every(text => {
        const own = text.getBoundingClientRect();
        return own.width === 0 || (own.left >= box.left && own.right <= box.right && own.bottom <= box.bottom + 1);
    });
})"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    info, results, findings, samples = study.parts(study.results(items=60), "Does it transfer to unseen languages?")
    outputs = pl.when(pl.col("verdict") == "correct").then(pl.lit(INJECTED)).otherwise(pl.lit(UNBROKEN))
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(info, results, findings, samples.with_columns(output=outputs), path)
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("many") / "report.html"
    write_report(*study.parts(study.coverage(items=20), "Which languages?", "coverage"), path)
    return path


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield running
        running.close()


@pytest.fixture(params=[(1280, "light"), (390, "light"), (390, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def page(request, browser, report):
    """The opened page, with what it asked for and complained about."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.requests, opened.complaints = [], []
    opened.on("request", lambda asked: opened.requests.append(asked.url))
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(report.as_uri())
    yield opened
    context.close()


def test_opens_in_silence_and_asks_for_nothing(page, report):
    assert page.requests == [report.as_uri()]
    assert page.complaints == []


def test_nothing_is_wider_than_the_screen_even_with_every_detail_open(page):
    page.evaluate("document.querySelectorAll('details').forEach(detail => detail.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]


def test_every_section_is_there_and_has_a_height(page):
    for name in SECTIONS:
        assert page.locator(f"#{name}").bounding_box()["height"] > 100, name
    assert page.locator("#curves svg").count() == 9
    assert page.locator("#verdicts svg").count() == 8


def test_figures_fit_into_their_cards(page):
    assert page.evaluate(INSIDE)


def test_a_script_in_an_output_is_text(page):
    assert page.locator("pre", has_text=INJECTED).count() > 0
    assert page.locator("script").count() == 0
    assert page.title() == "quickstart · glotmix"


def test_arabic_reads_from_the_right(page):
    prompt = page.locator("pre[lang=ar]").first
    assert prompt.evaluate("element => getComputedStyle(element).direction") == "rtl"


@pytest.mark.parametrize("width", [1280, 390])
def test_22_mixtures_fit_the_screen_and_every_one_of_them_is_named_in_the_figures(browser, many, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(many.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(detail => detail.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    shown = page.locator("#curves svg").first.locator("text").all_text_contents()
    assert len([name for name in shown if name.startswith(("en", "bn"))]) == 24
    assert not any("…" in name for name in shown)
    assert page.evaluate(INSIDE)
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_tables_of_languages_and_metrics_scroll_inside_their_cards(browser, tmp_path, width):
    path = tmp_path / "report.html"
    write_report(*study.parts(study.results(tasks=("summarization",), rows_per_language=(0, 100), items=10)), path)
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".confusion tbody tr").count() == page.locator(".metrics tbody tr").count() == 8
    context.close()
