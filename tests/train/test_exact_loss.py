"""Contract 3: the loss is summed over target tokens and divided once, whatever the micro-batches and the padding."""

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, LlamaConfig

from glotmix.errors import UserError
from glotmix.generate.template import Encoded
from glotmix.spec import Recipe
from glotmix.train.attention import ROWS, attend
from glotmix.train.batch import collate, micro_batches, target_tokens
from glotmix.train.learner import Learner
from glotmix.train.loss import LOGITS_AT_ONCE, Head, TargetLoss

VOCABULARY = 64
TINY = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
TINY |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128}
TINY |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
WINDOW = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}  # rows get longer

STRETCHED = {"rope_type": "longrope", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 24}
STRETCHED |= {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4}

FREE: dict[str, Any] = {
    "llama": lambda: LlamaConfig(**TINY),
    "qwen3": lambda: transformers.Qwen3Config(**TINY, head_dim=8, tie_word_embeddings=True),
    "cohere": lambda: transformers.CohereConfig(**TINY, logit_scale=0.25),
    "gemma3": lambda: transformers.Gemma3TextConfig(**TINY, **WINDOW, head_dim=8, final_logit_softcapping=3.0),
}
PADDED: dict[str, Any] = {
    "soft caps": lambda: transformers.Gemma2Config(**TINY, **WINDOW, head_dim=8),
    "sinks": lambda: transformers.GptOssConfig(**TINY, **WINDOW, head_dim=8, num_local_experts=4),
    "convolutions": lambda: transformers.Lfm2Config(**TINY, layer_types=["conv", "full_attention"]),
    "recurrence": lambda: transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2),
    "stretched": lambda: transformers.Phi3Config(
        **TINY, rope_parameters=STRETCHED, original_max_position_embeddings=24
    ),
}


@cache
def model_of(family: str) -> Any:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return enlarged(AutoModelForCausalLM.from_config((FREE | PADDED | {"opt": opt})[family]()))


def enlarged(model: Any) -> Any:
    """Weights large enough for rows to feel what they attend to."""
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def opt() -> Any:
    """With dropout, which is turned off: its masks would depend on the micro-batches."""
    return transformers.OPTConfig(**TINY, word_embed_proj_dim=32, ffn_dim=64, dropout=0.3, attention_dropout=0.3)


@pytest.fixture
def model() -> Any:
    return model_of("llama")


def encoded_rows(min_size: int = 1) -> st.SearchStrategy[list[Encoded]]:
    token = st.integers(1, VOCABULARY - 1)
    row = st.tuples(st.lists(token, min_size=1, max_size=12), st.lists(token, min_size=1, max_size=30))
    return st.lists(row.map(lambda pair: Encoded((*pair[0], *pair[1]), len(pair[0]))), min_size=min_size, max_size=16)


def mixed_rows(count: int) -> list[Encoded]:
    generator = torch.Generator().manual_seed(count)
    ids = torch.randint(1, VOCABULARY, (count, 60), generator=generator).tolist()
    lengths = torch.randint(2, 60, (count,), generator=generator).tolist()
    return [Encoded(tuple(row[:length]), length // 2) for row, length in zip(ids, lengths, strict=True)]


def gradient(model: Any, rows: list[Encoded], tokens: int, loss_on: str, **recipe: Any) -> tuple[float, torch.Tensor]:
    """As the learner does it; `tokens`: the budget of a micro-batch."""
    model.zero_grad()
    learner = Learner(model, Recipe(steps=1, tokens_per_micro_batch=tokens, loss_on=loss_on, **recipe))
    loss = learner.accumulate_gradient(rows)
    model.gradient_checkpointing_disable()
    return loss, flat_gradient(model)


def flat_gradient(model: Any) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def by_definition(model: Any, rows: list[Encoded], loss_on: str) -> tuple[float, torch.Tensor]:
    """Row by row, by the model alone: -log p of every target token, all summed and divided once."""
    model.eval().zero_grad()
    if model.config._attn_implementation == ROWS:
        model.set_attn_implementation("sdpa")
    targets = sum(target_tokens(row, loss_on) for row in rows)
    total = 0.0
    for row in rows:
        chances = model(torch.tensor([row.ids]), use_cache=False).logits[0, :-1].log_softmax(-1)
        chosen = chances.gather(1, torch.tensor(row.ids[1:])[:, None])
        loss = -chosen[len(row.ids) - 1 - target_tokens(row, loss_on) :].sum() / targets
        loss.backward()
        total += loss.item()
    return total, flat_gradient(model)


@pytest.mark.parametrize("family", [*FREE, "opt"])
@settings(max_examples=10, deadline=None)
@given(
    rows=encoded_rows(),
    tokens=st.integers(1, 3000),
    loss_on=st.sampled_from(["answer", "all"]),
    checkpointing=st.booleans(),
)
@example(rows=mixed_rows(64), tokens=1, loss_on="all", checkpointing=False)
@example(rows=mixed_rows(64), tokens=10**6, loss_on="answer", checkpointing=True)
def test_micro_batches_and_layout_change_no_gradient(family, rows, tokens, loss_on, checkpointing):
    model = model_of(family)
    loss, wanted = by_definition(model, rows, loss_on)
    found_loss, found = gradient(model, rows, tokens, loss_on, gradient_checkpointing=checkpointing)
    assert (found - wanted).norm() <= 1e-6 * wanted.norm()
    assert found_loss == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("family", FREE)
@settings(max_examples=10, deadline=None)
@given(rows=encoded_rows(), logits=st.integers(1, VOCABULARY * 500), padded=st.booleans())
@example(rows=mixed_rows(64), logits=VOCABULARY * 7, padded=False)
def test_logits_a_chunk_at_a_time_change_no_gradient(family, rows, logits, padded):
    model = model_of(family)
    model.set_attn_implementation(ROWS)
    found = []
    for at_once in (logits, LOGITS_AT_ONCE):
        model.zero_grad()
        TargetLoss(model, at_once)(collate(rows, "answer", padded=padded)).sum().backward()
        found.append(flat_gradient(model))
    assert (found[0] - found[1]).norm() <= 1e-6 * found[1].norm()


@pytest.mark.parametrize("padded", [True, False])
def test_no_more_logits_are_kept_than_one_chunk(model, padded):
    kept = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel() if tensor.shape[-1:] == (VOCABULARY,) else 0)
        return tensor

    batch = collate(mixed_rows(32), "all", padded=padded)
    sizes = []
    hook = model.lm_head.register_forward_hook(lambda head, states, logits: sizes.append(logits.shape[1]))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), hook:
        TargetLoss(model, VOCABULARY * 10)(batch).sum().backward()
    assert sum(kept) == 0 and max(sizes) == 10  # none is kept for the way back, where a chunk is computed again
    assert sum(sizes) == 2 * len(batch.targets)


@pytest.mark.parametrize("family", FREE)
def test_known_families_are_read_end_to_end_a_chunk_at_a_time(family):
    learner = Learner(model_of(family), Recipe(steps=1))
    assert not learner.padded and not learner.module.whole


@pytest.mark.parametrize("family", PADDED)
def test_models_whose_rows_would_feel_each_other_are_padded(family, caplog):
    model = model_of(family)
    learner = Learner(model, Recipe(steps=1))
    assert learner.padded and model.config._attn_implementation != ROWS
    rows = mixed_rows(8)
    _, wanted = by_definition(model, rows, "answer")
    _, found = gradient(model, rows, 200, "answer")
    assert (found - wanted).norm() <= 1e-5 * wanted.norm()  # a recurrence adds up in another order
    if family in ("soft caps", "sinks", "stretched"):
        assert "pads its rows" in caplog.text
    assert (learner.layout == "one by one") == (family == "stretched"), "its longest row changes the others beside it"


def test_a_model_that_reads_what_it_has_to_predict_is_refused():
    small = {name: value for name, value in TINY.items() if name != "num_key_value_heads"}
    encoder, decoder = (
        enlarged(AutoModelForCausalLM.from_config(transformers.BertConfig(**small, is_decoder=is_decoder)))
        for is_decoder in (False, True)
    )
    assert Learner(decoder, Recipe(steps=1)).layout == "end to end"
    with pytest.raises(UserError, match="BertLMHeadModel reads the tokens it has to predict"):
        Learner(encoder, Recipe(steps=1))


def test_attention_gives_what_a_model_may_view_and_none_where_the_model_has_a_mask_of_its_own():
    query, key, value = (torch.randn(1, heads, 9, 8) for heads in (4, 2, 2))
    starts = torch.tensor([0, 4, 9], dtype=torch.int32)
    for rows in ({}, {"cu_seq_lens_q": starts}):
        out, _ = attend(torch.nn.Module(), query, key, value, None, **rows)
        assert out.view(1, 9, 32).isfinite().all()
    sparse = torch.ones(1, 1, 9, 9, dtype=torch.bool)
    out, _ = attend(torch.nn.Module(), query, key, value, sparse, cu_seq_lens_q=starts)
    assert out.isnan().all()


def test_a_model_that_can_not_be_cut_at_its_head_computes_its_logits_itself(caplog):
    assert Learner(model_of("opt"), Recipe(steps=1)).module.whole
    assert "OPTForCausalLM computes all logits at once" in caplog.text


def test_a_head_that_gives_other_logits_apart_from_its_body_is_found_out(monkeypatch, model):
    monkeypatch.setattr(Head, "__call__", lambda head, states: head._shell(inputs_embeds=states[None]).logits[0] * 1.01)
    assert Learner(model, Recipe(steps=1)).module.whole


@pytest.mark.parametrize("broken", ["neighbours", "window"])
def test_rows_that_feel_each_other_are_found_out(monkeypatch, broken):
    """The check must see both an attention that forgets where rows start, and one that forgets the window."""
    model = model_of("gemma3")

    def forgetful(*args, cu_seq_lens_q=None, sliding_window=None, **others):
        if cu_seq_lens_q is not None and broken == "neighbours":
            cu_seq_lens_q = cu_seq_lens_q[[0, -1]]
        window = sliding_window if cu_seq_lens_q is None or broken != "window" else None
        return attend(*args, cu_seq_lens_q=cu_seq_lens_q, sliding_window=window, **others)

    monkeypatch.setitem(transformers.AttentionInterface._global_mapping, ROWS, forgetful)
    assert Learner(model, Recipe(steps=1)).padded


def test_an_empty_share_of_a_step_has_a_gradient_that_is_zero_everywhere(model):
    for padded in (True, False):
        model.zero_grad()
        losses = TargetLoss(model)(collate([], "answer", padded=padded))
        assert losses.shape == (0,)
        losses.sum().backward()
        assert all(parameter.grad is not None and not parameter.grad.any() for parameter in model.parameters())


@given(rows=encoded_rows(), tokens=st.integers(1, 150), padded=st.booleans())
def test_micro_batches_hold_every_row_once_within_the_budget(rows, tokens, padded):
    parts = micro_batches(rows, tokens, padded=padded)
    assert sorted(place for part in parts for place in part) == list(range(len(rows)))
    for part in parts:
        lengths = [len(rows[place].ids) for place in part]
        assert len(part) == 1 or (len(part) * max(lengths) if padded else sum(lengths)) <= tokens
    sizes = [len(rows[place].ids) for part in parts for place in part]
    assert sizes == sorted(sizes, reverse=True)


@given(rows=encoded_rows(min_size=0), loss_on=st.sampled_from(["answer", "all"]), padded=st.booleans())
def test_a_batch_holds_the_tokens_and_targets_of_its_rows(rows, loss_on, padded):
    batch = collate(rows, loss_on, padded=padded)
    expected = [(row.ids[place - 1], row.ids[place]) for row in rows for place in targets_of(row, loss_on)]
    read = batch.input_ids.flatten()[batch.places].tolist()
    assert [*zip(read, batch.targets.tolist(), strict=True)] == expected
    if not padded and rows:
        bounds = batch.starts.tolist()
        pieces = [tuple(batch.input_ids[0, a:b].tolist()) for a, b in pairwise(bounds)]
        assert pieces == [row.ids[:-1] for row in rows if len(row.ids) > 1]
        assert batch.position_ids.shape == batch.input_ids.shape
        assert (batch.position_ids == 0).sum() == len(pieces)


def targets_of(row: Encoded, loss_on: str) -> range:
    return range(len(row.ids) - target_tokens(row, loss_on), len(row.ids))


def test_prompt_tokens_are_no_targets_unless_asked_for(model):
    row = Encoded((5, 6, 7, 8), prompt_tokens=3)
    assert target_tokens(row, "answer") == 1
    assert target_tokens(row, "all") == 3
    with torch.no_grad():
        answer, whole = (TargetLoss(model)(collate([row], loss_on)) for loss_on in ("answer", "all"))
    assert len(answer) == 1 and len(whole) == 3 and answer[-1] == pytest.approx(float(whole[-1]))


@settings(max_examples=25, deadline=None)
@given(rows=encoded_rows(), tokens=st.integers(1, 3000))
def test_the_loss_of_a_row_is_its_own_in_any_company(rows, tokens):
    model = model_of("llama")
    together = Learner(model, Recipe(steps=1, tokens_per_micro_batch=tokens)).row_losses(rows)
    alone = Learner(model, Recipe(steps=1, tokens_per_micro_batch=1)).row_losses(rows)
    assert together == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("family", FREE)
def test_a_model_in_training_still_generates_as_it_would(family):
    """Selection by task score generates, with padding on the left, while the model reads rows end to end."""
    model = model_of(family).eval()
    ids = torch.tensor([[0] * 9 + [5, 6, 7], [*range(3, 15)]])
    asked = {"input_ids": ids, "attention_mask": (ids > 0).long(), "max_new_tokens": 12, "do_sample": False}
    answers = []
    for attention in ("sdpa", ROWS):
        model.set_attn_implementation(attention)
        answers.append(model.generate(**asked).tolist())
    assert answers[0] == answers[1]


@pytest.mark.parametrize("window", [None, 8])
def test_the_kernel_is_told_where_rows_start_and_how_far_they_look_back(monkeypatch, window):
    """It is CUDA's; here another in its place does what torch says of it."""

    def varlen_attn(query, key, value, starts, _, longest, __, *, scale, window_size, enable_gqa):
        assert longest == starts.diff().max() and enable_gqa
        of_row = torch.bucketize(torch.arange(len(query)), starts, right=True)
        back = (torch.arange(len(query))[:, None] - torch.arange(len(query))).float()
        seen = (of_row[:, None] == of_row) & (back >= -window_size[1])
        seen &= back <= (window_size[0] if window_size[0] >= 0 else torch.inf)
        key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], dim=1) for part in (key, value))
        scores = torch.einsum("qhd,khd->hqk", query, key) * scale
        return torch.einsum("hqk,khd->qhd", scores.masked_fill(~seen, -torch.inf).softmax(-1), value)

    torch.manual_seed(0)
    parts = [torch.randn(1, heads, 90, 32) for heads in (4, 2, 2)]
    rows = {"cu_seq_lens_q": torch.tensor([0, 50, 53, 90], dtype=torch.int32), "max_length_q": 50}

    def found() -> torch.Tensor:
        return attend(torch.nn.Module(), *parts, None, **rows, scaling=0.2, sliding_window=window)[0]

    one_by_one = found()
    monkeypatch.setattr("glotmix.train.attention._has_kernel", lambda query, value: True)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", varlen_attn)
    torch.testing.assert_close(found(), one_by_one)


def test_rows_are_padded_where_the_kernel_fails(monkeypatch, model, caplog):
    def fails(*args: Any, cu_seq_lens_q: Any = None, **others: Any) -> Any:
        if cu_seq_lens_q is not None:
            raise RuntimeError(what)
        return attend(*args, **others)

    monkeypatch.setitem(transformers.AttentionInterface._global_mapping, ROWS, fails)
    what = "FlashAttention only supports Ampere GPUs or newer."
    assert Learner(model, Recipe(steps=1)).padded and "pads its rows" in caplog.text
    what = "CUDA out of memory. Tried to allocate 20 GiB"
    with pytest.raises(RuntimeError, match="out of memory"):
        Learner(model, Recipe(steps=1))
