"""The report: a study's question, design, curves, findings and sample outputs in one HTML file that opens offline.

`page.write_report` writes it; charts are slow to import, and tables on a terminal need none.
"""

from glotmix.report.info import SAMPLES_SCHEMA, Cost, JudgeCost, ModelCard, SettingSummary, StudyInfo

__all__ = ["SAMPLES_SCHEMA", "Cost", "JudgeCost", "ModelCard", "SettingSummary", "StudyInfo"]
