"""What sources of tool calls have in common: the form of an answer, and a row that `glotmix.task.api_calls` can score.

An answer is one JSON object, whatever form the source writes its calls in; names and keys keep the source's language.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.intake import Unusable
from glotmix.task import get_task

CALL_FORM = 'Answer with one JSON object: {"name": "<function>", "arguments": {"<parameter>": <value>}}'


def api_row(
    item_id: str, language: str, asked: Sequence[Mapping[str, str]], call: tuple[str, Mapping[str, Any]], **facts: str
) -> dict[str, Any]:
    """One row; `asked` are the messages before the answer, `call` is (name, arguments), `facts` are split to origin.

    Raises:
        Unusable: the call is none that the task's scorer accepts as a reference.
    """
    name, arguments = call
    try:
        answer = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False, allow_nan=False)
        verdict = get_task("api_calls").score(answer, answer, language=language).verdict
    except (ValueError, TypeError, RecursionError, UserError):
        verdict = "malformed"
    if verdict != "correct":
        raise Unusable("call can't be scored")
    return {
        "row_id": f"{item_id}:{language}", "item_id": item_id, "task": "api_calls", "language": language,
        "messages": [*asked, {"role": "assistant", "content": answer}], "reference": answer, **facts,
    }  # fmt: skip
