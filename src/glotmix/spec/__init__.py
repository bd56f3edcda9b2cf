"""The study file: every word a `study.yaml` may use.

1. A spec is frozen and canonical: what a default stands for is written out before it is hashed.
2. An unknown key, a value out of range or a language twice is a `UserError` naming the key, the value and the fix.
3. Nothing here reads a pool or a model; `study/plan.py` checks the spec against them.
"""

from glotmix.spec.analysis import Analysis
from glotmix.spec.designs import Design
from glotmix.spec.file import load_spec
from glotmix.spec.judge import Judge
from glotmix.spec.study import Languages, Seeds, StudySpec
from glotmix.spec.training import (
    Endpoint,
    Evaluation,
    Lora,
    Order,
    Outcome,
    Recipe,
    Selection,
    optimizer_steps,
    warmup_steps,
)
from glotmix.spec.words import PerTask, per_task

__all__ = [
    "Analysis",
    "Design",
    "Endpoint",
    "Evaluation",
    "Judge",
    "Languages",
    "Lora",
    "Order",
    "Outcome",
    "PerTask",
    "Recipe",
    "Seeds",
    "Selection",
    "StudySpec",
    "load_spec",
    "optimizer_steps",
    "per_task",
    "warmup_steps",
]
