"""Results in, findings with intervals out. Reads tables only, so it also serves people who trained elsewhere."""

from glotmix.analysis.declared import Declared
from glotmix.analysis.findings import accuracy_by_language, findings, gap, relative, transfer
from glotmix.analysis.questions.attribution import attribution
from glotmix.analysis.questions.contrasts import compare
from glotmix.analysis.questions.correlation import correlation
from glotmix.analysis.questions.coverage import coverage
from glotmix.analysis.questions.diversity import diversity
from glotmix.analysis.questions.efficiency import efficiency
from glotmix.analysis.questions.interference import interference
from glotmix.analysis.questions.noise_floor import noise_floor
from glotmix.analysis.questions.oscillation import oscillation
from glotmix.analysis.questions.peak import peak
from glotmix.analysis.questions.plateau import plateau
from glotmix.analysis.questions.pooled import regression
from glotmix.analysis.questions.saturation import saturation
from glotmix.analysis.questions.scale import scale
from glotmix.analysis.questions.verdicts import verdict_shares
from glotmix.analysis.table import check_means, check_results

__all__ = [
    "Declared",
    "accuracy_by_language",
    "attribution",
    "check_means",
    "check_results",
    "compare",
    "correlation",
    "coverage",
    "diversity",
    "efficiency",
    "findings",
    "gap",
    "interference",
    "noise_floor",
    "oscillation",
    "peak",
    "plateau",
    "regression",
    "relative",
    "saturation",
    "scale",
    "transfer",
    "verdict_shares",
]
