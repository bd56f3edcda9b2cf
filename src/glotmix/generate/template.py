"""How a conversation becomes the tokens a model reads: one place, for training and for generation alike.

`plain` writes the messages one a line, then the answer and the end token: for base models, which know no chat format.
`chat` uses the chat template of the model's tokenizer.
Prompt and answer are tokenized apart, so that training sees exactly the prompt tokens that generation starts from.
An answer ends with exactly one token, which training teaches and generation stops on (`end_token`): the one that the
chat template writes after the answer, if that is a token of its own, and else the tokenizer's end token. Whatever else
the template writes after an answer is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glotmix.errors import UserError
from glotmix.generate.backend import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROWS_AT_A_TIME = 1_000  # tokenized together: what the tokenizer says of each token beside its id is large


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
    texts = _openings([messages], template, tokenizer)
    return _token_ids(texts, tokenizer, special=template == "plain")[0]


def encode_row(messages: Sequence[Message], template: str, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Token ids of a whole row, its last message being the answer to learn."""
    return next(encode_all([messages], template, tokenizer))


def encode_all(
    rows: Sequence[Sequence[Message]], template: str, tokenizer: PreTrainedTokenizerBase
) -> Iterator[Encoded]:
    """Every row as `encode_row` has it: tokenized together, on all processors, which is many times faster.

    Raises:
        UserError: the tokenizer lacks an end token or the chat template asked for, or that template rewrites prompts.
    """
    end = end_token(template, tokenizer)
    for first in range(0, len(rows), ROWS_AT_A_TIME):
        part = rows[first : first + ROWS_AT_A_TIME]
        openings = _openings([messages[:-1] for messages in part], template, tokenizer)
        answers = [messages[-1]["content"] for messages in part]
        if template == "chat":
            answers = _answers_in_chat(part, openings, tokenizer)
        prompts = _token_ids(openings, tokenizer, special=template == "plain")
        targets = _token_ids(answers, tokenizer, special=False)
        for prompt, target in zip(prompts, targets, strict=True):
            yield Encoded((*prompt, *target, end), len(prompt))


def _openings(asked: Sequence[Sequence[Message]], template: str, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """The text of each conversation up to where the assistant answers."""
    if template == "plain":
        return [plain_prompt(messages) for messages in asked]
    return _chat(asked, tokenizer, add_generation_prompt=True)


def _answers_in_chat(
    rows: Sequence[Sequence[Message]], openings: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> list[str]:
    """Each answer as the chat template writes it, without what is written after it."""
    after = _after_answer(tokenizer)
    wholes = _chat(rows, tokenizer, add_generation_prompt=False)
    if not all(map(str.startswith, wholes, openings)):
        raise UserError("the model's chat template rewrites earlier messages; use template: plain")
    return [whole[len(opening) :].removesuffix(after) for whole, opening in zip(wholes, openings, strict=True)]


def _token_ids(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, *, special: bool) -> list[list[int]]:
    """`special`: with the tokens that the tokenizer puts around a text; a chat template writes them itself."""
    found: list[list[int]] = tokenizer(list(texts), add_special_tokens=special).input_ids
    return found


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
    return _chat([exchange], tokenizer, add_generation_prompt=False)[0].rpartition("answer")[2]


def _chat(
    conversations: Sequence[Sequence[Message]], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool
) -> list[str]:
    if tokenizer.chat_template is None:
        raise UserError("the model's tokenizer has no chat template; use template: plain")
    texts: Any = tokenizer.apply_chat_template(
        [[dict(message) for message in messages] for messages in conversations],
        tokenize=False,
        add_generation_prompt=add_generation_prompt,
    )
    return list(texts)
