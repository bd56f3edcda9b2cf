"""Rules see numbers only and give the verdict and its reason."""

from collections.abc import Mapping, Sequence

import numpy as np

from glotmix.analysis.interval import LEVEL, Interval
from glotmix.analysis.scores import Array
from glotmix.evidence.check import FOLLOWS, MARGIN, NOT, UNCLEAR, UNDISCLOSED, Outcome, Recomputed, half_unit
from glotmix.evidence.tables import known

_EXACT = 1e-9  # float rounding
Readings = Mapping[str, Recomputed]


def same(printed: str, readings: Readings, undisclosed: Readings | None = None, scale: float = 1) -> Outcome:
    """The printed number against what the tables give by each reading of it, and then with what was not disclosed. A
    number that only the tables' rounding allows is not told where that allows more than the margin, times `scale`."""
    hidden = undisclosed or {}
    every = {**readings, **hidden}
    digits = max(2, _digits(printed) + 1) if "." in printed else 2
    whole = "." not in printed and all(float(found.value).is_integer() for found in every.values())
    shown = {name: _shown(found.value, 0 if whole else digits) for name, found in every.items()}
    recomputed = "; ".join(f"{_named(name)}{number}" for name, number in shown.items())
    spans = "; ".join(_range(found.likely, digits) for found in readings.values() if found.likely[0] < found.likely[1])
    uncertainty = f"rounding of the tables: {spans}" if spans else "exact"

    def decided(verdict: str, reason: str) -> Outcome:
        return Outcome(recomputed, uncertainty, verdict, reason)

    for group, verdict in ((readings, FOLLOWS), (hidden, UNDISCLOSED)):
        for span, how in (("value", ""), ("likely", ", within the rounding of the tables")):
            met = _met(printed, group, span)
            if met is None:
                continue
            low, high = group[met].likely
            if span == "likely" and high - low > 2 * MARGIN * scale:
                return decided(
                    UNCLEAR, f"{_by(met)} could give {printed}: its rounding leaves {_range((low, high), digits)}"
                )
            return decided(verdict, f"{_by(met)} gives {printed}{how}")
    met = _met(printed, readings, "possible")
    if met is not None:
        return decided(UNCLEAR, f"{_by(met)} could give {printed}, by rounding that 95 % of tables do not have")
    off = min(abs(found.value - float(printed)) for found in every.values())
    none = f"none of {len(every)} readings gives" if len(every) > 1 else "the quantity does not give"
    return decided(NOT, f"{none} {printed}: off by {_shown(off, 0 if whole else digits)}, more than rounding explains")


def gives(printed: str, found: Recomputed) -> bool:
    """Whether tables that round as printed are likely to give it."""
    return _met(printed, only(found), "likely") is not None


def _met(printed: str, readings: Readings, span: str) -> str | None:
    """The first reading that gives the number."""
    number, reach = float(printed), half_unit(printed) + _EXACT
    for name, found in readings.items():
        low, high = (found.value, found.value) if span == "value" else getattr(found, span)
        if low - reach <= number <= high + reach:
            return name
    return None


def _by(name: str) -> str:
    return "the quantity" if name == _ONLY else f"the reading {name}"


def _digits(printed: str) -> int:
    return len(printed.partition(".")[2])


def _range(span: tuple[float, float], digits: int) -> str:
    return f"{_shown(span[0], digits)} to {_shown(span[1], digits)}"


_ONLY = "the tables"


def only(found: Recomputed) -> dict[str, Recomputed]:
    """There is one way to read it."""
    return {_ONLY: found}


def exceeds(bound: float, found: Recomputed, undisclosed: Recomputed | None = None, digits: int = 2) -> Outcome:
    """Whether a number is above the printed bound."""
    recomputed = _shown(found.value, digits) + (f"; figure: {_shown(undisclosed.value, digits)}" if undisclosed else "")
    rounded = found.likely[0] < found.likely[1]
    uncertainty = f"rounding of the tables: {_range(found.likely, digits)}" if rounded else "exact"
    said = f"{_shown(found.value, digits)} against a bound of {bound:g}"
    if found.value > bound:
        note = "" if found.likely[0] > bound else "; rounding could put it below"
        return Outcome(recomputed, uncertainty, FOLLOWS, f"{said}{note}")
    if undisclosed and undisclosed.value > bound:
        return Outcome(recomputed, uncertainty, UNDISCLOSED, f"{said}; only the figure's own points are above it")
    return Outcome(recomputed, uncertainty, UNCLEAR if found.possible[1] > bound else NOT, said)


def differs(found: Interval, digits: int = 3) -> Outcome:
    """A claimed difference, counted positive as claimed."""
    if not found.low < found.high:
        return Outcome(_shown(found.estimate, digits), "no interval", UNCLEAR, found.note)
    verdict = FOLLOWS if found.low > 0 else NOT if found.high < 0 else UNCLEAR
    told = {
        FOLLOWS: "the interval is above 0",
        NOT: "the interval is below 0: the other way",
        UNCLEAR: f"the interval holds 0; {found.detectable:.{digits}f} is the smallest difference that could be seen",
    }
    reason = _with_note(told[verdict], found)
    return Outcome(_shown(found.estimate, digits), _span(found, digits), verdict, reason, found.p())


def alike(found: Sequence[Interval], margin: float = MARGIN, digits: int = 3, family: int = 1) -> Outcome:
    """Claimed equality: every difference within the margin by two one-sided tests (Schuirmann 1987). `family`: claims
    of its kind, each of which may be beyond 0 by chance."""
    worst = max(found, key=lambda one: abs(one.estimate))
    shown, span = _shown(worst.estimate, digits), _span(worst, digits)
    largest = "" if len(found) == 1 else f"the largest of {len(found)}: "
    if all(one.within(margin) for one in found):
        told = f"{largest}within ±{margin:g} at 5 %"
        return Outcome(shown, span, FOLLOWS, _with_note(told, worst), _outside(found, margin))
    apart = [one for one in found if one.p() * len(found) * family < 1 - LEVEL]  # Bonferroni
    if apart:
        off = max(apart, key=lambda one: abs(one.estimate))
        many = f", {len(apart)} of {len(found)} beyond noise" if len(found) > 1 else ""
        told = f"a difference of {_shown(off.estimate, digits)} is beyond noise{many}"
        p = min(one.p() for one in apart) * len(found) * family
        return Outcome(_shown(off.estimate, digits), _span(off, digits), NOT, _with_note(told, off), p)
    chance = f"off 0, but not for one of {len(found) * family} such differences"
    seen = chance if worst.p() < 1 - LEVEL else "no difference seen"
    told = f"{largest}{seen}, and ±{margin:g} is not shown: {worst.detectable:.{digits}f} could be seen"
    return Outcome(shown, span, UNCLEAR, _with_note(told, worst), _outside(found, margin))


def _outside(found: Sequence[Interval], margin: float) -> float:
    """p of the two one-sided tests, the largest."""
    sides = [(one.estimate + margin, one.p(-margin)) for one in found]
    sides += [(margin - one.estimate, one.p(margin)) for one in found]
    return max(p / 2 if room > 0 else 1 - p / 2 for room, p in sides)


def unharmed(found: Interval, margin: float = MARGIN, digits: int = 3) -> Outcome:
    """Claimed absence of a loss: not lower by the margin, by a one-sided test at 2.5 %, or lower beyond noise."""
    verdict = FOLLOWS if found.low > -margin else NOT if found.high < 0 else UNCLEAR
    told = {
        FOLLOWS: f"a loss of {margin:g} is ruled out",
        NOT: "the interval is below 0",
        UNCLEAR: f"no loss seen, but {margin:g} is not ruled out: {found.detectable:.{digits}f} could be seen",
    }
    below = found.p(-margin) / 2
    p = found.p() if verdict == NOT else below if found.estimate > -margin else 1 - below
    reason = _with_note(told[verdict], found)
    return Outcome(_shown(found.estimate, digits), _span(found, digits), verdict, reason, p)


def beyond_noise(found: float, alone: Array, digits: int = 3) -> Outcome:
    """A maximum or a spread against what noise `alone` makes of a flat truth, in 95 of 100 draws."""
    noise = float(np.nanquantile(alone, LEVEL))
    verdict = FOLLOWS if found > noise else UNCLEAR
    told = "beyond" if found > noise else "not beyond"
    reason = f"{_shown(found, digits)} is {told} the {_shown(noise, digits)} that noise alone reaches"
    uncertainty = f"noise alone: up to {_shown(noise, digits)}"
    return Outcome(_shown(found, digits), uncertainty, verdict, reason, float(np.nanmean(alone >= found)))


def steady(trend: float, p_trend: float, spread: float, p_spread: float, changes: Sequence[Interval]) -> Outcome:
    """Claimed constancy: a trend or a spread that chance does not make says no, all changes within the margin yes."""
    found = f"{spread:.3f}; rank correlation with n {_shown(trend, 2)}"
    uncertainty = f"adjusted p of the trend {p_trend:.3f}, of the spread {p_spread:.3f}"
    p = min(p_trend, p_spread)
    if p < 1 - LEVEL:
        way = "rises" if trend > 0 else "falls"
        told = f"it {way} with n, more steadily than settings in any order would"
        return Outcome(found, uncertainty, NOT, told if p == p_trend else "it moves by more than noise alone makes", p)
    if all(change.within(MARGIN) for change in changes):
        told = f"every change is within ±{MARGIN:g} at 5 %"
        return Outcome(found, uncertainty, FOLLOWS, told, _outside(changes, MARGIN))
    reach = max(change.detectable for change in changes)
    told = f"noise alone makes such a spread; a change of less than {reach:.3f} could not be seen"
    return Outcome(found, uncertainty, UNCLEAR, told, p)


def likeliest(where: str, share: float, behind: Interval) -> Outcome:
    """A claimed peak: how often it stays the peak when noise is drawn, and how far the best other setting is behind."""
    verdict = FOLLOWS if share >= LEVEL else NOT if behind.high < 0 else UNCLEAR
    told = f"{where} is the peak in {share:.0%} of draws of the noise"
    return Outcome(
        f"{share:.0%}",
        f"ahead of the next by {_shown(behind.estimate, 3)}, {_span(behind, 3)}",
        verdict,
        told,
        1 - share,
    )


def needs(study: str, *tables: str) -> Outcome:
    """A quantity of tables that may not have been disclosed."""
    missing = [name for name in tables if not known(study, name)]
    if missing:
        said = f"needs {' and '.join(missing)}, which the study does not print"
        return Outcome("–", "–", UNDISCLOSED, said)
    return Outcome("–", "–", UNCLEAR, f"{' and '.join(tables)} are there; nothing here recomputes it yet")


def _named(name: str) -> str:
    return "" if name == _ONLY else f"{name} "


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _span(found: Interval, digits: int) -> str:
    return f"95 %: {_shown(found.low, digits)} to {_shown(found.high, digits)}"


def resolves(detectable: float, wanted: float, what: str) -> Outcome:
    """Whether the smallest difference that can be seen is as small as the one in question; both in points."""
    verdict = FOLLOWS if detectable <= wanted else UNCLEAR
    told = f"{what} shows a difference from {detectable:.1f} points on in 4 of 5 cases; {wanted:.1f} is in question"
    return Outcome(f"{detectable:.1f} points", "independent answers at 50 %, 95 %, 80 % power", verdict, told)


def _with_note(told: str, found: Interval) -> str:
    return _joined(told, f"noise from {found.basis}" if found.basis else "", found.note)


def _joined(*told: str) -> str:
    return "; ".join(filter(None, told))
