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
    """A base model on this machine."""

    name: str
    folder: Path
    content_hash: str
    parameters: int


def resolve_model(name: str, relative_to: Path, known: dict[str, str]) -> Model:
    """The model of a study's `models` entry.

    Args:
        name: a lab model, a folder (relative ones start at `relative_to`), or a name on the hub.
        relative_to: the study's folder.
        known: file hashes that need not be computed again; new ones are added.

    Raises:
        UserError: no such model, or it lacks a config, a tokenizer or safetensors weights.
        GlotmixError: the hub can't be reached.
    """
    folder = relative_to / Path(name).expanduser()
    if name in SIZES:
        found, label = model_path(name), name
    elif folder.is_dir():
        found, label = folder, folder.resolve().name
    else:
        found, label = _from_hub(name), name
    if missing := next(_missing(found), None):
        raise UserError(f"models: {name!r} ({found}) has no {missing}")
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


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False


def _shards(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if _is_json(index):
        listed: dict[str, Any] = json.loads(index.read_text(encoding="utf-8")).get("weight_map", {})
        return [folder / name for name in sorted(set(listed.values()))]
    return sorted(folder.glob("*.safetensors"))


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

    patterns = [*MODEL_FILES, "*.tiktoken"]
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
