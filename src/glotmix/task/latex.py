r"""LaTeX as models write it around numbers, turned into plain text: \frac{3}{4} is 3/4, 1{,}234 is 1,234."""

import re

_FONT = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|bm|operatorname)\s{0,3}(?=\{)")
_ARGUMENT = r"(?:\{\s?(-?[\d.,٬٫]{1,40})\s?\}|(\d))"
_FRACTION = re.compile(rf"(?:(\d)\s?)?\\[dtc]?frac ?{_ARGUMENT}\s?{_ARGUMENT}")
_EXPONENT = re.compile(r"\^\{([-+−]?\d{1,9})\}")
_PLAIN = {r"\times": "×", r"\cdot": "·", r"\div": "÷", r"\approx": "≈", r"\left": "", r"\right": ""}
_PLAIN |= {"{,}": ",", r"\!": "", r"\%": "%", r"\$": "$", r"\(": " ", r"\)": " ", r"\[": " ", r"\]": " "}
_PLAIN |= {rf"\{space}": "\u202f" for space in (",", ";", ":", " ")}
_COMMAND = re.compile("|".join(re.escape(command) for command in _PLAIN))


def without_latex(text: str) -> str:
    r"""
    >>> without_latex(r"\boxed{\text{\$1{,}234}}"), without_latex(r"is 1\frac{1}{2} \times 2^{3}")
    ('\\boxed{{$1,234}}', 'is 1 1/2 × 2^3')
    """
    if "\\" not in text and "{" not in text:
        return text
    text = _COMMAND.sub(lambda command: _PLAIN[command[0]], _FONT.sub("", text))
    return _FRACTION.sub(_fraction, _EXPONENT.sub(r"^\1", text))


def in_braces(text: str) -> str:
    """What stands before the brace that closes one opened before `text`; the first line if none does."""
    depth = 1
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if not depth:
            return text[:position]
    return text.partition("\n")[0]


def _fraction(match: re.Match[str]) -> str:
    whole, *parts = match.groups()
    over, under = filter(None, parts)
    return f"{whole} {over}/{under}" if whole else f"{over}/{under}"
