"""Tasks of lm-evaluation-harness in a folder of their own: sums to choose from in three languages, and one to write."""

import json
from pathlib import Path

import yaml

LANGUAGES = ("en", "es", "fr")
CHOICE = {
    "dataset_path": "json",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}",
    "doc_to_target": "gold",
    "doc_to_choice": "choices",
    "metric_list": [
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
        {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True},
    ],
    "metadata": {"version": 1.0},
}
WRITE = {
    "dataset_path": "json",
    "test_split": "test",
    "output_type": "generate_until",
    "doc_to_text": "{{question}}",
    "doc_to_target": "{{answer}}",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 6, "do_sample": False},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    "filter_list": [
        {"name": "strict", "filter": [{"function": "regex", "regex_pattern": "is (\\d+)"}, {"function": "take_first"}]},
        {"name": "flexible", "filter": [{"function": "regex", "regex_pattern": "(\\d+)"}, {"function": "take_first"}]},
    ],
    "metadata": {"version": 1.0},
}


def write_task(folder: Path, name: str, config: dict, data: str) -> None:
    told = {"task": name, "dataset_kwargs": {"data_files": {"test": data}}, **config}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")


def write_tasks(folder: Path) -> Path:
    """add_en, add_es, add_fr and write_en, with eight items each."""
    folder.mkdir(parents=True, exist_ok=True)
    for tag in LANGUAGES:
        sums = [
            {
                "question": f"{tag}: {n} + 1 =",
                "choices": [str(n + 1), str(n + 2), str(n + 11)],
                "gold": 0,
                "answer": str(n),
            }
            for n in range(8)
        ]
        lines = "".join(json.dumps(line) + "\n" for line in sums)
        (folder / f"add_{tag}.jsonl").write_text(lines, encoding="utf-8")
        write_task(folder, f"add_{tag}", CHOICE, f"add_{tag}.jsonl")
    answers = ["13", "13", "7", "45", "0", "56", "9", "1"]  # some are what lab-1m writes
    lines = "".join(
        json.dumps({"question": f"en: {n} + 1 =", "answer": answer}) + "\n" for n, answer in enumerate(answers)
    )
    (folder / "write_en.jsonl").write_text(lines, encoding="utf-8")
    write_task(folder, "write_en", WRITE, "write_en.jsonl")
    return folder
