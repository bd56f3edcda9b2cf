"""The tables of docs/scale.md are what the arithmetic says; this file, run as a program, writes them anew."""

import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from transformers import AutoModelForCausalLM, CohereConfig, Gemma3TextConfig, LlamaConfig, Qwen3Config

from glotmix.spec import load_spec
from glotmix.study import presets
from glotmix.study.memory import GIGABYTE, PUBLISHED, USABLE, Settings, gpu_hours, memory, settings_for
from glotmix.study.plan import make_plan

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
TABLE = re.compile(r"(<!-- made by \S+: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ROW_TOKENS = 350
# What the hub says each checkpoint has; of Gemma 3 4B its text part.
PARAMETERS = {
    "CohereLabs/aya-23-8B": 8_028_033_024,
    "CohereLabs/aya-23-35B": 34_980_831_232,
    "meta-llama/Llama-3.1-8B": 8_030_261_248,
    "Qwen/Qwen3-0.6B-Base": 596_049_920,
    "Qwen/Qwen3-1.7B-Base": 1_720_574_976,
    "Qwen/Qwen3-8B-Base": 8_190_735_360,
    "google/gemma-3-1b-pt": 999_885_952,
    "google/gemma-3-4b-pt": 3_880_263_168,
}
CONFIGS = {"llama": LlamaConfig, "cohere": CohereConfig, "qwen3": Qwen3Config, "gemma3": Gemma3TextConfig}


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


def test_the_tables_of_the_page_are_current():
    page = PAGE.read_text("utf-8")
    assert len(TABLE.findall(page)) == 3
    assert written(page) == page, "run python tests/study/test_scale_page.py"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shapes_have_the_parameters_of_the_checkpoints_and_of_the_code(name):
    import torch

    shape = PUBLISHED[name]
    assert shape.parameters == PARAMETERS[name]
    config = CONFIGS[shape.kind](
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        head_dim=shape.head,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(weight.numel() for weight in model.parameters()) == shape.parameters


def test_35b_fits_on_8_gpus_with_8_bit_moments_only():
    shape = PUBLISHED["CohereLabs/aya-23-35B"]
    assert settings_for(shape, 1) is None
    settings = settings_for(shape, 8)
    assert settings and settings.optimizer == "adamw_8bit" and settings.gradient_checkpointing


def test_time_by_hand():
    """8.03e9 parameters less an embedding of 0.53e9, 10^9 tokens, 6 FLOP, 395.6e12 a second: 31.6 hours."""
    assert gpu_hours(PUBLISHED["meta-llama/Llama-3.1-8B"], 1e9) == pytest.approx(31.6, abs=0.05)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
