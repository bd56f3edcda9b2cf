"""What is scored against what: each answer against its row's reference, in the language it is wanted in."""

import math

import polars as pl

from glotmix.generate.backend import Output
from glotmix.generate.scoring import scored
from glotmix.pool.row import ROW_SCHEMA


def test_rows_with_a_blank_reference_or_none_wait_for_the_judge():
    rows = pl.DataFrame({"reference": ["egg", None, "", " \n"]}, schema_overrides=ROW_SCHEMA)
    rows = rows.with_columns(answer_language=pl.lit(None, pl.String), language=pl.lit("en"))
    scores = scored("instructions", rows, [Output("egg", 1, True)] * 4)
    assert [score.verdict for score in scores] == ["correct"] + ["unjudged"] * 3
    assert all(math.isnan(score.value) for score in scores[1:])


def test_an_answer_is_scored_in_the_language_it_is_wanted_in():
    rows = pl.DataFrame({"reference": ["1234", "1234"], "answer_language": ["en", None], "language": "bn"})
    english = Output("She sells the rest of the eggs at the farmers' market every day. The answer is 18.", 20, True)
    assert [score.verdict for score in scored("math", rows, [english] * 2)] == ["wrong", "wrong_language"]
