"""Base models by name: one of the lab's, a folder, or a name on the model hub; looked at without loading it.

`resolve_model` takes what is on this machine and calls nobody; only `fetch_model`, which `run` uses, does.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from glotmix.errors import GlotmixError, UserError
from glotmix.lab.models import SIZES, model_path
from glotmix.study.identity import MODEL_FILES, model_hash

HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "*.tiktoken")


@dataclass(frozen=True)
class Model:
    """A base model. `absent` says why it can't be trained from now: it is not on this machine, or no longer.

    Of one that never was, `content_hash` is made from its name, and `parameters` is 0.
    """

    entry: str  # of the study file
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
    """
    try:
        model = _look(name, relative_to, known)
    except GlotmixError as error:
        if name not in seen:
            raise
        return Model(name, **seen[name], folder=relative_to / name, absent=error)
    if not model.absent:
        seen[name] = {"name": model.name, "content_hash": model.content_hash, "parameters": model.parameters}
    elif name in seen:
        return Model(name, **seen[name], folder=model.folder, absent=model.absent)
    return model


def _look(name: str, relative_to: Path, known: dict[str, str]) -> Model:
    folder = relative_to / Path(name).expanduser()
    if name in SIZES:
        found, label = model_path(name), name
    elif folder.is_dir():
        found, label = folder, folder.resolve().name
    else:
        found, label = _hub_copy(name), name
        if next(_missing(found), None):
            absent = GlotmixError(f"models: {name!r} is not on this machine; `glotmix run` fetches it from the hub")
            return Model(name, label, found.resolve(), f"hub:{name}", 0, absent)
    if missing := next(_missing(found), None):
        raise UserError(f"models: {name!r} ({found}) has no {missing}")
    _check_tokens_and_code(name, found)
    return Model(name, label, found.resolve(), model_hash(found, known), count_parameters(found))


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


def has_chat_template(folder: Path) -> bool | None:
    """Whether the tokenizer in a folder has one; None if no tokenizer is there."""
    if not (folder / "tokenizer_config.json").is_file() and not (folder / "tokenizer.json").is_file():
        return None
    return bool(_json(folder / "tokenizer_config.json").get("chat_template")) or any(folder.glob("chat_template*"))


def positions(folder: Path) -> int | None:
    """How many tokens the model in a folder can read; None if its config doesn't tell."""
    config = _json(folder / "config.json")
    for part in (config, _part(config, "text_config")):
        for name in ("max_position_embeddings", "n_positions"):
            if isinstance(part.get(name), int):
                return int(part[name])
    return None


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    """What a config says of a part of the model; empty if nothing."""
    part = config.get(name)
    return part if isinstance(part, dict) else {}


def width(folder: Path) -> tuple[int, int]:
    """Layers and hidden size of the model in a folder; zeros where its config doesn't tell."""
    config = _json(folder / "config.json")
    text = _part(config, "text_config") or config
    layers, hidden = (text.get(name) for name in ("num_hidden_layers", "hidden_size"))
    return (layers, hidden) if isinstance(layers, int) and isinstance(hidden, int) else (0, 0)


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


def adapter_parameters(folder: Path, rank: int) -> int:
    """How many parameters LoRA trains: beside every linear layer but the head, a matrix on either side of its rank.

    A tensor of two dimensions is such a layer unless it is an embedding, a norm, or as high as the vocabulary.
    """
    config = _json(folder / "config.json")
    vocabulary = config.get("vocab_size") or _part(config, "text_config").get("vocab_size")
    return sum(
        rank * sum(shape)
        for name, shape in _tensors(folder)
        if len(shape) == 2 and shape[0] != vocabulary and not re.search(r"embed|norm|wpe|lm_head", name)
    )


def count_parameters(folder: Path) -> int:
    """Numbers in the weights."""
    return sum(prod(shape) for _, shape in _tensors(folder))


def _tensors(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Names and shapes of the weights, from the headers of the files."""
    from safetensors import SafetensorError, safe_open

    for shard in _shards(folder):
        try:
            with safe_open(shard, framework="numpy") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (not a mapping)
                    yield name, tensors.get_slice(name).get_shape()
        except SafetensorError as error:
            raise UserError(f"models: {shard} is not a safetensors file ({error}); copy it again, whole") from None


def _hub_copy(name: str) -> Path:
    """What this machine has of a hub model: maybe its tokenizer alone, maybe nothing (a folder that isn't there)."""
    if name.startswith("lab-"):
        raise UserError(f"models: no lab model {name!r}; there are {', '.join(SIZES)}")
    if not HUB_NAME.fullmatch(name):
        raise UserError(f"models: no folder {name!r}; give a model folder, a hub name such as org/model, or {SIZES[0]}")
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(MODEL_FILES), local_files_only=True))
    except HFValidationError:
        raise UserError(f"models: {name!r} is no folder here and no name the hub allows; check its spelling") from None
    except LocalEntryNotFoundError:
        return Path(constants.HF_HUB_CACHE, "absent", name)


def fetch_model(name: str) -> None:
    """Fetches a hub model into the hub's cache on this machine.

    Raises:
        UserError: the hub has no such model that one may read.
        GlotmixError: the hub can't be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        found = Path(snapshot_download(name, allow_patterns=list(MODEL_FILES)))
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
    if missing := next(_missing(found), None):
        raise UserError(f"models: {name!r} ({found}) has no {missing}")
