"""What other trainers read: for each a table of rows, and the settings that keep order, rows a step and recipe.

Sources of the option names: TRL `SFTConfig` and transformers `TrainingArguments`; Axolotl `utils/schemas/config.py` and
`core/trainers/base.py` (`curriculum_sampling` reads in sequence); LLaMA-Factory `hparams/` and `train/sft/trainer.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.spec import Recipe, warmup_steps

DATA = "train.jsonl"
OUTPUT = "model"
OPTIMIZERS = {"adamw": "adamw_torch", "adamw_8bit": "adamw_torch_8bit"}
ROWS_A_DEVICE = 8  # rows that a device reads at once, at most


@dataclass(frozen=True)
class Training:
    """The rows of a whole training in their order, and how they are trained on."""

    rows: pl.DataFrame
    recipe: Recipe
    model: str
    seed: int
    steps: int


@dataclass(frozen=True)
class Files:
    """The rows as the trainer reads them, and its settings by file name; `command` starts it in the folder."""

    rows: pl.DataFrame
    settings: dict[str, dict[str, Any]]
    command: str


def trl(training: Training) -> Files:
    recipe = training.recipe
    settings = {
        "model_name_or_path": training.model,
        "dtype": "float32",
        "datasets": [{"path": "json", "data_files": DATA, "split": "train"}],
        "completion_only_loss": recipe.loss_on == "answer",
        "max_length": recipe.max_tokens,
        "packing": False,
        "shuffle_dataset": False,
        "train_sampling_strategy": "sequential",
        **_lora(recipe, {"use_peft": True, "lora_target_modules": ["all-linear"]}, "lora_r"),
        **_shared(training),
    }
    return Files(_prompts(training), {"sft.yaml": settings}, "trl sft --config sft.yaml")


def llama_factory(training: Training) -> Files:
    """Its templates for base models end no answer, so only `template: chat` can be trained there."""
    recipe = training.recipe
    if recipe.template == "plain":
        raise UserError(
            "format 'llama_factory': recipe.template is plain, but LLaMA-Factory teaches no end of an answer without "
            "a chat template; set template: chat, or export to trl or axolotl"
        )
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    dataset = {
        "file_name": DATA,
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags | {"system_tag": "system"},
    }
    settings = {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora" if recipe.lora else "full",
        **_lora(recipe, {"lora_target": "all"}, "lora_rank"),
        "model_name_or_path": training.model,
        "dataset_dir": ".",
        "dataset": "mixture",
        "cutoff_len": recipe.max_tokens,
        "mask_history": recipe.loss_on == "answer",
        "train_on_prompt": recipe.loss_on == "all",
        "packing": False,
        "disable_shuffling": True,
        "streaming": False,
        "overwrite_cache": True,
        **_shared(training),
    }
    files = {"dataset_info.json": {"mixture": dataset}, "sft.yaml": settings}
    return Files(training.rows.select("row_id", "messages"), files, "llamafactory-cli train sft.yaml")


def axolotl(training: Training) -> Files:
    recipe = training.recipe
    per_device, accumulated = _batches(recipe.batch_rows)
    if recipe.template == "plain":
        rows = _prompts(training)
        prompt = {"field_instruction": "prompt", "field_output": "completion", "system_prompt": ""}
        reads: dict[str, Any] = {"type": prompt | {"format": "{instruction}", "no_input_format": "{instruction}"}}
    else:
        rows = training.rows.select("row_id", messages=_marked(recipe.loss_on))
        reads = {"type": "chat_template", "field_messages": "messages", "message_field_training": "train"}
    settings = {
        "base_model": training.model,
        "datasets": [{"path": DATA, "ds_type": "json", "split": "train", **reads}],
        "dataset_prepared_path": "prepared",
        "val_set_size": 0,
        "train_on_inputs": recipe.loss_on == "all",
        "sequence_len": recipe.max_tokens,
        "excess_length_strategy": {"refuse": "raise", "truncate": "truncate"}[recipe.longer_rows],
        **_lora(recipe, {"adapter": "lora", "lora_target_linear": True}, "lora_r"),
        "sample_packing": False,
        "shuffle_merged_datasets": False,
        "curriculum_sampling": True,
        "dataset_exact_deduplication": False,
        "num_epochs": 1,
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "micro_batch_size": per_device,
        "gradient_accumulation_steps": accumulated,
        "optimizer": OPTIMIZERS[recipe.optimizer],
        "learning_rate": recipe.learning_rate,
        "lr_scheduler": _schedule(training),
        "warmup_steps": warmup_steps(recipe, training.steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_gradient_norm,
        "bf16": recipe.precision == "bfloat16",
        "fp16": False,
        "seed": training.seed,
        "logging_steps": 1,
        "save_steps": recipe.checkpoint_every,
        "output_dir": OUTPUT,
    }
    return Files(rows, {"axolotl.yaml": settings}, "axolotl train axolotl.yaml")


TRAINERS: dict[str, Callable[[Training], Files]] = {"trl": trl, "axolotl": axolotl, "llama_factory": llama_factory}


def _shared(training: Training) -> dict[str, Any]:
    """What TRL and LLaMA-Factory take from transformers' `TrainingArguments`."""
    recipe = training.recipe
    per_device, accumulated = _batches(recipe.batch_rows)
    return {
        "num_train_epochs": 1,
        "per_device_train_batch_size": per_device,
        "gradient_accumulation_steps": accumulated,
        "optim": OPTIMIZERS[recipe.optimizer],
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": _schedule(training),
        "warmup_steps": warmup_steps(recipe, training.steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_gradient_norm,
        "bf16": recipe.precision == "bfloat16",
        "seed": training.seed,
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": recipe.checkpoint_every,
        "report_to": "none",
        "output_dir": OUTPUT,
    }


def _lora(recipe: Recipe, on_all_layers: dict[str, Any], rank: str) -> dict[str, Any]:
    """Nothing for full fine-tuning."""
    if recipe.lora is None:
        return {}
    return on_all_layers | {rank: recipe.lora.rank, "lora_alpha": recipe.lora.alpha, "lora_dropout": 0.0}


def _batches(rows: int) -> tuple[int, int]:
    """Rows a device reads at once, and how often before a step."""
    per_device = max(size for size in range(1, ROWS_A_DEVICE + 1) if rows % size == 0)
    return per_device, rows // per_device


def _schedule(training: Training) -> str:
    """In transformers `constant` knows no warm-up."""
    schedule = training.recipe.schedule
    warms_up = warmup_steps(training.recipe, training.steps) > 0
    return "constant_with_warmup" if schedule == "constant" and warms_up else schedule


def _prompts(training: Training) -> pl.DataFrame:
    """Prompt and completion: messages for a chat template, and else text as the plain template writes it."""
    messages = pl.col("messages")
    asked = messages.list.head(messages.list.len() - 1)
    if training.recipe.template == "chat":
        return training.rows.select("row_id", prompt=asked, completion=messages.list.tail(1))
    content = pl.element().struct.field("content")
    return training.rows.select(
        "row_id",
        prompt=asked.list.eval(content + "\n").list.join(""),
        completion=messages.list.last().struct.field("content"),
    )


def _marked(loss_on: str) -> pl.Expr:
    """The messages, each with whether it is to be learnt: the last one, or all."""
    fields = [pl.element().struct.field(name) for name in ("role", "content")]
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    train = is_last if loss_on == "answer" else pl.lit(True)
    return pl.col("messages").list.eval(pl.struct(*fields, train=train))
