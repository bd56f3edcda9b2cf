"""What a model is asked, and what it answers, does not depend on how the questions were batched."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, GenerationConfig

from glotmix.errors import UserError
from glotmix.generate import answer
from glotmix.generate import template as templates
from glotmix.generate.load import load_model
from glotmix.generate.template import encode_all, encode_prompt, encode_row, end_token
from glotmix.generate.transformers_backend import TransformersBackend
from glotmix.lab.models import model_path
from glotmix.pool.lab import LabPool

CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="module")
def conversations() -> list[list[dict[str, str]]]:
    pool = LabPool()
    rows = [pool.take("math", tag, "test", list(pool.item_ids("math", tag, "test"))[:4]) for tag in ("en", "te", "ja")]
    return [messages for part in rows for messages in part["messages"].to_list()]


def tokenizer(chat_template: str | None = None):
    loaded = AutoTokenizer.from_pretrained(model_path("lab-1m"))
    loaded.chat_template = chat_template
    return loaded


def test_batch_size_and_order_change_no_answer(conversations):
    backend = TransformersBackend(model_path("lab-1m"))
    asked = [messages[:-1] for messages in conversations]

    def answered(tokens_per_batch, asked):
        backend.tokens_per_batch = tokens_per_batch
        return backend.generate(asked, template="plain", max_new_tokens=12)

    assert answered(8192, asked) == answered(1, asked) == answered(200, asked[::-1])[::-1]


def test_progress_counts_every_conversation(conversations):
    seen = []
    TransformersBackend(model_path("lab-1m"), tokens_per_batch=300).generate(
        [messages[:-1] for messages in conversations], template="plain", max_new_tokens=2,
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert len(seen) > 2 and seen[-1] == (12, 12) and seen == sorted(set(seen))


@pytest.mark.parametrize(("template", "chat"), [("plain", None), ("chat", CHAT)])
def test_training_sees_the_prompt_tokens_that_generation_starts_from(conversations, template, chat):
    tok = tokenizer(chat)
    for messages in conversations:
        row = encode_row(messages, template, tok)
        assert list(row.ids[: row.prompt_tokens]) == encode_prompt(messages[:-1], template, tok)
        assert messages[-1]["content"] in tok.decode(row.ids[row.prompt_tokens :])


def test_a_plain_row_ends_with_the_end_token(conversations):
    tok = tokenizer()
    assert encode_row(conversations[0], "plain", tok).ids[-1] == tok.eos_token_id


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
BARE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.mark.parametrize(("template", "chat"), [("plain", None), ("chat", CHAT), ("chat", CHATML), ("chat", BARE)])
@pytest.mark.parametrize("at_a_time", [1, 5, 1_000])
def test_rows_tokenized_together_have_the_tokens_of_each_alone(conversations, monkeypatch, template, chat, at_a_time):
    """Against the definition: each text given to the tokenizer by itself."""
    tok = tokenizer(chat)
    rows = [*conversations, [{"role": "user", "content": " two\nlines "}, {"role": "assistant", "content": " 4\n"}]]
    monkeypatch.setattr(templates, "ROWS_AT_A_TIME", at_a_time)
    expected = []
    for *asked, last in rows:
        text = last["content"].strip() if chat == CHATML else last["content"]
        target = tok(text, add_special_tokens=False).input_ids
        expected.append((*encode_prompt(asked, template, tok), *target, end_token(template, tok)))
    assert [row.ids for row in encode_all(rows, template, tok)] == expected


@pytest.mark.parametrize("special", [True, False])
def test_a_chat_row_ends_with_the_token_that_the_template_ends_a_turn_with(conversations, special):
    tok = tokenizer(CHATML)
    tok.add_tokens(["<|im_start|>", "<|im_end|>", "<|im_"], special_tokens=special)
    row = encode_row(conversations[0], "chat", tok)
    turn_end = tok.convert_tokens_to_ids("<|im_end|>")
    assert turn_end != tok.eos_token_id
    assert row.ids[-1] == turn_end == end_token("chat", tok)
    assert tok.decode(row.ids[row.prompt_tokens : -1]) == conversations[0][-1]["content"]


@pytest.mark.parametrize("chat", [CHAT, CHATML, BARE])
def test_a_chat_row_ends_with_the_end_token_if_the_template_has_no_token_of_its_own(conversations, chat):
    tok = tokenizer(chat)
    row = encode_row(conversations[0], "chat", tok)
    assert row.ids[-1] == tok.eos_token_id == end_token("chat", tok)
    assert tok.decode(row.ids[row.prompt_tokens : -1]) == conversations[0][-1]["content"]


@pytest.mark.parametrize("template", ["plain", "chat"])
def test_a_tokenizer_without_an_end_token_is_refused(conversations, template):
    tok = tokenizer(CHAT)
    tok.eos_token = None
    with pytest.raises(UserError, match="no end token; set eos_token"):
        encode_row(conversations[0], template, tok)


@pytest.fixture
def model_folder(tmp_path) -> Path:
    return Path(shutil.copytree(model_path("lab-1m"), tmp_path / "model"))


def answers(folder: Path, conversations) -> list[str]:
    asked = [messages[:-1] for messages in conversations]
    backend = TransformersBackend(folder)
    return [o.text for o in backend.generate(asked, template="plain", max_new_tokens=12)]


def test_the_generation_settings_that_come_with_a_model_change_no_answer(conversations, model_folder):
    greedy = answers(model_folder, conversations)
    settings = GenerationConfig(
        repetition_penalty=5.0, min_new_tokens=12, suppress_tokens=list(range(1000, 2000)), eos_token_id=0
    )
    settings.save_pretrained(model_folder)
    assert answers(model_folder, conversations) == greedy


@pytest.mark.parametrize("named_by", ["the model", "the template"])
def test_generation_stops_on_the_end_token_of(conversations, model_folder, monkeypatch, named_by):
    """The first token of an answer is made an end token; nothing is left of the answer."""
    backend = TransformersBackend(model_folder)
    ids = encode_prompt(conversations[0][:-1], "plain", backend.tokenizer)
    with torch.inference_mode():
        first = int(backend.model(torch.tensor([ids], device=backend.model.device)).logits[0, -1].argmax())
    assert first != backend.tokenizer.eos_token_id
    if named_by == "the model":
        (model_folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, first]}))
    else:
        monkeypatch.setattr(answer, "end_token", lambda template, tokenizer: first)
    backend = TransformersBackend(model_folder)
    [output] = backend.generate([conversations[0][:-1]], template="plain", max_new_tokens=4)
    assert (output.text, output.tokens, output.finished) == ("", 0, True)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_of_generation_is_the_one_asked_for_on_any_device(precision):
    backend = TransformersBackend(model_path("lab-1m"), precision)
    assert {parameter.dtype for parameter in backend.model.parameters()} == {getattr(torch, precision)}


def test_weights_that_are_missing_or_misshapen_are_refused_by_name(model_folder):
    load_model(model_folder, "float32")  # its tied head is in no file, and not missing
    weights = load_file(model_folder / "model.safetensors")
    del weights["model.layers.0.mlp.up_proj.weight"]
    weights["model.norm.weight"] = weights["model.norm.weight"][:-1].clone()
    save_file(weights, model_folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack model\.layers\.0\.mlp\.up_proj\.weight, model\.norm\.weight, or have"):
        load_model(model_folder, "float32")


def test_code_that_comes_with_a_model_is_not_run_even_if_it_is_allowed_to(model_folder, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: "y")
    config = json.loads((model_folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
    (model_folder / "config.json").write_text(json.dumps(config))
    (model_folder / "own.py").write_text("raise SystemExit('run')")
    with pytest.raises(ValueError, match="trust_remote_code"):
        load_model(model_folder, "float32")


def test_chat_without_a_chat_template_names_the_fix(conversations):
    with pytest.raises(UserError, match="template: plain"):
        encode_prompt(conversations[0][:-1], "chat", tokenizer())
