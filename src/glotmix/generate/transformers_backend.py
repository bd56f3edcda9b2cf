"""Greedy generation with transformers: batched, longest prompts together, on the device at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from glotmix.generate.template import Message, encode_prompt


@dataclass(frozen=True)
class Output:
    """One generated answer. `finished` is False if it ran into `max_new_tokens`."""

    text: str
    tokens: int
    finished: bool


class TransformersBackend:
    """A model folder, loaded once and asked many times."""

    def __init__(self, model_dir: Path) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(model_dir, padding_side="left")
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        model: Any = AutoModelForCausalLM.from_pretrained(model_dir, dtype=dtype, use_safetensors=True)
        self.model = model.to(self.device).eval()

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        template: str,
        max_new_tokens: int,
        batch_rows: int,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Output]:
        """The greedy answer to each conversation, in their order. `on_progress` gets how many are done, of how many."""
        prompts = [encode_prompt(messages, template, self.tokenizer) for messages in conversations]
        longest_first = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
        outputs: dict[int, Output] = {}
        for start in range(0, len(prompts), batch_rows):
            batch = longest_first[start : start + batch_rows]
            outputs.update(zip(batch, self._answer([prompts[i] for i in batch], max_new_tokens), strict=True))
            on_progress(len(outputs), len(prompts))
        return [outputs[i] for i in range(len(prompts))]

    @torch.inference_mode()
    def _answer(self, prompts: list[list[int]], max_new_tokens: int) -> list[Output]:
        end = self.tokenizer.eos_token_id
        pad = end if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        width = max(map(len, prompts))
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts])  # (rows, width)
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        generated = self.model.generate(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=pad,
        )
        return [self._output(row, end) for row in generated[:, width:].tolist()]

    def _output(self, ids: list[int], end: int) -> Output:
        finished = end in ids
        answer = ids[: ids.index(end)] if finished else ids
        text = self.tokenizer.decode(answer, skip_special_tokens=True)
        assert isinstance(text, str)
        return Output(text, len(answer), finished)
