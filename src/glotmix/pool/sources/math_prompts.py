r"""How a math problem is asked and its answer worded, in the problem's language.

Four prompts; a training row and a test row of the same prompt look alike.

1. `mcot` (unless another is named): mCoT's. `Question:`, the problem, `Answer:`, and last the line of the language that
   asks for steps (github.com/laihuiyuan/mCoT, data/prompt.txt). In a language without such a line it is left out.
2. `direct`, `native-cot` and `english-cot`: those of Shi et al. 2022, section 3, headed by MGSM's own words, which its
   exemplars have (`Frage: ...`, then `Schritt-für-Schritt-Antwort:`). They want the bare number, steps in the problem's
   language, and steps in English.
3. An answer with steps states its number in a last sentence, as MGSM's exemplars and mCoT-MATH word it.

All words of ar, ko and pt are ours, and so are the headings of direct answers: MGSM's without "step by step".
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from glotmix.errors import UserError

MCOT = "mcot"
PROMPTS = (MCOT, "direct", "native-cot", "english-cot")


class Wording(NamedTuple):
    steps: str
    final: str
    question: str  # this and the next two are headings
    stepwise: str
    direct: str


_WORDINGS: Mapping[str, Wording] = {
    "en": Wording("Let's think step by step.", "The answer is {}.", "Question:", "Step-by-Step Answer:", "Answer:"),
    "es": Wording("Pensemos paso a paso.", "La respuesta es {}.", "Pregunta:", "Respuesta paso a paso:", "Respuesta:"),
    "fr": Wording(
        "Réfléchissons étape par étape.", "La réponse est {}.", "Question :", "Réponse étape par étape :", "Réponse :"
    ),
    "de": Wording(
        "Denken wir Schritt für Schritt.", "Die Antwort ist {}.", "Frage:", "Schritt-für-Schritt-Antwort:", "Antwort:"
    ),
    "pt": Wording(
        "Vamos pensar passo a passo.", "A resposta é {}.", "Pergunta:", "Resposta passo a passo:", "Resposta:"
    ),
    "ru": Wording("Давайте думать поэтапно.", "Ответ: {}.", "Задача:", "Пошаговое решение:", "Ответ:"),
    "zh": Wording("让我们一步步思考。", "答案是{}。", "问题：", "逐步解答：", "解答："),
    "ja": Wording("段階的に考えてみましょう。", "答えは{}です。", "問題：", "ステップごとの答え：", "答え："),
    "ko": Wording("단계별로 생각해 봅시다.", "답은 {}입니다.", "문제:", "단계별 답:", "답:"),
    "th": Wording("ลองคิดทีละขั้นตอน", "คำตอบคือ {}", "โจทย์:", "คำตอบทีละขั้นตอน:", "คำตอบ:"),
    "sw": Wording("Hebu fikiria hatua kwa hatua.", "Jibu ni {}.", "Swali:", "Jibu la Hatua kwa Hatua:", "Jibu:"),
    "bn": Wording("আসুন ধাপে ধাপে চিন্তা করি।", "উত্তর হল {}।", "প্রশ্ন:", "ধাপে ধাপে উত্তর:", "উত্তর:"),
    "te": Wording("అంచెలంచెలుగా ఆలోచిద్దాం.", "సమాధానం {}.", "ప్రశ్న:", "దశలవారీగా సమాధానం:", "సమాధానం:"),
    "ar": Wording("لنفكر خطوة بخطوة.", "الجواب هو {}.", "السؤال:", "الجواب خطوة بخطوة:", "الجواب:"),
}
WORDED = tuple(_WORDINGS)  # languages whose answers are understood


def check_prompt(prompt: str) -> str:
    """The prompt's name.

    Raises:
        UserError: there is no such prompt.
    """
    if prompt not in PROMPTS:
        raise UserError(f"prompt {prompt!r}: unknown; the prompts are {', '.join(PROMPTS)}")
    return prompt


def ask(language: str, question: str, prompt: str = MCOT) -> str:
    """The user's message.

    Raises:
        UserError: the prompt has no words in this language.

    >>> ask("es", "¿Cuánto es 2 + 2?")
    'Question:\\n¿Cuánto es 2 + 2?\\nAnswer:\\nPensemos paso a paso.'
    >>> ask("ja", "2+2は？", "english-cot")
    '問題：2+2は？\\nStep-by-Step Answer:'
    """
    if prompt == MCOT:
        steps = _WORDINGS[language].steps if language in _WORDINGS else ""
        return f"Question:\n{question.strip()}\nAnswer:\n{steps}".strip()
    if language not in _WORDINGS:
        raise UserError(f"prompt {prompt!r}: it has no words in {language}; use prompt={MCOT}, or leave that file out")
    heading = _WORDINGS[language].question
    answer = _WORDINGS[answered_in(language, prompt)]
    space = "" if heading.endswith("：") else " "
    return f"{heading}{space}{question.strip()}\n{answer.direct if prompt == 'direct' else answer.stepwise}"


def asks(language: pl.Expr, question: pl.Expr) -> pl.Expr:
    """`ask` of whole columns, by the prompt `mcot`."""
    steps = language.replace_strict({tag: wording.steps for tag, wording in _WORDINGS.items()}, default="")
    return pl.format("Question:\n{}\nAnswer:\n{}", question.str.strip_chars(), steps).str.strip_chars()


def answered_in(language: str, prompt: str) -> str:
    """The language that the prompt wants the answer in."""
    return "en" if prompt == "english-cot" else language


def final_line(language: str, number: str, prompt: str = MCOT) -> str:
    """What states the answer: a sentence, or the number alone where that is wanted or we have no sentence.

    >>> final_line("ja", "18"), final_line("ja", "18", "english-cot"), final_line("ja", "18", "direct")
    ('答えは18です。', 'The answer is 18.', '18')
    """
    wording = _WORDINGS.get(answered_in(language, prompt))
    return number if wording is None or prompt == "direct" else wording.final.format(number)
