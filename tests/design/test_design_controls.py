"""Controls differ from their cell in one thing, and say of which cells they are the control."""

from typing import Any

from designs import STUDY, counts, study
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.design import Cell, cells
from glotmix.design.controls import scaled
from glotmix.spec import Recipe, optimizer_steps

INCREMENTS = STUDY["design"]
ALL = ["same_rows", "same_steps", "fixed_total"]


def by_name(design: dict[str, Any], **changes: Any) -> dict[str, Cell]:
    return {cell.name: cell for cell in cells(study(design, **changes))}


def test_controls_by_hand() -> None:
    found = by_name(INCREMENTS | {"controls": ALL})
    assert counts(list(found.values())) == {
        "n=0": {"en": 100},
        "n=10": {"en": 100, "es": 10, "zh": 10},
        "n=40": {"en": 100, "es": 40, "zh": 40},
        "n=10 fixed total": {"en": 84, "es": 8, "zh": 8},
        "n=40 fixed total": {"en": 56, "es": 22, "zh": 22},
        "n=10 same rows": {"en": 120},
        "n=40 same rows": {"en": 180},
        "n=10 same steps": {"en": 100},
        "n=40 same steps": {"en": 100},
    }
    assert {name: cell.steps for name, cell in found.items() if cell.steps} == {
        "n=10 same steps": 12, "n=40 same steps": 18,
    }  # fmt: skip
    controls = {name: cell for name, cell in found.items() if cell.control_of}
    assert len(controls) == 6
    assert all((cell.baseline, name.startswith(cell.control_of[0])) == ("n=0", True) for name, cell in controls.items())


def test_equal_controls_of_several_cells_are_one() -> None:
    sets = [{"take": "anchor"}, {"take": "bilingual"}, {"take": "all"}]
    core = {"kind": "coverage", "core": ["en", "es", "zh"], "rows_per_language": 10, "sets": sets}
    found = by_name(core | {"controls": ALL})
    assert {name: cell.control_of for name, cell in found.items() if cell.control_of} == {
        "en+es same rows": ("en+es", "en+zh"), "en+es+zh same rows": ("en+es+zh",),
        "en+es same steps": ("en+es", "en+zh"), "en+es+zh same steps": ("en+es+zh",),
        "en+es fixed total": ("en+es",), "en+zh fixed total": ("en+zh",), "en+es+zh fixed total": ("en+es+zh",),
    }  # fmt: skip
    assert found["en+es fixed total"].counts == {"math": {"en": 5, "es": 5}}
    assert found["en+es+zh fixed total"].counts == {"math": {"en": 4, "es": 3, "zh": 3}}


def test_single_task_cells_have_controls_per_task_and_multi_task_cells_over_all() -> None:
    rows = {"anchor_rows": {"math": 100, "api_calls": 50}, "rows_per_language": [0, 10], "controls": ["same_rows"]}
    multi = by_name(INCREMENTS | rows, tasks=["math", "api_calls"])
    assert multi["n=10 same rows"].counts == {"math": {"en": 120}, "api_calls": {"en": 70}}
    single = by_name(INCREMENTS | rows | {"task_mode": "single"}, tasks=["math", "api_calls"])
    assert single["api_calls/n=10 same rows"].counts == {"api_calls": {"en": 70}}
    assert single["api_calls/n=10 same rows"].baseline == "api_calls/n=0"


def test_a_control_has_the_seeds_of_its_cells_and_more_by_its_own_name() -> None:
    at = {40: [7], "* same rows": [9]}
    found = by_name(INCREMENTS | {"controls": ["same_rows"]}, seeds={"everywhere": [0], "at": at})
    assert {name: cell.seeds for name, cell in found.items()} == {
        "n=0": (0,), "n=10": (0,), "n=40": (0, 7), "n=10 same rows": (0, 9), "n=40 same rows": (0, 7, 9),
    }  # fmt: skip


def test_a_fixed_number_of_rows_needs_no_fixed_number_of_steps() -> None:
    """A control that would be the cell or its baseline once more is left out; the others stay."""
    rows = {"a": {"math": {"en": 100}}, "b": {"math": {"es": 100}}, "c": {"math": {"es": 200}}}
    found = by_name({"kind": "explicit", "mixtures": rows, "baseline": "a", "controls": ALL})
    assert [name for name, cell in found.items() if cell.control_of] == ["c fixed total", "c same rows", "c same steps"]


@settings(deadline=None)
@given(
    n=st.lists(st.integers(100, 5000), min_size=1, max_size=3, unique=True),
    anchor=st.integers(2000, 20000),
    recipe=st.builds(
        lambda epochs, rows: {"epochs": epochs, "batch_rows": rows}, st.integers(1, 6), st.integers(1, 99)
    ),
)
def test_controls_keep_what_they_promise(n: list[int], anchor: int, recipe: dict[str, Any]) -> None:
    design = {"kind": "increments", "anchor_rows": anchor, "rows_per_language": [0, *n], "controls": ALL}
    found = by_name(design, recipe=recipe, train=["es", "fr", "zh"])
    baseline = found["n=0"]
    for rows in n:
        cell = found[f"n={rows}"]
        controls = {name.split(" ", 1)[1]: its for name, its in found.items() if cell.name in its.control_of}
        same_rows, steps, fixed = controls["same rows"], controls["same steps"], controls["fixed total"]
        assert same_rows.counts == {"math": {"en": cell.total_rows}}
        assert (steps.steps, steps.counts) == (optimizer_steps(Recipe(**recipe), cell.total_rows), baseline.counts)
        assert fixed.total_rows == baseline.total_rows and fixed.train_languages == cell.train_languages


@given(
    st.dictionaries(st.sampled_from(["en", "es", "fr", "zh"]), st.integers(1, 10**5), min_size=1),
    st.integers(1, 10**6),
)
def test_scaled_counts_add_up_in_the_same_proportions(found: dict[str, int], total: int) -> None:
    result = scaled(found, total, "en")
    assert sum(result.values()) == total and result.keys() == found.keys()
    for tag, rows in found.items():
        assert abs(result[tag] - rows * total / sum(found.values())) < len(found)
