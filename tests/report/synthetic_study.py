"""Studies that were never run, with results of the shape and noise of real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.findings import of_settings
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


@dataclass(frozen=True)
class Mixture:
    """A setting as results know it, with what its languages can do."""

    setting: str
    rows: dict[str, int]
    ability: dict[str, float]
    seeds: int = 1
    baseline: str = ""
    control_of: tuple[str, ...] = ()


def results(
    *,
    rows_per_language: Sequence[int] = (0, 20, 100, 400),
    models: Sequence[str] = ("lab-1m",),
    tasks: Sequence[str] = ("math",),
    items: int = 200,
    scale: float = 1.0,
    roles: dict[str, str] = ROLES,
) -> pl.DataFrame:
    """Increments. Three seeds at the ends, one between."""
    seen = [tag for tag in roles if roles[tag] == "seen"]
    mixtures = [
        Mixture(
            f"n={rows}",
            {"en": 2000} | (dict.fromkeys(seen, rows) if rows else {}),
            {tag: ABILITY.get(tag, ABILITY["ko"])[min(step, 3)] for tag in roles},
            3 if rows in (rows_per_language[0], rows_per_language[-1]) else 1,
            "n=0" if rows and 0 in rows_per_language else "",
        )
        for step, rows in enumerate(rows_per_language)
    ]
    return records(mixtures, models=models, tasks=tasks, items=items, scale=scale, roles=roles)


CORE, EXTRA = ("en", "es", "ja", "bn", "sw"), ("de", "fr", "ru", "th", "zh")
CORE_ROLES = {tag: "anchor" if tag == "en" else "seen" for tag in CORE} | {"te": "unseen"}


def coverage(
    *, items: int = 60, models: Sequence[str] = ("lab-1m",), tasks: Sequence[str] = ("math",), controls: bool = True
) -> pl.DataFrame:
    """The 22 mixtures of study 2 under the design `mix`, and controls of the bilingual ones; three seeds of English."""
    without = [[tag for tag in CORE if tag != left] for left in CORE]
    sets = [["en"], *(["en", tag] for tag in CORE[1:]), *without, [*CORE]]
    sets += [[*four, *more] for more in (("fr", "th"), EXTRA) for four in without] + [[*CORE, *EXTRA]]
    mixtures = [_covering(tags) for tags in sets]
    if controls:
        bilingual = tuple(f"mix/en+{tag}" for tag in sorted(CORE[1:]))
        more = Mixture("mix/en+bn same rows", {"en": 2000}, _able(["en"], 0.02), 1, "mix/en", bilingual)
        fixed = Mixture(
            "mix/en+bn fixed total", {"en": 500, "bn": 500}, _able(["en", "bn"]), 1, "mix/en", bilingual[:1]
        )
        place = next(i for i, own in enumerate(mixtures) if own.setting == "mix/en+bn") + 1
        mixtures[place:place] = [more, fixed]
    return records(mixtures, models=models, tasks=tasks, items=items, roles=CORE_ROLES)


def _covering(tags: Sequence[str]) -> Mixture:
    ordered = sorted(tags, key=lambda tag: (tag != "en", tag))
    alone = ordered == ["en"]
    name = f"mix/{'+'.join(ordered)}"
    return Mixture(name, dict.fromkeys(ordered, 1000), _able(ordered), 3 if alone else 1, "" if alone else "mix/en")


def _able(tags: Sequence[str], more: float = 0.0) -> dict[str, float]:
    """Direct exposure is worth 15 points, every further language 1."""
    start = {"en": 0.6, "es": 0.45, "ja": 0.3, "bn": 0.2, "sw": 0.15, "te": 0.1}
    return {tag: value + more + 0.15 * (tag in tags and tag != "en") + 0.01 * len(tags) for tag, value in start.items()}


def records(
    mixtures: Sequence[Mixture],
    *,
    models: Sequence[str] = ("lab-1m",),
    tasks: Sequence[str] = ("math",),
    items: int = 200,
    scale: float = 1.0,
    roles: dict[str, str] = ROLES,
) -> pl.DataFrame:
    """Each item has its own difficulty, the same in every run and language."""
    noise = np.random.default_rng(0)
    found = []
    for model, task in [(model, task) for model in models for task in tasks]:
        hard = noise.normal(0, 0.12, items)
        for step, mixture in enumerate(mixtures):
            for seed in range(mixture.seeds):
                for language, role in roles.items():
                    ability = scale * mixture.ability[language] + noise.normal(0, 0.02)
                    chance = np.clip(ability * (0.8 if model.endswith("b") else 1) + scale * hard, 0, 1)
                    correct = noise.random(items) < chance
                    failures = noise.choice(
                        VERDICTS[1:6], items, p=(0.6, 0.1, 0.18 - 0.03 * min(step, 3), 0.07, 0.05 + 0.03 * min(step, 3))
                    )
                    found += [
                        {
                            "study": "demo",
                            "run": f"{model}/{mixture.setting}/seed={seed}",
                            "model": model,
                            "parameters": 1_050_000,
                            "task": task,
                            "setting": mixture.setting,
                            "baseline": mixture.baseline,
                            "control_of": list(mixture.control_of),
                            "train_languages": list(mixture.rows),
                            "anchor_rows": mixture.rows.get("en", 0),
                            "rows_per_language": max((n for tag, n in mixture.rows.items() if tag != "en"), default=0),
                            "total_rows": sum(mixture.rows.values()),
                            "optimizer_steps": 150,
                            "seed": seed,
                            "language": language,
                            "role": role,
                            "item_id": f"{task}-{item}",
                            "value": float(correct[item]),
                            "verdict": "correct" if correct[item] else str(failures[item]),
                            "parsed": "7",
                            "output_tokens": 20,
                            "detected": _detected(language, "correct" if correct[item] else str(failures[item])),
                            "metrics": _metrics(task, language, float(correct[item])),
                        }
                        for item in range(items)
                    ]
    return pl.DataFrame(found, RESULTS_SCHEMA)


def _detected(language: str, verdict: str) -> str:
    if verdict in ("no_answer", "malformed", "unjudged"):
        return ""
    return language if verdict != "wrong_language" else "es" if language == "en" else "en"


CUT = {"ja": "fugashi 1.5.2, unidic-lite 1.0.8", "zh": "jieba 0.42.1", "en": "rouge_score 0.1.2, porter nltk 3.10.4"}


def _metrics(task: str, language: str, value: float) -> list[dict[str, str | float]] | None:
    if task != "summarization":
        return None
    cut = CUT.get(language, "ICU 78.3, snowball nltk 3.10.4")
    chrf = "chrf (nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0)"
    numbers = {
        f"rouge-1 ({cut})": 0.3 + 0.6 * value,
        f"rouge-2 ({cut})": 0.1 + 0.7 * value,
        f"rouge-l ({cut})": 0.2 + 0.7 * value,
    }
    numbers |= {chrf: 0.25 + 0.7 * value, "length ratio (characters)": 1.3 - 0.2 * value}
    return [{"name": name, "value": number} for name, number in numbers.items()]


def samples(table: pl.DataFrame) -> pl.DataFrame:
    """What the runs of a results table answered, a hundred per language."""
    some = table.sort("language", "item_id", "run").group_by("task", "language", maintain_order=True).head(100)
    outputs = [
        {
            name: row[name]
            for name in (
                "model",
                "task",
                "setting",
                "seed",
                "language",
                "item_id",
                "parsed",
                "verdict",
                "value",
                "detected",
                "answer_language",
            )
        }
        | {"prompt": _text(row["language"])[0], "reference": "7", "output": _text(row["language"])[1]}
        for row in some.iter_rows(named=True)
    ]
    return pl.DataFrame(outputs, SAMPLES_SCHEMA)


def _text(language: str) -> tuple[str, str]:
    return TEXTS.get(language, TEXTS["en"])


def info(table: pl.DataFrame, question: str = "", kind: str = "increments") -> StudyInfo:
    cells = table.unique("setting", maintain_order=True)
    seeds = {name: tuple(sorted(own["seed"].unique())) for (name,), own in table.group_by("setting")}
    languages = table.select("language", "role").unique(maintain_order=True)
    settings = tuple(
        SettingSummary(
            setting=row["setting"],
            design=row["setting"].rpartition("/")[0],
            rows=f"{' '.join(row['train_languages'])}, {row['rows_per_language']} each",
            total_rows=row["total_rows"],
            optimizer_steps=row["optimizer_steps"],
            seeds=seeds[row["setting"]],
            baseline=row["baseline"],
            control_of=tuple(row["control_of"]),
        )
        for row in cells.iter_rows(named=True)
    )
    return StudyInfo(
        name="quickstart",
        question=question,
        designs=dict.fromkeys(dict.fromkeys(own.design for own in settings), kind),
        settings=settings,
        planned_runs=sum(len(own.seeds) for own in settings) * table["model"].n_unique(),
        failures={},
        roles=dict(languages.iter_rows()),
        models=tuple(ModelCard(name, 1_050_000, "0123456789abcdef") for name in table["model"].unique().sort()),
        recipe={"batch_rows": "64", "learning_rate": "0.001", "schedule": "constant", "steps": "150"},
        longer_rows=(),
        spec_yaml="name: quickstart\nmodels: [lab-1m]\npool: lab\ntasks: [math]\n",
        pool="lab",
        commands=("pip install glotmix", "glotmix run quickstart", "glotmix report quickstart"),
        cost=Cost(rows=76_800, tokens=2_690_000, seconds=283.0),
        glotmix_version="0.1.0",
    )


def findings(table: pl.DataFrame) -> pl.DataFrame:
    """Those of single settings: all others take long, and look the same."""
    return answer([of_settings], table)


def parts(
    table: pl.DataFrame, question: str = "", kind: str = "increments"
) -> tuple[StudyInfo, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What `render` takes."""
    return info(table, question, kind), table, findings(table), samples(table)
