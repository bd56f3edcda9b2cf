"""Greedy generation with transformers, on the device at hand.

1. The longest prompts come first, so that prompts of like length share a batch and memory runs out at once or never.
2. A batch has as many rows as the budget holds, each counted as the longest prompt with a full answer; at least one.
   Rows that would change each other's answers come alone.
3. Of the model's own generation settings only its end tokens count: a repetition penalty, say, would not be greedy.
4. In float32 how prompts are batched changes no answer, so a budget that memory can't hold is halved. In bfloat16
   rounding depends on it: the budget is part of a study's identity there, and one that does not fit is refused.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers import GenerationConfig

from glotmix.errors import GlotmixError
from glotmix.generate.answer import end_tokens, to_output
from glotmix.generate.backend import Message, Output
from glotmix.generate.greedy import Tokens, decode, shareable_tokens
from glotmix.generate.load import load_model, load_tokenizer, positions
from glotmix.generate.template import encode_prompt


def check_positions(model: Any, prompt_tokens: int, max_new_tokens: int) -> None:
    """A plan looks at some of the prompts only.

    Raises:
        GlotmixError: the model has too few positions for such a prompt and its answer.
    """
    if (most := positions(model)) is not None and prompt_tokens + max_new_tokens > most:
        raise GlotmixError(
            f"evaluation.max_new_tokens: {max_new_tokens} after a prompt of {prompt_tokens} tokens is more than the"
            f" model reads ({most}); lower it, or take another model"
        )


class TransformersBackend:
    """A model folder, loaded once and asked many times; or `model`, which started from that folder and still learns."""

    def __init__(
        self, model_dir: Path, precision: str = "float32", tokens_per_batch: int = 8192, model: Any = None
    ) -> None:
        self.model_dir = model_dir
        self.precision = precision
        self.tokens_per_batch = tokens_per_batch
        self.tokenizer = load_tokenizer(model_dir)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model: Any = load_model(model_dir, precision).to(device).eval() if model is None else model
        self.model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.shareable = shareable_tokens(self.model)

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        template: str,
        max_new_tokens: int,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Output]:
        """The greedy answer to each conversation, in their order. `on_progress` gets how many are done, of how many.

        Raises:
            UserError: the tokenizer has no end token, or no chat template where one is asked for.
            GlotmixError: memory does not hold a batch, or the model has too few positions for a prompt and its answer.
        """
        prompts = [encode_prompt(messages, template, self.tokenizer) for messages in conversations]
        check_positions(self.model, max(map(len, prompts), default=0), max_new_tokens)
        ends = end_tokens(self.model_dir, template, self.tokenizer)
        longest_first = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
        outputs: dict[int, Output] = {}
        budget = self.tokens_per_batch
        while len(outputs) < len(prompts):
            waiting = longest_first[len(outputs) :]
            row_tokens = len(prompts[waiting[0]]) + max_new_tokens
            fitting = budget // row_tokens if row_tokens <= self.shareable else 1
            batch = waiting[: max(1, fitting)]
            answers = self._answers([prompts[i] for i in batch], max_new_tokens, ends)
            if answers is None:
                budget = len(batch) * row_tokens // 2
                continue
            outputs |= {i: to_output(ids, ends, self.tokenizer) for i, ids in zip(batch, answers, strict=True)}
            on_progress(len(outputs), len(prompts))
        return [outputs[i] for i in range(len(prompts))]

    def _answers(self, prompts: list[Tokens], max_new_tokens: int, ends: set[int]) -> list[Tokens] | None:
        """None if memory did not hold them and fewer may be tried."""
        try:
            return decode(self.model, prompts, max_new_tokens, ends)
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            if len(prompts) == 1 or self.precision == "bfloat16":
                fix = "tokens_per_batch" if len(prompts) > 1 else "max_new_tokens"
                raise GlotmixError(
                    f"memory does not hold {len(prompts)} prompts of up to {max(map(len, prompts))} tokens with answers"
                    f" of {max_new_tokens}; lower evaluation.{fix}"
                ) from error
        torch.cuda.empty_cache()  # here, where the error no longer holds on to what did not fit
        return None
