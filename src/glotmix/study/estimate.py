"""How many tokens a mixture has, from a sample of its rows and without torch: what the plan says a run costs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from glotmix.errors import UserError
from glotmix.mixture import Mixture

SAMPLE = 40  # rows per task and language


def tokens_by_mixture(folders: Iterable[Path], mixtures: Mapping[str, Mixture]) -> dict[tuple[Path, str], float | None]:
    """Estimated tokens of one pass over each mixture, by model folder and mixture key.

    None for a model whose tokenizer is not in the fast format (`tokenizer.json`).

    Raises:
        UserError: a tokenizer file that can't be read.
    """
    return {
        (folder, key): tokens
        for folder in folders
        for key, tokens in zip(mixtures, _tokens(folder, list(mixtures.values())), strict=True)
    }


def _tokens(folder: Path, mixtures: list[Mixture]) -> list[float | None]:
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        return [None] * len(mixtures)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"models: {file} can't be read ({error}); save the tokenizer again") from None
    return [_estimate(tokenizer, mixture) for mixture in mixtures]


def _estimate(tokenizer: Any, mixture: Mixture) -> float:
    """Mean tokens per row of a sample of each task and language, times their rows."""
    total = 0.0
    for _, rows in mixture.rows.group_by("task", "language", maintain_order=True):
        texts = ["\n".join(message["content"] for message in messages) for messages in rows["messages"][:SAMPLE]]
        encoded = tokenizer.encode_batch(texts)
        total += len(rows) * sum(len(text.ids) for text in encoded) / len(encoded)
    return total
