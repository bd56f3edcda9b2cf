"""Answers are token for token those of `model.generate`, whatever shares a batch, within the memory that there is."""

from collections.abc import Callable
from itertools import takewhile
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.errors import GlotmixError
from glotmix.generate import transformers_backend
from glotmix.generate.greedy import decode, rows_can_leave, shareable_tokens
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path

VOCABULARY = 40
ENDS = {3, 5, 7}
SMALL = {"vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
SMALL |= {"num_hidden_layers": 2, "num_key_value_heads": 1, "head_dim": 8, "initializer_range": 0.7}
UNTIED = {"tie_word_embeddings": False}  # or they repeat the last token forever
WINDOWS = {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.7}
BLOOM = {"vocab_size": VOCABULARY, "hidden_size": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.7}
MAMBA = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "initializer_range": 0.7}
LONG = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4, "long_factor": [3.0] * 4}
LONG |= {"original_max_position_embeddings": 10}
MADE: dict[str, Callable[[], Any]] = {
    "Llama": lambda: transformers.LlamaConfig(**SMALL, **UNTIED),
    "Qwen3": lambda: transformers.Qwen3Config(**SMALL, **UNTIED),
    "Gemma3": lambda: transformers.Gemma3TextConfig(**SMALL, **WINDOWS, **UNTIED),
    "GPT2": lambda: transformers.GPT2Config(**GPT2, **UNTIED),
    "Bloom": lambda: transformers.BloomConfig(**BLOOM, **UNTIED),
    "Mamba": lambda: transformers.MambaConfig(**MAMBA, **UNTIED),
}
PROMPTS = st.lists(st.lists(st.integers(8, VOCABULARY - 1), min_size=1, max_size=12), min_size=1, max_size=7)


def made(name: str) -> Any:
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(MADE[name](), dtype=torch.float32).eval()


MODELS = {name: made(name) for name in MADE}


def alone(model: Any, prompt: list[int], max_new_tokens: int) -> list[int]:
    """What transformers' own `generate` writes after a prompt that shares its batch with none."""
    ids = torch.tensor([prompt])
    wanted = {"do_sample": False, "max_new_tokens": max_new_tokens, "eos_token_id": sorted(ENDS), "pad_token_id": 0}
    return model.generate(ids, attention_mask=torch.ones_like(ids), **wanted)[0, len(prompt) :].tolist()


def cut(ids: list[int]) -> list[int]:
    """Up to the first end token."""
    return list(takewhile(lambda token: token not in ENDS, ids))


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=25, deadline=None)
@given(prompts=PROMPTS, max_new_tokens=st.integers(1, 12))
def test_a_batch_gets_the_tokens_that_generate_gives_each_prompt(name, prompts, max_new_tokens):
    model = MODELS[name]
    written = decode(model, prompts, max_new_tokens, ENDS)
    expected = [alone(model, prompt, max_new_tokens) for prompt in prompts]
    assert [cut(ids) for ids in written] == [cut(ids) for ids in expected]
    finished = [len(cut(ids)) < len(ids) for ids in written]
    assert finished == [len(cut(ids)) < len(ids) for ids in expected]


def test_some_rows_of_the_made_models_end_early_and_some_late():
    prompts = [[8 + i, 9, 10] for i in range(20)]
    for model in filter(rows_can_leave, MODELS.values()):
        lengths = {len(cut(ids)) for ids in decode(model, prompts, 12, ENDS)}
        assert len(lengths) > 2, "the test above would hold for a loop that never lets a row go"


def test_only_models_whose_rows_are_independent_are_decoded_step_by_step():
    assert {name: rows_can_leave(model) for name, model in MODELS.items()} == {
        "Llama": True, "Qwen3": True, "Gemma3": True, "GPT2": True, "Bloom": False, "Mamba": False,
    }  # fmt: skip


@pytest.fixture(scope="module")
def backend() -> TransformersBackend:
    return TransformersBackend(model_path("lab-1m"))


def asked(lengths: list[int]) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"{number} " + "a b " * length}] for number, length in enumerate(lengths)]


@pytest.mark.parametrize(
    "config",
    [
        transformers.LlamaConfig(**SMALL, **UNTIED, rope_parameters=LONG),
        transformers.RecurrentGemmaConfig(**SMALL | {"num_hidden_layers": 3}, **UNTIED, lru_width=16),
    ],
    ids=["scaled by the longest row", "reads its padding"],
)
def test_rows_that_would_change_each_other_come_alone(backend, monkeypatch, config):
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    prompts = [[8, 9], [8], [10 + i for i in range(12)]]
    expected = [alone(model, prompt, 6) for prompt in prompts]
    assert [cut(ids) for ids in decode(model, prompts, 6, ENDS)] != [cut(ids) for ids in expected], "nothing to protect"

    written: dict[int, list[int]] = {}

    def record(_: Any, batch: list[list[int]], max_new_tokens: int, ends: set[int]) -> list[list[int]]:
        answers = decode(model, batch, max_new_tokens, ENDS)
        written.update({len(prompt): answer for prompt, answer in zip(batch, answers, strict=True)})
        return [[0] for _ in batch]

    monkeypatch.setattr(transformers_backend, "encode_prompt", lambda prompt, *_: prompt)
    monkeypatch.setattr(transformers_backend, "decode", record)
    monkeypatch.setattr(backend, "shareable", shareable_tokens(model))
    backend.generate(prompts, template="plain", max_new_tokens=6)
    assert [cut(written[len(prompt)]) for prompt in prompts] == [cut(ids) for ids in expected]


def test_a_prompt_that_the_model_has_no_positions_for_is_one_clear_line(backend):
    with pytest.raises(GlotmixError, match=r"max_new_tokens: 8 after a prompt of 6\d\d tokens .* reads \(512\)"):
        backend.generate(asked([1, 300]), template="plain", max_new_tokens=8)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 40), min_size=1, max_size=20), budget=st.integers(1, 600))
def test_a_batch_never_holds_more_than_its_budget_unless_it_is_one_row(backend, lengths, budget):
    batches: list[tuple[int, int]] = []

    def record(model: Any, prompts: list[list[int]], max_new_tokens: int, ends: set[int]) -> list[list[int]]:
        batches.append((len(prompts), max(map(len, prompts)) + max_new_tokens))
        return [[9]] * len(prompts)

    backend.tokens_per_batch = budget
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers_backend, "decode", record)
        backend.generate(asked(lengths), template="plain", max_new_tokens=5)
    assert sum(rows for rows, _ in batches) == len(lengths)
    assert all(rows * tokens <= budget or rows == 1 for rows, tokens in batches)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000000 bytes."),
]


@pytest.fixture
def room(monkeypatch) -> dict[str, int]:
    """A device whose memory holds so many rows and no more."""
    holds = {"rows": 3, "tries": 0}

    def scarce(model: Any, prompts: list[list[int]], max_new_tokens: int, ends: set[int]) -> list[list[int]]:
        holds["tries"] += 1
        if len(prompts) > holds["rows"]:
            raise OUT_OF_MEMORY[holds["rows"] % 2]
        return decode(model, prompts, max_new_tokens, ends)

    monkeypatch.setattr(transformers_backend, "decode", scarce)
    return holds


def test_in_float32_a_budget_that_memory_does_not_hold_is_halved_until_it_does(backend, room):
    backend.tokens_per_batch = 8192
    conversations = asked(list(range(10)))
    room["rows"] = 10
    with_room = backend.generate(conversations, template="plain", max_new_tokens=8)
    room |= {"rows": 3, "tries": 0}
    assert backend.generate(conversations, template="plain", max_new_tokens=8) == with_room
    assert room["tries"] > 4 and backend.tokens_per_batch == 8192


def test_in_bfloat16_it_is_refused_as_batches_are_part_of_what_the_answers_are(room):
    backend = TransformersBackend(model_path("lab-1m"), "bfloat16")
    with pytest.raises(GlotmixError, match=r"memory does not hold 4 prompts .*; lower evaluation\.tokens_per_batch"):
        backend.generate(asked([1, 2, 3, 4]), template="plain", max_new_tokens=8)


def test_one_prompt_that_memory_does_not_hold_is_one_clear_line(backend, room):
    room["rows"] = 0
    with pytest.raises(GlotmixError, match=r"hold 1 prompts of up to \d+ tokens .*; lower evaluation\.max_new_tokens"):
        backend.generate(asked([1, 2]), template="plain", max_new_tokens=8)
