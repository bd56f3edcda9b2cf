"""Results in, findings with intervals out. Reads tables only, so it also serves people who trained elsewhere."""

from glotmix.analysis.declared import Declared
from glotmix.analysis.findings import accuracy_by_language, findings, gap, relative, transfer
from glotmix.analysis.table import check_means, check_results

__all__ = [
    "Declared",
    "accuracy_by_language",
    "check_means",
    "check_results",
    "findings",
    "gap",
    "relative",
    "transfer",
]
