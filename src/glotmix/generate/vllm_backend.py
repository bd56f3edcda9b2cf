"""Greedy generation with vLLM: for GPUs, models of a size where serving kernels pay, and long answers.

1. The engine takes up to a minute to start, so one is kept for all runs of a model, and their weights are read into it.
2. Between runs it sleeps and holds no memory of the device, so that the next model can be trained there.
3. Prompts go in and answers come out as token ids: tokenizing, stopping and decoding are those of every other backend.
4. A model with another config needs another engine; the old one ends first. So does, on a CPU, a model whose head is
   tied to its embeddings: vLLM 0.32 packs the head anew for CPUs only when it starts, and would go on with the old one.
"""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig
from vllm import LLM, SamplingParams
from vllm.inputs import TokensPrompt
from vllm.platforms import current_platform

from glotmix.errors import GlotmixError
from glotmix.generate.answer import end_tokens, to_output
from glotmix.generate.backend import Message, Output
from glotmix.generate.load import load_tokenizer
from glotmix.generate.template import encode_prompt


class VllmEngine:
    """vLLM's engine, with the weights of one model folder after the other."""

    def __init__(self, precision: str = "float32") -> None:
        self.precision = precision
        self._llm: Any = None
        self._config = b""

    @contextmanager
    def holding(self, model_dir: Path) -> Iterator["VllmBackend"]:
        """The engine with the weights of this folder, while the `with` block lasts."""
        config = (model_dir / "config.json").read_bytes()
        if config == self._config and (current_platform.is_cuda_alike() or not _is_tied(model_dir)):
            self._swap(model_dir)
        else:
            self._start(model_dir)
            self._config = config
        try:
            yield VllmBackend(model_dir, self._llm)
        finally:
            if current_platform.is_sleep_mode_available():
                self._llm.sleep(level=2)  # weights and cache are dropped, not copied to the host

    def _start(self, model_dir: Path) -> None:
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # an engine process of its own outlives a killed worker
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
        self._llm, self._config = None, b""
        gc.collect()
        torch.cuda.empty_cache()  # vLLM counts what training left reserved as taken
        self._llm = LLM(
            str(model_dir),
            dtype=self.precision,
            skip_tokenizer_init=True,
            trust_remote_code=False,
            load_format="safetensors",
            generation_config="vllm",  # the model's own settings are not greedy decoding
            max_model_len=-1,  # as long as the model and the memory allow
            enable_sleep_mode=current_platform.is_sleep_mode_available(),
            enforce_eager=not current_platform.is_cuda_alike(),  # graphs are what a GPU gains from
            seed=0,
        )

    def _swap(self, model_dir: Path) -> None:
        if current_platform.is_sleep_mode_available():
            self._llm.wake_up(tags=["weights"])
        self._llm.collective_rpc("reload_weights", kwargs={"weights_path": str(model_dir)})
        if current_platform.is_sleep_mode_available():
            self._llm.wake_up(tags=["kv_cache"])
        self._llm.reset_prefix_cache()  # it remembers what the old weights made of common beginnings


def _is_tied(model_dir: Path) -> bool:
    config = AutoConfig.from_pretrained(model_dir, trust_remote_code=False).get_text_config()
    return bool(getattr(config, "tie_word_embeddings", True))


class VllmBackend:
    """One model in the engine."""

    def __init__(self, model_dir: Path, llm: Any) -> None:
        self.model_dir = model_dir
        self.tokenizer = load_tokenizer(model_dir)
        self._llm = llm

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
            GlotmixError: the model or the device's memory does not hold the longest prompt with its answer.
        """
        ends = end_tokens(self.model_dir, template, self.tokenizer)
        prompts = [
            TokensPrompt(prompt_token_ids=encode_prompt(messages, template, self.tokenizer))
            for messages in conversations
        ]
        longest = max((len(prompt["prompt_token_ids"]) for prompt in prompts), default=0) + max_new_tokens
        most = self._llm.llm_engine.model_config.max_model_len
        if longest > most:
            raise GlotmixError(
                f"vllm: a prompt and its answer may have {longest} tokens, and model and memory hold {most}; lower"
                " evaluation.max_new_tokens, or take another model or a device with more memory"
            )
        greedily = SamplingParams(
            temperature=0, max_tokens=max_new_tokens, stop_token_ids=sorted(ends), detokenize=False
        )
        answers = self._llm.generate(prompts, greedily, use_tqdm=False)
        on_progress(len(prompts), len(prompts))
        return [to_output(answer.outputs[0].token_ids, ends, self.tokenizer) for answer in answers]
