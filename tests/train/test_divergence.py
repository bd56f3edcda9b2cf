"""A training that has left the rails ends as diverged, and a noisy one never does."""

import json
import math
import random

import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import encode_row
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.spec import Recipe
from glotmix.train import loop
from glotmix.train.batch import target_tokens
from glotmix.train.divergence import FILE, MARGIN, WINDOW, Diverged, fault, ran_away, unmeasurable
from glotmix.train.learner import Learner, Step

VOCABULARY = 1000
UNIFORM = math.log(VOCABULARY)


@settings(derandomize=True)
@given(
    start=st.floats(0.05, 2 * UNIFORM),
    end=st.floats(0.01, UNIFORM),
    noise=st.floats(0, 0.5),
    spikes=st.floats(0, 0.3),
    seed=st.integers(0, 2**32),
)
def test_an_ordinary_noisy_curve_never_runs_away(start, end, noise, spikes, seed):
    """It falls, or rises as far as a uniform guess, with noise by any factor on every step, and spikes to 100 nats."""
    chance, losses = random.Random(seed), [start]
    for step in range(300):
        level = start + (end - start) * step / 300
        losses.append(100.0 if chance.random() < spikes else level * math.exp(chance.gauss(0, noise)))
        assert not ran_away([losses[0], *losses[-WINDOW:]], VOCABULARY)


@given(before=st.lists(st.floats(0, 10), min_size=1, max_size=60), above=st.floats(1e-3, 1e6))
def test_a_loss_that_stays_above_all_reason_has_run_away_after_the_window(before, above):
    limit = max(before[0], UNIFORM) + MARGIN
    history = [min(loss, limit) for loss in before]
    for steps in range(1, WINDOW + 1):
        history.append(limit + above)
        assert ran_away(history, VOCABULARY) == (steps == WINDOW)


@pytest.mark.parametrize(
    ("loss", "norm", "told"),
    [
        (math.nan, 1.0, "the loss is nan"),
        (math.inf, 1.0, "the loss is inf"),
        (1.0, math.nan, "the loss is 1 and the norm of its gradient nan"),
    ],
)
def test_what_is_not_finite_is_a_fault_at_once(loss, norm, told):
    assert fault([(1.0, 1.0), (loss, norm)], VOCABULARY) == told
    assert not fault([(1.0, 1.0), (1.0, 1.0)], VOCABULARY)


def test_validation_that_is_not_finite_is_a_fault():
    measured = pl.DataFrame({"row_id": ["a", "b"], "value": [1.0, math.nan]})
    assert "1 of 2 validation rows is not finite, of b it is nan" in unmeasurable(measured)
    assert not unmeasurable(measured.head(1))


def train(out, steps, **settings):
    """Two rows a step, in their order."""
    recipe = Recipe(steps=steps, batch_rows=2, **settings)
    rows = some_rows()
    loop.train(model_path("lab-1m"), rows, [*rows["row_id"]][: 2 * steps], rows.head(2), recipe, 0, out)


def some_rows():
    pool = LabPool()
    return pool.take("math", "ja", "train", list(pool.item_ids("math", "ja", "train"))[:60])


def test_the_rows_of_the_step_are_kept_with_their_losses(monkeypatch, tmp_path):
    rows, losses = some_rows(), Learner._losses
    bad = encode_row(rows["messages"][5], "plain", load_tokenizer(model_path("lab-1m")))

    def poisoned(learner, part):
        factors = [math.nan if row == bad else 1.0 for row in part for _ in range(target_tokens(row, "answer"))]
        return losses(learner, part) * torch.tensor(factors)

    monkeypatch.setattr(Learner, "_losses", poisoned)
    with pytest.raises(Diverged, match=r"diverged at step 3: the loss is nan; lower recipe.learning_rate") as told:
        train(tmp_path, 4, checkpoint_every=2)
    assert str(tmp_path / FILE) in str(told.value)
    kept = json.loads((tmp_path / FILE).read_text())
    assert (kept["step"], kept["what"]) == (3, "the loss is nan")
    healthy, sick = kept["rows"]
    assert [healthy["row_id"], sick["row_id"]] == [*rows["row_id"][4:6]]
    assert (sick["task"], sick["language"], sick["tokens"], sick["loss"]) == ("math", "ja", len(bad.ids), None)
    assert 0 < healthy["loss"] < 20

    monkeypatch.setattr(Learner, "_losses", losses)
    train(tmp_path, 4, checkpoint_every=2)
    assert not (tmp_path / FILE).exists(), "tried again with success, nothing of it is left"


def test_a_gradient_that_is_not_finite_does_not_reach_the_weights(monkeypatch, tmp_path):
    step, weights = Learner.step, []

    def poisoned(learner, rows, rate):
        for parameter in learner.module.parameters():
            parameter.register_hook(lambda gradient: gradient * math.inf)
        weights.append({name: value.detach().clone() for name, value in learner.module.named_parameters()})
        done = step(learner, rows, rate)
        weights.append(dict(learner.module.named_parameters()))
        assert all(value.grad is None for value in learner.module.parameters())
        return done

    monkeypatch.setattr(Learner, "step", poisoned)
    with pytest.raises(Diverged, match=r"step 1: the loss is \d\.\d+ and the norm of its gradient (nan|inf)"):
        train(tmp_path, 2)
    before, after = weights
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_loss_that_runs_away_ends_the_training(monkeypatch, tmp_path):
    monkeypatch.setattr(Learner, "step", lambda learner, rows, rate: Step(2.0 if rate == 1.0 else 60.0, 1.0))
    rates = iter([1.0] * 3 + [0.5] * 60)
    monkeypatch.setattr(loop, "learning_rate", lambda *given: next(rates))
    with pytest.raises(Diverged, match=rf"diverged at step {3 + WINDOW}: the loss is 60, and for 20 steps more than 1"):
        train(tmp_path, 30)
    assert len(json.loads((tmp_path / FILE).read_text())["rows"]) == 2
