"""The memory and the time that a training needs, computed from the shape of its model: no GPU, and no torch.

1. Of every parameter, float32 weights, gradients and moments stay on the GPUs, cut into as many shards as there are.
2. One GPU keeps bfloat16 copies of all weights while it reads; a sharded one gathers a layer or two at a time.
3. Of every token of a micro-batch, each layer keeps what the backward pass needs; with gradient checkpointing only its
   input, and all of one layer at a time. When there is most, the logits of a chunk of targets are there as well.
4. The rest of an 80 GB GPU is for its driver, communication and what allocating leaves unused: `USABLE`.
"""

from dataclasses import dataclass

GIGABYTE = 1e9
USABLE = 72 * GIGABYTE  # of 80
PEAK = 989e12  # dense bfloat16 products of an H100 or H200, FLOP a second (NVIDIA's data sheet)
REACHED = 0.4  # the share of PEAK that a training is taken to reach: an assumption
LOGITS_AT_ONCE = 2**27  # as in `train.loss`, which imports torch

# Bytes that a layer keeps of a token in bfloat16: per unit of its width, of all query heads, of all key heads and of
# its feed-forward width. Counted in the layers of transformers; the first four with float32 weights under autocast, the
# second with the bfloat16 weights that a sharded layer gathers.
KEPT = {
    "llama": ((26, 4, 4, 8), (16, 4, 4, 8)),
    "cohere": ((22, 4, 4, 8), (14, 4, 4, 8)),
    "qwen3": ((26, 10, 10, 8), (16, 10, 10, 8)),
    "gemma3": ((42, 12, 12, 8), (36, 12, 12, 8)),
}


@dataclass(frozen=True)
class Shape:
    """A model with gated feed-forward layers. `kind` is the name of its code in transformers; `tied`: one embedding."""

    kind: str
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    key_heads: int
    head: int  # the width of one
    vocabulary: int
    tied: bool = True

    @property
    def embedding(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def layer(self) -> int:
        """Parameters of one layer."""
        attention = 2 * self.hidden * self.head * (self.heads + self.key_heads)
        norms = {"llama": 2, "cohere": 1, "qwen3": 2, "gemma3": 4}[self.kind] * self.hidden
        of_heads = 2 * self.head if self.kind in ("qwen3", "gemma3") else 0
        return attention + 3 * self.hidden * self.feed_forward + norms + of_heads

    @property
    def outside(self) -> int:
        """Parameters outside the layers: embedding, last norm, head."""
        return self.embedding * (1 if self.tied else 2) + self.hidden

    @property
    def parameters(self) -> int:
        return self.layers * self.layer + self.outside

    def kept(self, sharded: bool) -> int:
        """Bytes that one layer keeps of one token."""
        widths = (self.hidden, self.heads * self.head, self.key_heads * self.head, self.feed_forward)
        return sum(size * width for size, width in zip(KEPT[self.kind][sharded], widths, strict=True))


@dataclass(frozen=True)
class Settings:
    """What decides how much memory a full bfloat16 training takes; `tokens` is `recipe.tokens_per_micro_batch`."""

    gpus: int = 1
    tokens: int = 8192
    gradient_checkpointing: bool = False
    optimizer: str = "adamw"


@dataclass(frozen=True)
class Memory:
    """Bytes of one GPU at the peak."""

    weights: float
    gradients: float
    moments: float
    copies: float  # of weights in bfloat16; of a sharded model, with gradients on their way to their shards
    kept: float  # of all layers, of every token
    worked_on: float  # logits with their gradients, or one layer that is computed again

    @property
    def total(self) -> float:
        return float(sum(vars(self).values()))


def memory(shape: Shape, settings: Settings) -> Memory:
    """At the peak of a step: the backward pass of a whole micro-batch, gradients and moments being there already."""
    sharded, of_gpu = settings.gpus > 1, shape.parameters / settings.gpus
    layer = shape.kept(sharded) * settings.tokens
    inputs = (2 if sharded else 4) * shape.hidden * settings.tokens * shape.layers
    logits = 12 * min(settings.tokens * shape.vocabulary, LOGITS_AT_ONCE)
    return Memory(
        weights=4 * of_gpu,
        gradients=4 * of_gpu,
        moments=(2 + 2 * 4 / 256 if settings.optimizer == "adamw_8bit" else 8) * of_gpu,
        copies=_gathered(shape) if sharded else 2 * (shape.parameters - (0 if shape.tied else shape.embedding)),
        kept=inputs if settings.gradient_checkpointing else shape.layers * layer,
        worked_on=max(logits, layer) if settings.gradient_checkpointing else logits,
    )


def _gathered(shape: Shape) -> int:
    """What lies outside the layers stays gathered, and two layers are; the gradient of the largest is summed."""
    return 2 * (shape.outside + 2 * shape.layer) + 6 * max(shape.outside, shape.layer)


def gpu_hours(shape: Shape, tokens: float, gradient_checkpointing: bool = False) -> float:
    """Of a training that reads so many tokens: 6 FLOP per token and parameter (2 forward, 4 backward), 8 if the forward
    pass is done twice (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), at `REACHED` of `PEAK`.

    Looking up an embedding is no product, and attention between tokens is left out: rows are short.
    """
    computing = shape.parameters - (0 if shape.tied else shape.embedding)
    return (8 if gradient_checkpointing else 6) * computing * tokens / (REACHED * PEAK) / 3600


def settings_for(shape: Shape, gpus: int) -> Settings | None:
    """The fastest settings with which a training fits into `USABLE`: what costs least time is tried first."""
    tried = (
        Settings(gpus),
        Settings(gpus, tokens=4096),
        Settings(gpus, gradient_checkpointing=True),
        Settings(gpus, gradient_checkpointing=True, optimizer="adamw_8bit"),
        Settings(gpus, tokens=4096, gradient_checkpointing=True, optimizer="adamw_8bit"),
    )
    return next((settings for settings in tried if memory(shape, settings).total <= USABLE), None)


# The models of the two published studies, as the config.json of each on the Hugging Face hub says. Of Gemma 3 4B the
# part that reads text: the tower that sees is frozen, and takes 4 bytes for each of its 0.42 billion parameters.
PUBLISHED = {
    "CohereLabs/aya-23-8B": Shape("cohere", 32, 4096, 14336, 32, 8, 128, 256000),
    "CohereLabs/aya-23-35B": Shape("cohere", 40, 8192, 22528, 64, 64, 128, 256000),
    "meta-llama/Llama-3.1-8B": Shape("llama", 32, 4096, 14336, 32, 8, 128, 128256, tied=False),
    "Qwen/Qwen3-0.6B-Base": Shape("qwen3", 28, 1024, 3072, 16, 8, 128, 151936),
    "Qwen/Qwen3-1.7B-Base": Shape("qwen3", 28, 2048, 6144, 16, 8, 128, 151936),
    "Qwen/Qwen3-8B-Base": Shape("qwen3", 36, 4096, 12288, 32, 8, 128, 151936, tied=False),
    "google/gemma-3-1b-pt": Shape("gemma3", 26, 1152, 6912, 4, 1, 256, 262144),
    "google/gemma-3-4b-pt": Shape("gemma3", 34, 2560, 10240, 8, 4, 256, 262208),
}
