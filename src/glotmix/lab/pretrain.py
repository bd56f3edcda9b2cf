"""Makes the lab's base models from nothing but a seed: tokenizer, then next-token training on `lab/text.py`.

Documents are packed end to end into blocks of `BLOCK` tokens. Weights are stored in bfloat16, half of float32's size.
Matrix products run in bfloat16 (twice as fast where the processor has it), all else in float32.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from glotmix.errors import UserError
from glotmix.lab.languages import TAGS
from glotmix.lab.text import END, documents, language_token

VOCABULARY = 2048
BLOCK = 256  # tokens
TOKENIZER_DOCUMENTS = 40_000


@dataclass(frozen=True)
class Size:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    learning_rate: float
    steps: int
    blocks_per_step: int = 8


SIZES = {
    "lab-1m": Size(hidden=128, layers=4, heads=4, feed_forward=384, learning_rate=2.5e-3, steps=8000),
    "lab-4m": Size(hidden=256, layers=5, heads=8, feed_forward=640, learning_rate=1.5e-3, steps=4000),
}


def main(name: str, out: Path, seed: int = 0) -> None:
    """`pretrain` with a progress bar.

    Raises:
        UserError: no such size, or `out` is no folder or not empty.
    """
    if name not in SIZES:
        raise UserError(f"lab pretrain: no size {name!r}; there are {' and '.join(SIZES)}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = any(out.iterdir())
    except OSError as error:
        raise UserError(f"{out}: can't be a model's folder ({error.strerror}); choose a new or empty folder") from None
    if taken:
        raise UserError(f"{out}: something is there; choose an empty folder")
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task(name, total=SIZES[name].steps, loss=float("nan"))
        pretrain(name, out, seed, lambda step, _, loss: progress.update(bar, completed=step, loss=loss))
    print(f"{out} holds {name}, made from seed {seed}")


def pretrain(name: str, out: Path, seed: int = 0, on_step: Callable[[int, int, float], None] = lambda *_: None) -> None:
    """Trains base model `name` and writes it to `out` as a Hugging Face folder. `on_step` gets step, steps, loss."""
    size = SIZES[name]
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(seed)
    model = LlamaForCausalLM(_config(size, tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=size.learning_rate, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, size.steps))
    stream = blocks(tokenizer, seed)
    for step in range(size.steps):
        batch = torch.tensor(list(islice(stream, size.blocks_per_step)))  # (blocks, BLOCK)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        on_step(step + 1, size.steps, loss.item())
    model.bfloat16().save_pretrained(out)
    tokenizer.save_pretrained(out)


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE on the pretraining text; every digit is a token of its own, every language has a tag token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, *(language_token(tag) for tag in TAGS)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(islice(documents(seed), TOKENIZER_DOCUMENTS), trainer)
    fast: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe, eos_token=END, pad_token=END, model_max_length=512
    )
    return fast


def blocks(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[list[int]]:
    """Packed blocks of BLOCK tokens; documents end with the END token."""
    stream = documents(seed)
    buffer: list[int] = []
    while True:
        texts = [text + END for text in islice(stream, 256)]
        for encoding in tokenizer.backend_tokenizer.encode_batch(texts):
            buffer.extend(encoding.ids)
        while len(buffer) >= BLOCK:
            yield buffer[:BLOCK]
            buffer = buffer[BLOCK:]


def _config(size: Size, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.hidden,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )


def _rate(step: int, steps: int) -> float:
    """Linear warm-up over 100 steps, then linear decay to a tenth of the peak."""
    return min((step + 1) / 100, 1.0) * (1.0 - 0.9 * step / steps)
