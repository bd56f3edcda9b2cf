"""A table that isn't a results table is refused in one line with the fix."""

import polars as pl
import pytest

from glotmix.analysis import check_results, findings
from glotmix.analysis.simulate import Truth, simulate
from glotmix.analysis.table import RESULTS_SCHEMA
from glotmix.errors import UserError

LEVELS = {"en": 0.5, "es": 0.5}
TABLE = simulate(Truth({0: LEVELS}, {"en": "anchor", "es": "seen"}, {0: 1}, items=3), seed=0)


def test_a_results_table_passes_unchanged_but_for_further_columns_and_number_widths():
    wider = TABLE.with_columns(pl.lit("x").alias("mine"), pl.col("seed").cast(pl.Int32), pl.col("value").cast(pl.Int8))
    assert check_results(wider).equals(TABLE)
    assert check_results(wider).schema == RESULTS_SCHEMA


def test_a_table_may_lack_what_only_studies_of_several_designs_need():
    without = TABLE.drop("baseline", "control_of")
    assert check_results(without).equals(without)
    study = simulate(Truth({0: LEVELS, 9: LEVELS}, {"en": "anchor", "es": "seen"}, {0: 1, 9: 1}, items=3), seed=0)
    assert findings(study.drop("baseline", "control_of")).equals(findings(study))


def test_an_empty_baseline_or_control_is_none():
    empty = TABLE.with_columns(baseline=pl.lit(None, pl.String), control_of=pl.lit(None, pl.List(pl.String)))
    assert check_results(empty)["baseline"].unique().to_list() == [""]
    assert check_results(empty)["control_of"].list.len().sum() == 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (TABLE.rename({"language": "languge"}), "no column 'language'; rename 'languge', which looks like it"),
        (TABLE.drop("item_id"), "no column 'item_id'; the table has: study, run"),
        (TABLE.with_columns(value=pl.lit("0.5")), "column 'value' has type String; it must be Float64"),
        (TABLE.with_columns(value=pl.lit(None, pl.Float64)), "column 'value' is empty in 6 records"),
        (TABLE.with_columns(value=pl.lit(40.0)), "value 40.0 is outside 0 to 1; divide percentages by 100"),
        (TABLE.with_columns(value=pl.lit(float("nan"))), "value nan is outside 0 to 1"),
        (TABLE.with_columns(role=pl.lit("train")), "role 'train' is unknown; use one of anchor, seen, unseen"),
        (pl.concat([TABLE, TABLE.head(1)]), "2 records have a double"),
        (
            pl.concat([TABLE, TABLE.with_columns(study=pl.lit("b"), seed=pl.lit(1, pl.Int64))]),
            "holds 2 studies (b, simulated",
        ),
    ],
)
def test_each_fault_is_one_line_naming_the_column_the_value_and_the_fix(broken, message):
    with pytest.raises(UserError) as caught:
        check_results(broken)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
