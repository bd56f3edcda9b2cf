"""How one language says what happens in the lab's world.

1. A `Word` is one entry of the lexicon with its forms: `{who:gen}` in a frame asks for the form `gen`.
2. A `Frame` is a sentence pattern such as `has`: "{who} has {things}." It may differ by the gender of `who`.
3. A `Quantity` is a number with a noun: each language says it in its own way (plural, case, counter).
4. A `Grammar` holds all of this for one language; `grammar.say("has", who=..., things=...)` gives the sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Frame = str | Mapping[str, str]  # one pattern, or one per gender of `who`: {"m": ..., "f": ...}


@dataclass(frozen=True)
class Word:
    """One lexicon entry. `forms` maps a form's name to its spelling; the first form is the dictionary form."""

    key: str
    forms: Mapping[str, str]

    def __format__(self, form: str) -> str:
        return self.forms[form] if form else next(iter(self.forms.values()))

    def __str__(self) -> str:
        return format(self)


def words(form_names: str, table: str) -> dict[str, Word]:
    """Reads a table of `key | form | form ...` lines; `form_names` names its columns.

    >>> words("one many", "egg | egg | eggs")["egg"].forms
    {'one': 'egg', 'many': 'eggs'}
    """
    names = form_names.split()
    lexicon = {}
    for line in table.strip().splitlines():
        key, *forms = (cell.strip() for cell in line.split("|"))
        lexicon[key] = Word(key, dict(zip(names, forms, strict=True)))
    return lexicon


@dataclass(frozen=True)
class Grammar:
    """One language of the lab. `quantity(n, noun, case)` says "3 apples"; `case` is the form asked for in a frame."""

    tag: str
    people: Mapping[str, Word]  # every entry has a form "gender": m or f
    things: Mapping[str, Word]
    places: Mapping[str, Word]
    cities: Mapping[str, Word]
    days: Mapping[str, Word]
    weather: Mapping[str, Word]
    moods: Mapping[str, Word]
    frames: Mapping[str, Frame]
    quantity: Callable[[str, int, Word, str], str]  # (number in this language's digits, n, noun, case)
    digits: str = "0123456789"
    separator: str = ", "  # between the words of a list
    joiner: str = " "  # between sentences
    gendered_moods: bool = field(default=False)  # moods then have the forms m and f

    def number(self, n: int) -> str:
        return "".join(self.digits[int(digit)] for digit in str(n))

    def say(self, frame: str, **fields: object) -> str:
        """The sentence of `frame`; a field is a Word, a Quantity or text."""
        pattern = self.frames[frame]
        who = fields.get("who")
        gender = who.forms["gender"] if isinstance(who, Word) else "m"
        if not isinstance(pattern, str):
            pattern = pattern[gender]
        mood = fields.get("mood")
        if self.gendered_moods and isinstance(mood, Word):
            fields["mood"] = mood.forms[gender]
        return pattern.format(**fields)


@dataclass(frozen=True)
class Quantity:
    """`n` of a thing, said by the grammar: `{things}` or, in a given case, `{things:acc}`."""

    grammar: Grammar
    n: int
    noun: Word

    def __format__(self, case: str) -> str:
        return self.grammar.quantity(self.grammar.number(self.n), self.n, self.noun, case)
