"""Words of a text, as ROUGE counts them: a segmenter per language, whose name and version belong to a metric's name.

1. English: the words of `rouge_score` itself (ASCII letters and digits, Porter stems), so that its numbers are kept.
2. Elsewhere letters, marks and numbers count; every other sign ends a word. Letters are composed (NFC) and lower-case;
   in Chinese, Japanese and Korean full-width forms are the plain ones (NFKC, which would break Thai vowels).
3. Japanese is cut by MeCab with UniDic, Chinese by jieba, Thai by newmm, everything else by ICU's word boundaries.
4. Words of over 3 letters are stemmed (Snowball) in the languages that the usual scorer of XL-Sum stems and NLTK has.

Segmenters read what their packages hold: nothing is downloaded, printed or written.
Source of 1, 2 and 4: https://github.com/csebuetnlp/xl-sum, multilingual_rouge_scoring.
"""

import os
import unicodedata
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from typing import NamedTuple

Cut = Callable[[str], list[str]]

SNOWBALL = {
    "ar": "arabic", "da": "danish", "de": "german", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
}  # fmt: skip
STEMMED_LETTERS = 4  # and more
MECAB_CHARACTERS = 10_000  # at a time: given 200,000 it can bring the process down
_FULL_WIDTH = ("ja", "ko", "zh")


class Segmenter(NamedTuple):
    """`name` says what the words depend on: tools, dictionaries, their versions."""

    name: str
    words: Cut


@cache
def segmenter(language: str) -> Segmenter:
    """The segmenter of a BCP-47 tag, loaded once.

    >>> segmenter("ja").words("２０２４年、犬が走った。"), segmenter("es").words("¡Los perros corrían!")
    (['2024', '年', '犬', 'が', '走っ', 'た'], ['los', 'perr', 'corr'])
    """
    base = language.partition("-")[0]
    if base == "en":
        return _english()
    name, cut = {"ja": _mecab, "zh": _jieba, "th": _newmm}.get(base, lambda: _icu(language))()
    form = "NFKC" if base in _FULL_WIDTH else "NFC"
    if base not in SNOWBALL:
        return Segmenter(name, lambda text: _cut(cut, _plain(text, form)))
    stem = _snowball(SNOWBALL[base])
    return Segmenter(
        f"{name}, snowball nltk {version('nltk')}", lambda text: [stem(word) for word in _cut(cut, _plain(text, form))]
    )


class _Signs(dict[int, str]):
    """For `str.translate`: letters, marks and numbers stay, invisible characters go, anything else is a space."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))[0]
        self[code] = chr(code) if kind in "LMN" else "" if kind == "C" else " "
        return self[code]


_SIGNS = _Signs()


def _plain(text: str, form: str) -> str:
    return unicodedata.normalize(form, text).lower().translate(_SIGNS)  # type: ignore[arg-type]


def _cut(cut: Cut, text: str) -> list[str]:
    return [word for word in map(str.strip, cut(text)) if word]


def _english() -> Segmenter:
    from nltk.stem.porter import PorterStemmer
    from rouge_score.tokenize import tokenize

    class Stems(PorterStemmer):  # type: ignore[misc]
        @lru_cache(maxsize=2**16)  # noqa: B019 (there is one, kept as long as the program)
        def stem(self, word: str) -> str:
            return str(super().stem(word))

    stems = Stems()
    name = f"rouge_score {version('rouge_score')}, porter nltk {version('nltk')}"
    return Segmenter(name, lambda text: list(tokenize(text, stems)))


def _snowball(language: str) -> Callable[[str], str]:
    from nltk.stem.snowball import SnowballStemmer

    stemmer = SnowballStemmer(language)

    @lru_cache(maxsize=2**16)
    def stem(word: str) -> str:
        return stemmer.stem(word) or word if len(word) >= STEMMED_LETTERS else word

    return stem


def _mecab() -> Segmenter:
    import fugashi
    import unidic_lite

    folder = unidic_lite.DICDIR  # named, because fugashi prefers another UniDic if one is installed
    tagger = fugashi.Tagger(f'-Owakati -r "{folder}/mecabrc" -d "{folder}"')
    name = f"fugashi {version('fugashi')}, unidic-lite {version('unidic-lite')}"

    def cut(text: str) -> list[str]:
        pieces = (text[start : start + MECAB_CHARACTERS] for start in range(0, len(text), MECAB_CHARACTERS))
        return [word for piece in pieces for word in tagger.parse(piece).split()]

    return Segmenter(name, cut)


def _jieba() -> Segmenter:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its age: old escapes, pkg_resources
        import jieba
    tokenizer = jieba.Tokenizer()
    # as its initialize() does, without the log lines and the cache that processes share in the temporary folder
    with tokenizer.get_dict_file() as words:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(words)
    tokenizer.initialized = True
    return Segmenter(f"jieba {version('jieba')}", tokenizer.lcut)


def _newmm() -> Segmenter:
    if "PYTHAINLP_READ_MODE" not in os.environ:
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # else its import makes a folder in the user's home
    from pythainlp.tokenize.newmm import segment

    return Segmenter(f"pythainlp {version('pythainlp')} newmm", segment)


def _icu(language: str) -> Segmenter:
    from icu4py import icu_version
    from icu4py.breakers import WordBreaker

    return Segmenter(f"ICU {icu_version}", lambda text: list(WordBreaker(text, language)))
