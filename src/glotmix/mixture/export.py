"""A mixture for other trainers: its rows in training order, all epochs written out, and the config that keeps it so.

Those trainers shuffle, pack and drop what is too long unless told otherwise. Every config here says: one epoch, in the
file's order, one row a sequence, the recipe's rows a step. It is written for one device: with n devices divide
`gradient_accumulation_steps` by n.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from glotmix.errors import GlotmixError, UserError
from glotmix.mixture.mixture import Mixture
from glotmix.mixture.order import SHUFFLED, training_order
from glotmix.mixture.trainers import DATA, TRAINERS, Training
from glotmix.spec import Order, Recipe, optimizer_steps

FORMATS = (*TRAINERS, "hf_dataset")
PARQUET, CARD, MANIFEST = "train.parquet", "README.md", "manifest.json"


def export(
    mixture: Mixture,
    format: str,
    folder: Path,
    recipe: Recipe,
    model: str,
    seed: int = 0,
    order: Order = SHUFFLED,
    anchor: str = "",
    steps: int | None = None,
) -> None:
    """Writes a training into a new or empty folder, for `format` to do.

    Args:
        model: what the trainer loads: a name on the hub, or a path.
        seed: of the training order; `anchor` is the language that a staged order sets apart.
        steps: instead of those of the recipe.

    Raises:
        UserError: an unknown format, one that can't train by the recipe, or a folder that isn't empty.
        GlotmixError: the folder can't be written.
    """
    if format not in FORMATS:
        raise UserError(f"format {format!r} is unknown; the formats are {', '.join(FORMATS)}")
    if recipe.longer_rows == "drop":
        raise UserError(
            "recipe.longer_rows: other trainers would drop rows after their order is made, so that a step has fewer of"
            " them; raise max_tokens, or set longer_rows: truncate"
        )
    steps = steps or optimizer_steps(recipe, len(mixture.rows))
    row_ids = training_order(mixture, seed, recipe.batch_rows, steps, order, anchor)
    training = Training(_in_order(mixture.rows, row_ids), recipe, model, seed, steps)
    files = None if format == "hf_dataset" else TRAINERS[format](training)
    told = {"seed": seed, "steps": steps, "order": order.model_dump(), "anchor": anchor, "recipe": recipe.model_dump()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} is not empty; name a new folder to export to")
        if files:
            files.rows.write_ndjson(folder / DATA)
            for name, settings in files.settings.items():
                _write(folder / name, _json(settings) if name.endswith("json") else _yaml(settings, files.command))
        else:
            training.rows.write_parquet(folder / PARQUET)
            _write(folder / CARD, _card(mixture, training))
        _write(folder / MANIFEST, _json(mixture.manifest() | {"training": told}))
    except OSError as error:
        raise GlotmixError(f"{folder}: can't be written ({error.strerror}); choose another folder") from None


def _in_order(rows: pl.DataFrame, row_ids: list[str]) -> pl.DataFrame:
    wanted = pl.DataFrame({"row_id": row_ids})
    return wanted.join(rows.unique("row_id"), on="row_id", how="left", maintain_order="left").select(rows.columns)


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)


def _yaml(settings: Mapping[str, Any], command: str) -> str:
    about = f"# In this folder, on one device: {command}\n# With n devices divide gradient_accumulation_steps by n.\n"
    return about + yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)


def _card(mixture: Mixture, training: Training) -> str:
    """The card that tells `load_dataset` what to read, and people what it is."""
    counts = mixture.counts()
    about = {
        "language": sorted(set(counts["language"])),
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": PARQUET}]}],
    }
    table = "\n".join(f"| {task} | {language} | {rows} |" for task, language, rows in counts.rows())
    named = sorted({" ".join(licence.split()) for licence in mixture.rows["licence"].unique().drop_nulls()} - {""})
    licences = ", ".join(named) or "not told"
    return f"""---
{yaml.safe_dump(about, sort_keys=False)}---

# A training mixture made by glotmix

{len(training.rows)} rows in training order, all epochs written out: {training.steps} steps of
{training.recipe.batch_rows} rows. Read them front to back. Licences of the rows: {licences}.

| task | language | rows in the mixture |
| --- | --- | --- |
{table}

Content hash (SHA-256): `{mixture.content_hash}`
"""
