"""Identity: a step's key is a hash of its config, the content of its inputs and the version of its code.

Never in a key: paths, hosts, devices, process counts, times, names, or the order in which a spec lists things.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

KEY_LENGTH = 24
SHA256 = re.compile("[0-9a-f]{64}")
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template*",
    "*.model",
    "*.tiktoken",
    "*.safetensors",
    "*.safetensors.index.json",
)


def key(kind: str, version: int, **inputs: Any) -> str:
    """The key of a step, from JSON-like inputs in which the order of mapping keys means nothing."""
    step = {"kind": kind, "version": version, "inputs": inputs}
    text = json.dumps(step, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def model_files(folder: Path) -> list[Path]:
    """The files that make a model what it is: config, tokenizer, weights; not its card, whatever it says."""
    return sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()})


def model_hash(folder: Path, known: dict[str, str]) -> str:
    """Hash of a model folder's content, the same wherever the folder lies.

    Args:
        folder: config, tokenizer and weights in Hugging Face layout.
        known: file hashes by path, size and time of change; new ones are added, so that large weights are read once.
    """
    digest = hashlib.sha256()
    for path in model_files(folder):
        digest.update(f"{path.name} {_file_hash(path, known)}\n".encode())
    return digest.hexdigest()


def _file_hash(path: Path, known: dict[str, str]) -> str:
    """SHA-256. The hub's cache names the blob of a large file by it, so tens of gigabytes need not be read."""
    state, file = path.stat(), path.resolve()
    if file.parent.name == "blobs" and SHA256.fullmatch(file.name):
        return file.name
    name = f"{file} {state.st_size} {state.st_mtime_ns}"
    if name not in known:
        with file.open("rb") as content:
            known[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return known[name]
