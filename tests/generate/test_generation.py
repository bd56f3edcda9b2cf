"""What a model is asked, and what it answers, does not depend on how the questions were batched."""

import pytest
from transformers import AutoTokenizer

from glotmix.errors import UserError
from glotmix.generate.template import encode_prompt, encode_row
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
    settings = {"template": "plain", "max_new_tokens": 12}
    together = backend.generate(asked, batch_rows=12, **settings)
    alone = backend.generate(asked, batch_rows=1, **settings)
    backwards = backend.generate(asked[::-1], batch_rows=5, **settings)[::-1]
    assert [o.text for o in together] == [o.text for o in alone] == [o.text for o in backwards]


def test_progress_counts_every_conversation(conversations):
    seen = []
    backend = TransformersBackend(model_path("lab-1m"))
    backend.generate(
        [messages[:-1] for messages in conversations], template="plain", max_new_tokens=2, batch_rows=5,
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == [(5, 12), (10, 12), (12, 12)]


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


def test_chat_without_a_chat_template_names_the_fix(conversations):
    with pytest.raises(UserError, match="template: plain"):
        encode_prompt(conversations[0][:-1], "chat", tokenizer())
