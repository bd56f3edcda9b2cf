"""The lab's base models: Llama architecture, two sizes, shipped with the package as Hugging Face model folders."""

from pathlib import Path

SIZES = ("lab-1m", "lab-4m")


def model_path(name: str) -> Path:
    """The folder of a shipped base model, one of `SIZES`."""
    assert name in SIZES
    return Path(__file__).parent / "weights" / name
