"""Studies that were never run, with results of the shape and noise of real ones."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from glotmix.analysis import findings
from glotmix.analysis.table import RESULTS_SCHEMA, VERDICTS
from glotmix.report import SAMPLES_SCHEMA, Cost, ModelCard, SettingSummary, StudyInfo

ROLES = {"en": "anchor", "es": "seen", "fr": "seen", "ja": "seen", "zh": "seen"}
ROLES |= {"pt": "unseen", "ko": "unseen", "ar": "unseen"}
# accuracy at n = 0, 20, 100, 400, as in the lab's trial
ABILITY = {
    "en": (0.95, 0.93, 0.92, 0.91),
    "es": (0.28, 0.66, 0.81, 0.88),
    "fr": (0.32, 0.56, 0.77, 0.84),
    "ja": (0.04, 0.08, 0.16, 0.53),
    "zh": (0.05, 0.09, 0.28, 0.50),
    "pt": (0.24, 0.33, 0.31, 0.37),
    "ko": (0.07, 0.10, 0.12, 0.14),
    "ar": (0.17, 0.18, 0.15, 0.22),
}
TEXTS = {
    "en": ("Ana has 3 apples and buys 4 more. How many does she have?", "3 + 4 = 7. The answer is 7."),
    "es": ("Ana tiene 3 manzanas y compra 4 más. ¿Cuántas tiene?", "3 + 4 = 7. La respuesta es 7."),
    "fr": ("Ana a 3 pommes et en achète 4. Combien en a-t-elle ?", "3 + 4 = 7. La réponse est 7."),
    "ja": ("アナはりんごを3個持っていて、4個買いました。全部で何個ですか。", "3 + 4 = 7。答えは7です。"),
    "zh": ("安娜有3个苹果,又买了4个。她一共有几个?", "3 + 4 = 7。答案是7。"),
    "pt": ("Ana tem 3 maçãs e compra mais 4. Quantas ela tem?", "3 + 4 = 7. A resposta é 7."),
    "ko": ("아나는 사과 3개를 가지고 있고 4개를 더 샀습니다. 모두 몇 개입니까?", "3 + 4 = 7. 답은 7입니다."),
    "ar": ("لدى آنا ٣ تفاحات واشترت ٤ أخرى. كم تفاحة لديها؟", "٣ + ٤ = ٧. الجواب هو ٧."),
    "th": ("แอนนามีแอปเปิล 3 ผลและซื้อเพิ่มอีก 4 ผล เธอมีทั้งหมดกี่ผล", "3 + 4 = 7 คำตอบคือ 7"),
}


def results(
    *,
    rows_per_language: Sequence[int] = (0, 20, 100, 400),
    models: Sequence[str] = ("lab-1m",),
    tasks: Sequence[str] = ("math",),
    items: int = 200,
    scale: float = 1.0,
    roles: dict[str, str] = ROLES,
) -> pl.DataFrame:
    """Three seeds at the ends, one between. Each item has its own difficulty, the same in every run and language."""
    noise = np.random.default_rng(0)
    records = []
    for model, task in [(model, task) for model in models for task in tasks]:
        hard = noise.normal(0, 0.12, items)
        for step, rows in enumerate(rows_per_language):
            for seed in range(3 if rows in (rows_per_language[0], rows_per_language[-1]) else 1):
                for language, role in roles.items():
                    ability = scale * ABILITY.get(language, ABILITY["ko"])[min(step, 3)] + noise.normal(0, 0.02)
                    chance = np.clip(ability * (0.8 if model.endswith("b") else 1) + scale * hard, 0, 1)
                    correct = noise.random(items) < chance
                    failures = noise.choice(
                        VERDICTS[1:], items, p=(0.6, 0.1, 0.18 - 0.03 * min(step, 3), 0.07, 0.05 + 0.03 * min(step, 3))
                    )
                    records += [
                        {
                            "study": "demo",
                            "run": f"{model}/n={rows}/seed={seed}",
                            "model": model,
                            "parameters": 1_050_000,
                            "task": task,
                            "setting": f"n={rows}",
                            "train_languages": [tag for tag in roles if roles[tag] == "seen"],
                            "anchor_rows": 2000,
                            "rows_per_language": rows,
                            "total_rows": 2000 + 4 * rows,
                            "optimizer_steps": 150,
                            "seed": seed,
                            "language": language,
                            "role": role,
                            "item_id": f"{task}-{item}",
                            "value": float(correct[item]),
                            "verdict": "correct" if correct[item] else str(failures[item]),
                            "parsed": "7",
                            "output_tokens": 20,
                        }
                        for item in range(items)
                    ]
    return pl.DataFrame(records, RESULTS_SCHEMA)


def samples(table: pl.DataFrame) -> pl.DataFrame:
    """What the runs of a results table answered, a hundred per language."""
    some = table.sort("language", "item_id", "run").group_by("task", "language", maintain_order=True).head(100)
    records = [
        {name: row[name] for name in ("model", "task", "setting", "seed", "language", "item_id", "parsed", "verdict")}
        | {"prompt": TEXTS[row["language"]][0], "reference": "7", "output": TEXTS[row["language"]][1]}
        for row in some.iter_rows(named=True)
    ]
    return pl.DataFrame(records, SAMPLES_SCHEMA)


def info(table: pl.DataFrame, question: str = "") -> StudyInfo:
    cells = table.group_by("setting", "rows_per_language", "total_rows", "optimizer_steps").agg(pl.col("seed").unique())
    languages = table.select("language", "role").unique(maintain_order=True)
    return StudyInfo(
        name="quickstart",
        question=question,
        settings=tuple(
            SettingSummary(name, rows, total, steps, tuple(sorted(seeds)))
            for name, rows, total, steps, seeds in cells.sort("rows_per_language").iter_rows()
        ),
        roles=dict(languages.iter_rows()),
        models=tuple(ModelCard(name, 1_050_000, "0123456789abcdef") for name in table["model"].unique().sort()),
        recipe={"batch_rows": "64", "learning_rate": "0.001", "schedule": "constant", "steps": "150"},
        truncated_rows=0,
        spec_yaml="name: quickstart\nmodels: [lab-1m]\npool: lab\ntasks: [math]\n",
        pool="lab",
        commands=("pip install glotmix", "glotmix run quickstart", "glotmix report quickstart"),
        cost=Cost(rows=76_800, tokens=2_690_000, seconds=283.0),
        glotmix_version="0.1.0",
    )


def parts(table: pl.DataFrame, question: str = "") -> tuple[StudyInfo, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What `render` takes."""
    return info(table, question), table, findings(table), samples(table)
