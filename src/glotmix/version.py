"""The version of glotmix that is at work."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    try:
        return installed("glotmix")
    except PackageNotFoundError:
        return "source tree"
