"""Which backend writes a study's answers: how it is opened for a model, and what of it is in a key."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glotmix.errors import UserError
from glotmix.generate.backend import Backend
from glotmix.spec import Endpoint, Evaluation

if TYPE_CHECKING:
    from glotmix.generate.vllm_backend import VllmEngine


def answer_settings(evaluation: Evaluation) -> dict[str, Any]:
    """What changes answers, for a step's key.

    1. In float32 how transformers batches is a matter of memory; in bfloat16 rounding depends on it.
    2. Another backend has kernels, and a server perhaps a chat template, of its own: its kind is in the key.
    3. Where a server is, how it is started and how much it is asked at once is the machine's matter: in no key.
    """
    kind = backend_kind(evaluation)
    batched = kind == "transformers" and evaluation.precision == "bfloat16"
    settings = {"decoding", "precision"} | ({"tokens_per_batch"} if batched else set())
    other = {} if kind == "transformers" else {"backend": kind}
    return evaluation.model_dump(mode="json", include=settings) | other


def backend_kind(evaluation: Evaluation) -> str:
    """transformers, vllm or endpoint."""
    return evaluation.backend if isinstance(evaluation.backend, str) else evaluation.backend.kind


def check_backend(evaluation: Evaluation) -> None:
    """Before anything is trained.

    Raises:
        UserError: the backend's library is not installed.
    """
    if evaluation.backend == "vllm" and importlib.util.find_spec("vllm") is None:
        raise UserError("evaluation.backend: vllm is not installed; pip install 'glotmix[vllm]', or use transformers")


class Backends:
    """Opens backends one after the other, and keeps what is worth keeping: vLLM's engine takes a minute to start."""

    def __init__(self) -> None:
        self._engine: VllmEngine | None = None

    @contextmanager
    def open(self, evaluation: Evaluation, model: Path, calls: Path) -> Iterator[Backend]:
        """The backend for the model in a folder. An endpoint's replies are kept in the file `calls`.

        Raises:
            UserError, GlotmixError: the model can't be loaded, or no server answers.
        """
        if isinstance(evaluation.backend, Endpoint):
            with _endpoint(evaluation.backend, model, calls) as backend:
                yield backend
        elif evaluation.backend == "vllm":
            from glotmix.generate.vllm_backend import VllmEngine

            self._engine = self._engine or VllmEngine(evaluation.precision)
            with self._engine.holding(model) as backend:
                yield backend
        else:
            from glotmix.generate.transformers_backend import TransformersBackend

            yield TransformersBackend(model, evaluation.precision, evaluation.tokens_per_batch)


@contextmanager
def _endpoint(spec: Endpoint, model: Path, calls: Path) -> Iterator[Backend]:
    from glotmix.generate.calls import Calls
    from glotmix.generate.serve import open_endpoint

    with open_endpoint(
        model,
        url=spec.url or "",
        command=spec.command or "",
        api_key_env=spec.api_key_env or "",
        calls=Calls(calls),
        concurrency=spec.concurrency,
    ) as backend:
        yield backend
