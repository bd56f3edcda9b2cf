"""Aya evaluation suite (huggingface.co/datasets/CohereLabs/aya_evaluation_suite, Apache-2.0): open-ended prompts.

    {"id": 42, "inputs": "...", "targets": "...", "language": "eng", "script": "Latn", "source_id": 1837}

Test rows of the task instructions, one of three subsets at a time (option `subset`):

- `dolly_machine_translated`: 200 prompts of Dolly-15k in 101 languages by NLLB ("Dolly200");
- `dolly_human_edited`: the same prompts put right by people in ar, es, fr, hi, ru and sr;
- `aya_human_annotated`: 250 prompts written anew in each of 7 languages.

1. Items are shared through `source_id`; human-edited rows have the ids of the machine-translated ones, so imported
   after them they take their place.
2. `language` is ISO 639-3. It becomes the BCP-47 tag, of the macrolanguage where it is its standard (arb is ar), with
   the script where it is not the language's usual one (zh-Hant).
3. `targets` is the reference. The card says that human-edited prompts have none: such rows end with their question, and
   only a judge can score an answer.
"""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from glotmix.errors import UserError
from glotmix.pool.files import data_files
from glotmix.pool.intake import Batch, Record, Unusable, parsed

_ORIGINS = {
    "dolly_machine_translated": "machine-translated:NLLB",
    "dolly_human_edited": "human-translated",
    "aya_human_annotated": "native",
}


def read(place: str, subset: str = "dolly_machine_translated") -> Iterator[Batch]:
    """The rows of one subset, of the hub dataset, a folder laid out like it, or one file.

    Raises:
        UserError: no such file or subset, or a file of another shape.
    """
    if subset not in _ORIGINS:
        raise UserError(f"subset {subset!r}: Aya's evaluation suite has {', '.join(_ORIGINS)}")
    files = data_files(place)
    for file in [file for file in files if file.config == subset] or files:
        if file.config not in ("", subset):
            raise UserError(f"{file.name}: not in subset {subset!r} but in {file.config!r}; give that as subset")
        yield from parsed(file, partial(_parse, subset))


def _parse(subset: str, record: Record) -> list[dict[str, Any]]:
    match record.value:
        case {"inputs": str(prompt), "language": str(language), "script": str(script)}:
            tag = _tag(language, script)
        case _:
            raise Unusable("no inputs, language and script")
    target = str(record.value.get("targets") or "").strip()
    answer = [] if target in ("", "None") else [{"role": "assistant", "content": target}]
    number = record.value.get("source_id")
    kind = "dolly" if subset.startswith("dolly") else "annotated"
    item_id = f"aya-{kind}-{record.value.get('id') if number is None else number}"
    messages = [{"role": "user", "content": prompt.strip()}, *answer]
    return [
        {
            "row_id": f"{item_id}:{tag}", "item_id": item_id, "task": "instructions", "language": tag,
            "split": "test", "messages": messages, "reference": target if answer else None,
            "source": "aya-evaluation-suite", "licence": "Apache-2.0",
            "origin": "native" if tag == "en" else _ORIGINS[subset],
        }
    ]  # fmt: skip


@cache
def _tag(language: str, script: str) -> str:
    """BCP-47 of an ISO 639-3 code and a script.

    >>> _tag("arb", "Arab"), _tag("kor", "Hang"), _tag("zho", "Hant")
    ('ar', 'ko', 'zh-Hant')
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        tag = langcodes.standardize_tag(language, macro=True)
        usual = langcodes.Language.get(tag).maximize().script
        written = {"Hang": "Kore"}.get(script, script)
        return tag if written == usual else langcodes.standardize_tag(f"{tag}-{script}")
    except LanguageTagError:
        raise Unusable("unknown language") from None
