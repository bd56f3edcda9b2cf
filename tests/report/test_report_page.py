import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
import synthetic_study as study

from glotmix.errors import GlotmixError
from glotmix.report.info import LongerRows
from glotmix.report.page import render, write_report
from glotmix.report.text import SENTENCES
from glotmix.spec import Design

SECTIONS = (
    *("answer", "conclusions", "design", "curves", "comparisons", "heatmap", "verdicts", "languages", "findings"),
    *("methods", "samples", "reproduce"),
)
HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "</pre></details><img src='https://example.org/x.png' onerror='alert(1)'>",
    "{{ 7 * 7 }} {% raw %} ]]> <!-- \\u202e &lt;b&gt;",
    "\u202eright to left override\u202c",
)
TINY = {"en": "anchor", "es": "seen", "th": "unseen"}


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of its `pre` elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pre: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "pre":
            self._inside = True
            self.pre.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.pre[-1] += data


@pytest.fixture(scope="module")
def parts():
    return study.parts(study.results(), "Does it transfer?")


@pytest.fixture(scope="module")
def html(parts):
    return render(*parts)


@pytest.fixture(scope="module")
def tiny():
    return study.parts(study.results(rows_per_language=(0,), items=20, scale=0.02, roles=TINY))


def with_outputs(parts, outputs):
    """The same study, in which English was answered with these outputs."""
    info, results, findings, samples = parts
    first = samples.filter(language="en").head(1)
    told = pl.concat([first.with_columns(output=pl.lit(text), verdict=pl.lit("wrong")) for text in outputs])
    return info, results, findings, told


def test_sections_come_in_the_order_a_reader_asks(html):
    found = re.findall(r'<section id="(\w+)">', html)
    assert tuple(found) == SECTIONS


def test_page_can_neither_load_nor_run_anything(html):
    page = Page(html)
    policies = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "base", "form"}
    links = {a[key] for _, a in page.tags for key in ("href", "src", "xlink:href") if key in a}
    assert all(link.startswith(("#", "data:,")) for link in links)
    assert not re.findall(r"@import|url\(", html)


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_is_shown_as_it_is_and_makes_no_tag(tiny, text):
    clean, hostile = Page(render(*with_outputs(tiny, ["fine"]))), Page(render(*with_outputs(tiny, [text])))
    assert text in hostile.pre
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in clean.tags]


def test_hostile_names_make_no_tag_in_the_page_or_its_figures():
    table = study.results(items=10, rows_per_language=(0, 20), roles=TINY)
    marked = pl.when(pl.col("baseline") == "").then(pl.lit("")).otherwise("<script>" + pl.col("baseline"))
    bad = table.with_columns(
        setting="<script>" + pl.col("setting"), baseline=marked, model=pl.lit("<img src=x>"), task=pl.lit("<b>&")
    )
    tags = {tag for tag, _ in Page(render(*study.parts(bad, "<script>alert(1)</script>"))).tags}
    assert not tags & {"script", "img"}


def test_tasks_with_different_numbers_of_items_are_told_as_a_range(tiny):
    assert "<b>20</b>test items per language" in render(*tiny)
    info, results, findings, samples = tiny
    fewer = results.filter(pl.col("item_id") != results["item_id"][0]).with_columns(task=pl.lit("instructions"))
    both = render(info, pl.concat([results, fewer]), findings, samples)
    assert "<b>19 to 20</b>test items per language and task" in both


def test_control_characters_become_symbols(tiny):
    page = Page(render(*with_outputs(tiny, ["a\x00b\x1bc\x7fd\te"])))
    assert "a␀b␛c␡d\te" in page.pre


def test_output_of_white_space_is_counted_instead_of_leaving_an_empty_box(tiny):
    assert "Nothing but 64 characters of white space." in render(*with_outputs(tiny, ["\n " * 32]))
    assert "Then 9 characters of white space." in render(*with_outputs(tiny, ["7" + " " * 9]))


def test_long_output_is_cut_with_a_note(tiny):
    html = render(*with_outputs(tiny, ["x" * 1_000_000]))
    assert "First 2,000 of 1 M characters." in html
    assert len(html) < 100_000


def test_report_stays_below_3_megabytes_whatever_the_outputs(parts):
    info, results, findings, samples = parts
    long = samples.with_columns(prompt=pl.lit('"' * 9_000), output=pl.lit("<" * 9_000), parsed=pl.lit("แ" * 9_000))
    assert len(render(info, results, findings, long).encode()) < 3_000_000


def test_same_inputs_give_the_same_bytes(tiny):
    assert render(*tiny) == render(*tiny)


def test_text_carries_its_language_and_its_direction(html):
    marked = [a for tag, a in Page(html).tags if tag == "pre" and a.get("lang") == "ar"]
    assert marked
    assert all(a["dir"] == "auto" for a in marked)


def test_figures_name_languages_in_latin_script(tiny):
    figures = "".join(re.findall(r"<svg.*?</svg>", render(*tiny), re.DOTALL))
    assert "Thai (th)" in figures
    assert figures.isascii()


def test_figures_need_no_clip_or_gradient_ids_which_would_clash(html):
    assert not re.findall(r"<(?:clipPath|linearGradient)", html)


def test_unfinished_study_says_how_much_is_done(parts):
    info, results, _, samples = parts
    done = results.filter(run="lab-1m/n=0/seed=0")
    assert "So far: 1 of 8 runs are done." in render(info, done, study.findings(done), samples)
    assert "So far" not in render(*parts)


def test_runs_without_a_language_in_common_still_give_a_page(parts):
    info, results, _, samples = parts
    one, other = pl.col("run") == "lab-1m/n=0/seed=0", pl.col("run") == "lab-1m/n=20/seed=0"
    part = results.filter((one & (pl.col("language") == "en")) | (other & (pl.col("language") == "es")))
    assert "So far: 2 of 8" in render(info, part, study.findings(part), samples)


def test_each_task_and_model_has_its_own_findings_and_figures():
    table = study.results(
        rows_per_language=(0, 20), models=("a", "b"), tasks=("math", "summarization"), items=10, roles=TINY
    )
    html = render(*study.parts(table))
    assert html.count('class="findings"') == 4
    assert html.count('class="heat"') == 4
    for place in ("math · a", "math · b", "summarization · a", "summarization · b"):
        assert f"<h3>{place}</h3>" in html


@pytest.fixture(scope="module")
def many():
    return render(*study.parts(study.coverage(items=20), "Which languages?", "coverage"))


def test_many_mixtures_are_rows_and_controls_stand_below_what_they_control(many):
    heat = re.search(r'<table class="heat">.*?</table>', many, re.DOTALL)[0]
    rows = re.findall(r'<tr( class="control")?><th scope="row">([^<]*)</th>', heat)
    assert len(rows) == 24
    assert [row for row in rows if row[0]] == [rows[2], rows[3]]
    assert [name for _, name in rows[:5]] == ["en", "en+bn", "en+bn fixed total", "en+bn same rows", "en+es"]
    assert heat.count('class="trained') == sum(
        tag in study.CORE_ROLES for tags in study.coverage(items=1).unique("setting")["train_languages"] for tag in tags
    )
    assert "control of en+bn, en+es, en+ja, en+sw" in many


def test_settings_of_two_tasks_are_told_apart_in_the_design(tiny):
    info, *rest = tiny
    (only,) = info.settings
    own = tuple(replace(only, setting=f"mix/{task}/en", design="mix") for task in ("api_calls", "math"))
    html = render(replace(info, designs={"mix": "coverage"}, settings=own), *rest)
    assert "<th>api_calls/en</th>" in html and "<th>math/en</th>" in html


def test_the_design_is_told_by_its_kind(many, html):
    assert "mix: Every setting is a set of languages with the same number of rows in each" in many
    assert "Every setting adds the same number of rows in each training language" in html
    assert "Every setting adds" not in many


@pytest.mark.parametrize("kind", get_args(get_args(Design)[0]))
def test_every_kind_of_design_has_its_sentence(kind):
    assert get_args(kind.model_fields["kind"].annotation)[0] in SENTENCES


def test_designs_have_their_own_figures_findings_and_answers():
    increments = study.results(items=20, rows_per_language=(0, 100), roles=study.CORE_ROLES)
    names = [
        pl.when(pl.col(c) == "").then(pl.lit("")).otherwise("inc/" + pl.col(c)).alias(c)
        for c in ("setting", "baseline")
    ]
    both = pl.concat([study.coverage(items=20, controls=False), increments.with_columns(names)])
    html = render(*study.parts(both))
    assert html.count('class="findings') == 2
    assert html.count("against rows per training language") == 1
    assert html.count("Accuracy at each setting") == 1
    assert {"At en+bn+de+es+fr+ja+ru+sw+th+zh.", "At n=100."} <= set(re.findall(r"At [^<.]*\.", html))


def test_graded_scores_are_not_called_accuracy(tiny):
    info, results, _, samples = tiny
    graded = results.with_columns(value=0.5)
    html = render(info, graded, study.findings(graded), samples)
    assert "Score of each language" in html
    assert "Accuracy" not in html


def test_report_that_cannot_be_written_says_where(tiny, tmp_path: Path):
    with pytest.raises(GlotmixError, match="absent"):
        write_report(*tiny, tmp_path / "absent" / "report.html")


@pytest.mark.parametrize(("policy", "said"), [("drop", "dropped"), ("truncate", "truncated")])
def test_longer_rows_are_told_by_language_and_nothing_where_there_were_none(parts, policy, said):
    info, *rest = parts
    longer = (LongerRows("lab-1m", "math", "ja", 0.123, 0.05),)
    page = render(replace(info, recipe=info.recipe | {"longer rows": policy}, longer_rows=longer), *rest)
    told = page.partition("Rows longer than max_tokens were ")[2]
    assert told.startswith(f"{said}.<") and "Languages differ in tokens per row" in told
    row = told.partition("<tbody>")[2].partition("</tbody>")[0]
    assert [part in row for part in ("Japanese", "math", "lab-1m", ">12.3<", ">5.0<")] == [True] * 5
    assert "Rows longer than max_tokens" not in render(info, *rest)


def test_what_lora_trained_is_told_with_the_model(parts):
    info, *rest = parts
    card = replace(info.models[0], trained=163_840)
    assert "beside them 163,840 were trained, in adapters (LoRA)" in render(replace(info, models=(card,)), *rest)
    assert "LoRA" not in render(info, *rest)


def test_the_commands_stand_beside_the_content_of_pool_and_models(html):
    assert "Pool lab; model lab-1m with content 0123456789ab." in html
