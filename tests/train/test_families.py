"""Every family the studies use learns, is kept and read back: random weights, real architectures, real tokenizers."""

import json
import math
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from glotmix.errors import UserError
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import encode_prompt, encode_row
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool
from glotmix.pool.row import asked
from glotmix.spec import Recipe
from glotmix.study.models import positions, resolve_model
from glotmix.train.batch import target_tokens
from glotmix.train.encode import encode_rows
from glotmix.train.learner import Learner
from glotmix.train.loop import train

BOS = "<|en|>"  # any special token of the lab's tokenizer may play its part
CHAT = (
    "{{ bos_token }}{% for m in messages %}<|fr|>{{ m.content }}<|de|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|fr|>{% endif %}"
)
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL |= {"vocab_size": 2048, "num_key_value_heads": 2, "max_position_embeddings": 512}
SMALL |= {"bos_token_id": 1, "eos_token_id": 0, "pad_token_id": 0}
WINDOWS = {"head_dim": 8, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}
LLAMA31 = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA31 |= {"original_max_position_embeddings": 64}
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION |= {"image_size": 28, "patch_size": 14}
MOE = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "output_router_logits": True}
GPT2 = {"vocab_size": 2048, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "eos_token_id": 0}

FAMILIES: dict[str, Any] = {
    "Aya 23": lambda: transformers.CohereConfig(**SMALL, logit_scale=0.25, tie_word_embeddings=True),
    "Llama 3.1": lambda: transformers.LlamaConfig(**SMALL, rope_parameters=LLAMA31, tie_word_embeddings=False),
    "Qwen3 1.7B": lambda: transformers.Qwen3Config(**SMALL, head_dim=8, tie_word_embeddings=True),
    "Qwen3 8B": lambda: transformers.Qwen3Config(**SMALL, head_dim=8, tie_word_embeddings=False),
    "Gemma 3 1B": lambda: transformers.Gemma3TextConfig(**SMALL, **WINDOWS),
    "Gemma 3 4B": lambda: transformers.Gemma3Config(
        text_config={**SMALL, **WINDOWS}, vision_config=VISION, mm_tokens_per_image=4, image_token_index=9
    ),
    "GPT-2": lambda: transformers.GPT2Config(**GPT2),
    "Phi-3": lambda: transformers.Phi3Config(**SMALL, sliding_window=16),
    "Mistral": lambda: transformers.MistralConfig(**SMALL, sliding_window=16),
    "Qwen3 MoE": lambda: transformers.Qwen3MoeConfig(**SMALL, **MOE, head_dim=8),
}
TOKENIZERS = {"Aya 23": "CohereTokenizer", "Qwen3 1.7B": "Qwen2Tokenizer", "Qwen3 8B": "Qwen2Tokenizer"}
TOKENIZERS |= {"Gemma 3 1B": "GemmaTokenizer", "Gemma 3 4B": "GemmaTokenizer"}  # as their tokenizer_config.json says
WITH_BOS = {"Aya 23", "Llama 3.1", "Gemma 3 1B", "Gemma 3 4B", "Mistral"}
RECIPE = Recipe(steps=8, batch_rows=4, checkpoint_every=4, learning_rate=1e-2, tokens_per_micro_batch=256)


def write_tokenizer(folder: Path, family: str) -> None:
    """The lab's vocabulary in the family's tokenizer class, which may cut text in its own way."""
    backend = Tokenizer.from_file(str(model_path("lab-1m") / "tokenizer.json"))
    named = {"eos_token": "<|end|>", "pad_token": "<|end|>", "unk_token": "<|te|>", "mask_token": "<|th|>"}
    if family in WITH_BOS:
        named |= {"bos_token": BOS}
        backend.post_processor = TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 1)])
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **named)
    made.chat_template = CHAT if family in WITH_BOS else CHAT.removeprefix("{{ bos_token }}")
    made.save_pretrained(folder)
    if family in TOKENIZERS:
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config |= {"tokenizer_class": TOKENIZERS[family]} | ({"add_bos_token": True} if family in WITH_BOS else {})
        (folder / "tokenizer_config.json").write_text(json.dumps(config))


def write_base(folder: Path, family: str) -> Path:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    kind = transformers.AutoModelForImageTextToText if family == "Gemma 3 4B" else transformers.AutoModelForCausalLM
    kind.from_config(FAMILIES[family](), dtype=torch.bfloat16).save_pretrained(folder)
    write_tokenizer(folder, family)
    return folder


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a family's base model, by its name."""
    folder = tmp_path_factory.mktemp("bases")
    return cache(lambda family: write_base(folder / family.replace(" ", "-"), family))


@cache
def rows(count: int) -> pl.DataFrame:
    pool = LabPool()
    return pool.take("math", "en", "train", list(pool.item_ids("math", "en", "train"))[:count])


def train_on_lab(base: Path, out: Path, recipe: Recipe = RECIPE) -> Path:
    """The folder of the trained model."""
    order = [*rows(4)["row_id"]] * (recipe.steps or 0)
    train(base, rows(4), order, rows(2), recipe, 0, out)
    return out / "model"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_learns_is_kept_and_answers(tmp_path, bases, family):
    base = bases(family)
    model = train_on_lab(base, tmp_path)
    losses = pl.read_parquet(tmp_path / "losses.parquet")["loss"]
    assert losses[0] == pytest.approx(math.log(2048), rel=0.02) and losses[-1] < losses[0] - 0.5

    kept, plainly = weights(model), transformers.AutoModelForCausalLM.from_pretrained(model)
    assert {name: (tuple(weight.shape), weight.dtype) for name, weight in kept.items()} == {
        name: (tuple(weight.shape), torch.float32) for name, weight in weights(base).items()
    }, "the same weights under the same names, in the recipe's precision"
    before, after = resolve_model(str(base), tmp_path, {}, {}), resolve_model(str(model), tmp_path, {}, {})
    assert before.parameters == after.parameters == plainly.num_parameters()
    assert positions(base) == positions(model) == 512

    selected = json.loads((tmp_path / "train.json").read_text())["selected_value"]
    learner = Learner(load_model(model, "float32"), RECIPE)
    encoded = encode_rows(rows(2), RECIPE, load_tokenizer(model)).by_id
    sums = learner.row_losses([encoded[row_id] for row_id in rows(2)["row_id"]])
    targets = sum(target_tokens(row, "answer") for row in encoded.values())
    assert sum(sums) / targets == pytest.approx(selected, rel=1e-5), "what is kept is what was selected"

    prompts = [asked(messages) for messages in rows(2)["messages"].to_list()]
    answers = TransformersBackend(model).generate(prompts, template="plain", max_new_tokens=8)
    assert [answer.text for answer in answers] == [generated(plainly, model, prompt) for prompt in prompts]


def generated(model: Any, folder: Path, prompt: Any) -> str:
    """What transformers alone makes of the folder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([encode_prompt(prompt, "plain", tokenizer)])
    written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)
    return tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_begins_once_and_ends_once_in_either_template(bases, family):
    tokenizer, messages = load_tokenizer(bases(family)), rows(1)["messages"].to_list()[0]
    for template, ends in (("plain", tokenizer.eos_token_id), ("chat", tokenizer.convert_tokens_to_ids("<|de|>"))):
        row = encode_row(messages, template, tokenizer)
        assert row.ids[: row.prompt_tokens] == tuple(encode_prompt(asked(messages), template, tokenizer))
        assert [place for place, token in enumerate(row.ids) if token == 1] == [0] * (family in WITH_BOS)
        target = row.ids[row.prompt_tokens :]
        assert target.index(ends) == len(target) - 1 and len(target) > 1


@pytest.mark.parametrize("family", sorted({*TOKENIZERS, "Llama 3.1"}))
def test_the_trained_folder_reads_text_as_its_base_does(tmp_path, bases, family):
    base, kept, text = load_tokenizer(bases(family)), tmp_path / "kept", "Ana has 12 apples.\n"
    base.save_pretrained(kept)
    assert load_tokenizer(kept)(text).input_ids == base(text).input_ids
    assert encode_row(rows(1)["messages"][0], "chat", load_tokenizer(kept)) == encode_row(
        rows(1)["messages"][0], "chat", base
    )


def test_what_text_never_reaches_stays_as_it_came(tmp_path, bases):
    """Published Gemma 3 4B also sees: its tower is kept, and neither the optimizer nor another process waits for it."""
    base = bases("Gemma 3 4B")
    before, after = (
        weights(base),
        weights(train_on_lab(base, tmp_path, RECIPE.model_copy(update={"weight_decay": 0.1}))),
    )
    seeing = {name for name in before if "language_model" not in name}
    assert seeing and all(torch.equal(before[name].float(), after[name]) for name in seeing)
    assert not any(torch.equal(before[name].float(), after[name]) for name in before.keys() - seeing)
    frozen = {name for name, weight in load_model(base, "float32").named_parameters() if not weight.requires_grad}
    assert len(frozen) == len(seeing)


def test_a_mixture_of_experts_learns_from_its_targets_alone(tmp_path, bases):
    """The router's own loss, which balances the load of experts in pre-training, is not added."""
    base = bases("Qwen3 MoE")
    config = json.loads((base / "config.json").read_text())
    assert config["output_router_logits"]
    shutil.copytree(base, tmp_path / "base")
    (tmp_path / "base" / "config.json").write_text(json.dumps(config | {"router_aux_loss_coef": 1e3}))
    recipe = RECIPE.model_copy(update={"steps": 1})
    one, other = (
        weights(train_on_lab(folder, tmp_path / name, recipe))
        for folder, name in ((base, "a"), (tmp_path / "base", "b"))
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_bfloat16_recipe_keeps_half_the_bytes(tmp_path, bases):
    base, half = bases("Llama 3.1"), RECIPE.model_copy(update={"precision": "bfloat16", "steps": 2})
    kept = weights(train_on_lab(base, tmp_path, half))
    assert {weight.dtype for weight in kept.values()} == {torch.bfloat16}
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.parametrize("family", ["GPT-2", "Llama 3.1"])
def test_rows_longer_than_the_model_reads_are_refused(tmp_path, bases, family):
    shutil.copytree(bases(family), tmp_path / "base")
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    name = "n_positions" if family == "GPT-2" else "max_position_embeddings"
    (tmp_path / "base" / "config.json").write_text(json.dumps(config | {name: 16}))
    if family == "GPT-2":
        held = weights(tmp_path / "base")
        held["transformer.wpe.weight"] = held["transformer.wpe.weight"][:16].clone()
        save_file(held, tmp_path / "base" / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        UserError, match=r"recipe.max_tokens: a row has \d\d tokens, and the model reads 16; set max_tok"
    ):
        train_on_lab(tmp_path / "base", tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "said"), [("siglip", "of type 'siglip', and transformers has no causal"), ("unheard-of", "unheard-of")]
)
def test_a_model_that_writes_no_text_is_refused_in_one_line(tmp_path, kind, said):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(UserError, match=said) as refused:
        load_model(tmp_path, "float32")
    assert "\n" not in str(refused.value)
