"""Tasks of lm-evaluation-harness as a study names them: found, checked and identified without running their code.

1. A task is looked for in the outcome's own folder first (`include_path`), then among those that lm_eval brings.
2. Its identity is its config, the content of its local data, and of the Python files beside it if it uses any;
   lm_eval's version stands for what lm_eval brings. Data sets of the hub are known by name alone (no revision).
3. Its metric must be a number per item: perplexities and scores of whole corpora are refused.
"""

import difflib
import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from glotmix.errors import UserError
from glotmix.spec import Outcome

NOT_PER_ITEM = frozenset(
    {
        "perplexity",
        "word_perplexity",
        "byte_perplexity",
        "bits_per_byte",
        "f1",
        "mcc",
        "bleu",
        "chrf",
        "ter",
        "likelihood",
    }
)


@dataclass(frozen=True)
class HarnessTask:
    """One task of an outcome: `metric` of the answers that `filter` took, and all that its scores depend on."""

    outcome: str
    language: str
    name: str
    folder: Path  # of its YAML file
    metric: str
    filter: str
    identity: Mapping[str, Any]


def find_tasks(outcomes: Mapping[str, Outcome], relative_to: Path) -> list[HarnessTask]:
    """The tasks of every outcome, by outcome and language.

    Args:
        relative_to: where a relative `include_path` starts: the study's folder.

    Raises:
        UserError: lm_eval is not installed, a task is not there, or it can't be an outcome as it is asked for.
    """
    return [
        _found(f"evaluation.lm_eval.{name}", name, tag, outcome, relative_to)
        for name, outcome in sorted(outcomes.items())
        for tag in sorted(outcome.tasks)
    ]


def _found(key: str, outcome_name: str, tag: str, outcome: Outcome, relative_to: Path) -> HarnessTask:
    name = outcome.tasks[tag]
    config, file, root = _look_up(key, name, outcome, relative_to)
    _check(key, name, config, outcome)
    metric, taken = _metric(key, name, config, outcome)
    identity = {
        "lm_eval": importlib.metadata.version("lm_eval"),
        "config": _portable({k: v for k, v in config.items() if k not in _by_content(config, file.parent)}, root),
        "data": _data(key, name, config, file.parent, root),
        "code": _code(config, root) if root != _builtin_root() else {},
    }
    return HarnessTask(outcome_name, tag, name, file.parent, metric, taken, identity)


def _look_up(key: str, name: str, outcome: Outcome, relative_to: Path) -> tuple[dict[str, Any], Path, Path]:
    """A task's config with its functions unresolved, its file, and the folder that it was looked for in."""
    known: set[str] = set()
    for root in _roots(key, outcome, relative_to):
        index = _index(root) if root == _builtin_root() else _read_index(root)
        if name in index and index[name].kind.name in ("TASK", "PY_TASK"):
            return index[name].cfg, index[name].yaml_path, root
        if name in index:
            raise UserError(f"{key}: {name!r} is a group of tasks; name one task for each language")
        known |= index.keys()
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`lm_eval ls tasks` lists them"
    own = f" ({outcome.include_path} included; lm_eval skips files it can't read)" if outcome.include_path else ""
    raise UserError(f"{key}: lm_eval has no task {name!r}{own}; {hint}")


def _roots(key: str, outcome: Outcome, relative_to: Path) -> list[Path]:
    builtin = _builtin_root(key)
    if outcome.include_path is None:
        return [builtin]
    own = (relative_to / Path(outcome.include_path).expanduser()).resolve()
    if not own.is_dir():
        raise UserError(f"{key}.include_path: no folder {outcome.include_path!r}; name the one with the task files")
    return [own, builtin]


@cache
def _builtin_root(key: str = "evaluation.lm_eval") -> Path:
    """The folder of the tasks that lm_eval brings."""
    try:
        import lm_eval.tasks
    except ImportError:
        raise UserError(f"{key}: needs lm-evaluation-harness; pip install 'glotmix[lm-eval]'") from None
    return Path(lm_eval.tasks.__file__).resolve().parent


@cache
def _index(root: Path) -> Mapping[str, Any]:
    return _read_index(root)


def _read_index(root: Path) -> Mapping[str, Any]:
    """lm_eval's own index of a folder: no function of a task is imported."""
    from lm_eval.tasks import TaskManager

    index: Mapping[str, Any] = TaskManager(include_path=root, include_defaults=False).task_index
    return index


def _check(key: str, name: str, config: Mapping[str, Any], outcome: Outcome) -> None:
    if config.get("unsafe_code"):
        raise UserError(f"{key}: {name!r} runs code that the model writes, which glotmix does not; choose another task")
    if config.get("output_type") == "loglikelihood_rolling":
        raise UserError(f"{key}: {name!r} measures perplexity, not answers from 0 to 1; choose another task")
    if outcome.num_fewshot and config.get("num_fewshot") == 0:
        asked = f"{key}.num_fewshot: {outcome.num_fewshot}"
        raise UserError(f"{asked}, but {name!r} sets it to 0 and lm_eval keeps to that; leave it out")


def _metric(key: str, name: str, config: Mapping[str, Any], outcome: Outcome) -> tuple[str, str]:
    """Metric and filter: those asked for, or the first of the task that can be an outcome."""
    metrics, filters = _metrics(config), [part["name"] for part in config.get("filter_list") or [{"name": "none"}]]
    wanted, _, taken = (outcome.metric or "").partition(",")
    usable = [metric for metric, higher in metrics.items() if higher and _per_item(metric, config)]
    if (wanted and metrics and wanted not in usable) or (taken and taken not in filters):
        has = " or ".join(f"{metric},{part}" for metric in usable for part in filters) or "none"
        raise UserError(
            f"{key}.metric: {outcome.metric!r} is no metric of {name!r} with a score for each item; it has {has}"
        )
    if not wanted and not usable:
        raise UserError(f"{key}: glotmix can't tell the metrics of {name!r}; name one, as in `metric: acc`")
    return wanted or usable[0], taken or filters[0]


def _metrics(config: Mapping[str, Any]) -> dict[str, bool]:
    """Whether higher is better, by metric; empty if the config does not tell."""
    if listed := config.get("metric_list"):
        return {str(part["metric"]).rpartition(".")[2]: bool(part.get("higher_is_better", True)) for part in listed}
    from lm_eval.api.registry import DEFAULT_METRIC_REGISTRY

    return dict.fromkeys(DEFAULT_METRIC_REGISTRY.get(config.get("output_type"), ()), True)


def _per_item(metric: str, config: Mapping[str, Any]) -> bool:
    """A function of the task's own may give any metric for each item."""
    return metric not in NOT_PER_ITEM or bool(config.get("process_results"))


def _portable(value: Any, root: Path) -> Any:
    """A config without this machine's paths, as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _portable(part, root) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(part, root) for part in value]
    return value if isinstance(value, int | float | None) else str(value).replace(f"{root}/", "")


def _code(config: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Of a task that uses Python functions, the content of all Python files beside it: they may import each other."""
    uses = f"{root}/" in str(config)
    return {str(file.relative_to(root)): _content(file) for file in sorted(root.rglob("*.py"))} if uses else {}


def _data(key: str, name: str, config: Mapping[str, Any], folder: Path, root: Path) -> Any:
    """What a task's data set is made from; local files by their content."""
    settings = dict(config.get("dataset_kwargs") or {})
    for place in ("data_files", "data_dir"):
        if place in settings:
            settings[place] = _contents(key, name, settings[place], folder)
    if "dataset_path" in _by_content(config, folder):
        settings["folder"] = _contents(key, name, config["dataset_path"], folder)
    return _portable(settings, root)


def _by_content(config: Mapping[str, Any], folder: Path) -> set[str]:
    """The keys whose values are places: `_data` has what is there instead."""
    is_folder = (folder / str(config.get("dataset_path"))).is_dir()
    return {"dataset_kwargs", "dataset_path"} if is_folder else {"dataset_kwargs"}


def _contents(key: str, name: str, places: Any, folder: Path) -> Any:
    if isinstance(places, Mapping):
        return {str(split): _contents(key, name, part, folder) for split, part in places.items()}
    if isinstance(places, list):
        return [_contents(key, name, part, folder) for part in places]
    if "://" in str(places):
        return str(places)
    if files := _files(folder / str(places)):
        return [_content(file) for file in files]
    raise UserError(
        f"{key}: the data of {name!r}, {places}, is not in {folder}; a relative path starts at the task's file"
    )


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    found = place.rglob("*") if place.is_dir() else Path(place.anchor).glob(str(place.relative_to(place.anchor)))
    return sorted(file for file in found if file.is_file())


def _content(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
