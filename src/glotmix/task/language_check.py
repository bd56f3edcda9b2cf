"""Which language an output is written in, offline, and only when the text itself proves it.

1. Only letters count, of the first 4,000 characters; commands of LaTeX, digits and signs are left out.
2. A script with two thirds of the letters is the text's script; without one (a mixed text) nobody can tell.
3. A script that one known language has decides from 2 letters on; kana decide for Japanese. A script that several
   share decides from 12 letters on: Chinese characters alone mean Chinese then, for a Japanese name may have several
   in a row, but no Japanese sentence does without kana.
4. Languages of the Latin script are told apart by py3langid, restricted to them, from a probability of 0.8 on:
   FLORES sentences in the 6 of them cut to 3 words are taken for another language in 1 of 750 cases, cut to 8 words
   in 1 of 3,000, whole ones never. Shorter answers rarely reach 0.8: nobody can tell.
"""

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

from glotmix.language import Language

KNOWN = ("en", "es", "fr", "pt", "it", "de", "id", "tr", "sw", "ru", "ar", "hi", "bn", "te", "th", "ko", "ja", "zh")
CHARACTERS_READ = 4_000
DOMINANT_SHARE = 2 / 3
KANA_SHARE = 0.1
LETTERS = 2
LETTERS_OF_SHARED_SCRIPT = 12
PROBABILITY = 0.8

# ISO 15924 code by the first word of a letter's Unicode name
_SCRIPTS = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
    "ARABIC": "Arab",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TELUGU": "Telu",
    "TAMIL": "Taml",
    "THAI": "Thai",
    "HANGUL": "Kore",
    "HIRAGANA": "Jpan",
    "KATAKANA": "Jpan",
    "CJK": "Hans",
}


def detect(text: str, language: str) -> str | None:
    """The base tag of the language that `text` is positively written in; None if nobody can tell.

    `language`, the one asked for, joins the candidates.

    >>> detect("Sie verkauft den Rest auf dem Markt.", "fr"), detect("12 km", "fr"), detect("사과", "fr")
    ('de', None, 'ko')
    """
    composed = unicodedata.normalize("NFC", text[:CHARACTERS_READ])
    words = re.findall(r"[^\W\d_]+", re.sub(r"\\[A-Za-z]+", " ", composed))
    script, letters = _dominant_script("".join(words))
    candidates = tuple(tag for tag in {*KNOWN, _base(language)} if _same_script(Language.get(tag).script, script))
    shared = script == "Hans" or len(candidates) > 1
    if not candidates or letters < (LETTERS_OF_SHARED_SCRIPT if shared else LETTERS):
        return None
    return candidates[0] if len(candidates) == 1 else _identify(" ".join(words), candidates)


def is_other(found: str, language: str, reference: str = "") -> bool:
    """Whether the language detected, if any, is neither `language` nor that of the reference.

    An answer may be asked for in another language (a translation), and then its reference shows it.
    """
    return bool(found) and found != _base(language) and found != detect(reference, language)


def _base(tag: str) -> str:
    return tag.partition("-")[0]


def _same_script(of_language: str, of_text: str) -> bool:
    return of_language == of_text or (of_language == "Hant" and of_text == "Hans")


def _dominant_script(letters: str) -> tuple[str, int]:
    """The script of most letters and how many they are; none ("", 0) if no script dominates."""
    counts = Counter(script for letter in letters if (script := _script(letter)))
    kana, han = counts["Jpan"], counts["Hans"]
    if kana >= KANA_SHARE * (kana + han):
        counts["Jpan"], counts["Hans"] = kana + han, 0
    script = max(counts, key=counts.__getitem__)
    return (script, counts[script]) if counts[script] >= DOMINANT_SHARE * counts.total() else ("", 0)


@cache
def _script(letter: str) -> str:
    return _SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0], "")


def _identify(text: str, candidates: tuple[str, ...]) -> str | None:
    probabilities = {tag: p for tag, p in _identifier().rank(text) if tag in candidates}
    if not set(candidates) <= set(probabilities):  # a candidate it never learnt: it would name a neighbour instead
        return None
    best = max(probabilities, key=probabilities.__getitem__)
    return best if probabilities[best] >= PROBABILITY * sum(probabilities.values()) else None


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # 0.4 s to load, and only wrong outputs need it

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
