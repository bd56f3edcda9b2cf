"""A bad study file gets one clear line that names the key, the value and the fix."""

import pytest

from glotmix.errors import UserError
from glotmix.spec import load_spec
from small_study import SPEC, write_spec

GROUPS = SPEC["design"] | {"kind": "groups"}
COVERAGE = {"kind": "coverage", "core": ["en", "es"], "rows_per_language": 5, "sets": [{"take": "all"}]}
RATIO = {"kind": "ratio", "total_rows": 10, "anchor_share": [0.5]}
AVAILABILITY = {"kind": "availability", "total_rows": 10, "allocate": ["unimax"]}
BAD_SPECS = [
    ({"colour": "red"}, "colour: unknown key; known keys: name,"),
    ({"recipe__batch_row": 4}, "recipe.batch_row: unknown key; did you mean 'batch_rows'?"),
    ({"pool": None}, "pool: Field required"),
    ({"name": "a b"}, "name: String should match pattern"),
    ({"tasks": ["maths"]}, "tasks.0: Input should be 'math', 'summarization', 'instructions' or"),
    ({"tasks": ["math", "math"]}, "tasks: 'math' is named twice; name each once"),
    ({"analysis": {"margin": 0.02}}, "analysis.margin: Input should be greater than or equal to 0.1 (got 0.02)"),
    ({"analysis": {"contrl": "holm"}}, "analysis.contrl: unknown key; did you mean 'control'?"),
    ({"analysis": {"groups": {"a": ["xh"]}}}, "analysis.groups.a names 'xh', which is not in languages.evaluate"),
    ({"models": []}, "models: Tuple should have at least 1 item"),
    ({"languages__train": ["klingonese"]}, "languages.train.0: unknown language 'klingonese'"),
    ({"languages__train": ["x-foo"]}, "languages.train.0: unknown language 'x-foo'"),
    ({"languages__train": ["en"]}, "languages: train names the anchor 'en'; leave it out"),
    ({"languages__train": [False]}, "languages.train.0: YAML reads yes, no, on and off as true and false"),
    ({"languages__evaluate": ["es"]}, "languages: evaluate lacks the anchor 'en'; add it"),
    ({"design__kind": "decrements"}, "design.kind: Input should be one of 'increments', 'groups', 'coverage',"),
    ({"design__kind": None}, "design.kind: Field required"),
    ({"design": 3}, "design: Input should be a valid dictionary"),
    ({"recipe": {"lora": True, "steps": 4}}, "recipe.lora: Input should be a mapping of keys such as rank, alpha"),
    ({"design": None}, "give exactly one of design and designs"),
    ({"designs": {"a": SPEC["design"]}}, "give exactly one of design and designs"),
    ({"design": None, "designs": {}}, "designs: Dictionary should have at least 1 item"),
    ({"design": None, "designs": {"a b": SPEC["design"]}}, "designs.a b: String should match pattern"),
    ({"design": None, "designs": {"a-b": {"kind": "x"}}}, "designs.a-b.kind: Input should be one of"),
    ({"design__anchor_row": 5}, "design.anchor_row: unknown key; did you mean 'anchor_rows'?"),
    (
        {"design__by": "script"},
        "design.by: unknown key; known keys: models, tasks, task_mode, items, repeat, controls,",
    ),
    ({"design": None, "designs": {"x": GROUPS | {"grups": 1}}}, "designs.x.grups: unknown key; did you mean 'groups'?"),
    ({"design": GROUPS}, "design: give exactly one of by and groups"),
    (
        {"design": GROUPS | {"by": "colour"}},
        "design.by: Input should be 'script', 'family' or 'resource' (got 'colour'",
    ),
    ({"design": GROUPS | {"groups": {"a": []}}}, "design.groups.a: Tuple should have at least 1 item"),
    ({"design": GROUPS | {"groups": {"a": ["es"]}, "train": ["es"]}}, "design: groups name their languages; remove"),
    ({"design__controls": ["same_row"]}, "design.controls.0: Input should be 'same_rows', 'same_steps' or 'fixed_"),
    ({"design__task_mode": "both"}, "design.task_mode: Input should be 'multi' or 'single' (got 'both')"),
    ({"design__anchor_rows": {"math": 0}}, "design.anchor_rows.math: Input should be greater than 0 (got 0)"),
    ({"design__anchor_rows": {"maths": 5}}, "design.anchor_rows.maths: Input should be 'math',"),
    ({"design__anchor_rows": {}}, "design.anchor_rows: Input should be a valid integer (got {})"),
    ({"design": COVERAGE | {"sets": [{"take": "some"}]}}, "design.sets.0.take: Input should be 'anchor', 'bilingual',"),
    ({"design": COVERAGE | {"sets": [{"plus": ["es"]}]}}, "design.sets.0.take: Field required; 1 more"),
    (
        {"design": COVERAGE | {"sets": [{"take": "all", "plus": []}]}},
        "design.sets.0.plus: unknown key; known keys: take",
    ),
    (
        {"design": RATIO | {"anchor_share": [0.5, 1.2]}},
        "design.anchor_share.1: Input should be less than or equal to 1",
    ),
    ({"design": RATIO | {"anchor_share": [-0.1]}}, "design.anchor_share.0: Input should be greater than or equal to 0"),
    ({"design": RATIO | {"anchor_share": [True]}}, "design.anchor_share.0: Input should be a number (got True)"),
    ({"design": RATIO | {"anchor_share": [0.5, 0.5]}}, "design.anchor_share: 0.5 is named twice; name each once"),
    ({"design": AVAILABILITY | {"allocate": "unimax"}}, "design.allocate: Input should be a list, like [unimax]"),
    ({"design": AVAILABILITY | {"max_epochs": 0}}, "design.max_epochs: Input should be greater than 0"),
    ({"design": AVAILABILITY | {"temperature": 0}}, "design.temperature: Input should be greater than 0"),
    (
        {"design": AVAILABILITY | {"available": {"math": {"es": -1}}}},
        "design.available.math.es: Input should be greater",
    ),
    (
        {"design": {"kind": "explicit", "mixtures": {"a": {"math": {"es": 0}}}}},
        "design.mixtures.a.math.es: Input should",
    ),
    (
        {"design": {"kind": "explicit", "mixtures": {"a": {"math": {"xx": 1}}}}},
        "design.mixtures.a.math.xx: unknown language",
    ),
    (
        {"design": {"kind": "explicit", "mixtures": {"a": {"maths": {"es": 1}}}}},
        "design.mixtures.a.maths: Input should be",
    ),
    ({"order": {"kind": "sorted"}}, "order.kind: Input should be 'shuffled', 'staged' or 'interleaved' (got 'sorted')"),
    ({"order": {"kind": "staged"}}, "order: anchor: first or last belongs to kind: staged, and staged needs it"),
    ({"order": {"anchor": "first"}}, "order: anchor: first or last belongs to kind: staged"),
    ({"order": {"tasks": ["summarization"]}}, "order.tasks puts all tasks in order; name each of math"),
    ({"evaluation__items_per_language": {"api_calls": 5}}, "evaluation.items_per_language has no number for math; add"),
    (
        {"evaluation__max_new_tokens": {"math": 5, "api_calls": 5}},
        "evaluation.max_new_tokens has a number for api_calls, which is not among the tasks; remove it",
    ),
    ({"recipe__select__rows_per_language": {"api_calls": 5}}, "recipe.select.rows_per_language has no number for math"),
    (
        {"recipe__longer_rows": "cut"},
        "recipe.longer_rows: Input should be 'refuse', 'drop' or 'truncate' (got 'cut')",
    ),
    ({"recipe__lora": {"dropout": 0.1}}, "recipe.lora.dropout: unknown key; known keys: rank, alpha"),
    ({"recipe__lora": {"rank": 0}}, "recipe.lora.rank: Input should be greater than 0 (got 0)"),
    ({"recipe__lora": True}, "recipe.lora: "),
    (
        {"recipe__optimizer": "sgd"},
        "recipe.optimizer: Input should be 'adamw' or 'adamw_8bit' (got 'sgd')",
    ),
    ({"recipe__gradient_checkpointing": "often"}, "recipe.gradient_checkpointing: Input should be "),
    ({"recipe__warmup_share": 1}, "recipe.warmup_share: Input should be less than 1 (got 1)"),
    ({"recipe__warmup_share": -0.1}, "recipe.warmup_share: Input should be greater than or equal to 0"),
    ({"recipe__warmup_share": 0.1, "recipe__warmup_steps": 1}, "recipe: give warmup_steps or warmup_share, not both"),
    ({"design__rows_per_language": [-1]}, "design.rows_per_language.0: Input should be greater than or equal to 0"),
    ({"seeds": [0, 0]}, "seeds: 0 is named twice; name each once"),
    ({"recipe__epochs": 2}, "recipe: give exactly one of epochs and steps"),
    (
        {"recipe__select__metric": "bleu"},
        "recipe.select.metric: Input should be 'validation_loss' or 'task_score' (got 'bleu')",
    ),
    ({"recipe__select__languages": ["xx"]}, "recipe.select.languages.0: unknown language 'xx'"),
    ({"recipe__learning_rate": 0, "recipe__batch_rows": 0}, "recipe.batch_rows: Input should be"),
    ({"my-key": 1}, "my-key: unknown key; known keys: name,"),
    ({"recipe__batch-rows": 8}, "recipe.batch-rows: unknown key; did you mean 'batch_rows'?"),
    ({"recipe__select__": 8}, "recipe.select.: unknown key; known keys: metric,"),
    ({"recipe": {5: 8, "steps": 5}}, "recipe.5: Keys should be strings"),
    ({"recipe__learning_rate": float("inf")}, "recipe.learning_rate: Input should be a finite number (got inf)"),
    ({"recipe__weight_decay": float("nan")}, "recipe.weight_decay: Input should be a finite number (got nan)"),
    ({"recipe__learning_rate": True}, "recipe.learning_rate: Input should be a number (got True)"),
    ({"recipe__learning_rate": -1}, "recipe.learning_rate: Input should be greater than 0"),
    ({"seeds": [True]}, "seeds.0: Input should be a valid integer (got True)"),
    ({"seeds": [10**23]}, "seeds.0: Input should be less than 2147483648"),
    ({"seeds": {"at": {0: [2**31]}}}, "seeds.at.0.0: Input should be less than 2147483648"),
    ({"data_seed": 2**31}, "data_seed: Input should be less than 2147483648"),
    ({"design__anchor_rows": True}, "design.anchor_rows: Input should be a valid integer (got True)"),
    ({"design__anchor_rows": 10**23}, "design.anchor_rows: Input should be less than 2147483648"),
    ({"languages__train": "es"}, "languages.train: Input should be a list, like [es] (got 'es')"),
    ({"design__rows_per_language": 5}, "design.rows_per_language: Input should be a list, like [5] (got 5)"),
    ({"seeds": 3}, "seeds: Input should be a list, like [3] (got 3)"),
    ({"models": {"a": 1}}, "models: Input should be a list (got {'a': 1})"),
    ({"recipe__warmup_steps": 5}, "recipe: warmup_steps is 5 of 5 steps; make it fewer"),
]


@pytest.mark.parametrize(("changes", "line"), BAD_SPECS)
def test_a_bad_spec(tmp_path, changes, line):
    write_spec(tmp_path, **changes)
    with pytest.raises(UserError) as refused:
        load_spec(tmp_path / "study.yaml")
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'study.yaml'}: {line}")
    assert "\n" not in message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"name: a\nname: b\n", " line 2: key 'name' is there twice; keep one"),
        (b"name: [a\n", " line 2: not YAML"),
        (b"\xff\xfe\x00", ": not YAML; check indentation, colons and UTF-8"),
        (b"- a list\n", ": a study file is a mapping of keys such as name, models, pool; got list"),
        (b"", ": a study file is a mapping of keys such as name, models, pool; got NoneType"),
        (b"!!python/object/apply:os.system [ls]", " line 1: not YAML"),
        (b"[" * 5000, ": not YAML"),
    ],
)
def test_a_file_that_is_no_study(tmp_path, text, line):
    file = tmp_path / "study.yaml"
    file.write_bytes(text)
    with pytest.raises(UserError) as refused:
        load_spec(file)
    assert str(refused.value).startswith(f"{file}{line}")


@pytest.mark.parametrize("written", ["1e-5", "1.0e-5", "0.00001"])
def test_a_learning_rate_is_a_number_however_it_is_written(tmp_path, written):
    file = write_spec(tmp_path, recipe__learning_rate="RATE") / "study.yaml"
    file.write_text(file.read_text().replace("RATE", written))
    assert load_spec(file).recipe.learning_rate == 1e-5
