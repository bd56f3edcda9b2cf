"""A model that judges answers to open-ended instructions, behind any OpenAI-compatible endpoint."""

from typing import Annotated, Literal

from pydantic import Field

from glotmix.spec.words import Number, Positive, Spec

Price = Annotated[Number, Field(ge=0)]


class Prices(Spec):
    """In whatever currency the endpoint bills."""

    input: Price
    output: Price


class Judge(Spec):
    """Who judges the task `instructions`, and how: `rating` from 1 to 5, or `pairwise` against the baseline's answer.

    `api_key_env` names the environment variable with the key; null for a server that wants none.
    """

    model: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
    kind: Literal["rating", "pairwise"] = "rating"
    api_key_env: Annotated[str, Field(min_length=1)] | None = "OPENAI_API_KEY"
    concurrency: Positive = 8
    max_new_tokens: Positive = 512
    price_per_million_tokens: Prices | None = None
