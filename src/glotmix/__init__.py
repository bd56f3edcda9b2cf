"""glotmix: which languages, how many rows of each, for which tasks, and how sure are we?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glotmix.language import Language as Language
    from glotmix.mixture import Mixture as Mixture
    from glotmix.pool import Pool as Pool
    from glotmix.spec import Recipe as Recipe
    from glotmix.study.study import Study as Study

# imported when asked for, so that `import glotmix` costs nothing
_HOMES = {
    "Language": "glotmix.language",
    "Mixture": "glotmix.mixture",
    "Pool": "glotmix.pool",
    "Recipe": "glotmix.spec",
    "Study": "glotmix.study.study",
}
__all__ = ["Language", "Mixture", "Pool", "Recipe", "Study"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'glotmix' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
