"""Libraries at work in the user's own process, where there is no log: what they say of themselves is kept back."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Neither warnings nor progress bars; errors are still told. Imports torch."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            from transformers.utils import logging as bars

            shown = bars.is_progress_bar_enabled()
            bars.disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                yield
            finally:
                if shown:
                    bars.enable_progress_bar()  # type: ignore[no-untyped-call]
    finally:
        logging.disable(logging.NOTSET)
