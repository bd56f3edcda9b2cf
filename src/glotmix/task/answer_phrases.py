r"""The words that announce an answer or a problem, in the languages of MGSM, the lab and both published studies.

A place is one of these; all languages are looked for in every output, for models answer in the wrong one:

1. `boxed{` and `####`;
2. a phrase, a noun and a verb before the number ("The answer to the question is 18", 答えは18) or the number before
   them ("18 is the answer", 18が答えです);
3. a label, a noun with a colon or the number right behind or below it ("Answer: 18", 答案：18, Ответ — 18).

What is denied there ("The answer is not 18", 18ではなく) is not announced. A heading ("Question:", 問題：) of a new
line behind other text is the next problem, which a model that doesn't stop goes on with.

All patterns expect `fold`ed text. Each begins with a literal or a class, so that `re` skips quickly, and repeats are
bounded, so that no text takes long.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Phrases(NamedTuple):
    """Regular expressions. `link` stands between a number and the noun behind it; `again` takes an answer back."""

    noun: str
    verb: str
    link: str
    again: str
    problem: str  # what a problem is headed by


_THEN = r"(?=\s?[,.!…:;—–-]| no\b)"  # "Wait, ..." is a correction, "they wait 5 days" is not
_BARE = r"[\s—–*_-]{1,4}"
PHRASES = {
    "en": Phrases(
        "answer",
        r"(?:is|are|was|equals|would be)\b",
        "is|are|was",
        r"wait|actually|correction|oops|sorry|i made a mistake",
        "question|problem|q",
    ),
    "es": Phrases(
        "respuesta", r"(?:es|son|sería)\b", "es|son", "espera|perdón|corrección|me equivoqué", "pregunta|problema"
    ),
    "pt": Phrases(
        "resposta", r"(?:é|são|seria)\b", "é|são", "espere|espera|correção|errei|desculpe", "pergunta|problema"
    ),
    "fr": Phrases(
        "réponse",
        r"(?:est|sont|serait)\b",
        "est|sont",
        "attendez|attends|correction|pardon|désolée?|je me suis trompée?",
        "question|problème",
    ),
    "it": Phrases(
        "risposta", r"(?:è|sono|sarebbe)\b", "è|sono", "aspetta|correzione|scusa|ho sbagliato", "domanda|problema"
    ),
    "de": Phrases(
        "antwort",
        r"(?:ist|sind|lautet|beträgt|wäre)\b",
        "ist|sind|lautet",
        "moment|warte|korrektur|falsch|entschuldigung",
        "frage|aufgabe",
    ),
    "ru": Phrases(
        "ответ",
        r"(?:равен|это|будет|составляет)\b",
        "это|является|есть",
        "подождите?|исправление|неверно",
        "задача|вопрос",
    ),
    "sw": Phrases("jibu", r"ni\b", "ni|ndilo|ndio", "subiri|samahani|marekebisho", "swali"),
    "id": Phrases("jawaban", r"(?:adalah|ialah|yaitu)\b", "adalah|ialah", "tunggu|koreksi|ralat", "pertanyaan|soal"),
    "tr": Phrases("cevap|cevab", "", "", "bekle|düzeltme|yanlış", "soru"),
    "ar": Phrases("الإجابة|الاجابة|الجواب|إجابة", r"(?:هي|هو|يساوي)\b", "هو|هي", "انتظر|تصحيح|عفوا|خطأ", "السؤال|سؤال"),
    "hi": Phrases("उत्तर|जवाब", "है|होगा", "ही|है", "रुकिए|रुको|सुधार|गलत", "प्रश्न|सवाल"),
    "bn": Phrases("উত্তর", "হলো|হল|হচ্ছে|হবে", "হলো|হল|হচ্ছে", "দাঁড়ান|সংশোধন|ভুল", "প্রশ্ন"),
    "te": Phrases("సమాధానం|జవాబు", "", "అనేది", "ఆగండి|సవరణ|తప్పు", "ప్రశ్న"),
    "th": Phrases("คำตอบ", "คือ|เป็น|เท่ากับ", "คือ|เป็น", "เดี๋ยว|แก้ไข|ผิด", "โจทย์|คำถาม"),
    "ko": Phrases("정답|답", "은|는|이", "이|가", "잠깐|정정|아니|틀렸", "문제|질문"),
    "ja": Phrases("答え|正解|解答|答", "は", "が|は", "待って|訂正|間違", "問題|質問"),
    "zh": Phrases(
        "答案|答",
        "(?:应该|應該|就|应)?(?:是|为|為)|等于|等於",
        "就?(?:是|为|為)",
        "等等|等一下|更正|不对|不對|错了|錯了",
        "问题|問題|题目",
    ),
}
_BARE_LINK = ("ru", "tr", "hi", "bn", "te")  # "18 उत्तर है": the noun may follow the number at once
_ALPHABETIC = ("en", "es", "pt", "fr", "it", "de", "ru", "sw", "id", "tr")
_LOOK_BACK = 60  # characters
_PLACES = 100  # the last ones, a bound on hostile texts


def _any(patterns: Iterable[str]) -> str:
    return "|".join(filter(None, patterns))


_LETTER = r"[^\s\d.,;:!?。।．！？：()*_]"


def _before(tag: str) -> re.Pattern[str]:
    """A number, a unit perhaps, a link, and an article or adjective perhaps, up to the noun."""
    link, boundary = PHRASES[tag].link, r"\b" if tag in _ALPHABETIC else ""
    linked = [rf"[^\d\n.。।!?！？;；]{{0,25}}?{boundary}(?:{link})"] if link else []
    bare = [_BARE] if tag in _BARE_LINK else []
    return re.compile(rf"\d(?:{_any(linked + bare)})[\s*_]{{0,3}}(?:{_LETTER}{{1,12}}[\s*_]{{1,3}}){{0,2}}$")


_WORD = rf"[\s*_]{{1,3}}{_LETTER}{{1,15}}"
_STEM = r"(?<![^\W\d_])"  # before a verb, which may end a longer word: inclu|es
_VERBS = _any(f"{_STEM * (tag in _ALPHABETIC)}{phrases.verb}" for tag, phrases in PHRASES.items() if phrases.verb)
_BEFORE = {noun: _before(tag) for tag, phrases in PHRASES.items() for noun in phrases.noun.split("|")}
_PLACE = re.compile(rf"boxed ?\{{|####|{_any(sorted(_BEFORE, key=len, reverse=True))}")  # 答案 before 答
_PHRASE = re.compile(rf"(?:nya|ı|ım)?(?:{_WORD}){{0,6}}?[\s*_:：]{{0,6}}(?:{_VERBS}|=)")
_LABEL = re.compile(rf"\w{{0,4}}(?:{_WORD})?[^\w\n]{{0,3}}[:：]|(?=[^\w\n]{{0,9}}\d)")
_LABEL_ABOVE = re.compile(r"(?=[\W_]{1,9}\d)")
_NOT = r"\b(?:not|nicht|pas|no (?:es|son)|não|non|не|bukan|ليست?)\b"
_NOT_BEHIND = r"(?:では?な|ではあり|じゃな|[이가] 아니|नहीं|নয়|కాదు)"
_DENIED = re.compile(rf" si\b|[^\d\n.。！!？?;；]{{0,60}}?(?:{_NOT}|\d{{1,20}}[^\W\d_]{{0,3}}? ?{_NOT_BEHIND})")
_DENIED_BEFORE = re.compile(_NOT)
_PROBLEM = _any(phrases.problem for phrases in PHRASES.values())
_HEADING = re.compile(rf"[\n.。।！？!?][\W_]{{0,9}}+(?:{_PROBLEM})\s?\d{{0,3}}[*_\s]{{0,3}}[:：]", re.IGNORECASE)
_SPOKEN = _any(PHRASES[tag].again for tag in _ALPHABETIC)
_WRITTEN = _any(phrases.again for tag, phrases in PHRASES.items() if tag not in _ALPHABETIC)
_WRONG = r"(?:that|this|it|das|c|itu)(?:['’]s|['’]est| is| was| ist)? (?:wrong|incorrect|not right|falsch|faux|salah)"
_CORRECTION = re.compile(rf"\b(?:(?:{_SPOKEN}){_THEN}|{_WRONG}\b)|{_WRITTEN}")


class Place(NamedTuple):
    """Where an answer is announced: its number is looked for from `start` on, or up to it if kind is "before"."""

    kind: str
    start: int


def fold(text: str) -> str:
    """Lower case with every character in its place (İ alone would become two)."""
    return text.replace("İ", "i").lower()


def places(folded: str) -> Iterator[Place]:
    """All places, the last first."""
    for match in reversed(list(_PLACE.finditer(folded))[-_PLACES:]):
        if match[0].endswith("{"):
            yield Place("boxed", match.end())
        elif match[0] == "####":
            yield Place("mark", match.end())
        elif not _no_noun(folded, match.start()):
            yield from _announced(folded, match.start(), match.end())


def up_to_next_problem(output: str) -> str:
    """What stands before the first heading of a problem that follows other text; all of it if none does.

    >>> up_to_next_problem("18\\n\\nQuestion: What is 2 + 2?\\nAnswer: 4")
    '18'
    """
    headings = (match.start() for match in _HEADING.finditer(output))
    return next((output[:start] for start in headings if re.search(r"\w", output[:start])), output)


def correction(folded: str, start: int) -> int | None:
    """Where, after `start`, an answer is taken back; None if it is not."""
    match = _CORRECTION.search(folded, start)
    return match.end() if match else None


def _announced(folded: str, start: int, end: int) -> Iterator[Place]:
    denied = _DENIED.match(folded, end)
    if not denied and (match := _PHRASE.match(folded, end)):
        yield Place("phrase", match.end())
    if match := _LABEL.match(folded, end):
        yield Place("label", match.end())
    before = _BEFORE[folded[start:end]].search(folded[max(0, start - _LOOK_BACK) : start])
    if before and not _DENIED_BEFORE.search(before[0]):
        yield Place("before", start)
    if _LABEL_ABOVE.match(folded, end):
        yield Place("label", end)


def _no_noun(folded: str, start: int) -> bool:
    """Whether what looks like a Latin or Cyrillic noun begins inside a word (Beantwortung) or is a verb (to answer)."""
    inside = folded[start] < "\u0590" and folded[max(0, start - 1) : start].isalpha()
    return inside or folded.startswith("to answer", max(0, start - 3))
