"""Which language a task of lm_eval is in, as far as its name tells.

1. Names are words joined by `_` or `-`; the last word that is a language counts: `mgsm_en_cot_sw` is Swahili.
2. A language is two letters (`et`), three letters with a script (`ben_Beng`), or three letters at the end (`amh`).
3. Two languages joined by a hyphen are a pair or a region, and nobody can tell which: the user must say.
"""

import re
from functools import cache

from glotmix.errors import UserError
from glotmix.language import Language

_LANGUAGE = re.compile(
    r"(?<=[_-])(?P<code>[a-z]{2}(?=[_-]|$)|[a-z]{3}(?=[_-](?P<script>[A-Z][a-z]{3})([_-]|$))|[a-z]{3}$)"
)
_MISNAMED = {"jp": "ja", "cn": "zh"}
_WRITTEN_AS = {"Hang": "Kore"}  # CLDR's name for what Korean is written in


@cache
def outcome_and_language(task: str) -> tuple[str, str] | None:
    """The name without its language, and the language's tag; None if the name does not tell.

    >>> outcome_and_language("mgsm_en_cot_sw"), outcome_and_language("belebele_ben_Beng")
    (('mgsm_en_cot', 'sw'), ('belebele', 'bn'))
    >>> outcome_and_language("arc_easy"), outcome_and_language("wmt16-en-ro"), outcome_and_language("mmlu_pro")
    (None, None, None)
    """
    found = [(match, tag) for match in _LANGUAGE.finditer(task) if (tag := _tag(match["code"], match["script"]))]
    if not found:
        return None
    match, tag = found[-1]
    end = match.end("script") if match["script"] else match.end()
    if len(found) > 1 and found[-2][0].end() == match.start() - 1 and task[match.start() - 1] == "-":
        return None
    name = task[: match.start() - 1] + task[end:]
    return (name, tag) if name else None


def _tag(code: str, script: str | None) -> str:
    """The tag of a language code, empty if it is none."""
    import langcodes  # slow to import

    short = langcodes.standardize_tag(_MISNAMED.get(code, code), macro=True)
    if len(code) == 2 and short != _MISNAMED.get(code, code):
        return ""
    if len(code) == 3 and script is None and len(short) != 2:
        return ""  # too many English words are codes of three letters
    written = langcodes.Language.get(short).maximize().script
    is_usual = script is None or _WRITTEN_AS.get(script, script) == written
    tag = short if is_usual else f"{short}-{script}"
    return tag if _known(tag) else ""


def _known(tag: str) -> bool:
    try:
        Language.get(tag)
    except UserError:
        return False
    return True
