"""The lab's languages, one file each; `grammar("ja")` loads one."""

from functools import cache
from importlib import import_module

from glotmix.lab.grammar import Grammar

TAGS = ("en", "es", "fr", "ja", "zh", "ar", "ko", "pt", "de", "ru", "bn", "sw", "th", "te")


@cache
def grammar(tag: str) -> Grammar:
    """The grammar of one of `TAGS`."""
    loaded = import_module(f"glotmix.lab.languages.{tag}").GRAMMAR
    assert isinstance(loaded, Grammar)
    return loaded
