"""A training killed between any two steps goes on from its last checkpoint and ends bit-equal."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from glotmix.errors import GlotmixError, UserError
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train.loop import Progress, train

RECIPE = Recipe(steps=6, batch_rows=4, checkpoint_every=2, learning_rate=1e-3, schedule="cosine", warmup_steps=2)


class Killed(Exception):
    pass


def rows(count: int, split: str = "train") -> pl.DataFrame:
    pool = LabPool()
    return pool.take("math", "en", split, list(pool.item_ids("math", "en", split))[:count])


def run(out: Path, recipe: Recipe = RECIPE, kill_after: int | None = None) -> list[int]:
    """Trains, and gives the steps it took; stops as if killed after step `kill_after`."""
    torch.set_num_threads(1)
    taken: list[int] = []

    def watch(progress: Progress) -> None:
        taken.append(progress.step)
        if progress.step == kill_after:
            raise Killed

    order = [*rows(24)["row_id"]]
    train(model_path("lab-1m"), rows(24), order, rows(3, "validation"), recipe, 0, out, watch)
    return taken


@pytest.mark.parametrize("kill_after", [1, 2, 3, 5])
def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path, kill_after):
    run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill_after=kill_after)
    taken = run(tmp_path / "killed")

    assert taken[0] == 1 + kill_after // 2 * 2, "goes on after the last checkpoint"
    whole, killed = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    assert pl.read_parquet(tmp_path / "whole/curve.parquet").equals(pl.read_parquet(tmp_path / "killed/curve.parquet"))


def test_a_half_written_checkpoint_is_ignored(tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, kill_after=3)
    (tmp_path / "checkpoint-0000004.unfinished").mkdir()
    (tmp_path / "checkpoint-0000004.unfinished" / "state.json").write_text("{")
    assert run(tmp_path)[0] == 3


@pytest.mark.parametrize("survivors", [("checkpoint-", "best-"), ("best-",), ()])
def test_killed_while_clearing_up_it_ends_the_same(tmp_path, monkeypatch, survivors):
    """What is left when the last checkpoints were being removed: all, the best weights only, or nothing."""
    monkeypatch.setattr("glotmix.train.checkpoint.discard", lambda folder: None)
    run(tmp_path)
    whole = load_file(tmp_path / "model" / "model.safetensors")
    for left in (*tmp_path.glob("checkpoint-*"), *tmp_path.glob("best-*")):
        if not left.name.startswith(survivors):
            left.rename(left.with_name(left.name + ".unfinished"))
            (tmp_path / (left.name + ".unfinished") / "model.safetensors").unlink()
    monkeypatch.undo()
    run(tmp_path)
    again = load_file(tmp_path / "model" / "model.safetensors")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_the_checkpoint_with_the_lowest_validation_loss_is_kept(tmp_path):
    run(tmp_path, RECIPE.model_copy(update={"learning_rate": 0.3, "schedule": "constant", "warmup_steps": 0}))
    record = json.loads((tmp_path / "train.json").read_text())
    curve = pl.read_parquet(tmp_path / "curve.parquet").sort("value")
    assert record["selected_step"] == curve["step"][0]
    assert record["selected_value"] == curve["value"][0]
    assert not list(tmp_path.glob("checkpoint-*")) and not list(tmp_path.glob("best-*"))


def test_a_row_longer_than_allowed_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"24 of 24 rows are longer than max_tokens 10.*longer_rows: truncate"):
        run(tmp_path, RECIPE.model_copy(update={"max_tokens": 10}))


def test_cutting_rows_down_to_their_prompt_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"max_tokens 5 leaves 24 of 24 rows no token to learn.*raise"):
        run(tmp_path, RECIPE.model_copy(update={"max_tokens": 5, "longer_rows": "truncate"}))


def test_longer_rows_are_cut_and_counted_if_the_recipe_says_so(tmp_path):
    run(tmp_path, RECIPE.model_copy(update={"max_tokens": 30, "longer_rows": "truncate"}))
    assert json.loads((tmp_path / "train.json").read_text())["truncated_rows"] > 0


def test_a_diverged_training_names_the_step_and_its_rows(tmp_path):
    with pytest.raises(GlotmixError, match=r"diverged at step \d+: the loss is (nan|inf) on rows lab-math-\d+:en"):
        run(tmp_path, RECIPE.model_copy(update={"learning_rate": 1e30, "schedule": "constant", "warmup_steps": 0}))
