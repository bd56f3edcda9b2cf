"""Languages of the answers and the metrics beside the score: what the page tells is what the results table holds."""

import re
from collections.abc import Sequence

import polars as pl
import pytest
import synthetic_study as study
from hypothesis import given
from hypothesis import strategies as st

from glotmix.analysis.families import families
from glotmix.analysis.scores import read_scores
from glotmix.report.languages import CANT_TELL, COLUMNS, OTHERS, Confusion, confusion
from glotmix.report.metrics import MetricTable, metric_table
from glotmix.report.page import render

ROLES = {"en": "anchor", "es": "seen", "ja": "unseen"}
TAGS = ("en", "es", "ja")
ANSWERS = pl.Schema({"language": pl.String(), "answer_language": pl.String(), "detected": pl.String()})


def answers(*rows: tuple[str, str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, ANSWERS, orient="row")


def told(found: Confusion | None, language: str) -> dict[str, str]:
    assert found
    (row,) = [row for row in found.rows if row.language == language]
    return dict(zip(found.columns, (share.percent for share in row.shares), strict=True))


detections = st.sampled_from(("", "en", "es", "ja", "de", "th"))


@given(st.lists(st.tuples(st.sampled_from(TAGS), st.none() | st.just("en"), st.none() | detections), max_size=60))
def test_every_checked_answer_is_counted_once_under_the_language_wanted(
    rows: list[tuple[str, str | None, str]],
) -> None:
    found = confusion(answers(*rows), TAGS)
    checked = [(language, wanted or language, detected) for language, wanted, detected in rows if detected is not None]
    assert (found is None) == (not checked)
    for row in found.rows if found else ():
        own = [detected for language, wanted, detected in checked if (language, wanted) == (row.language, row.wanted)]
        assert row.answers == len(own) > 0
        other = sum(detected not in ("", row.wanted) for detected in own) / len(own)
        assert row.other.weight == pytest.approx(other**0.5, abs=1e-3)
        assert sum(share.weight**2 for share in row.shares) == pytest.approx(1, abs=0.01)
    assert (
        {(row.language, row.wanted) for row in found.rows if found} == {key[:2] for key in checked} if found else True
    )


def test_languages_come_in_the_order_asked_for_then_others_and_what_nobody_can_tell_last() -> None:
    table = answers(("ja", None, "ja"), ("ja", None, "de"), ("en", None, ""), ("en", None, "en"), ("es", None, "th"))
    found = confusion(table, TAGS)
    assert found and found.columns == ("en", "ja", "de", "th", CANT_TELL)
    assert told(found, "ja") == {"en": "", "ja": "50", "de": "50", "th": "", CANT_TELL: ""}
    assert told(found, "en")[CANT_TELL] == "50"


def test_an_answer_wanted_in_english_is_no_switch_of_language() -> None:
    found = confusion(answers(("ja", "en", "en"), ("ja", "en", "ja")), TAGS)
    assert found
    (row,) = found.rows
    assert (row.wanted, row.other.percent) == ("en", "50")
    assert {name: share.kind for name, share in zip(found.columns, row.shares, strict=True)} == {
        "en": "own",
        "ja": "other",
        CANT_TELL: "unknown",
    }


def test_a_regional_tag_is_the_language_it_belongs_to() -> None:
    found = confusion(answers(("pt-BR", None, "pt"), ("pt-BR", None, "pt")), ["pt-BR"])
    assert found and (found.rows[0].other.percent, found.rows[0].shares[0].kind) == ("", "own")


def test_many_languages_stand_together_and_few_answers_are_not_rounded_away() -> None:
    many = [("en", None, f"{letter}{second}") for letter in "ab" for second in "abcdefghijk"]
    found = confusion(answers(*many, *[("en", None, "en")] * 1000), ("en",))
    assert found and found.columns[-2:] == (OTHERS, CANT_TELL) and len(found.columns) == COLUMNS + 2
    assert told(found, "en")["aa"] == "<1"


def results(**more: object) -> pl.DataFrame:
    return study.results(tasks=("summarization",), rows_per_language=(0, 100), items=20, roles=ROLES, **more)


def table_of(frame: pl.DataFrame, languages: Sequence[str] = TAGS) -> MetricTable:
    found = metric_table(frame, families(read_scores(frame)), languages)
    assert found
    return found


def with_metrics(frame: pl.DataFrame, *metrics: tuple[str, float]) -> pl.DataFrame:
    given = [[{"name": name, "value": value} for name, value in metrics]] * len(frame)
    return frame.with_columns(metrics=pl.Series(given, dtype=frame.schema["metrics"]))


def test_a_metric_is_told_as_its_mean_at_the_baseline_and_the_furthest_setting() -> None:
    frame = results()
    found = table_of(frame)
    assert (found.settings, list(found.rows)) == (("n=0", "n=100"), list(TAGS))
    assert found.metrics == {"rouge-1": "%", "rouge-2": "%", "rouge-l": "%", "chrf": "%", "length ratio": ""}
    own = frame.filter(language="ja", setting="n=100")["metrics"].list.get(1).struct.field("value").mean()
    ratio = frame.filter(language="es", setting="n=0")["metrics"].list.get(4).struct.field("value").mean()
    assert isinstance(own, float) and isinstance(ratio, float)
    japanese, spanish = found.rows["ja"][3], found.rows["es"][8]
    assert japanese and japanese.value == f"{100 * own:.1f}"
    low, high = map(float, japanese.interval.split("–"))
    assert low <= 100 * own <= high
    assert spanish and spanish.value == f"{ratio:.2f}"


def test_what_a_metric_depends_on_is_told_with_the_languages_it_holds_for() -> None:
    bases = {(basis.metrics, basis.languages): basis.on for basis in table_of(results()).bases}
    rouge = ("rouge-1", "rouge-2", "rouge-l")
    assert bases[rouge, ("ja",)] == "fugashi 1.5.2, unidic-lite 1.0.8"
    assert bases[rouge, ("en",)] == "rouge_score 0.1.2, porter nltk 3.10.4"
    assert bases[("chrf",), ()].startswith("nrefs:1|")


def test_a_metric_of_two_versions_in_one_language_is_two_metrics() -> None:
    frame = results()
    old, new = (
        with_metrics(frame.filter(setting=setting), (f"rouge-l (tool {setting})", 0.5)) for setting in ("n=0", "n=100")
    )
    found = metric_table(pl.concat([old, new]), families(read_scores(frame)), TAGS)
    assert found and list(found.metrics) == ["rouge-l (tool n=0)", "rouge-l (tool n=100)"]


@pytest.mark.parametrize("value", [-3.5, 0.0, 1.0, 250.0])
def test_metrics_of_any_range_are_shown(value: float) -> None:
    found = table_of(with_metrics(results(), ("loss", value), ("broken", float("nan"))))
    assert list(found.metrics) == ["loss"]
    shown = found.rows["en"][0]
    assert shown and shown.value == (f"{100 * value:.1f}" if 0 <= value <= 1 else f"{value:.2f}")


def test_tables_that_tell_neither_have_neither_section() -> None:
    bare = results().drop("detected", "metrics", "answer_language")
    info, _, findings, samples = study.parts(results())
    html = render(info, bare, findings, samples)
    assert 'id="languages"' not in html and 'id="metrics"' not in html and "#metrics" not in html
    whole = render(*study.parts(results()))
    assert 'id="languages"' in whole and 'id="metrics"' in whole and "fugashi 1.5.2" in whole


def test_a_metrics_name_is_text() -> None:
    frame = with_metrics(results(), ("<script>x</script> (<img src=x>)", 0.5))
    html = render(*study.parts(frame))
    assert "<script>" not in html and "<img" not in html and "&lt;img src=x&gt;" in html
    assert table_of(with_metrics(results(), ("two\nlines (a\nb)", 0.5))).metrics == {"two\nlines": "%"}


def test_answers_of_a_graded_task_are_scored_and_not_wrong() -> None:
    both = study.results(tasks=("math", "summarization"), rows_per_language=(0, 100), items=20, roles=ROLES)
    partly = pl.when(task="summarization").then(pl.col("value") * 0.5 + 0.3).otherwise("value")
    html = render(*study.parts(both.with_columns(value=partly)))
    heads = [re.findall(r'<th class="num">([^<]*)</th>', own) for own in re.findall(r"<th>Setting</th>.*?</tr>", html)]
    assert ["correct", "wrong"] in [own[:2] for own in heads]
    assert ["full score", "scored"] in [own[:2] for own in heads]
    assert "<span>score 30 %</span>" in html
    only_right_or_wrong = render(*study.parts(both.with_columns(value=pl.col("value"))))
    assert "full score" not in only_right_or_wrong and "scored</b>" not in only_right_or_wrong


def test_a_sample_in_another_language_says_which() -> None:
    frame = results()
    info, _, findings, samples = study.parts(frame)
    german = samples.with_columns(detected=pl.lit("de"))
    assert "written in German" in render(info, frame, findings, german)
    silent = samples.with_columns(detected=pl.when(language="en").then(pl.lit("")).otherwise("language"))
    assert "written in" not in render(info, frame, findings, silent).split('id="samples"')[1]
    wanted = samples.with_columns(detected=pl.lit("en"), answer_language=pl.lit("en"))
    assert "written in" not in render(info, frame, findings, wanted).split('id="samples"')[1]
