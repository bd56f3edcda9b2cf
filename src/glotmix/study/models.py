"""Base models by name: one of the lab's, a folder, or a name on the model hub; looked at without loading it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glotmix.errors import GlotmixError, UserError
from glotmix.lab.models import SIZES, model_path
from glotmix.study.identity import MODEL_FILES, model_hash

HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "*.tiktoken")


@dataclass(frozen=True)
class Model:
    """A base model. `absent` says why it can't be trained from: it was here once, but no longer is."""

    name: str
    folder: Path
    content_hash: str
    parameters: int
    absent: GlotmixError | None = None


Seen = dict[str, dict[str, Any]]  # what is remembered of a model, by its `models` entry


def resolve_model(name: str, relative_to: Path, known: dict[str, str], seen: Seen) -> Model:
    """The model of a study's `models` entry.

    Args:
        name: a lab model, a folder (relative ones start at `relative_to`), or a name on the hub.
        relative_to: the study's folder.
        known: file hashes that need not be computed again; new ones are added.
        seen: models that were here before, so that results outlive them; those that are here now are added.

    Raises:
        UserError: no such model, it lacks a config, a tokenizer, an end token or safetensors weights, or it needs
            code of its own.
        GlotmixError: the hub can't be reached.
    """
    try:
        model = _look(name, relative_to, known)
    except GlotmixError as error:
        if name not in seen:
            raise
        return Model(**seen[name], folder=relative_to / name, absent=error)
    seen[name] = {"name": model.name, "content_hash": model.content_hash, "parameters": model.parameters}
    return model


def _look(name: str, relative_to: Path, known: dict[str, str]) -> Model:
    folder = relative_to / Path(name).expanduser()
    if name in SIZES:
        found, label = model_path(name), name
    elif folder.is_dir():
        found, label = folder, folder.resolve().name
    else:
        found, label = _from_hub(name), name
    if missing := next(_missing(found), None):
        raise UserError(f"models: {name!r} ({found}) has no {missing}")
    _check_tokens_and_code(name, found)
    return Model(label, found.resolve(), model_hash(found, known), _parameters(found))


def _missing(folder: Path) -> Iterator[str]:
    """What the folder lacks, with the fix."""
    if not _is_json(folder / "config.json"):
        yield "readable config.json; point to a folder written by save_pretrained()"
    if not any(True for pattern in TOKENIZER_FILES for _ in folder.glob(pattern)):
        yield "tokenizer; save it there with tokenizer.save_pretrained()"
    shards = _shards(folder)
    if not shards:
        yield "safetensors weights; save the model there with model.save_pretrained()"
    for shard in shards:
        if not shard.is_file():
            yield f"{shard.name}, which its index lists; copy the folder again, whole"


def _check_tokens_and_code(name: str, folder: Path) -> None:
    """Some tokenizers know their end token by their class alone; the config then has its id."""
    config, tokenizer = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
    if "auto_map" in config or "auto_map" in tokenizer:
        raise UserError(
            f"models: {name!r} needs code of its own (auto_map), and glotmix runs no code that comes with a model;"
            " choose a model whose architecture transformers has"
        )
    named = [tokenizer.get("eos_token"), _json(folder / "special_tokens_map.json").get("eos_token")]
    if not any(named) and config.get("eos_token_id") is None:
        raise UserError(
            f"models: the tokenizer of {name!r} has no end token; name one as eos_token in its tokenizer_config.json"
        )


def _is_json(path: Path) -> bool:
    return bool(_json(path))


def _json(path: Path) -> dict[str, Any]:
    """The object in a file; empty if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _shards(folder: Path) -> list[Path]:
    if index := _json(folder / "model.safetensors.index.json"):
        listed = list(index.get("weight_map", {}).values())
        for name in listed:
            if name != Path(str(name)).name:
                raise UserError(f"models: the index in {folder} lists {name!r}; it may list only files beside it")
        return [folder / name for name in sorted(set(listed))]
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else []


def _parameters(folder: Path) -> int:
    """Numbers in the weights, from the headers of the files."""
    from safetensors import SafetensorError, safe_open

    count = 0
    for shard in _shards(folder):
        try:
            with safe_open(shard, framework="numpy") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (not a mapping)
                    size = 1
                    for width in tensors.get_slice(name).get_shape():
                        size *= width
                    count += size
        except SafetensorError as error:
            raise UserError(f"models: {shard} is not a safetensors file ({error}); copy it again, whole") from None
    return count


def _from_hub(name: str) -> Path:
    """The folder of a hub model: the copy on this machine if it is whole, else fetched."""
    if name.startswith("lab-"):
        raise UserError(f"models: no lab model {name!r}; there are {', '.join(SIZES)}")
    if not HUB_NAME.fullmatch(name):
        raise UserError(f"models: no folder {name!r}; give a model folder, a hub name such as org/model, or {SIZES[0]}")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    patterns = list(MODEL_FILES)
    try:
        here = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if next(_missing(here), None) is None:
            return here
    except HFValidationError:
        raise UserError(f"models: {name!r} is no folder here and no name the hub allows; check its spelling") from None
    except LocalEntryNotFoundError:
        pass
    return _fetch(name, patterns)


def _fetch(name: str, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except GatedRepoError:
        raise UserError(
            f"models: {name!r} is gated; accept its terms on the hub and log in with `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise UserError(
            f"models: the hub has no model {name!r} that you may read, and no folder is called so"
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise GlotmixError(
            f"models: {name!r} is not on this machine and the hub can't be reached ({type(error).__name__}); "
            "connect, or give a model folder"
        ) from None
