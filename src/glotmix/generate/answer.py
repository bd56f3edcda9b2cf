"""What a model wrote, token by token, to an `Output`: one rule of where an answer ends, for transformers and vllm.

An answer ends before the first end token: the template's, the tokenizer's, or one of the model's own settings.
"""

from collections.abc import Sequence, Set
from itertools import takewhile
from pathlib import Path

from transformers import AutoConfig, GenerationConfig, PreTrainedTokenizerBase

from glotmix.generate.backend import Output
from glotmix.generate.template import end_token


def end_tokens(folder: Path, template: str, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Ids of all tokens that end an answer of the model in `folder`.

    Raises:
        UserError: the tokenizer has no end token.
    """
    try:
        own = GenerationConfig.from_pretrained(folder).eos_token_id
    except OSError:  # no such file
        own = AutoConfig.from_pretrained(folder, trust_remote_code=False).get_text_config().eos_token_id
    of_model = {own} if isinstance(own, int) else set(own or ())
    return {end_token(template, tokenizer), end_token("plain", tokenizer)} | of_model


def to_output(ids: Sequence[int], ends: Set[int], tokenizer: PreTrainedTokenizerBase) -> Output:
    """The answer in `ids`, which may go on after its end; not finished if no end token is among them."""
    answer = list(takewhile(lambda token: token not in ends, ids))
    text = tokenizer.decode(answer, skip_special_tokens=True)
    assert isinstance(text, str)
    return Output(text, len(answer), finished=len(answer) < len(ids))
