"""The calls of an answer against those wanted: three gradings side by side, as shares from 0 to 1.

1. `strict` and `ast`: 1 if there are as many calls as wanted and each call wanted finds one that is right, in any
   order, each used once. A call is right if its name is, every argument is (see `values`), none is unknown to the
   reference or the schema, and none that is needed is left out. Where no call is wanted, any answer without a call is
   right. (BFCL gives each call wanted the first that is right: with its request parallel_178 an order decides there.)
2. By the grading of the reference, for the calls that fit best: `name` and `arguments`, the shares of calls whose name,
   and of arguments that are right, among those wanted or given.
3. By kind of value, among the arguments wanted: `identifiers` (numbers, dates, ids, choices of the schema: what no
   translation changes) and `free_text`. Where the reference has the values of the other language, `free_text_either`
   counts those as right too, and `other_language` is the share of wrong free texts that are just that.
   A kind that an item does not have, or an item without such an error, has no such number.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from glotmix.task.calls.bounds import Call
from glotmix.task.calls.reference import Accepted, Reference, Wanted
from glotmix.task.calls.values import accepts, equals

Right = Callable[[Wanted, str, Any], bool]
# without letters; or ASCII with a digit or a sign of addresses, paths and names in code; or an acronym
_IDENTIFIER = re.compile(r"[\W\d_]+|(?=\S*[\d@_/:\\])[\x21-\x7e]+|[A-Z]{2,}")


class _Pair(NamedTuple):
    """A call wanted and the one given for it, if any; `rights` of the arguments that are needed or given."""

    wanted: Wanted
    call: Call | None
    rights: Mapping[str, bool]

    @property
    def named(self) -> bool:
        return self.call is not None and self.call.name == self.wanted.name

    @property
    def share(self) -> float:
        if not self.rights:
            return float(self.call is not None)
        return sum(self.rights.values()) / len(self.rights)

    @property
    def fit(self) -> float:
        """7 if all is right; a right call counts more than names, and those more than arguments."""
        return 4 * (self.named and self.share == 1) + 2 * self.named + self.share


def grade(calls: Sequence[Call] | None, reference: Reference) -> dict[str, float]:
    """All numbers; `calls` is None if none could be read."""
    given = calls or []
    matched = {name: _match(given, reference.calls, right) for name, right in _RIGHT.items()}
    graded = {
        name: float(len(given) == len(pairs) and all(pair.fit == 7 for pair in pairs))
        for name, pairs in matched.items()
    }
    pairs = matched[reference.grading]
    if not pairs:
        return graded
    most = max(len(given), len(pairs))
    return graded | {
        "name": sum(pair.named for pair in pairs) / most,
        "arguments": sum(pair.share for pair in pairs) / most,
        **_by_kind([value for pair in pairs for value in _values(pair, _RIGHT[reference.grading])]),
    }


def _strictly(wanted: Wanted, key: str, value: Any) -> bool:
    return key in wanted.accepted and equals(value, wanted.accepted[key])


def _by_ast(wanted: Wanted, key: str, value: Any) -> bool:
    if key not in wanted.accepted or (wanted.schemas is not None and key not in wanted.schemas):
        return False
    return accepts(value, wanted.accepted[key], _schema(wanted, key))


_RIGHT: Mapping[str, Right] = {"strict": _strictly, "ast": _by_ast}


def _schema(wanted: Wanted, key: str) -> Mapping[str, Any]:
    schema = (wanted.schemas or {}).get(key)
    return schema if isinstance(schema, dict) else {}


def _match(given: Sequence[Call], wanted: Sequence[Wanted], right: Right) -> list[_Pair]:
    """Each call wanted with one given, or with none, so that they fit best in all."""
    if len(given) == len(wanted) == 1:
        return [_pair(wanted[0], given[0], right)]
    if not given or not wanted:
        return [_pair(one, None, right) for one in wanted]
    from scipy.optimize import linear_sum_assignment  # 0.1 s to load, and few answers need it

    table = [[_pair(one, call, right) for call in given] for one in wanted]
    rows, columns = linear_sum_assignment([[pair.fit for pair in row] for row in table], maximize=True)
    chosen = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    return [row[chosen[at]] if at in chosen else _pair(row[0].wanted, None, right) for at, row in enumerate(table)]


def _pair(wanted: Wanted, call: Call | None, right: Right) -> _Pair:
    given = call.arguments if call else {}
    rights = {key: right(wanted, key, value) for key, value in given.items()}
    return _Pair(wanted, call, dict.fromkeys(wanted.needed, False) | rights)


class _Value(NamedTuple):
    identifier: bool
    right: bool
    other: bool | None  # whether it is right in the other language; None if the reference does not tell


def _values(pair: _Pair, right: Right) -> Iterator[_Value]:
    wanted, given = pair.wanted, pair.call.arguments if pair.call else {}
    other = wanted._replace(accepted=wanted.other_language)
    for key, accepted in wanted.accepted.items():
        if key in pair.rights:
            identifier = "enum" in _schema(wanted, key) or is_identifier(accepted)
            is_other = key in given and right(other, key, given[key]) if key in wanted.other_language else None
            yield _Value(identifier, pair.rights[key], is_other)


def _by_kind(values: Sequence[_Value]) -> dict[str, float]:
    texts = [value for value in values if not value.identifier]
    told = [value for value in texts if value.other is not None]
    shares = {
        "identifiers": [value.right for value in values if value.identifier],
        "free_text": [value.right for value in texts],
        "free_text_either": [value.right or bool(value.other) for value in texts if told],
        "other_language": [bool(value.other) for value in told if not value.right],
    }
    return {name: sum(found) / len(found) for name, found in shares.items() if found}


def is_identifier(accepted: Accepted) -> bool:
    """Whether no translation changes the value: a number, a date in digits, an id, an address, an acronym.

    >>> [is_identifier(Accepted([value])) for value in (7, "2024-02-04", "AB-12", "Ana", "7 pm", "5分間")]
    [True, True, True, False, False, False]
    """
    value = next((value for value in accepted.values if value != ""), "")
    return all(_IDENTIFIER.fullmatch(word) for text in texts(value) for word in text.split())


def texts(value: Any) -> Iterator[str]:
    """Every string in a value; of accepted ones the first."""
    match value:
        case str():
            yield value
        case Accepted(values=[first, *_]):
            yield from texts(first)
        case dict():
            for part in value.values():
                yield from texts(part)
        case list() | tuple():
            for part in value:
                yield from texts(part)
