"""The memory and the time that a training needs, computed from the shape of its model, without a GPU:
`python benchmarks/scale.py` writes the tables of docs/scale.md.

1. Of every parameter, float32 weights, gradients and moments stay on the GPUs, cut into as many shards as there are.
2. One GPU keeps bfloat16 copies of all weights while it reads; a sharded one gathers a layer or two at a time.
3. Of every token of a micro-batch, each layer keeps what the backward pass needs; with gradient checkpointing only its
   input, and all of one layer at a time. When there is most, the logits of a chunk of targets are there as well.
4. The rest of an 80 GB GPU is for its driver, communication and what allocating leaves unused: `USABLE`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glotmix.spec import load_spec
from glotmix.study import presets
from glotmix.study.plan import make_plan
from glotmix.train.loss import LOGITS_AT_ONCE

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
TABLE = re.compile(r"(<!-- made by \S+: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ROW_TOKENS = 350  # an assumption
GIGABYTE = 1e9
USABLE = 72 * GIGABYTE  # of 80
PEAK = 989e12  # dense bfloat16 products of an H100 or H200, FLOP a second (NVIDIA's data sheet)
REACHED = 0.4  # the share of PEAK that a training is taken to reach: an assumption

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


# The models of the two published studies (docs/scale.md says how sure their shapes are). Of Gemma 3 4B the part that
# reads text: the tower that sees is frozen, and takes 4 bytes for each of its 0.42 billion parameters.
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


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def gigabytes(size: float) -> str:
    return f"{size / GIGABYTE:,.1f}"


def words(settings: Settings) -> str:
    saving = ", checkpointing" if settings.gradient_checkpointing else ""
    return f"{settings.optimizer}{saving}, {settings.tokens:,} tokens"


def memory_table() -> str:
    parts = ["weights", "gradients", "moments", "copies", "kept", "worked on"]
    tried = [
        Settings(gpus, tokens, saving, optimizer)
        for gpus in (1, 8)
        for tokens in (8192, 4096)
        for saving, optimizer in ((False, "adamw"), (True, "adamw"), (True, "adamw_8bit"))
        if (gpus, tokens) != (1, 4096)
    ]
    rows = []
    for name in ("CohereLabs/aya-23-8B", "CohereLabs/aya-23-35B"):
        for settings in tried:
            found = memory(PUBLISHED[name], settings)
            total = f"**{gigabytes(found.total)}**" if found.total <= USABLE else gigabytes(found.total)
            sizes = [gigabytes(size) for size in vars(found).values()]
            rows.append([name.split("/")[1], str(settings.gpus), words(settings), *sizes, total])
    return table(["model", "GPUs", "settings", *parts, "total (bold: fits)"], rows)


def settings_table() -> str:
    rows = []
    for name, shape in PUBLISHED.items():
        told = [name, f"{shape.parameters / 1e9:.2f}"]
        for gpus in (1, 8):
            settings = settings_for(shape, gpus)
            told += [words(settings), gigabytes(memory(shape, settings).total)] if settings else ["does not fit", ""]
        rows.append(told)
    return table(["model", "10^9 parameters", "1 x 80 GB", "GB", "8 x 80 GB", "GB on each"], rows)


def time_table() -> str:
    rows, folder = [], Path(presets.__file__).parent
    for preset in ("english-not-all", "post-trainers-guide"):
        plan = make_plan(load_spec(folder / f"{preset}.yaml"), folder, {}, {})
        trainings = {run.train: run for run in plan.runs}.values()
        steps = pl.DataFrame(
            {"model": [run.model.name for run in trainings], "steps": [run.steps for run in trainings]}
        )
        total = 0.0
        for name, by_model in steps.group_by("model", maintain_order=True):
            shape, read = PUBLISHED[str(name[0])], by_model["steps"].sum() * plan.spec.recipe.batch_rows
            settings = settings_for(shape, 1) or settings_for(shape, 8)
            assert settings
            hours = gpu_hours(shape, read * ROW_TOKENS, settings.gradient_checkpointing)
            total += hours
            told = [
                str(len(by_model)),
                f"{by_model['steps'].sum():,}",
                f"{read * ROW_TOKENS / 1e9:.2f}",
                f"{hours:,.0f}",
            ]
            rows.append([preset, str(name[0]), *told, words(settings)])
        runs = f"**{len(plan.runs)} runs**"
        rows.append([preset, runs, str(len(trainings)), f"{steps['steps'].sum():,}", "", f"**{total:,.0f}**", ""])
    return table(["preset", "model", "trainings", "steps", "10^9 tokens", "GPU-hours", "settings"], rows)


def written(page: str) -> str:
    made = {"memory": memory_table, "settings": settings_table, "time": time_table}
    return TABLE.sub(lambda found: f"{found[1]}\n{made[found[2]]()}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
