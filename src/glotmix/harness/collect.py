"""Every task of every run that files of lm_eval tell of; what can't be read is set aside with a reason."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from glotmix.errors import UserError
from glotmix.harness.files import LOG_NAME, Scored, Unreadable, first_record, plain, read_log, read_result_file
from glotmix.harness.names import outcome_and_language
from glotmix.language import Language

_SAME = 1e-9  # a mean and lm_eval's own, but for the order of summing
Aside = list[tuple[Path, str]]  # file and reason


@dataclass(frozen=True)
class Measured:
    """One task of one run in one language; `items` has doc_id, value and parsed, or is None."""

    scored: Scored
    task: str
    language: str
    metric: str
    value: float
    error: float | None
    count: int | None
    items: pl.DataFrame | None


def collect(files: Sequence[Path], metric: str | None, languages: Sequence[str], aside: Aside) -> list[Measured]:
    """What the files tell, each task of a run once; see `import_results` for the arguments.

    Raises:
        UserError: a rule for languages can't be right, or a task is measured by several metrics.
    """
    rules = [_rule(text) for text in languages]
    found = _newest(_linked(files, aside), aside)
    measured = _apart([one for scored in found for one in _measure(scored, metric, rules, aside)])
    places: dict[tuple[str, str, str], Measured] = {}
    for one in measured:
        first = places.setdefault((one.scored.run, one.task, one.language), one)
        if first is not one:
            aside.append(
                (one.scored.file, f"{one.scored.task}: {first.scored.task} is {one.task} in {one.language} too")
            )
    _one_metric(list(places.values()))
    return list(places.values())


def _one_metric(measured: Sequence[Measured]) -> None:
    """Of a task; `acc` was called `acc,none` later on."""
    first: dict[str, Measured] = {}
    for one in measured:
        other = first.setdefault(one.task, one)
        if other.metric.removesuffix(",none") != one.metric.removesuffix(",none"):
            places = [f"{each.metric!r} for {each.scored.task} of {each.scored.run}" for each in (other, one)]
            raise UserError(
                f"{one.scored.file}: {' but '.join(places)}; choose one with --metric, or import them apart"
            )


def find_files(paths: Sequence[Path]) -> list[Path]:
    """All that may be result files or logs.

    Raises:
        UserError: one of `paths` is not there.
    """
    return [file for path in paths for file in _files(path)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        found = (file for pattern in ("*.json", "*.jsonl") for file in path.rglob(pattern))
        yield from sorted(file for file in found if file.is_file())
    elif path.is_file():
        yield path
    else:
        raise UserError(f"{path}: no file or folder there; name result files of lm_eval, or a folder with them")


def _linked(files: Sequence[Path], aside: Aside) -> list[Scored]:
    """All tasks of all files, with their logs."""
    logs: dict[tuple[Path, str], dict[str, Path]] = defaultdict(dict)
    found: list[Scored] = []
    for file in dict.fromkeys(files):
        if named := LOG_NAME.fullmatch(file.name):
            logs[file.parent, named["date"]][named["task"]] = file
        else:
            found += _tasks(file, aside)
    linked = [replace(one, log=logs.get((one.file.parent, one.date), {}).pop(one.task, None)) for one in found]
    for (folder, date), rest in logs.items():
        for task, log in rest.items():
            linked += _alone(log, folder, task, date, aside)
    return linked


def _tasks(file: Path, aside: Aside) -> Iterator[Scored]:
    try:
        for one in read_result_file(file):
            if isinstance(one, Scored):
                yield one
            else:
                aside.append((file, str(one)))
    except (Unreadable, OSError) as error:
        aside.append((file, str(error)))


def _alone(log: Path, folder: Path, task: str, date: str, aside: Aside) -> Iterator[Scored]:
    """A log without its result file; lm_eval calls its folder after the model."""
    try:
        yield Scored(log, plain(folder.resolve().name), plain(task), date, log=log)
    except Unreadable as error:
        aside.append((log, str(error)))


def _newest(found: list[Scored], aside: Aside) -> list[Scored]:
    newest: dict[tuple[str, str, int | None], Scored] = {}
    for one in sorted(found, key=lambda one: (one.date, str(one.file))):
        place = (one.run, one.task, one.shots)
        if older := newest.get(place):
            aside.append((older.file, f"{older.task}: {one.file} has a newer result of {one.run}"))
        newest[place] = one
    return list(newest.values())


def _rule(text: str) -> tuple[str, str]:
    pattern, _, tag = text.rpartition("=")
    if not pattern:
        raise UserError(f"--language: {text!r}; give PATTERN=TAG, such as 'gsm8k*=en'")
    return pattern, Language.get(tag).tag


def _measure(
    scored: Scored,
    metric: str | None,
    rules: Sequence[tuple[str, str]],
    aside: Aside,
) -> Iterator[Measured]:
    """One task of a run, if it can be read."""
    try:
        task, language = _task(scored.task, rules)
        name = _metric(scored, metric)
        items = None if scored.log is None else read_log(scored.log, name)
        yield _measured(scored, task, language, name, items)
    except (Unreadable, OSError) as error:
        aside.append((scored.log or scored.file, f"{scored.task}: {error}"))


def _task(name: str, rules: Sequence[tuple[str, str]]) -> tuple[str, str]:
    told = outcome_and_language(name)
    for pattern, tag in rules:
        if fnmatchcase(name, pattern):
            return (told[0] if told and told[1] == tag else name), tag
    if told is None:
        raise Unreadable(f"its name does not tell its language; add --language '{name}=TAG'")
    return told


def _metric(scored: Scored, wanted: str | None) -> str:
    """The metric and filter that count."""
    metrics: Mapping[str, Any] = scored.metrics
    if not metrics and scored.log:
        first = first_record(scored.log)
        metrics = {f"{name},{first['filter']}": first.get(str(name)) for name in first["metrics"]}
    usable = [name for name in metrics if wanted in (name, name.partition(",")[0])] if wanted else list(metrics)
    if not usable:
        raise Unreadable(f"no metric {wanted!r}; it has {', '.join(metrics) or 'none'}")
    for name in usable:
        value, higher = metrics[name], name.partition(",")[0] not in scored.lower_is_better
        if higher and isinstance(value, int | float) and 0 <= value <= 1:
            return name
    raise Unreadable(f"{usable[0]} is {metrics[usable[0]]!r:.40}, no score from 0 to 1; choose another with --metric")


def _measured(scored: Scored, task: str, language: str, metric: str, items: pl.DataFrame | None) -> Measured:
    told = scored.metrics.get(metric)
    if items is None:
        return Measured(scored, task, language, metric, float(told or 0), scored.errors.get(metric), scored.items, None)
    value, count, spread = items["value"].mean(), len(items), items["value"].std()
    assert isinstance(value, float)
    if scored.items is not None and scored.items != count:
        raise Unreadable(f"its log has {count} of {scored.items} items")
    if told is not None and abs(told - value) > _SAME:
        raise Unreadable(f"the mean of {metric} over its log is {value:.6g}, its result file says {told:.6g}")
    error = spread / count**0.5 if isinstance(spread, float) else None
    return Measured(scored, task, language, metric, value, error, count, items)


def _apart(measured: list[Measured]) -> list[Measured]:
    """Tasks measured with several numbers of examples in the prompt are several tasks."""
    shots = defaultdict(set)
    for one in measured:
        shots[one.task].add(one.scored.shots)
    return [
        replace(one, task=f"{one.task} {one.scored.shots}-shot") if len(shots[one.task]) > 1 else one
        for one in measured
    ]
