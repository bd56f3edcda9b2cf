"""Greedy generation with transformers: batched, longest prompts together, on the device at hand.

Of the model's own generation settings only its end tokens count: a repetition penalty, say, would not be greedy.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from glotmix.generate.backend import Message, Output
from glotmix.generate.load import load_model, load_tokenizer
from glotmix.generate.template import encode_prompt, end_token


class TransformersBackend:
    """A model folder, loaded once and asked many times."""

    def __init__(self, model_dir: Path, precision: str = "float32", batch_rows: int = 64) -> None:
        self.batch_rows = batch_rows
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = load_tokenizer(model_dir)
        self.model: Any = load_model(model_dir, precision).to(self.device).eval()
        ends = self.model.generation_config.eos_token_id
        self.model_ends = {ends} if isinstance(ends, int) else set(ends or ())
        self.model.generation_config = _generation_config()  # generate() fills in from here what is not set

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        template: str,
        max_new_tokens: int,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Output]:
        """The greedy answer to each conversation, in their order. `on_progress` gets how many are done, of how many."""
        prompts = [encode_prompt(messages, template, self.tokenizer) for messages in conversations]
        ends = {end_token(template, self.tokenizer), self.tokenizer.eos_token_id} | self.model_ends
        longest_first = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
        outputs: dict[int, Output] = {}
        for start in range(0, len(prompts), self.batch_rows):
            batch = longest_first[start : start + self.batch_rows]
            outputs.update(zip(batch, self._answer([prompts[i] for i in batch], max_new_tokens, ends), strict=True))
            on_progress(len(outputs), len(prompts))
        return [outputs[i] for i in range(len(prompts))]

    @torch.inference_mode()
    def _answer(self, prompts: list[list[int]], max_new_tokens: int, ends: set[int]) -> list[Output]:
        pad = min(ends) if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        width = max(map(len, prompts))
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts])  # (rows, width)
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        generated = self.model.generate(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            generation_config=_generation_config(
                do_sample=False,
                num_beams=1,
                max_new_tokens=max_new_tokens,
                eos_token_id=sorted(ends),
                pad_token_id=pad,
            ),
        )
        return [self._output(row, ends) for row in generated[:, width:].tolist()]

    def _output(self, ids: list[int], ends: set[int]) -> Output:
        answer = list(takewhile(lambda token: token not in ends, ids))
        finished = len(answer) < len(ids)
        text = self.tokenizer.decode(answer, skip_special_tokens=True)
        assert isinstance(text, str)
        return Output(text, len(answer), finished)


def _generation_config(**settings: Any) -> GenerationConfig:
    config: GenerationConfig = GenerationConfig(**settings)  # type: ignore[no-untyped-call]
    return config
