"""Each kind of design by hand, and what must hold of its counts whatever the numbers."""

from itertools import combinations, pairwise, product
from typing import Any

import pytest
from designs import counts, study, written
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.design import cells
from glotmix.design.availability import proportional, unimax

GROUPS = {"kind": "groups", "anchor_rows": 100, "rows_per_language": [0, 10]}
COVERAGE = {"kind": "coverage", "core": ["en", "es", "ja"], "rows_per_language": 10}
EXPANDED = ["es", "ja", "fr", "th"]
AVAILABLE = {"en": 1000, "es": 300, "zh": 20}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("script", {"Latn": ["es", "sw"], "Jpan": ["ja"], "Beng": ["bn"]}),
        ("family", {"Indo-European": ["es", "bn"], "Japonic": ["ja"], "Atlantic-Congo": ["sw"]}),
        ("resource", {"high": ["es", "ja"], "low": ["bn", "sw"]}),
    ],
)
def test_languages_are_grouped_by_what_they_share(by: str, names: dict[str, list[str]]) -> None:
    found = cells(study(GROUPS | {"by": by}, ["es", "ja", "bn", "sw"]))
    expected = {f"{name} n=10": {"en": 100} | dict.fromkeys(tags, 10) for name, tags in names.items()}
    assert counts(found) == expected | {f"{name} n=0": {"en": 100} for name in names}
    assert {cell.name: cell.baseline for cell in found} == {
        f"{name} n={n}": f"{name} n=0" if n else "" for name in names for n in (0, 10)
    }


def test_named_groups_may_share_a_language() -> None:
    assert written(GROUPS | {"groups": {"one": ["es"], "both": ["zh", "es"]}}) == {
        "both n=0": {"en": 100}, "both n=10": {"en": 100, "es": 10, "zh": 10},
        "one n=0": {"en": 100}, "one n=10": {"en": 100, "es": 10},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("taken", "names"),
    [
        ({"take": "anchor"}, ["en"]),
        ({"take": "bilingual"}, ["en+es", "en+ja"]),
        ({"take": "leave_one_out"}, ["en+es", "en+ja", "es+ja"]),
        ({"take": "all"}, ["en+es+ja"]),
        ({"take": "growing"}, ["en", "en+es", "en+es+ja"]),
        ({"take": "anchor", "with": ["fr"]}, ["en+fr"]),
        ({"take": "leave_one_out", "with": ["th", "fr"]}, ["en+es+fr+th", "en+fr+ja+th", "es+fr+ja+th"]),
    ],
)
def test_the_sets_of_a_coverage_design(taken: dict[str, Any], names: list[str]) -> None:
    expected = {name: dict.fromkeys(name.split("+"), 10) for name in names}
    assert written(COVERAGE | {"sets": [taken]}, EXPANDED) == expected


def test_a_mixture_that_two_sets_give_is_one_cell_and_all_are_compared_with_the_anchor() -> None:
    found = cells(study(COVERAGE | {"sets": [{"take": "growing"}, {"take": "anchor"}, {"take": "all"}]}, EXPANDED))
    assert {cell.name: cell.baseline for cell in found} == {"en": "", "en+es": "en", "en+es+ja": "en"}
    assert [cell.train_languages[0] for cell in found] == ["en", "en", "en"]
    without = cells(study(COVERAGE | {"sets": [{"take": "leave_one_out"}]}, EXPANDED))
    assert {cell.baseline for cell in without} == {""}
    assert without[-1].train_languages == ("es", "ja") and without[-1].anchor_rows("math") == 0


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(0, 3))
def test_how_many_mixtures_the_sets_of_a_core_are(core: int, plus: int) -> None:
    train = ["es", "ja", "bn", "sw", "fr", "th", "de", "ru", "zh", "te", "ko", "pt"]
    expected = {"anchor": 1, "bilingual": core - 1, "leave_one_out": core, "all": 1, "growing": core}
    for take, number in expected.items():
        sets = [{"take": take, "with": train[-plus:] if plus else []}]
        design = {"kind": "coverage", "core": ["en", *train[: core - 1]], "rows_per_language": 5, "sets": sets}
        assert len(written(design, train)) == number


def test_a_ratio_by_hand() -> None:
    design = {"kind": "ratio", "total_rows": 100, "anchor_share": [0, 0.25, 0.333, 1]}
    found = cells(study(design))
    assert counts(found) == {
        "en=100%": {"en": 100},
        "en=33.3%": {"en": 34, "es": 33, "zh": 33},
        "en=25%": {"en": 26, "es": 37, "zh": 37},  # 37.5 each: whole rows, and the anchor has what is left
        "en=0%": {"es": 50, "zh": 50},
    }
    assert [cell.baseline for cell in found] == ["", "en=100%", "en=100%", "en=100%"]


@settings(deadline=None)
@given(
    total=st.integers(50, 10**6),
    share=st.integers(1, 90).map(lambda percent: percent / 100),
    train=st.lists(st.sampled_from(EXPANDED), min_size=1, unique=True),
)
def test_a_ratio_is_exact(total: int, share: float, train: list[str]) -> None:
    ((_, found),) = written({"kind": "ratio", "total_rows": total, "anchor_share": [share]}, train).items()
    assert sum(found.values()) == total
    assert len({found[tag] for tag in train}) == 1, "equal parts"
    assert abs(found["en"] - share * total) < len(train) + 1e-6


def test_a_substitution_by_hand() -> None:
    design = {"kind": "substitution", "total_rows": {"math": 100, "api_calls": 80}, "rows_per_language": [0, 10, 40]}
    found = cells(study(design, tasks=["math", "api_calls"]))
    assert counts(found) == {
        "n=0": {"en": 100},
        "n=10": {"en": 80, "es": 10, "zh": 10},
        "n=40": {"en": 20, "es": 40, "zh": 40},
    }
    assert counts(found, "api_calls")["n=40"] == {"es": 40, "zh": 40}
    assert [cell.baseline for cell in found] == ["", "n=0", "n=0"]


def test_explicit_mixtures_are_what_they_say() -> None:
    mixtures = {"small": {"math": {"en": 5}}, "both": {"math": {"es": 3}, "api_calls": {"en": 2, "zh": 1}}}
    design = {"kind": "explicit", "mixtures": mixtures, "baseline": "small"}
    both, small = cells(study(design, tasks=["math", "api_calls"]))
    assert (both.counts, both.baseline) == (mixtures["both"], "small")
    assert (small.counts, small.baseline) == (mixtures["small"], "")
    single = cells(study(design | {"task_mode": "single"}, tasks=["math", "api_calls"]))
    assert {cell.name: (dict(cell.counts), cell.baseline) for cell in single} == {
        "api_calls/both": ({"api_calls": {"en": 2, "zh": 1}}, ""),  # of which the baseline has no rows
        "math/both": ({"math": {"es": 3}}, "math/small"),
        "math/small": ({"math": {"en": 5}}, ""),
    }


def availability(**changes: Any) -> dict[str, Any]:
    plain = {"total_rows": 132, "allocate": ["anchor", "proportional", "unimax"], "available": {"math": AVAILABLE}}
    return {"kind": "availability"} | plain | changes


def test_an_availability_design_by_hand() -> None:
    found = cells(study(availability()))
    assert counts(found) == {
        "anchor": {"en": 132},
        "proportional": {"en": 100, "es": 30, "zh": 2},
        "unimax": {"zh": 20, "es": 56, "en": 56},
    }
    assert [cell.baseline for cell in found] == ["", "anchor", "anchor"]


def test_unimax_repeats_rows_only_as_often_as_allowed() -> None:
    (twice,) = cells(study(availability(allocate=["unimax"], max_epochs=2)))
    assert twice.counts == {"math": {"zh": 40, "es": 46, "en": 46}}
    (often,) = cells(study(availability(allocate=["unimax"], max_epochs=9)))
    assert often.counts == {"math": {"zh": 44, "es": 44, "en": 44}}
    assert not twice.repeat and not often.repeat  # what the pool lacks is not made up for by more passes
    assert twice.distinct == often.distinct == {"math": AVAILABLE}


def test_availability_is_asked_of_the_pool_unless_the_study_says() -> None:
    spec = study(availability(available=None))
    assert cells(spec, lambda task, tag: AVAILABLE[tag]) == cells(study(availability()))
    assert cells(study(availability()), lambda task, tag: 10**6) == cells(study(availability()))


def as_even_as_possible(limits: dict[str, int], total: int) -> list[int]:
    """By trying all: of the counts within the limits that add up, those whose sorted list is the largest."""
    ranges = [range(min(limit, total) + 1) for limit in limits.values()]
    return max(sorted(found) for found in product(*ranges) if sum(found) == total)


@settings(deadline=None)
@given(
    limits=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 6), min_size=1),
    max_epochs=st.integers(1, 2),
    share=st.floats(0, 1),
)
def test_unimax_is_as_uniform_as_possible(limits: dict[str, int], max_epochs: int, share: float) -> None:
    most = {tag: max_epochs * limit for tag, limit in limits.items()}
    total = round(share * sum(most.values()))
    found = unimax(limits, total, max_epochs)
    assert sum(found.values()) == total
    assert all(found[tag] <= most[tag] for tag in limits)
    assert sorted(found.values()) == as_even_as_possible(most, total)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**6), min_size=1), st.integers(0, 10**6))
def test_proportional_counts_add_up_and_miss_their_share_by_less_than_a_row(limits: dict[str, int], total: int) -> None:
    found = proportional(limits, total)
    assert sum(found.values()) == total
    for tag, rows in found.items():
        assert abs(rows - limits[tag] * total / sum(limits.values())) < 1 + 1e-6
    for a, b in combinations(limits, 2):
        assert limits[a] <= limits[b] or found[a] >= found[b], "more rows never give a smaller part"


def test_a_temperature_near_zero_gives_the_largest_language_all() -> None:
    """No power of a large count: it would not fit into a float."""
    assert proportional({"a": 10, "b": 300_000, "c": 299_999}, 100, temperature=1e-9) == {"a": 0, "b": 100, "c": 0}


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**6), min_size=2))
def test_a_higher_temperature_gives_the_smallest_language_more(limits: dict[str, int]) -> None:
    smallest = min(limits, key=lambda tag: (limits[tag], tag))
    parts = [proportional(limits, 10**6, temperature)[smallest] for temperature in (1, 2, 5, 1000)]
    assert all(few <= many + 1 for few, many in pairwise(parts))
    assert parts[-1] == pytest.approx(10**6 / len(limits), rel=0.02)
