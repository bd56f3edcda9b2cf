"""Which language an output is written in, offline, and only when the text itself proves it.

1. Only letters count, of the first 4,000 characters; commands of LaTeX, digits and signs are left out.
2. A script with two thirds of the letters is the text's script; without one (a mixed text) nobody can tell.
3. A script that one known language has decides from 2 letters on; kana decide for Japanese. A script that several
   share decides from 12 letters on: Chinese characters alone mean Chinese then, for a Japanese name may have several
   in a row, but no Japanese sentence does without kana.
4. Languages of the Latin script are told apart by py3langid, restricted to them, from a probability of 0.8 on:
   FLORES sentences in the 6 of them cut to 3 words are taken for another language in 1 of 750 cases, cut to 8 words
   in 1 of 3,000, whole ones never. Shorter answers rarely reach 0.8: nobody can tell.
5. A long answer is checked line by line (`passes`), so that a switch of language within it is seen.
"""

import copy
import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import Any

from glotmix.language import Language

KNOWN = ("en", "es", "fr", "pt", "it", "de", "id", "tr", "sw", "ru", "ar", "hi", "bn", "te", "th", "ko", "ja", "zh")
CHARACTERS_READ = 4_000
DOMINANT_SHARE = 2 / 3
KANA_SHARE = 0.1
LETTERS = 2
LETTERS_OF_SHARED_SCRIPT = 12
PROBABILITY = 0.8
PROSE_READ = 20_000
TOKENS = 5
_LATEX = re.compile(r"\\[A-Za-z]+")
_WORDS = re.compile(r"[^\W\d_]+")
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|(?<!\S)\S+@\S+", re.DOTALL)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_ENGLISH_PHRASE = re.compile(r"(?<![\w-])(?=(?:[a-z]+ ){0,2}[a-z]{4})[a-z]+(?: [a-z]+){2,}(?![\w-])")

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
    if "\\" in composed:
        composed = _LATEX.sub(" ", composed)
    script, letters = _dominant_script(composed)
    candidates = _candidates(script, _base(language))
    shared = script == "Hans" or len(candidates) > 1
    if not candidates or letters < (LETTERS_OF_SHARED_SCRIPT if shared else LETTERS):
        return None
    return candidates[0] if len(candidates) == 1 else _identify(" ".join(_WORDS.findall(composed)), candidates)


def is_other(found: str, language: str, reference: str = "") -> bool:
    """Whether the language detected, if any, is neither `language` nor that of the reference.

    An answer may be asked for in another language (a translation), and then its reference shows it.
    """
    return bool(found) and found != _base(language) and found != detect(reference, language)


def passes(text: str, language: str) -> bool:
    """Whether nothing in the answer is in another language than `language`, by the line.

    1. Code, addresses and everything after the first 20,000 characters are left out.
    2. Lines of fewer than 5 tokens are skipped; in scripts without spaces 2 letters count as a token. An answer without
       a longer line is judged as a whole.
    3. A line fails if it is positively in another language (`detect`), or if the language has another script than
       Latin and the line an English phrase: 3 lower-case Latin words in a row, one of them of over 3 letters.
    4. Where nobody can tell, the answer passes: an empty one, a number, a name.

    After the check of Marchisio et al. 2024, https://arxiv.org/abs/2406.20052; what differs, and why, stands in
    docs/language-check.md.

    >>> passes("残りは市場で売ります。", "ja"), passes("残りは市場で売ります。\\nShe sells the rest of it.", "ja")
    (True, False)
    """
    prose = _NO_PROSE.sub(" ", text[:PROSE_READ])
    long = [line for line in prose.splitlines() if _tokens(line) >= TOKENS]
    return not any(_switches(line, language) for line in long or [prose])


def _switches(line: str, language: str) -> bool:
    if is_other(detect(line, language) or "", language):
        return True
    return Language.get(language).script != "Latn" and bool(_ENGLISH_PHRASE.search(line))


def _tokens(line: str) -> int:
    return len(line.split()) + len(_UNSPACED.findall(line)) // 2


def _base(tag: str) -> str:
    return tag.partition("-")[0]


@cache
def _candidates(script: str, asked: str) -> tuple[str, ...]:
    return tuple(tag for tag in sorted({*KNOWN, asked}) if _same_script(Language.get(tag).script, script))


def _same_script(of_language: str, of_text: str) -> bool:
    return of_language == of_text or (of_language == "Hant" and of_text == "Hans")


def _dominant_script(text: str) -> tuple[str, int]:
    """The script of most letters and how many they are; none ("", 0) if no script dominates."""
    counts: Counter[str] = Counter()
    for sign, times in Counter(text).items():
        counts[_script(sign)] += times
    del counts[""]
    kana, han = counts["Jpan"], counts["Hans"]
    if kana >= KANA_SHARE * (kana + han):
        counts["Jpan"], counts["Hans"] = kana + han, 0
    script = max(counts, key=counts.__getitem__)
    return (script, counts[script]) if counts[script] >= DOMINANT_SHARE * counts.total() else ("", 0)


@cache
def _script(sign: str) -> str:
    """Of a letter; empty for anything else."""
    return _SCRIPTS.get(unicodedata.name(sign, "").split(" ")[0], "") if _WORDS.fullmatch(sign) else ""


def _identify(text: str, candidates: tuple[str, ...]) -> str | None:
    identifier = _identifier(candidates)
    if identifier is None:
        return None
    language, probability = identifier.classify(text)
    return language if probability >= PROBABILITY else None


@lru_cache(maxsize=64)
def _identifier(candidates: tuple[str, ...]) -> Any:
    """None if there is a candidate it never learnt: it would name a neighbour instead."""
    identifier = copy.copy(_all_languages())
    if not set(candidates) <= set(identifier.labels):
        return None
    identifier.set_languages(candidates)
    return identifier


@cache
def _all_languages() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # 0.4 s to load, and only Latin script needs it

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
