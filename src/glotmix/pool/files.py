"""From a place to its data files. A local file, a local folder and a dataset on the Hugging Face hub take one path.

1. A folder, here or on the hub, is listed through `fsspec`; nothing of it is run, and no loading script is needed.
2. Where its README declares configurations (`configs:` with `data_files:`), they say what is in it. Where these name
   no split, `datasets` would train on all; here a file named test or validation is that.
3. Elsewhere names do, as `datasets` reads them: `train-00000-of-00002.parquet`, `dev/`, `test.jsonl` tell the split,
   and a sub-folder that does not is the configuration.
"""

import re
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.folder import MANIFEST
from glotmix.pool.formats import access_errors
from glotmix.pool.record import DataFile

_FORMATS = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "csv": "csv",
    "tsv": "tsv",
    "parquet": "parquet",
    "txt": "lines",
    "conll": "blocks",
    "conllu": "blocks",
}
_COMPRESSED = {"gz", "bz2", "xz"}
_NOT_DATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json"}
_SPLITS = {
    "train": {"train", "training"},
    "validation": {"validation", "valid", "dev", "val"},
    "test": {"test", "testing", "eval", "evaluation"},
}
_HUB_NAME = r"[\w.-]+(/[\w.-]+)?"
_CONVERTED = "@refs%2Fconvert%2Fparquet"  # where the hub keeps the Parquet files it made of a dataset


def data_files(place: str, pattern: str = "*") -> list[DataFile]:
    """The data files of a local file, a local folder or a hub dataset, sorted; of a folder those `pattern` matches.

    A pattern is for the last part of the path, as in the shell.

    Raises:
        UserError: no such place, it can't be reached, or nothing in it is a data file.
    """
    path = Path(place).expanduser()
    if path.is_dir():
        found = _listed(str(path.resolve()), str(path), pattern)
    elif path.exists():
        if not _format(path.name):
            raise UserError(f"{place}: not a kind of file glotmix reads; it reads {', '.join(_FORMATS)}")
        return [DataFile(str(path), str(path.resolve()), _format(path.name), _split(path.name))]
    elif place == str(path) and not path.is_absolute() and re.fullmatch(_HUB_NAME, place) and not _format(place):
        found = _on_hub(place, pattern)
    else:
        raise UserError(f"{place}: can't be read (no such file or folder); give a file, a folder or a hub dataset")
    if not found:
        what = "no data file" if pattern == "*" else f"no {pattern}"
        raise UserError(f"{place}: {what} in there; give the folder or one of its files")
    return found


def _on_hub(name: str, pattern: str) -> list[DataFile]:
    import logging

    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    root = f"hf://datasets/{name}"
    unreachable = access_errors(root)
    try:
        return _listed(root, name, pattern) or _listed(root + _CONVERTED, name, pattern)
    except GatedRepoError:
        why = "access must be asked for on its page, and `hf auth login` done here"
    except (RepositoryNotFoundError, FileNotFoundError):
        why = "neither a file or folder here nor a dataset on the hub"
    except unreachable as error:
        why = f"no such file or folder here, and the hub can't be reached ({type(error).__name__})"
    raise UserError(f"{name}: {why}")


def _listed(root: str, name: str, pattern: str) -> list[DataFile]:
    import fsspec

    fs, base = fsspec.core.url_to_fs(root)
    paths = [PurePosixPath(path).relative_to(base) for path in sorted(fs.find(base))]
    visible = [path for path in paths if not any(part.startswith((".", "__")) for part in path.parts)]
    pools = {path.parent for path in visible if path.name == MANIFEST}  # glotmix's own, no source
    files = [path for path in visible if not pools.intersection(path.parents)]
    files = [path for path in files if _format(path.name) and path.name not in _NOT_DATA]
    files = [path for path in files if fnmatch(path.name, pattern)]
    configs = _declared(fs.cat_file(f"{base}/README.md")) if PurePosixPath("README.md") in visible else []
    if not configs:
        return [_file(root, name, path, _split(str(path)), _config(path)) for path in files]
    found = []
    for config, split, wanted in configs:
        matched = {PurePosixPath(path).relative_to(base) for each in wanted for path in fs.glob(f"{base}/{each}")}
        found += [
            _file(root, name, path, split or _split(str(path)) or "train", config) for path in files if path in matched
        ]
    return found


def _declared(readme: bytes) -> list[tuple[str, str, list[str]]]:
    """Configuration, split ("" if not named) and patterns of files, as the README's head declares them.

    No pattern reaches outside its folder.
    """
    from datasets.data_files import sanitize_patterns
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCard
    from yaml import YAMLError

    try:
        card = DatasetCard(readme.decode(), ignore_metadata_errors=True)
        configs = MetadataConfigs.from_dataset_card_data(card.data)
        wanted = {name: facts.get("data_files") or _below(facts.get("data_dir")) for name, facts in configs.items()}
        found = [
            (config, (_split(split) or split) if _names_splits(files) else "", patterns)
            for config, files in wanted.items()
            for split, patterns in sanitize_patterns(files).items()
        ]
    except (YAMLError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [(config, split, [each for each in patterns if _inside(each)]) for config, split, patterns in found]


def _below(folder: Any) -> str:
    return f"{folder}/**" if folder else "**"


def _names_splits(data_files: Any) -> bool:
    return isinstance(data_files, dict) or any(isinstance(each, dict) for each in data_files)


def _inside(pattern: str) -> bool:
    return not ("://" in pattern or "::" in pattern or pattern.startswith("/") or ".." in PurePosixPath(pattern).parts)


def _file(root: str, name: str, path: PurePosixPath, split: str, config: str) -> DataFile:
    config = "" if config == "default" else config
    return DataFile(f"{name}/{path}", f"{root}/{path}", _format(path.name), split, config)


def _format(name: str) -> str:
    """By the extension; "" if it is none of a data file."""
    stem, _, extension = name.lower().rpartition(".")
    return _format(stem) if extension in _COMPRESSED else _FORMATS.get(extension, "")


def _split(path: str) -> str:
    """The split that words of the file's name tell, else the folders'; "" if none does.

    >>> _split("data/train-00000-of-00001.parquet"), _split("en/dev.jsonl"), _split("mgsm_en.tsv")
    ('train', 'validation', '')
    """
    for part in reversed(PurePosixPath(path).parts):
        words = set(re.split("[^a-z]+", part.lower()))
        for split, keywords in _SPLITS.items():
            if words & keywords:
                return split
    return ""


def _config(path: PurePosixPath) -> str:
    """The innermost folder that is neither `data` nor a split."""
    named = [part for part in path.parent.parts if part != "data" and not _split(part)]
    return named[-1] if named else ""
