from pathlib import Path
from typing import Any

import pytest
from designs import STUDY, study, written
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.design import cells
from glotmix.errors import UserError
from glotmix.mixture import MixtureSpec, build_mixture
from glotmix.pool import open_pool
from glotmix.spec import load_spec, per_task
from glotmix.spec.designs import Increments

INCREMENTS = STUDY["design"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "gsm8k-mgsm" / "study.yaml"


def test_increments_add_rows_of_each_language_to_a_fixed_count_of_the_anchor() -> None:
    none, few, many = cells(study())
    assert (none.name, few.name, many.name) == ("n=0", "n=10", "n=40")
    assert none.counts == {"math": {"en": 100}}
    assert none.train_languages == ("en",)
    assert few.counts == {"math": {"en": 100, "es": 10, "zh": 10}}
    assert many.counts == {"math": {"en": 100, "es": 40, "zh": 40}}
    assert many.train_languages == ("en", "es", "zh")
    assert [cell.anchor_rows("math") for cell in (none, few, many)] == [100, 100, 100]
    assert [cell.rows_per_language("math") for cell in (none, few, many)] == [0, 10, 40]
    assert [cell.baseline for cell in (none, few, many)] == ["", "n=0", "n=0"]


def test_counts_are_per_task() -> None:
    _, few, _ = cells(study(tasks=["math", "api_calls"]))
    assert few.counts == {task: {"en": 100, "es": 10, "zh": 10} for task in ("math", "api_calls")}


def test_every_cell_has_the_common_seeds_and_chosen_cells_more() -> None:
    spec = study(seeds={"everywhere": [1, 0], "at": {0: [5, 1], 40: [7]}})
    assert [cell.seeds for cell in cells(spec)] == [(0, 1, 5), (0, 1), (0, 1, 7)]
    assert [cell.seeds for cell in cells(study(seeds=[3]))] == [(3,)] * 3


def test_seeds_at_a_cell_that_is_not_there_are_refused() -> None:
    with pytest.raises(UserError, match=r"^seeds\.at: no cell has 20 rows per language; use one of 0, 10, 40$"):
        cells(study(seeds={"at": {20: [1]}}))
    with pytest.raises(UserError, match=r"^seeds\.at: no cell has a name like 'n=41'; one that is there: 'n=4"):
        cells(study(seeds={"at": {"n=41": [1]}}))


def test_rows_per_language_without_training_languages_are_refused() -> None:
    with pytest.raises(UserError, match=r"^design\.rows_per_language: 0, 10, 40 rows, but languages\.train is empty"):
        cells(study(train=[]))
    assert written(INCREMENTS | {"rows_per_language": [0]}, train=[]) == {"n=0": {"en": 100}}


def test_a_count_may_differ_between_tasks() -> None:
    design = INCREMENTS | {"anchor_rows": {"math": 100, "api_calls": 30}}
    _, few, _ = cells(study(design, tasks=["math", "api_calls"]))
    assert few.counts == {"math": {"en": 100, "es": 10, "zh": 10}, "api_calls": {"en": 30, "es": 10, "zh": 10}}
    assert (few.total_rows, few.anchor_rows("api_calls"), few.anchor_rows("summarization")) == (170, 30, 0)


def test_single_task_cells_are_one_per_task() -> None:
    found = cells(study(INCREMENTS | {"task_mode": "single"}, tasks=["math", "api_calls"]))
    assert [cell.name for cell in found] == [f"{task}/n={n}" for task in ("api_calls", "math") for n in (0, 10, 40)]
    assert [list(cell.counts) for cell in found] == [["api_calls"]] * 3 + [["math"]] * 3
    assert found[-1].baseline == "math/n=0"
    assert [cell.name for cell in cells(study(INCREMENTS | {"task_mode": "single"}))] == ["n=0", "n=10", "n=40"]


def test_several_designs_each_narrow_the_study() -> None:
    one = INCREMENTS | {"models": ["b"], "task_mode": "single", "items": "disjoint", "repeat": True}
    two = INCREMENTS | {"train": ["es"], "tasks": ["math"], "rows_per_language": [10]}
    found = cells(study(tasks=["math", "api_calls"], models=["a", "b"], designs={"two": two, "one": one}))
    assert [cell.name for cell in found if cell.design == "one"][-1] == "one/math/n=40"
    assert {(cell.models, cell.items, cell.repeat) for cell in found if cell.design == "one"} == {
        (("b",), "disjoint", True)
    }
    last = found[-1]
    assert (last.name, last.models, last.items, last.repeat) == ("two/n=10", ("a", "b"), "shared", False)
    assert last.counts == {"math": {"en": 100, "es": 10}} and last.baseline == ""


def test_seeds_are_chosen_by_pattern_too() -> None:
    groups = INCREMENTS | {"kind": "groups", "groups": {"a": ["es"], "b": ["zh"]}}
    found = cells(study(groups, seeds={"everywhere": [0], "at": {"b *": [3], 40: [4]}}))
    assert {cell.name: cell.seeds for cell in found} == {
        "a n=0": (0,), "a n=10": (0,), "a n=40": (0, 4), "b n=0": (0, 3), "b n=10": (0, 3), "b n=40": (0, 3, 4),
    }  # fmt: skip


KINDS = [
    INCREMENTS,
    INCREMENTS | {"kind": "groups", "by": "script"},
    INCREMENTS | {"kind": "groups", "groups": {"b": ["zh", "fr"], "a": ["sw", "es"]}},
    {"kind": "coverage", "core": ["en", "sw", "es"], "rows_per_language": 10, "sets": [{"take": "leave_one_out"}]},
    {"kind": "ratio", "total_rows": 1000, "anchor_share": [0.3, 1, 0.7]},
    {"kind": "substitution", "total_rows": 1000, "rows_per_language": [10, 0, 40]},
    {
        "kind": "availability", "total_rows": 100, "allocate": ["unimax", "proportional"],
        "available": {task: {"en": 90, "es": 50, "zh": 20, "sw": 10, "fr": 10} for task in ("math", "api_calls")},
    },
    {"kind": "explicit", "mixtures": {"b": {"math": {"es": 1, "en": 2}}, "a": {"api_calls": {"zh": 3}}}},
]  # fmt: skip


def reordered(value: Any, draw: st.DrawFn) -> Any:
    """The same lists and mappings, listed in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key], draw) for key in draw(st.permutations(list(value)))}
    return draw(st.permutations(value)) if isinstance(value, list) else value


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(["multi", "single"]), st.data())
def test_the_order_of_a_spec_changes_no_cell(design: dict[str, Any], mode: str, data: st.DataObject) -> None:
    plain = {
        "train": ["es", "fr", "sw", "zh"],
        "tasks": ["math", "api_calls"],
        "design": design | {"task_mode": mode},
        "seeds": {"everywhere": [0, 1]},
    }
    draw = data.draw
    assert cells(study(**reordered(plain, draw))) == cells(study(**plain))  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["increments", "groups", "substitution"]),
    few=st.integers(0, 100),
    more=st.integers(1, 100),
    languages=st.lists(st.sampled_from(["es", "fr", "ja", "zh"]), min_size=1, unique=True),
)
def test_more_rows_per_language_move_nothing_else(kind: str, few: int, more: int, languages: list[str]) -> None:
    """The training languages grow with n, each by the same; the anchor stays, or gives way by what they add."""
    design: dict[str, Any] = {"kind": kind, "rows_per_language": [few, few + more]}
    design |= {"total_rows": 800} if kind == "substitution" else {"anchor_rows": 800}
    design |= {"groups": {"all": languages}} if kind == "groups" else {}
    small, large = (dict(cell.counts["math"]) for cell in cells(study(design, languages)))
    for tag in languages:
        assert (small.get(tag, 0), large[tag]) == (few, few + more)
    assert small.get("en", 0) - large.get("en", 0) == (more * len(languages) if kind == "substitution" else 0)
    assert large.keys() <= {"en", *languages}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**30), st.sampled_from(["shared", "disjoint"]))
def test_the_cells_of_a_design_are_nested(seed: int, items: str) -> None:
    class SmallLab:
        name = "small"

        def __init__(self) -> None:
            self.lab = open_pool("lab")
            self.languages, self.take = self.lab.languages, self.lab.take

        def item_ids(self, task: str, language: str, split: str) -> Any:
            return self.lab.item_ids(task, language, "validation")

    pool = SmallLab()
    chosen = [
        set(build_mixture(MixtureSpec(counts=cell.counts, items=items, seed=seed, split="validation"), pool).row_ids)
        for cell in cells(study())
    ]
    assert [len(rows) for rows in chosen] == [100, 120, 180]
    assert chosen[0] < chosen[1] < chosen[2]


def test_the_gsm8k_mgsm_example_can_be_built_from_the_real_files(data_folder: Path, tmp_path: Path) -> None:
    from glotmix.pool.importers import import_pool

    spec = load_spec(EXAMPLE)
    import_pool("gsm8k", data_folder / "gsm8k" / "train.jsonl", tmp_path / spec.pool)
    import_pool("mgsm", data_folder / "mgsm", tmp_path / spec.pool)
    pool = open_pool(spec.pool, relative_to=tmp_path)
    assert set(spec.languages.evaluate) == set(pool.languages("math"))
    for tag in spec.languages.evaluate:
        assert len(pool.item_ids("math", tag, "test")) == spec.evaluation.items_per_language
    (cell,) = cells(spec)
    mixture = build_mixture(MixtureSpec(counts=cell.counts, items=spec.items, seed=spec.data_seed), pool)
    assert isinstance(spec.design, Increments) and len(set(mixture.row_ids)) == spec.design.anchor_rows
    assert len(pool.item_ids("math", "en", "validation")) >= per_task(spec.recipe.select.rows_per_language, "math")
