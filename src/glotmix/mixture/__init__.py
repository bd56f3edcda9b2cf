"""Mixtures: which rows a model is trained on, and in which order.

1. A `MixtureSpec` says how many rows of each task and language.
2. `build_mixture` takes them: in each language the first ones of a ranking that no other language, task or count moves.
3. A `Mixture` is the exact list of rows, with its counts and content hash; it can be written and read back.
4. `training_order` writes a whole training out as a list of row ids.
"""

from glotmix.mixture.mixture import Mixture, MixtureSpec, TooFewRows, build_mixture
from glotmix.mixture.order import training_order

__all__ = ["Mixture", "MixtureSpec", "TooFewRows", "build_mixture", "training_order"]
