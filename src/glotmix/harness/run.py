"""A trained model on a task of lm-evaluation-harness, item by item. Imports torch and lm_eval.

lm_eval writes the prompts, asks the model and scores; what is kept is its own per-item log, so that the mean over items
is the number that `lm_eval run` prints for the same model folder.
"""

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

import polars as pl
import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from glotmix.errors import UserError
from glotmix.generate.load import load_model, load_tokenizer

ITEMS_SCHEMA = pl.Schema(
    {
        "doc_id": pl.Int64(),
        "prompt": pl.String(),
        "reference": pl.String(),
        "output": pl.String(),  # of a choice: every continuation with its log-likelihood
        "parsed": pl.String(),
        "value": pl.Float64(),
        "metrics": pl.List(pl.Struct({"name": pl.String(), "value": pl.Float64()})),
    }
)


def open_model(folder: Path, precision: str, batch_rows: int) -> HFLM:
    """The model of a folder as lm_eval asks it; no code that comes with it is run."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(folder, precision).to(device).eval()
    return HFLM(pretrained=model, tokenizer=load_tokenizer(folder), batch_size=batch_rows)


def run_task(
    model: HFLM,
    name: str,
    folder: Path,
    *,
    metric: str,
    filter: str,
    num_fewshot: int | None,
    limit: int | None,
    chat: bool,
) -> pl.DataFrame:
    """Every item of a task (`ITEMS_SCHEMA`), in the order of the task's documents.

    Args:
        folder: where the task's file is, and where relative paths of its data start.
        chat: prompts are written with the tokenizer's chat template.

    Raises:
        UserError: the metric of an item is not a number from 0 to 1.
    """
    with contextlib.chdir(folder):
        manager = TaskManager(include_path=folder, include_defaults=False)
        found = simple_evaluate(
            model=model,
            tasks=[name],
            task_manager=manager,  # or lm_eval reads all its thousands of tasks
            num_fewshot=num_fewshot,
            limit=limit,
            bootstrap_iters=0,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
        )
    logged = found["samples"][name]
    numbers: dict[int, dict[str, float]] = defaultdict(dict)
    for sample in logged:
        numbers[sample["doc_id"]] |= _numbers(sample)
    kept = sorted((sample for sample in logged if sample["filter"] == filter), key=lambda sample: sample["doc_id"])
    items = [_item(name, sample, f"{metric},{filter}", numbers[sample["doc_id"]]) for sample in kept]
    return pl.DataFrame(items, ITEMS_SCHEMA)


def _numbers(sample: Mapping[str, Any]) -> dict[str, float]:
    """What lm_eval measured of an item: those that are numbers, by metric and filter."""
    found = {metric: sample[metric] for metric in sample["metrics"]}
    return {
        f"{metric},{sample['filter']}": float(value)
        for metric, value in found.items()
        if isinstance(value, Real) and isfinite(value)
    }


def _item(name: str, sample: Mapping[str, Any], metric: str, numbers: Mapping[str, float]) -> dict[str, Any]:
    value = numbers.get(metric)
    if value is None or not 0 <= value <= 1:
        given = sample.get(metric.partition(",")[0])
        usable = ", ".join(other for other, number in numbers.items() if 0 <= number <= 1) or "this task has none"
        raise UserError(
            f"evaluation.lm_eval: {metric} of item {sample['doc_id']} of {name!r} is {given!r:.80}, and an outcome is a"
            f" number from 0 to 1 for each item; choose another metric ({usable})"
        )
    prompt, reference, output, parsed = _texts(sample)
    return {
        "doc_id": sample["doc_id"],
        "prompt": prompt,
        "reference": reference,
        "output": output,
        "parsed": parsed,
        "value": value,
        "metrics": [{"name": other, "value": number} for other, number in numbers.items() if other != metric],
    }


def _texts(sample: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Prompt, reference, output and parsed answer."""
    arguments, responses = sample["arguments"], [repeats[0] for repeats in sample["resps"]]
    prompt, target = str(arguments[0][0]), sample["target"]
    if isinstance(responses[0], str):
        return prompt, str(target), responses[0], _text(sample["filtered_resps"][0])
    choices = [str(argument[1]) for argument in arguments]
    scores = [float(response[0]) for response in responses]
    listed = "\n".join(f"{score:.4f}{choice}" for score, choice in zip(scores, choices, strict=True))
    is_place = isinstance(target, int) and 0 <= target < len(choices)
    reference = choices[target] if is_place else str(target)
    return prompt, reference.strip(), listed, choices[scores.index(max(scores))].strip()


def _text(answer: Any) -> str:
    return (
        answer
        if isinstance(answer, str)
        else " | ".join(map(str, answer))
        if isinstance(answer, Sequence)
        else str(answer)
    )
