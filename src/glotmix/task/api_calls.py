"""Tool calls: an output is right if it makes the calls of the reference, whatever form it writes them in.

1. `calls.read` finds the calls, as JSON, in Python's syntax or API-Bank's; nothing is ever executed.
2. `calls.reference` says what is wanted: one plain call, or several with all that is accepted, or none.
3. `calls.grade` gives the three gradings and their parts (`metrics`): strict, AST (BFCL's rule), by kind of value.
4. `value` is the strict grading of a plain call, the AST grading otherwise; `rule` names the form read and the grading.

>>> call = '{"name": "set_alarm", "arguments": {"day": "lundi", "hour": 7}}'
>>> score("[set_alarm(hour=7.0, day='lundi')]", call, language="fr").rule
'python alone, strict'
>>> score('{"name": "set_alarm", "arguments": {"day": "Monday", "hour": 7}}', call, language="fr").verdict
'wrong'
"""

import re

from glotmix.task.calls.grade import grade, texts
from glotmix.task.calls.read import read_calls
from glotmix.task.calls.reference import read_reference
from glotmix.task.score import Score, choose_verdict

__all__ = ["VERSION", "read_reference", "score"]
VERSION = 2
_BROKEN_CALL = re.compile(r"[{<]|\w\(")


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if the calls are right by the reference's grading, else 0; `metrics` as in `glotmix.task.calls.grade`."""
    wanted = read_reference(reference)
    found = read_calls(output, wanted.parameters)
    metrics = grade(found.calls, wanted)
    value = metrics[wanted.grading]
    # keys and tool names are English everywhere: a call's language is that of its values
    values = [part for call in found.calls or () for part in texts(call.arguments)]
    verdict, detected = choose_verdict(
        correct=value == 1,
        finished=finished,
        answered=bool(found.text),
        language=language,
        prose=" ".join(values) if found.calls is not None else "" if _BROKEN_CALL.search(found.text) else found.text,
        reference_prose=" ".join(part for call in wanted.calls for part in texts(dict(call.accepted))),
        well_formed=found.calls is not None,
    )
    parsed = found.text if found.calls is not None else ""
    return Score(value, verdict, parsed, metrics, f"{found.rule}, {wanted.grading}", detected)
