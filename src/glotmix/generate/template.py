"""How a conversation becomes the tokens a model reads: one place, for training and for generation alike.

`plain` writes the messages one a line, then the answer and the end token: for base models, which know no chat format.
`chat` uses the chat template of the model's tokenizer.
Prompt and answer are tokenized apart, so that training sees exactly the prompt tokens that generation starts from.
An answer ends with exactly one token, which training teaches and generation stops on (`end_token`): the one that the
chat template writes after the answer, if that is a token of its own, and else the tokenizer's end token. Whatever else
the template writes after an answer is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glotmix.errors import UserError
from glotmix.generate.backend import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Encoded:
    """Token ids of one row; the first `prompt_tokens` of them are the prompt."""

    ids: tuple[int, ...]
    prompt_tokens: int


def plain_prompt(messages: Sequence[Message]) -> str:
    """The text of template `plain` up to where the assistant answers."""
    return "".join(f"{message['content']}\n" for message in messages)


def encode_prompt(messages: Sequence[Message], template: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids of the conversation up to where the assistant answers.

    Raises:
        UserError: `template` is chat, and the tokenizer has no chat template.
    """
    if template == "plain":
        return list(tokenizer(plain_prompt(messages)).input_ids)
    text = _chat(messages, tokenizer, add_generation_prompt=True)
    return list(tokenizer(text, add_special_tokens=False).input_ids)


def encode_row(messages: Sequence[Message], template: str, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Token ids of a whole row, its last message being the answer to learn."""
    *asked, answer = messages
    prompt = encode_prompt(asked, template, tokenizer)
    end = end_token(template, tokenizer)
    text = answer["content"]
    if template == "chat":
        opening = _chat(asked, tokenizer, add_generation_prompt=True)
        whole = _chat(messages, tokenizer, add_generation_prompt=False)
        if not whole.startswith(opening):
            raise UserError("the model's chat template rewrites earlier messages; use template: plain")
        text = whole[len(opening) :].removesuffix(_after_answer(tokenizer))
    target = tokenizer(text, add_special_tokens=False).input_ids
    return Encoded((*prompt, *target, end), len(prompt))


def end_token(template: str, tokenizer: PreTrainedTokenizerBase) -> int:
    """Id of the token that ends an answer.

    Raises:
        UserError: the tokenizer has no end token.
    """
    if tokenizer.eos_token is None:
        raise UserError("the model's tokenizer has no end token; set eos_token in its tokenizer_config.json")
    end = str(tokenizer.eos_token)
    if template == "chat":
        after = _after_answer(tokenizer).strip()
        own = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
        end = max((token for token in own if after.startswith(token)), key=len, default=end)
    found = tokenizer.convert_tokens_to_ids(end)
    assert isinstance(found, int)
    return found


def _after_answer(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the chat template writes after an answer."""
    exchange = [{"role": "user", "content": "question"}, {"role": "assistant", "content": "answer"}]
    return _chat(exchange, tokenizer, add_generation_prompt=False).rpartition("answer")[2]


def _chat(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool) -> str:
    if tokenizer.chat_template is None:
        raise UserError("the model's tokenizer has no chat template; use template: plain")
    text = tokenizer.apply_chat_template(
        [dict(message) for message in messages], tokenize=False, add_generation_prompt=add_generation_prompt
    )
    assert isinstance(text, str)
    return text
