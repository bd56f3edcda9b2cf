"""What sources of tool calls have in common: the form of an answer, and a row that `glotmix.task.api_calls` can score.

An answer is JSON, whatever form the source writes its calls in; names and keys keep the source's language.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.intake import Unusable
from glotmix.task import get_task

CALL_FORM = 'Answer with one JSON object: {"name": "<function>", "arguments": {"<parameter>": <value>}}'
CALLS_FORM = (
    'Answer with a JSON list of calls: [{"name": "<function>", "arguments": {"<parameter>": <value>}}, ...]; '
    "if no function fits, with []"
)


def api_row(
    item_id: str, language: str, asked: Sequence[Mapping[str, str]], call: tuple[str, Mapping[str, Any]],
    other_language: Mapping[str, Any] | None = None, **facts: str,
) -> dict[str, Any]:  # fmt: skip
    """The row of one plain call, (name, arguments).

    `asked` are the messages before the answer, `other_language` the arguments in another language, if they are known;
    `facts` are split to origin.

    Raises:
        Unusable: the call is none that the task's scorer accepts as a reference.
    """
    answer = {"name": call[0], "arguments": call[1]}
    other = {key: value for key, value in (other_language or {}).items() if key in call[1]}
    return calls_row(item_id, language, asked, answer, answer | ({"other_language": other} if other else {}), **facts)


def calls_row(
    item_id: str, language: str, asked: Sequence[Mapping[str, str]], answer: Any, reference: Any, **facts: str
) -> dict[str, Any]:
    """The row of an answer and a reference as in `glotmix.task.calls.reference`.

    Raises:
        Unusable: the answer is not right by the reference, or the reference is none.
    """
    try:
        content, wanted = (json.dumps(part, ensure_ascii=False, allow_nan=False) for part in (answer, reference))
        verdict = get_task("api_calls").score(content, wanted, language=language).verdict
    except (ValueError, TypeError, RecursionError, UserError):
        verdict = "malformed"
    if verdict != "correct":
        raise Unusable("call can't be scored")
    return {
        "row_id": f"{item_id}:{language}", "item_id": item_id, "task": "api_calls", "language": language,
        "messages": [*asked, {"role": "assistant", "content": content}], "reference": wanted, **facts,
    }  # fmt: skip
