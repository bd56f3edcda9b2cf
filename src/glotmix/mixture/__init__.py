"""Mixtures: which rows a model is trained on, and in which order.

1. A `MixtureSpec` says how many rows of each task and language.
2. `build_mixture` takes them: in each language the first ones of a ranking that no other language, task or count moves.
   `MixtureBuilder` does so for many mixtures of a pool, and shares their work.
3. A `Mixture` is the exact list of rows, with its counts and content hash; it can be written, read back, exported.
4. `training_order` writes a whole training out as a list of row ids.
"""

from glotmix.mixture.build import MixtureBuilder, TooFewRows, build_mixture
from glotmix.mixture.mixture import Mixture, MixtureSpec
from glotmix.mixture.order import training_order
from glotmix.mixture.tokens import tokens_by_language

__all__ = [
    "Mixture",
    "MixtureBuilder",
    "MixtureSpec",
    "TooFewRows",
    "build_mixture",
    "tokens_by_language",
    "training_order",
]
