"""Judged answers: a model reads what was asked and answered, and says how good the answer is.

1. A `Case` is one answer, with the question and, for pairs, the answer it is compared with.
2. `rating` and `pairwise` say what is asked about a case (nothing, where it decides itself) and what replies mean.
3. A prompt is a text file with its version in the name; a changed prompt is a new file.
4. A `Judge` asks an endpoint about many cases; equal requests are asked once, and a request ever answered never again.
5. No readable reply means no value: the answer is `unjudged`, which is not a zero.
"""

from glotmix.judge.case import Answer, Case
from glotmix.judge.judge import Call, Judge, Judgement

__all__ = ["Answer", "Call", "Case", "Judge", "Judgement"]
