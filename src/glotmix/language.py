"""Languages: a BCP-47 tag with the name, script, family and resource level that designs group by.

Names and scripts come from CLDR through `langcodes`. Families follow Glottolog's top level; the resource level is the
class given by the two studies glotmix starts from (low: bn sw te th), kept only for languages they cover.
"""

import difflib
from dataclasses import dataclass
from functools import cache

from glotmix.errors import UserError

# tag: (English name, autonym, script, family, resource level)
_KNOWN = {
    "en": ("English", "English", "Latn", "Indo-European", "high"),
    "es": ("Spanish", "español", "Latn", "Indo-European", "high"),
    "fr": ("French", "français", "Latn", "Indo-European", "high"),
    "pt": ("Portuguese", "português", "Latn", "Indo-European", "high"),
    "it": ("Italian", "italiano", "Latn", "Indo-European", "high"),
    "de": ("German", "Deutsch", "Latn", "Indo-European", "high"),
    "ru": ("Russian", "русский", "Cyrl", "Indo-European", "high"),
    "ja": ("Japanese", "日本語", "Jpan", "Japonic", "high"),
    "zh": ("Chinese", "中文", "Hans", "Sino-Tibetan", "high"),
    "ko": ("Korean", "한국어", "Kore", "Koreanic", "high"),
    "ar": ("Arabic", "العربية", "Arab", "Afro-Asiatic", "high"),
    "id": ("Indonesian", "Indonesia", "Latn", "Austronesian", "high"),
    "tr": ("Turkish", "Türkçe", "Latn", "Turkic", "high"),
    "hi": ("Hindi", "हिन्दी", "Deva", "Indo-European", "high"),
    "bn": ("Bengali", "বাংলা", "Beng", "Indo-European", "low"),
    "sw": ("Swahili", "Kiswahili", "Latn", "Atlantic-Congo", "low"),
    "te": ("Telugu", "తెలుగు", "Telu", "Dravidian", "low"),
    "th": ("Thai", "ไทย", "Thai", "Tai-Kadai", "low"),
}


@dataclass(frozen=True)
class Language:
    """One language. `script` is an ISO 15924 code; `resource` is high, low or unknown."""

    tag: str
    name: str
    autonym: str
    script: str
    family: str
    resource: str

    @staticmethod
    @cache
    def get(tag: str) -> "Language":
        """The language of a BCP-47 tag.

        Raises:
            UserError: no such language.

        >>> Language.get("bn").script
        'Beng'
        """
        if tag in _KNOWN:
            return Language(tag, *_KNOWN[tag])
        return _from_cldr(tag)


def _from_cldr(tag: str) -> Language:
    import langcodes  # slow to import, and only for languages outside the table
    from langcodes.tag_parser import LanguageTagError

    try:
        standard = langcodes.standardize_tag(tag)
        found = langcodes.Language.get(standard)
        valid = found.is_valid() and not standard.startswith("x-")  # which names no language
    except LanguageTagError:
        standard, found, valid = "", None, False
    if found is None or not valid:
        near = difflib.get_close_matches(tag, _KNOWN, n=1, cutoff=0.4) or _by_name(tag)
        hint = f"did you mean {near[0]!r}?" if near else "use a BCP-47 tag such as 'es' or 'pt-BR'"
        raise UserError(f"unknown language {tag!r}; {hint}")
    if standard != tag:
        raise UserError(f"language {tag!r} is written {standard!r} in BCP-47; write that")
    if standard.split("-")[0] in _KNOWN and (found.maximize().script == Language.get(standard.split("-")[0]).script):
        base = Language.get(standard.split("-")[0])
        return Language(tag, found.display_name(), found.autonym(), base.script, base.family, base.resource)
    return Language(tag, found.display_name(), found.autonym(), found.maximize().script or "Zyyy", "unknown", "unknown")


def _by_name(name: str) -> list[str]:
    return [tag for tag, (english, autonym, *_) in _KNOWN.items() if name.casefold() in (english.casefold(), autonym)]
