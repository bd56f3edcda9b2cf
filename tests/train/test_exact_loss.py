"""Contract 3: the loss is summed over target tokens and divided once, whatever the micro-batches and the padding."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.batch import collate, micro_batches, target_tokens
from glotmix.train.learner import Learner
from glotmix.train.loss import TargetLoss

VOCABULARY = 64


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    )
    return LlamaForCausalLM(config)


def encoded_rows() -> st.SearchStrategy[list[Encoded]]:
    token = st.integers(1, VOCABULARY - 1)
    row = st.tuples(st.lists(token, min_size=1, max_size=12), st.lists(token, min_size=1, max_size=30))
    return st.lists(row.map(lambda pair: Encoded((*pair[0], *pair[1]), len(pair[0]))), min_size=1, max_size=64)


def gradient(model: LlamaForCausalLM, rows: list[Encoded], tokens: int, loss_on: str) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    recipe = Recipe(steps=1, tokens_per_micro_batch=tokens, loss_on=loss_on)
    loss = Learner(model, recipe).accumulate_gradient(rows)
    return loss, torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=encoded_rows(), tokens=st.integers(1, 3000), loss_on=st.sampled_from(["answer", "all"]))
def test_micro_batches_and_padding_change_no_gradient(model, rows, tokens, loss_on):
    _, one_by_one = gradient(model, rows, 1, loss_on)
    _, all_at_once = gradient(model, rows, 10**9, loss_on)
    _, by_budget = gradient(model, rows, tokens, loss_on)
    for other in (all_at_once, by_budget):
        assert (other - one_by_one).norm() <= 1e-6 * one_by_one.norm()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=encoded_rows())
def test_every_target_token_weighs_the_same(model, rows):
    """Against the definition: mean of -log p over all target tokens, computed row by row without padding."""
    losses = []
    with torch.no_grad():
        for row in rows:
            logits = model(torch.tensor([row.ids])).logits[0, :-1].double().log_softmax(-1)
            chosen = logits[torch.arange(len(row.ids) - 1), torch.tensor(row.ids[1:])]
            losses.extend(-chosen[row.prompt_tokens - 1 :])
    loss, _ = gradient(model, rows, 200, "answer")
    assert loss == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)


@given(rows=encoded_rows(), tokens=st.integers(1, 3000))
def test_micro_batches_hold_every_row_once_within_the_budget(rows, tokens):
    parts = micro_batches(rows, tokens)
    assert sorted(place for part in parts for place in part) == list(range(len(rows)))
    for part in parts:
        assert len(part) == 1 or len(part) * max(len(rows[place].ids) for place in part) <= tokens


@given(rows=encoded_rows(), loss_on=st.sampled_from(["answer", "all"]))
def test_a_batch_holds_the_tokens_and_targets_of_its_rows(rows, loss_on):
    batch = collate(rows, loss_on)
    assert [tuple(filter(None, ids)) for ids in batch.input_ids.tolist()] == [row.ids for row in rows]  # 0 pads
    targets = (batch.labels[:, 1:] != -100).sum(1).tolist()
    assert targets == [target_tokens(row, loss_on) for row in rows]


def test_prompt_tokens_are_no_targets_unless_asked_for(model):
    row = Encoded((5, 6, 7, 8), prompt_tokens=3)
    assert target_tokens(row, "answer") == 1
    assert target_tokens(row, "all") == 3
    with torch.no_grad():
        answer, whole = (TargetLoss(model)(collate([row], loss_on)) for loss_on in ("answer", "all"))
    assert len(answer) == 1 and len(whole) == 3 and answer[-1] == pytest.approx(float(whole[-1]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=encoded_rows(), tokens=st.integers(1, 3000))
def test_the_loss_of_a_row_is_its_own_in_any_company(model, rows, tokens):
    recipe = Recipe(steps=1, tokens_per_micro_batch=tokens)
    together = Learner(model, recipe).row_losses(rows)
    assert together == pytest.approx([Learner(model, recipe).row_losses([row])[0] for row in rows], rel=1e-5)
