"""A design that can't be is refused in one line that names the key, the value and the fix."""

from typing import Any

import pytest
from designs import STUDY, study

from glotmix.design import cells
from glotmix.errors import UserError

INCREMENTS = STUDY["design"]
GROUPS = INCREMENTS | {"kind": "groups"}
COVERAGE = {"kind": "coverage", "core": ["en", "es"], "rows_per_language": 5, "sets": [{"take": "anchor"}]}
RATIO = {"kind": "ratio", "total_rows": 10, "anchor_share": [0.5, 1]}
SUBSTITUTION = {"kind": "substitution", "total_rows": 10, "rows_per_language": [0, 5]}
AVAILABLE = {"math": {"en": 8, "es": 4, "zh": 3}}
AVAILABILITY = {"kind": "availability", "total_rows": 10, "allocate": ["unimax"], "available": AVAILABLE}
EXPLICIT = {"kind": "explicit", "mixtures": {"a": {"math": {"en": 5}}, "b": {"math": {"es": 5}}}}
NO_TRAIN = "design: languages.train is empty; name training languages"

REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (INCREMENTS | {"models": ["x"]}, {}, "design.models: the study has no 'x'; use some of m"),
    (INCREMENTS | {"tasks": ["api_calls"]}, {}, "design.tasks: the study has no 'api_calls'; use some of math"),
    (INCREMENTS | {"train": ["fr"]}, {}, "design.train: the study has no 'fr'; use some of zh, es"),
    (
        INCREMENTS | {"anchor_rows": {"math": 5}},
        {"tasks": ["math", "api_calls"]},
        "design.anchor_rows has no number for api_calls; add one, or give one number for all tasks",
    ),
    (
        RATIO | {"total_rows": {"math": 5, "api_calls": 5}},
        {},
        "design.total_rows has a number for api_calls, which is not among the tasks; remove it",
    ),
    (GROUPS | {"by": "script"}, {"train": []}, NO_TRAIN),
    (GROUPS | {"by": "family"}, {"train": ["nl"]}, "design.by: the family of nl is not known; name the groups with"),
    (GROUPS | {"groups": {"a": ["fr"]}}, {}, "design.groups.a: 'fr' is not a training language; add it to languages"),
    (GROUPS | {"groups": {"a": ["en"]}}, {}, "design.groups.a: has the anchor 'en'; every group has it: remove it"),
    (COVERAGE | {"core": ["en", "fr"]}, {}, "design.core: 'fr' is not a training language; add it to languages.train"),
    (COVERAGE | {"sets": [{"take": "all", "with": ["fr"]}]}, {}, "design.sets.with: 'fr' is not a training language"),
    (COVERAGE | {"sets": [{"take": "all", "with": ["es"]}]}, {}, "design.sets.with: 'es' is in the core or the anchor"),
    (
        COVERAGE | {"core": ["en"], "sets": [{"take": "bilingual"}]},
        {},
        "design.sets: bilingual of the core en leaves no language; name more",
    ),
    (
        COVERAGE | {"core": ["es"], "sets": [{"take": "leave_one_out"}]},
        {},
        "design.sets: leave_one_out of the core es leaves no language; name more",
    ),
    (RATIO, {"train": []}, NO_TRAIN),
    (RATIO | {"anchor_share": [0.9]}, {}, "design.total_rows: 10 rows are too few for 2 languages beside 0.9 anchor"),
    (
        RATIO | {"total_rows": 11, "anchor_share": [0]},
        {},
        "design.total_rows: 11 rows at share 0 do not divide by 2 languages; use 10 or 12",
    ),
    (SUBSTITUTION, {"train": []}, NO_TRAIN),
    (
        SUBSTITUTION | {"rows_per_language": [6]},
        {},
        "design.rows_per_language: 6 rows of 2 languages are more than the 10 rows of math in all; give at most 5",
    ),
    (AVAILABILITY, {"train": []}, NO_TRAIN),
    (
        AVAILABILITY | {"available": None},
        {},
        "design.available: there is no pool to ask; give {task: {language: rows}}",
    ),
    (AVAILABILITY | {"available": {"math": {"en": 5}}}, {}, "design.available: es has no rows of math; give some, or"),
    (AVAILABILITY | {"available": {"api_calls": {}}}, {}, "design.available: api_calls is not among the tasks math"),
    (AVAILABILITY | {"available": {"math": {"fr": 5}}}, {}, "design.available.math: 'fr' is not a training language"),
    (
        AVAILABILITY | {"total_rows": 31, "max_epochs": 2},
        {},
        "design.total_rows: 31 of math, but the languages have 30 in 2 epochs; lower it",
    ),
    (AVAILABILITY | {"total_rows": 2}, {}, "design.total_rows: 2 of math are too few: unimax leaves zh none; raise it"),
    (
        AVAILABILITY | {"total_rows": 9, "allocate": ["anchor"]},
        {},
        "design.total_rows: anchor asks for 9 rows of math in en, which has 8; lower it, or set repeat: true",
    ),
    (
        AVAILABILITY | {"total_rows": 12, "allocate": ["proportional"], "temperature": 1000},
        {},
        "design.total_rows: proportional asks for 4 rows of math in zh, which has 3; lower it, or set repeat",
    ),
    (EXPLICIT | {"baseline": "c"}, {}, "design.baseline: no mixture 'c'; there are a, b"),
    (EXPLICIT | {"mixtures": {"a": {}}}, {}, "design.mixtures.a: no rows; give {task: {language: rows}}"),
    (
        EXPLICIT | {"mixtures": {"a": {"api_calls": {"en": 5}}}},
        {},
        "design.mixtures.a: api_calls is not among the tasks",
    ),
    (EXPLICIT | {"mixtures": {"a": {"math": {"fr": 5}}}}, {}, "design.mixtures.a: 'fr' is not a training language"),
    (
        EXPLICIT | {"controls": ["same_rows"]},
        {},
        "design.controls: same_rows needs a baseline, and the design has none",
    ),
    (
        SUBSTITUTION | {"controls": ["same_rows"]},
        {},
        "design.controls: same_rows is the baseline or the cell itself throughout; remove it",
    ),
    (
        INCREMENTS | {"controls": ["same_steps"]},
        {"recipe": {"steps": 50}},
        "design.controls: same_steps is the baseline or the cell itself throughout; remove it",
    ),
    (
        INCREMENTS | {"anchor_rows": 2, "controls": ["fixed_total"]},
        {},
        "design.controls: fixed_total of n=10: 2 rows of math leave none for es; remove it",
    ),
    (
        {
            "kind": "explicit",
            "mixtures": {"a": {"math": {"en": 5}}, "b": {"math": {"es": 9}, "api_calls": {"en": 5}}},
            "baseline": "a",
            "controls": ["fixed_total"],
        },
        {"tasks": ["math", "api_calls"]},
        "design.controls: fixed_total: b and its baseline a have not the same tasks",
    ),
]


@pytest.mark.parametrize(("design", "changes", "line"), REFUSED)
def test_a_design_that_can_not_be(design: dict[str, Any], changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as refused:
        cells(study(design, **changes))
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_named_design_is_called_by_its_name() -> None:
    with pytest.raises(UserError, match=r"^designs\.one\.core: 'fr' is not a training language"):
        cells(study(designs={"one": COVERAGE | {"core": ["fr"]}}))
