"""The report: a study's question, design, curves, findings and sample outputs in one HTML file that opens offline."""

from glotmix.report.info import SAMPLES_SCHEMA, Cost, JudgeCost, ModelCard, SettingSummary, StudyInfo
from glotmix.report.page import export, render, write_report

__all__ = [
    "SAMPLES_SCHEMA",
    "Cost",
    "JudgeCost",
    "ModelCard",
    "SettingSummary",
    "StudyInfo",
    "export",
    "render",
    "write_report",
]
