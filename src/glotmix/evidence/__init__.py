"""Published studies as tables, and which of their printed claims follow from them."""

from glotmix.evidence.check import CHECKS_SCHEMA, VERDICTS
from glotmix.evidence.studies import checks
from glotmix.evidence.tables import STUDIES, table

__all__ = ["CHECKS_SCHEMA", "STUDIES", "VERDICTS", "checks", "table"]
