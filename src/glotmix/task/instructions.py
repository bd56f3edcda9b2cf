"""Short requests with one checkable answer: an output is right if it is the reference text, apart from its dress.

Dress is: letter case, white space, full or half-width commas and the space around them, and a full stop at the end.

>>> score("りんご、卵。", "りんご, 卵", language="ja").verdict
'correct'
>>> score("卵、りんご。", "りんご, 卵", language="ja").verdict
'wrong'
"""

import re

from glotmix.task.score import Score, choose_verdict, tidy, tidy_reference

VERSION = 2
CHARACTERS_READ = 20_000


def score(output: str, reference: str, *, language: str, finished: bool = True) -> Score:
    """1 if output and reference are the same text once undressed, else 0."""
    answer, expected = _undressed(output[: CHARACTERS_READ + 1]), _undressed(tidy_reference(reference))
    # a longer output is refused, not cut: what follows the right answer makes it another answer
    correct = answer == expected and len(output) <= CHARACTERS_READ
    verdict, detected = choose_verdict(
        correct=correct,
        finished=finished,
        answered=bool(answer),
        language=language,
        prose=output,
        reference_prose=reference,
    )
    return Score(
        float(correct), verdict, answer, {}, "same text but for case, spaces, commas and a final stop", detected
    )


def _undressed(text: str) -> str:
    text = re.sub(r"\s?[,，、،]\s?", ", ", tidy(tidy(text).casefold()))
    return text.rstrip(" .。．｡।!！?？؟…") or text  # an answer that is only a sign stays one
