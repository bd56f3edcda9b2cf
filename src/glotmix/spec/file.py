"""Reads a YAML file of a spec; what is wrong with it becomes one line that names the key, the value and the fix."""

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from glotmix.errors import UserError
from glotmix.spec.study import StudySpec

_Model = TypeVar("_Model", bound=BaseModel)


class _Double(yaml.MarkedYAMLError):
    """A key is there twice; YAML's own loaders silently take the last."""


class _Loader(yaml.SafeLoader):
    """The safe loader, without the silence on double keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise _Double(problem=f"key {key.value!r} is there twice; keep one", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_spec(path: Path) -> StudySpec:
    """Reads and checks a study file.

    Raises:
        UserError: the file is missing, is not YAML, or one of its keys or values is not allowed.
    """
    return load_yaml(path, StudySpec, "study file", f"`glotmix init {path.parent}` makes one")


def load_yaml(path: Path, model: type[_Model], what: str, remedy: str) -> _Model:
    """Reads and checks a file of any model; `what` names it, `remedy` says what to do where there is none.

    Raises:
        UserError: as `load_spec`.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no {what} there; {remedy}") from None
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        fault = error.problem if isinstance(error, _Double) else "not YAML; check indentation, colons and UTF-8"
        raise UserError(f"{path}{line}: {fault}") from None
    if not isinstance(raw, dict):
        keys = ", ".join([name for name, field in model.model_fields.items() if field.is_required()][:3])
        raise UserError(f"{path}: a {what} is a mapping of keys such as {keys}; got {type(raw).__name__}")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{path}: {_first_fault(error, raw, model)}") from None


def _first_fault(error: ValidationError, raw: dict[Any, Any], model: type[BaseModel]) -> str:
    """One line: the key, what is wrong, the value, and how many more keys are at fault."""
    faults = [(_keys(fault, raw), fault) for fault in error.errors()]
    first = faults[0][0]
    # of a key that takes one thing or another, the fault found deepest is of the thing that was meant
    location, fault = max((pair for pair in faults if pair[0][: len(first)] == first), key=lambda pair: len(pair[0]))
    message, value = _described(fault, location, raw, model)
    others = len({keys for keys, _ in faults if keys[: len(first)] != first[: len(keys)]})
    more = f"; {others} more" if others else ""
    where = f"{'.'.join(map(str, location))}: " if location else ""
    return f"{where}{message}{value}{more}"


def _keys(fault: ErrorDetails, raw: Any) -> tuple[Any, ...]:
    """Where in the file a fault is: its location without pydantic's names for the branches of a union."""
    kept: list[Any] = []
    is_in_branch = False
    for part in fault["loc"]:
        is_there = (isinstance(raw, dict) and part in raw) or (isinstance(raw, list) and isinstance(part, int))
        if isinstance(raw, dict) and raw.get("kind") == part and not is_in_branch:
            is_in_branch = True  # `groups` is a kind, and a key of that kind
        elif is_there:
            kept.append(part)
            raw, is_in_branch = raw[part], False
    if fault["type"] == "missing":
        kept.append(fault["loc"][-1])
    if fault["type"].startswith("union_tag"):
        kept.append("kind")
    return tuple(kept)


def _described(
    fault: ErrorDetails, location: tuple[Any, ...], raw: dict[Any, Any], model: type[BaseModel]
) -> tuple[str, str]:
    """What is wrong, and the value where that helps."""
    message, given = fault["msg"].removeprefix("Value error, ").split(" or instance of")[0], fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown key; {_nearest(location, raw, model)}", ""
        case "missing":
            return message, ""
        case "union_tag_not_found":
            return "Field required", ""
        case "union_tag_invalid":
            message, given = f"Input should be one of {fault['ctx']['expected_tags']}", fault["ctx"]["tag"]
        case "string_type" if isinstance(given, bool):
            message = "YAML reads yes, no, on and off as true and false; put the word in quotes"
        case "tuple_type":
            message = f"Input should be a list{_as_list(given)}"
        case "model_type":
            keys = ", ".join(list(_fields(_models_at(location, raw, model)))[:3])
            message = f"Input should be a mapping of keys such as {keys}"
        case "value_error" if isinstance(given, dict):
            return message, ""  # the message names the value that is wrong in it
    return message, f" (got {given!r:.80})"


def _as_list(value: Any) -> str:
    return f", like [{value}]" if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _nearest(location: tuple[Any, ...], raw: Any, model: type[BaseModel]) -> str:
    """The key that may have been meant, or those there are."""
    known = list(_fields(_models_at(location[:-1], raw, model)))
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known keys: {', '.join(known)}" if known else "remove it"


def _models_at(location: tuple[Any, ...], value: Any, model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that a place in the file may hold; of those with a kind, the one of the kind given there."""
    models = [model]
    for part in location:
        value = value[part]
        fields = _fields(models)
        models = _models(fields[part]) if part in fields else models
        if isinstance(value, dict) and isinstance(kind := value.get("kind"), str):
            models = [model for model in models if kind in get_args(model.model_fields["kind"].annotation)]
    return models


def _fields(models: list[type[BaseModel]]) -> dict[str, Any]:
    """Annotations by the keys of the file."""
    fields = [pair for model in models for pair in model.model_fields.items()]
    return {field.alias or name: field.annotation for name, field in fields}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
