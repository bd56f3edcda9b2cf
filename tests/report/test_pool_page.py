"""The page of a pool's check: complete in itself, safe with hostile rows, readable on a phone."""

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from test_report_page import HOSTILE, Page

from glotmix.errors import GlotmixError
from glotmix.pool.checks import check_pool
from glotmix.report.pool_page import render_pool_page, write_pool_page
from small_pool import row, write_pool

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
QUESTION = "Wie viele Äpfel hat sie am Ende des Tages noch übrig?"


def rows(*texts: str) -> list[dict[str, object]]:
    """Each text trains, and is tested too."""
    hidden = [row(f"a{n}", text, "8") for n, text in enumerate(texts)]
    return hidden + [row(f"t{n}", text, split="test") for n, text in enumerate(texts)]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    return check_pool(write_pool(folder / "demo", rows(QUESTION, *HOSTILE)))


@pytest.fixture(scope="module")
def html(report):
    return render_pool_page(report)


def test_every_line_of_the_table_leads_to_its_rows_and_every_row_has_an_anchor(report, html):
    tags = Page(html).tags
    ids = {a["id"] for _, a in tags if "id" in a}
    links = [a["href"] for tag, a in tags if tag == "a"]
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    for number, examples in enumerate(report.findings["examples"], start=1):
        assert f"#finding-{number}-row-1" in links
        assert {f"finding-{number}-row-{n}" for n in range(1, len(examples) + 1)} <= ids


def test_rows_are_shown_with_their_text_and_the_row_they_clash_with(html):
    page = Page(html)
    assert QUESTION in page.pre
    assert "clashes with t0:en" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_is_shown_as_it_is_and_makes_no_tag(html, text):
    page = Page(html)
    assert text in page.pre
    assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "base", "form"}


def test_hostile_ids_and_pool_names_make_no_tag(tmp_path: Path):
    bad = [one | {"row_id": f"<script>{one['row_id']}"} for one in rows(QUESTION)]
    html = render_pool_page(check_pool(write_pool(tmp_path / "<img src=x>", bad)))
    assert not {tag for tag, _ in Page(html).tags} & {"script", "img"}
    assert "&lt;script&gt;a0:en" in html


def test_page_can_neither_load_nor_run_anything(html):
    policies = [a["content"] for _, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert "@import" not in html


def test_same_check_gives_the_same_bytes_and_a_clean_pool_says_so(report, html, tmp_path: Path):
    assert render_pool_page(report) == html
    assert "Nothing was found" in render_pool_page(check_pool(write_pool(tmp_path, [row("a", "How many?")])))


def test_long_texts_are_cut_with_a_note(tmp_path: Path):
    html = render_pool_page(check_pool(write_pool(tmp_path, rows("x" * 100_000))))
    assert "First 1,500 of 100,000 characters." in html
    assert len(html) < 40_000


@pytest.fixture(scope="module")
def crowded(report):
    """The report with 10,000 findings, of as many languages."""
    languages = pl.DataFrame({"language": [f"l{n}" for n in range(10_000)]})
    first = report.findings.head(1)
    findings = languages.join(first.drop("language"), how="cross").select(first.columns)
    place = dict(first.select("check", "severity", "task", "split").row(0, named=True))
    rows = languages.join(report.rows.filter(**place).drop("language"), how="cross").select(report.rows.columns)
    return replace(report, findings=findings, rows=rows)


def test_of_ten_thousand_findings_each_shows_a_row_and_the_page_stays_small(crowded):
    html = render_pool_page(crowded)
    assert html.count('<article class="sample"') == 10_000
    assert html.count("<details ") == 10_000
    assert "<details open" not in html
    assert len(html) < 20_000_000


def test_a_page_that_cannot_be_written_says_where(report, tmp_path: Path):
    with pytest.raises(GlotmixError, match="absent"):
        write_pool_page(report, tmp_path / "absent" / "page.html")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine")
def test_on_a_phone_nothing_is_wider_than_the_screen_and_nothing_is_asked_for(report, tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "page.html"
    write_pool_page(report, file)
    asked: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("article.sample").count() == report.findings["examples"].list.len().sum()
        browser.close()
    assert asked == [file.as_uri()]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine")
def test_a_link_unfolds_its_rows_among_ten_thousand_findings(crowded, tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "page.html"
    write_pool_page(crowded, file)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert not page.locator("#finding-7000-row-1").is_visible()
        page.evaluate("document.querySelector('a[href=\"#finding-7000-row-1\"]').click()")
        assert page.locator("#finding-7000-row-1").is_visible()
        browser.close()
