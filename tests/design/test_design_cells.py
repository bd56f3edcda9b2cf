from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.design import cells
from glotmix.errors import UserError
from glotmix.mixture import MixtureSpec, build_mixture
from glotmix.pool import open_pool
from glotmix.spec import StudySpec, load_spec

EXAMPLE = Path(__file__).parents[2] / "examples" / "gsm8k-mgsm" / "study.yaml"


def study(**changes: Any) -> StudySpec:
    plain = {
        "name": "s", "models": ["m"], "pool": "lab", "tasks": ["math"],
        "languages": {"anchor": "en", "train": ["zh", "es"], "evaluate": ["en", "es", "pt"]},
        "design": {"kind": "increments", "anchor_rows": 100, "rows_per_language": [0, 10, 40]},
        "recipe": {"epochs": 1},
    }  # fmt: skip
    return StudySpec.model_validate(plain | changes)


def test_increments_add_rows_of_each_language_to_a_fixed_count_of_the_anchor() -> None:
    none, few, many = cells(study())
    assert (none.name, few.name, many.name) == ("n=0", "n=10", "n=40")
    assert none.counts == {"math": {"en": 100}}
    assert none.train_languages == ("en",)
    assert few.counts == {"math": {"en": 100, "es": 10, "zh": 10}}
    assert many.counts == {"math": {"en": 100, "es": 40, "zh": 40}}
    assert many.train_languages == ("en", "es", "zh")
    assert [cell.anchor_rows for cell in (none, few, many)] == [100, 100, 100]
    assert [cell.rows_per_language for cell in (none, few, many)] == [0, 10, 40]


def test_counts_are_per_task() -> None:
    _, few, _ = cells(study(tasks=["math", "api_calls"]))
    assert few.counts == {task: {"en": 100, "es": 10, "zh": 10} for task in ("math", "api_calls")}


def test_every_cell_has_the_common_seeds_and_chosen_cells_more() -> None:
    spec = study(seeds={"everywhere": [1, 0], "at": {0: [5, 1], 40: [7]}})
    assert [cell.seeds for cell in cells(spec)] == [(0, 1, 5), (0, 1), (0, 1, 7)]
    assert [cell.seeds for cell in cells(study(seeds=[3]))] == [(3,)] * 3


def test_seeds_at_a_cell_that_is_not_there_are_refused() -> None:
    with pytest.raises(UserError, match=r"seeds\.at: 20 is not in design\.rows_per_language; use one of 0, 10, 40"):
        cells(study(seeds={"at": {20: [1]}}))


def test_rows_per_language_without_training_languages_are_refused() -> None:
    alone = {"anchor": "en", "train": [], "evaluate": ["en", "sw"]}
    with pytest.raises(UserError, match=r"languages\.train is empty"):
        cells(study(languages=alone))
    (cell,) = cells(study(languages=alone, design={"kind": "increments", "anchor_rows": 5, "rows_per_language": [0]}))
    assert cell.counts == {"math": {"en": 5}}


@settings(max_examples=40, deadline=None)
@given(st.permutations(["es", "zh", "sw", "fr"]), st.permutations(["math", "api_calls"]), st.permutations([0, 10, 40]))
def test_the_order_of_a_spec_changes_no_cell(train: list[str], tasks: list[str], rows: list[int]) -> None:
    def design(train: list[str], tasks: list[str], rows: list[int]) -> Any:
        languages = {"anchor": "en", "train": train, "evaluate": ["en"]}
        increments = {"kind": "increments", "anchor_rows": 100, "rows_per_language": rows}
        return [repr(cell) for cell in cells(study(languages=languages, tasks=tasks, design=increments))]

    assert design(train, tasks, rows) == design(["es", "fr", "sw", "zh"], ["api_calls", "math"], [0, 10, 40])


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
    assert len(set(mixture.row_ids)) == spec.design.anchor_rows
    assert len(pool.item_ids("math", "en", "validation")) >= spec.recipe.select.rows_per_language
