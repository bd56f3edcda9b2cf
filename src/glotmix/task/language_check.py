"""Which language an output is written in, offline, and only when the text itself proves it.

1. Only letters count, of the first 4,000 characters; commands of LaTeX, digits and signs are left out.
2. A script with two thirds of the letters is the text's script; without one (a mixed text) nobody can tell.
3. A script that one known language has decides from 2 letters on; kana decide for Japanese. A script that several
   share decides from 8 letters on, capitalised words not counted: names are the same in all of them. Chinese
   characters alone mean Chinese if one is a word or a form that Japanese has not: lists of Japanese names have no kana.
4. Languages of the Latin script are told apart by py3langid, restricted to them, from a probability of 0.8 on:
   FLORES sentences in the 6 of them cut to 3 words are taken for another language in 1 of 2,000 cases, cut to 8 words
   in 1 of 6,000, whole ones never. Shorter answers rarely reach 0.8: nobody can tell.
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
LETTERS_OF_SHARED_SCRIPT = 8  # in words that don't begin with a capital
PROBABILITY = 0.8
PROSE_READ = 20_000
TOKENS = 5
_LATEX = re.compile(r"\\[A-Za-z]+")
_WORDS = re.compile(r"[^\W\d_]+")
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|(?<!\S)\S+@\S+", re.DOTALL)
_CODE_LINE = re.compile(
    r"[{};]\s*$|\w\([^()]*\)\s*(?:[:;{=]|$)|^\s*(?:import|#include|from \S+ import|git|pip|npm|\$)\s"
)
_QUOTED = re.compile('"[^"]*"|“[^”]*”|«[^»]*»|「[^」]*」|『[^』]*』|《[^》]*》')
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_ENGLISH_PHRASE = re.compile(r"(?<![\w-])(?=(?:[a-z]+ ){0,2}[a-z]{4})[a-z]+(?: [a-z]+){2,}(?![\w-])")

_CHINESE_WORDS = frozenset("是你妳您她們這很沒嗎呢")  # that Japanese characters include, but not Japanese sentences
# languages written in two scripts; that of their tag alone is what the identifier learnt
_BOTH = {"az": ("Cyrl",), "bs": ("Cyrl",), "pa": ("Arab",), "sr": ("Latn",), "uz": ("Cyrl",)}
# ISO 15924 code by the first word of a letter's Unicode name; a script not listed is called by that word
_SCRIPTS = {
    "MATHEMATICAL": "",
    "MODIFIER": "",
    "FULLWIDTH": "Latn",
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
    "ARABIC": "Arab",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TELUGU": "Telu",
    "TAMIL": "Taml",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "KANNADA": "Knda",
    "MALAYALAM": "Mlym",
    "ORIYA": "Orya",
    "SINHALA": "Sinh",
    "THAI": "Thai",
    "LAO": "Laoo",
    "KHMER": "Khmr",
    "MYANMAR": "Mymr",
    "TIBETAN": "Tibt",
    "GEORGIAN": "Geor",
    "ARMENIAN": "Armn",
    "ETHIOPIC": "Ethi",
    "HANGUL": "Kore",
    "HIRAGANA": "Jpan",
    "KATAKANA": "Jpan",
    "KATAKANA-HIRAGANA": "Jpan",
    "HALFWIDTH": "Jpan",
    "IDEOGRAPHIC": "Hans",
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
    candidates = _candidates(script, language)
    if not candidates or letters < LETTERS:
        return None
    if len(candidates) == 1 and script != "Hans":
        return candidates[0]
    words = _WORDS.findall(composed)
    if sum(len(word) for word in words if not word[0].isupper()) < LETTERS_OF_SHARED_SCRIPT:
        return None
    if len(candidates) == 1:
        return candidates[0] if any(map(_only_chinese, composed)) else None
    return _identify(" ".join(words), candidates)


def is_other(found: str, language: str, reference: str = "") -> bool:
    """Whether the language detected, if any, is neither `language` nor that of the reference.

    An answer may be asked for in another language (a translation), and then its reference shows it.
    """
    return bool(found) and found != _base(language) and found != detect(reference, language)


def passes(text: str, language: str) -> bool:
    """Whether nothing in the answer is in another language than `language`, by the line.

    1. Code, addresses and everything after the first 20,000 characters are left out. Outside of a fence, a line is code
       if it ends in a brace or semicolon or holds a call or import.
    2. Lines of fewer than 5 tokens are skipped; in scripts without spaces 2 letters count as a token. An answer without
       a longer line is judged as a whole.
    3. A line fails if it is positively in another language (`detect`), or if the language has another script than
       Latin and the line an English phrase: 3 lower-case Latin words in a row, one of them of over 3 letters. What it
       quotes counts only if there is nothing else.
    4. Where nobody can tell, the answer passes: an empty one, a number, a name.

    After the check of Marchisio et al. 2024, https://arxiv.org/abs/2406.20052; what differs, and why, stands in
    docs/language-check.md.

    >>> passes("残りは市場で売ります。", "ja"), passes("残りは市場で売ります。\\nShe sells the rest of it.", "ja")
    (True, False)
    """
    prose = [line for line in _NO_PROSE.sub(" ", text[:PROSE_READ]).splitlines() if not _CODE_LINE.search(line)]
    long = [line for line in prose if _tokens(line) >= TOKENS]
    return not any(_switches(line, language) for line in long or [" ".join(prose)])


def _switches(line: str, language: str) -> bool:
    own = _QUOTED.sub(" ", line)
    line = own if _WORDS.search(own) else line  # all of it in quotes: nobody else's words
    if is_other(detect(line, language) or "", language):
        return True
    return "Latn" not in _scripts_of(language) and bool(_ENGLISH_PHRASE.search(line))


def _tokens(line: str) -> int:
    return len(line.split()) + len(_UNSPACED.findall(line)) // 2


def _base(tag: str) -> str:
    return tag.partition("-")[0]


@cache
def _candidates(script: str, language: str) -> tuple[str, ...]:
    """None if the language asked for may be written so, but is not usually: how it looks then is not known."""
    asked = _base(language)
    usual = {tag: _one_of_han(Language.get(tag).script) for tag in (*KNOWN, asked)}
    if script in _scripts_of(language) and script != usual[asked]:
        return ()
    return tuple(tag for tag in sorted(usual) if usual[tag] == script)


@cache
def _scripts_of(language: str) -> tuple[str, ...]:
    return (_one_of_han(Language.get(language).script), *_BOTH.get(_base(language), ()))


def _one_of_han(script: str) -> str:
    return "Hans" if script == "Hant" else script


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
    first = unicodedata.name(sign, "").split(" ")[0]
    return _SCRIPTS.get(first, first) if _WORDS.fullmatch(sign) else ""


@cache
def _only_chinese(sign: str) -> bool:
    """A word of Chinese, or a character that Japan's standard (JIS, as in code page 932) has not: a simplified one."""
    if sign in _CHINESE_WORDS:
        return True
    try:
        sign.encode("cp932")
    except UnicodeEncodeError:
        return _script(sign) == "Hans"
    return False


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
