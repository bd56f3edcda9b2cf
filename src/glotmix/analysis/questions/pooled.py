"""One regression over all models, tasks, mixtures and languages, as in study 2, with errors that know what rows share.

1. A row is the mean score of a run in a language. Study 2 ("English is Not All You Need", table 3) fits
   score = b0 + b1 log10(parameters) + family + task + pretrained only + target in training + b5 sqrt(L / Lmax)
   by least squares; L is the languages of the mixture, Lmax the most of any. No term interacts with another, so each is
   one number for all models, tasks and languages. Controls are left out.
2. A family is what model names have in common before their size (Qwen3-0.6B, Qwen3-8B: qwen3), if two models do.
   Families and tasks are held against the first by name.
3. A term is refused, by name, if it does not vary or always goes with others. One model has no size term, one task no
   task term.
4. Rows of a setting, of a model and of a language err alike, and all share test items: errors are clustered by each and
   by two together, the choice of items gives another, and the largest is taken; what differs only between models has as
   many points as there are models (`clustered.py`). With fewer than 5 models the rest holds for these alone; a table of
   means does not show the choice of items. The interval that takes rows as independent is in the note.
5. R2 out of sample is measured on random rows, as in study 2, and on whole settings and whole models left out.

A wild cluster bootstrap (Cameron, Gelbach & Miller 2008) has nothing to give here: the 2^5 draws of signs of 5 models
have no p value below 1/16.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from glotmix.analysis.answer import answer
from glotmix.analysis.clustered import FEWEST, MODELS, Codes, into_folds, out_of_sample, slopes, untold
from glotmix.analysis.declared import Declared, Finding
from glotmix.analysis.interval import undefined
from glotmix.analysis.scores import Array, Scores, Setting

_SIZE = re.compile(r"[-_ ]*\d+(\.\d+)?[kmb](?![a-z]).*", re.IGNORECASE)  # "-0.6B" and all that comes after
_ROWS = ("score", "model", "parameters", "task", "setting", "language", "trained", "languages")
_SIZE_TERM = "log10 parameters"
Terms = dict[str, tuple[Array, str]]  # name: its column, what its slope is


def regression(results: pl.DataFrame, declared: Declared | None = None) -> pl.DataFrame:
    """What each term is worth, in score units, and how well all predict (`FINDINGS_SCHEMA`)."""
    return answer([_of_regression], results, declared)


def of_regression(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    """Nothing where there is nothing to fit."""
    return iter(()) if _why_not(tables) else _of_regression(tables, declared)


def _of_regression(tables: Sequence[Scores], declared: Declared) -> Iterator[Finding]:
    model, task = (_only([getattr(scores, what) for scores in tables]) for what in ("model", "task"))
    if why := _why_not(tables):
        yield Finding("pooled regression", model, task, "", "score ~ terms", undefined(why))
        return
    rows = pl.DataFrame([row for scores in tables for row in _rows(scores)], _ROWS, orient="row")
    score, terms = rows["score"].to_numpy(), _terms(rows)
    columns = {name: column for name, (column, _) in terms.items()}
    why_untold = untold(columns)
    found = slopes(score, columns, _clusters(rows), lambda weights: _by_items(tables, weights))
    formula = f"score ~ {' + '.join(found)}, {len(rows)} means of a run in a language"
    if model == "" and _SIZE_TERM not in terms:
        size = undefined("parameters are not told for every model", len(rows))
        yield Finding(f"pooled regression: {_SIZE_TERM}", model, task, "", f"tenfold parameters, in {formula}", size)
    for name, (_, meaning) in terms.items():
        own = found[name] if name in found else undefined(why_untold[name], len(rows))
        yield Finding(f"pooled regression: {name}", model, task, "", f"{meaning}, in {formula}", own)
    yield from _predictions(rows, {name: columns[name] for name in found}, model, task, formula)


def _why_not(tables: Sequence[Scores]) -> str:
    settings = {setting.name: setting for scores in tables for setting in scores.settings if not setting.control_of}
    if untold_at := [name for name, setting in settings.items() if _languages(setting) is None]:
        return f"train_languages are not told at {untold_at[0]}"
    return f"{len(settings)} settings are fewer than {FEWEST}" if len(settings) < FEWEST else ""


def _languages(setting: Setting) -> int | None:
    """How many it trains on: 0 is the model before training, None is not told."""
    return len(setting.train_languages) or (0 if setting.total_rows == 0 else None)


def _rows(scores: Scores) -> Iterator[tuple[object, ...]]:
    counts = scores.used.sum(axis=1)
    for setting, values in zip(scores.settings, scores.values, strict=True):
        if setting.control_of:
            continue
        what = (scores.model, scores.parameters, scores.task, setting.name)
        for run in values.sum(axis=2) / counts:
            for tag, score in zip(scores.languages, run, strict=True):
                yield float(score), *what, tag, tag in setting.train_languages, _languages(setting)


def _by_items(tables: Sequence[Scores], weights: Array) -> tuple[float, int]:
    """Standard error of a sum of the rows (rows,), and its degrees of freedom; 0 for tables of means. Models that
    answered equally many items of a task answered the same."""
    moved: dict[tuple[str, int], Array] = {}
    for scores in tables:
        key, counts = (scores.task, scores.used.shape[1]), scores.used.sum(axis=1)
        for setting, values in zip(scores.settings, scores.values, strict=True):
            if not setting.control_of:
                own, weights = np.split(weights, [len(values) * len(counts)])
                centred = (values - (values.sum(axis=2) / counts)[..., None]) * scores.used
                moves = np.einsum("sl,sli->i", own.reshape(len(values), -1) / counts, centred)
                moved[key] = moved.get(key, 0.0) + moves
    variance = sum(len(moves) * float(np.var(moves, ddof=1)) for moves in moved.values() if len(moves) > 1)
    return float(np.sqrt(variance)), max(1, min(map(len, moved.values())) - 1)


def _terms(rows: pl.DataFrame) -> Terms:
    """By name, in the order of study 2."""
    most = int(rows["languages"].to_numpy().max())
    size, families, tasks = rows["parameters"], rows["model"].replace_strict(family_of(rows["model"])), rows["task"]
    terms: Terms = {}
    if not size.null_count() and rows["model"].n_unique() > 1:
        terms[_SIZE_TERM] = (size.log10().to_numpy(), "tenfold parameters")
    for name, values in (("family", families), ("task", tasks)):
        first, *others = sorted(values.unique())
        for other in others:
            terms[f"{name} {other}"] = ((values == other).cast(float).to_numpy(), f"{name} {other} against {first}")
    if (rows["languages"] == 0).any():
        terms["pretrained only"] = ((rows["languages"] == 0).cast(float).to_numpy(), "no training against training")
    terms["target in training"] = (rows["trained"].cast(float).to_numpy(), "rows in the target language against none")
    spread = (rows["languages"] / most).sqrt().to_numpy()
    return terms | {"sqrt(L / Lmax)": (spread, f"from no language to Lmax = {most}")}


def family_of(models: pl.Series) -> dict[str, str]:
    """By model name; one family for all if no two models share what stands before their size.

    >>> sorted(family_of(pl.Series(["Qwen/Qwen3-0.6B-Base", "Qwen/Qwen3-8B-Base", "google/gemma-3-1b-pt"])).values())
    ['gemma-3', 'qwen3', 'qwen3']
    """
    stems = {name: _SIZE.sub("", name.rpartition("/")[2]).lower() for name in models.unique()}
    return stems if max(Counter(stems.values()).values()) > 1 else dict.fromkeys(stems, "")


def _clusters(rows: pl.DataFrame) -> dict[str, Codes]:
    places = {"settings": "setting", MODELS: "model", "languages": "language"}
    return {of: rows[column].rank("dense").cast(pl.Int64).to_numpy() for of, column in places.items()}


def _predictions(
    rows: pl.DataFrame, columns: Mapping[str, Array], model: str, task: str, formula: str
) -> Iterator[Finding]:
    score, clusters = rows["score"].to_numpy(), _clusters(rows)
    left_out = {"random rows": (np.arange(len(rows)), "settings"), "whole settings": (clusters["settings"], "settings")}
    if model == "":
        left_out["whole models"] = (clusters[MODELS], MODELS)
    for what, (codes, counted) in left_out.items():
        folds = clusters[MODELS] if counted == MODELS else into_folds(codes)
        found = out_of_sample(score, columns, folds, clusters[counted], counted)
        told = f"1 - squared errors / squared distances from the mean, {what} left out; {formula}"
        yield Finding(f"pooled regression: R2, {what} left out", model, task, "", told, found, unit="share", null=None)


def _only(names: Sequence[str]) -> str:
    """The one name there is, or none for several."""
    return names[0] if len(set(names)) == 1 else ""
