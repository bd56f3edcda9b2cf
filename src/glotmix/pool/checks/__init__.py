"""Checks of a pool: what in it would spoil a study, row by row. `check_pool` runs them all."""

from glotmix.pool.checks.check import CHECKS, EXAMPLES, FINDINGS_SCHEMA, CheckReport, check_pool, failing, save
from glotmix.pool.checks.progress import showing_progress
from glotmix.pool.checks.reading import open_folder

__all__ = [
    "CHECKS",
    "EXAMPLES",
    "FINDINGS_SCHEMA",
    "CheckReport",
    "check_pool",
    "failing",
    "open_folder",
    "save",
    "showing_progress",
]
