"""Figures and the files they are written to: every number is the finding's, every conclusion has its own look."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
import synthetic_study as study
from hypothesis import given
from hypothesis import strategies as st

from glotmix.analysis import Declared, accuracy_by_language
from glotmix.analysis.quantities import SEEN_GAIN
from glotmix.analysis.scores import read_scores
from glotmix.analysis.table import ACCURACY_SCHEMA
from glotmix.errors import GlotmixError
from glotmix.report import charts
from glotmix.report.analysis import write_analysis
from glotmix.report.comparisons import GROUPS, TASKS, comparisons
from glotmix.report.export import csv, latex, told, write_figures
from glotmix.report.figures import CONCLUDED, PAGE_COLUMNS, PAGE_ROWS, Figure, forests, heatmaps, scatter
from glotmix.report.outcome import KINDS
from glotmix.report.page import export
from glotmix.report.places import differing, in_order, placed, where
from glotmix.report.tables import finding_groups, scores_by_role

IN_FULL = ("heatmap", "verdicts")
TINY = {"en": "anchor", "es": "seen", "th": "unseen"}


@pytest.fixture(scope="module")
def results():
    return study.results(rows_per_language=(0, 20, 100), items=20, roles=TINY)


@pytest.fixture(scope="module")
def found(results):
    return study.findings(results)


@pytest.fixture(scope="module")
def written(results, found, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new"
    write_analysis("mine <b>", results, found, out)
    return out


def means(results: pl.DataFrame) -> pl.DataFrame:
    """Of the items, as someone without them has them."""
    cell = ["model", "task", "setting", "baseline", "seed", "language", "role", "rows_per_language", "train_languages"]
    return results.group_by(cell).agg(pl.col("value").mean(), n_items=pl.len())


def test_conclusions_differ_by_colour_and_by_shape():
    assert (
        len({colour for colour, _ in CONCLUDED.values()} | {""}) == 5
    )  # what is open and what is no question share one
    assert len({shape for _, shape in CONCLUDED.values()}) == len(CONCLUDED) == len(KINDS)


def test_a_scatter_has_a_point_with_both_intervals_for_every_setting(results):
    by_role = scores_by_role(results).with_columns(design=pl.lit(""))
    (figure,) = scatter(by_role, "math", "m", "accuracy")
    assert figure.numbers["setting"].to_list() == ["n=0", "n=20", "n=100"]
    for role in ("seen", "unseen"):
        own = by_role.filter(role=role).sort("rows_per_language")
        for bound in ("estimate", "low", "high"):
            assert figure.numbers[f"{bound}_{role}"].to_list() == own[bound].to_list()
    assert not list(scatter(by_role.filter(pl.col("role") != "unseen"), "math", "m", "accuracy"))


def test_a_forest_has_every_bounded_finding_once_on_pages_that_fit(found):
    many = pl.concat([placed(found)] * 20)
    figures = list(forests(many, Declared(), "math", "m"))
    drawn = pl.concat(figure.numbers for figure in figures)
    bounded = many.drop_nulls(["estimate", "low", "high"])
    assert len(drawn) == len(bounded)
    assert sorted(drawn["estimate"]) == sorted(bounded["estimate"])
    assert all(len(figure.numbers) <= PAGE_ROWS for figure in figures) and len(figures) > 1


def test_a_heatmap_has_every_cell_once_on_pages_that_fit():
    tags = ["en", "es", "th", *(f"q{letter}a" for letter in "abcdefghijklmnopqrs")]
    rows = [("m", "math", f"n={rows}", rows, tag, "seen", 0.5, 0.4, 0.6, 9, 1) for rows in range(50) for tag in tags]
    accuracy = pl.DataFrame(rows, ACCURACY_SCHEMA, orient="row")
    pages = list(heatmaps(accuracy, [f"n={rows}" for rows in range(50)], "math", "m", 1.0))
    cells = pl.concat(page.numbers for page in pages)
    assert len(cells) == len(accuracy) and cells.select("setting", "language").is_unique().all()
    assert all(page.numbers["setting"].n_unique() <= PAGE_ROWS for page in pages)
    assert all(page.numbers["language"].n_unique() <= PAGE_COLUMNS for page in pages)


def test_curves_of_every_language_come_as_one_figure_with_their_numbers(results, written):
    numbers = pl.read_csv(written / "figures" / "languages-math-lab-1m.csv")
    known = accuracy_by_language(results)
    for row in known.iter_rows(named=True):
        (own,) = numbers.filter(setting=row["setting"], language=row["language"]).iter_rows(named=True)
        assert [own[name] for name in ("estimate", "low", "high")] == [
            pytest.approx(row[name]) for name in ("estimate", "low", "high")
        ]
    svg = (written / "figures" / "languages-math-lab-1m.svg").read_text()
    assert all(name in svg for name in ("English (en)", "Spanish (es)", "Thai (th)"))


def test_tasks_alone_and_together_and_groups_of_languages_are_set_side_by_side():
    ability = {"en": 0.8, "es": 0.5, "th": 0.3}
    mixtures = [study.Mixture("base/n=0", {"en": 100}, ability)]
    for design, tag in (("latin", "es"), ("other", "th"), ("multi", "es")):
        for rows in (20, 100):
            mixtures.append(study.Mixture(f"{design}/n={rows}", {"en": 100, tag: rows}, ability, 1, "base/n=0"))
    table = study.records(mixtures, items=20, roles=TINY)
    both = pl.lit(["math", "summarization"])
    tasks = pl.when(pl.col("setting").str.starts_with("multi")).then(both).otherwise(pl.lit(["math"]))
    (scores,) = read_scores(table.with_columns(train_tasks=tasks))
    figures = list(comparisons(scores, Declared(), "accuracy"))
    assert {figure.kind for figure in figures} == {TASKS, GROUPS}
    seen = next(figure for figure in figures if figure.kind == TASKS and figure.part.startswith("seen"))
    assert set(seen.key) == {"math alone", "math with summarization"}
    truth = table.filter(setting="multi/n=100", language="es")["value"].mean()
    drawn = seen.numbers.filter(setting="multi/n=100")["estimate"].to_list()
    assert drawn == [pytest.approx(truth)]
    groups = [figure for figure in figures if figure.kind == GROUPS]
    assert {frozenset(figure.key) for figure in groups} == {frozenset({"en es", "en th"})}
    (one,) = read_scores(study.results(rows_per_language=(0, 20, 100), items=5, roles=TINY))
    assert not list(comparisons(one, Declared(), "accuracy"))


def test_every_figure_comes_as_svg_png_csv_and_latex(written):
    names = {path.name for path in (written / "figures").iterdir()}
    stems = {name.rpartition(".")[0] for name in names}
    assert {stem.partition("-")[0] for stem in stems} == {"curves", "languages", "seen", "forest", "heatmap"}
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png", "csv", "tex")}
    svg = (written / "figures" / "curves-math-lab-1m.svg").read_text()
    width = float(re.search(r'width="([\d.]+)', svg)[1])
    png = (written / "figures" / "curves-math-lab-1m.png").read_bytes()
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == pytest.approx(2 * width, abs=2)
    assert "unseen" in svg and "rows per training language" in svg and 'fill="white"' in svg


def test_findings_come_as_they_are_in_json_and_csv(written, found):
    records = json.loads((written / "findings.json").read_text())
    assert [row["estimate"] for row in records] == found["estimate"].to_list()
    assert pl.read_csv(written / "findings.csv")["conclusion"].fill_null("").to_list() == found["conclusion"].to_list()


def test_a_page_of_ones_own_results_escapes_its_title_and_holds_no_script(written):
    html = (written / "report.html").read_text()
    assert "mine &lt;b&gt;" in html and "<script" not in html
    sections = ("conclusions", "curves", "comparisons", "heatmap", "verdicts", "languages", "findings", "methods")
    assert tuple(re.findall(r'<section id="(\w+)">', html)) == sections


def test_texts_may_be_categories(results, found, written, tmp_path: Path):
    tags = pl.col("train_languages").cast(pl.List(pl.Categorical()))
    write_analysis("mine <b>", results.with_columns(pl.col(pl.String).cast(pl.Categorical()), tags), found, tmp_path)
    assert (tmp_path / "report.html").read_text() == (written / "report.html").read_text()


def test_a_table_of_means_has_a_page_without_verdicts(results, tmp_path: Path):
    table = means(results)
    write_analysis("means", table, study.findings(table), tmp_path)
    html = (tmp_path / "report.html").read_text()
    sections = ("conclusions", "curves", "comparisons", "heatmap", "findings", "methods")
    assert tuple(re.findall(r'<section id="(\w+)">', html)) == sections
    assert "<b>20</b>test items" in html


def test_a_model_has_no_line_for_a_setting_it_was_not_run_with(tmp_path: Path):
    both = study.coverage(items=5, models=("a", "b"), controls=False)
    table = both.filter((pl.col("model") == "a") | (pl.col("setting") != "mix/en+sw"))
    write_analysis("two", table, study.findings(table), tmp_path)
    html = (tmp_path / "report.html").read_text()
    heatmap, verdicts = (html.partition(f'<section id="{name}">')[2].partition("</section>")[0] for name in IN_FULL)
    assert heatmap.count('<th scope="row">en+sw</th>') == 1 and heatmap.count('<th scope="row">en+es</th>') == 2
    languages = table["language"].n_unique()
    assert verdicts.count("<td>en+sw</td>") == languages and verdicts.count("<td>en+es</td>") == 2 * languages


def test_files_are_replaced_and_strangers_stay(results, found, tmp_path: Path):
    info, *_ = study.parts(results)
    (tmp_path / "figures").mkdir()
    (tmp_path / "findings.csv").write_text("old")
    (tmp_path / "figures" / "mine.txt").write_text("keep")
    drawn = export(info, results, found, tmp_path)
    assert (tmp_path / "figures" / "mine.txt").read_text() == "keep"
    assert (tmp_path / "findings.csv").read_text() != "old"
    assert {path.suffix for path in drawn} == {".svg"} and not list(tmp_path.rglob(".*"))


def test_a_folder_that_is_a_file_is_told(results, found, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(GlotmixError, match="taken"):
        write_analysis("t", results, found, tmp_path / "taken")


def test_names_for_files_are_safe_and_each_once(tmp_path: Path):
    chart = charts.dots(
        pl.DataFrame({"label": ["a"], "series": ["s"], "estimate": [0.5], "low": [0.4], "high": [0.6]}), {"s": "red"}, 1
    )
    figures = [Figure("curves", "../m", model, "", chart, pl.DataFrame({"x": [1]})) for model in ("a/b", "a\\b")]
    drawn = write_figures(figures, tmp_path)
    assert [path.name for path in drawn] == ["curves-..-m-a-b.svg", "curves-..-m-a-b-2.svg"]
    assert all(path.parent == tmp_path for path in drawn)


@given(st.text(alphabet=st.sampled_from("ab_&%$#{}~^\\−–×<>|[*\n\x07"), max_size=12))
def test_latex_takes_no_text_for_a_command(text):
    body = latex(pl.DataFrame({"name": [f"{text}x"]}))
    cell = body.partition("\\midrule\n")[2].partition(" \\\\\n\\bottomrule")[0]
    commands = (
        r"\\(textbackslash|textasciitilde|textasciicircum|space) ?|\\[&%$#_{}]|\$(-|<|>|\||\\times)\$|\{[\[*]\}|--"
    )
    assert not set(re.sub(commands, "", cell)) & set("&%$#{}~^\\<>|[*\n\x07")


def test_csv_has_no_text_that_a_spreadsheet_takes_for_a_formula():
    names = ["=1+1", "+a", "-b", "@c", "\td", "a=1", "", None]
    table = pl.read_csv(csv(pl.DataFrame({"name": names, "x": [-1.5] * 8})).encode())
    assert table["name"].to_list() == ["'=1+1", "'+a", "'-b", "'@c", "'\td", "a=1", "", None]
    assert table["x"].to_list() == [-1.5] * 8


def test_a_long_table_runs_over_pages(found):
    assert "longtable" in latex(pl.concat([told(found)] * 9)) and "longtable" not in latex(told(found).head(5))
    assert "\\toprule" in latex(told(found).head(5))


def test_what_stands_at_one_place_is_told_apart_by_its_definition(found):
    two = pl.concat(
        [found.head(1).with_columns(definition=pl.lit(f"mean over {tags} at n")) for tags in ("es", "th ko")]
    )
    assert placed(two)["apart"].to_list() == ["es", "th ko"]
    assert set(placed(found)["apart"]) == {""}


@given(st.lists(st.text("ab ", max_size=8), min_size=1, max_size=4))
def test_what_differs_is_a_part_of_each(texts):
    for own, left in zip(texts, differing(texts), strict=True):
        assert left in " ".join(own.split())
    assert (set(differing(texts)) == {""}) == (len({" ".join(own.split()) for own in texts}) == 1)


def test_a_setting_is_named_in_full_where_two_designs_have_one_of_its_name(found):
    other = pl.concat([found.with_columns(setting=design + pl.col("setting")) for design in ("a/", "b/")])
    assert set(placed(found)["at"]) == {"n=0", "n=20", "n=100"}
    assert set(placed(other)["at"]) == set(other["setting"])


def test_one_huge_interval_leaves_all_others_visible(found):
    gains = found.filter(name=SEEN_GAIN)
    huge = gains.head(1).with_columns(name=pl.lit("huge"), low=pl.lit(-20.0), high=pl.lit(20.0))
    with_it, without = finding_groups(placed(pl.concat([found, huge])), 0.02), finding_groups(placed(found), 0.02)
    assert with_it[:-1] == without
    shared = [group.zero for group in without if group.unit == "points"]
    assert len(set(shared)) == 1


def test_gains_come_first_and_what_is_of_all_models_last(found):
    across = found.head(1).with_columns(model=pl.lit(""), name=pl.lit("scale trend"))
    ordered = in_order(pl.concat([across, found]))
    assert ordered["name"][0] == "gain of seen languages" and ordered["model"][-1] == ""


def test_a_finding_of_all_settings_is_named_by_what_tells_it_apart():
    place = {"at": "all settings", "against": "", "apart": ""}
    assert [where(place | {"apart": apart}) for apart in ("", "es fr")] == ["all settings", "es fr"]
    assert where({"at": "n=1", "against": "n=1 same rows", "apart": "es"}) == "n=1 against n=1 same rows: es"
