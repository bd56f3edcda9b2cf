"""Study 1: the numbers that its text prints, against its tables."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from glotmix.evidence import correlations, differences, figures, plateaus
from glotmix.evidence.check import FOLLOWS, UNDISCLOSED, Claim, Outcome, Recomputed
from glotmix.evidence.rules import exceeds, only, same
from glotmix.evidence.series import OTHERS, Of, Series, gap, mean, peak, relative, rise, series
from glotmix.evidence.tables import GUIDE, RATING, printed

_GAP_CLOSED = "100 (max over n of R(n) − R(0)), R = mean of other languages / English of the same run"
_EVERYONE = [0, *OTHERS]


def claims() -> Iterator[Claim]:
    yield from _design()
    yield from _averages()
    yield from _gap_closed()
    yield from _multi_task()
    yield from _scripts()
    yield from plateaus.claims()
    yield from differences.claims()
    yield from correlations.claims()
    yield from figures.claims()


def _claim(name: str, claim: str, where: str, quantity: str, said: str, rule: Callable[[], Outcome]) -> Claim:
    return Claim(GUIDE, name, claim, where, quantity, said, rule)


def _design() -> Iterator[Claim]:
    def largest() -> Outcome:
        totals = printed(GUIDE, "scores")["run_total_samples"]
        return same("75000", only(Recomputed.exact(float(np.asarray(totals).max()))))

    def languages() -> Outcome:
        found = printed(GUIDE, "scores")["eval_language"].unique().to_list()
        return same("12", only(Recomputed.exact(float(len(set(found) - {"Avg."})))))

    yield _claim(
        "design samples",
        "multi-task mixtures reach 75k samples",
        "headline, tables 8 9 15 16 22 23",
        "the largest run: 15,000 + 12 n",
        "75000",
        largest,
    )
    yield _claim("design languages", "12 languages", "introduction", "languages in tables 3 to 23", "12", languages)


def _averages() -> Iterator[Claim]:
    """The last column of tables 3 to 23, row by row."""
    for number in sorted(set(printed(GUIDE, "scores")["paper_table"].to_list())):
        model, task, setting, trained = (
            printed(GUIDE, "scores")
            .filter(paper_table=number)
            .select("model", "task", "setting", "train_languages")
            .row(0)
        )
        design = {"en+es+fr": "latin", "en+ja+zh": "non-latin"}.get(trained, setting)
        yield _claim(
            f"average table {number}",
            f"the column of averages is that of the row ({task} {model}, {design})",
            f"table {number}",
            "mean of the 8 languages − printed average; the worst row",
            "0.00",
            partial(_average, series(model, task, design)),
        )


def _average(own: Series) -> Outcome:
    off = (mean(_EVERYONE)(own.means) - own.averages) * own.unit
    worst = int(np.abs(off).argmax())
    rounded = own.recomputed(lambda means: mean(_EVERYONE)(means)[..., worst] - own.averages[worst], own.unit)
    return same("0.00", only(Recomputed(rounded.value, rounded.possible, rounded.possible)))  # the worst of many rows


def _gap_closed() -> Iterator[Claim]:
    said = {
        "R1": ("Aya23-7B", "Fig2", {"IF": "6.8", "SM": "8.7", "MR": "22.7"}),
        "R2": ("Llama3.1-8B", "Fig10", {"IF": "12.3", "SM": "14.7"}),
    }
    for name, (model, figure, numbers) in said.items():
        for task, number in numbers.items():
            yield _claim(
                f"{name} {task} number",
                f"{model}, {task}: rows in four languages close part of the gap to English",
                f"results, {figure.replace('Fig', 'Fig ')}",
                _GAP_CLOSED,
                number,
                partial(_closed, series(model, task), number, figure),
            )
    llama = series("Llama3.1-8B", "MR")
    yield _claim(
        "R2 MR number",
        "Llama3.1-8B, MR: over 40 points of the gap are closed",
        "results, Fig 10",
        _GAP_CLOSED,
        "over 40",
        lambda: exceeds(40, llama.recomputed(rise(relative), 100)),
    )


def _closed(own: Series, number: str, figure: str) -> Outcome:
    readings = {"of the table": own.recomputed(rise(relative), 100)}
    line = figures.plotted(figure, own)
    read = {
        "of the plotted points": Recomputed.read(100 * float(line.values.max() - line.values[0]), 200 * figures.READ),
        "of the plotted points from the lowest": Recomputed.read(100 * float(np.ptp(line.values)), 200 * figures.READ),
    }
    verdict = figures.against_tables(line).verdict
    known, hidden = (read if verdict == each else {} for each in (FOLLOWS, UNDISCLOSED))
    return same(number, {**readings, **known}, hidden, scale=100)


def _multi_task() -> Iterator[Claim]:
    single, multi = series("Aya23-7B", "MR"), series("Aya23-7B", "MR", "multi")
    best = peak(mean(OTHERS))

    def lost(of: Of) -> Recomputed:
        one, other = single.recomputed(of, 100), multi.recomputed(of, 100)
        spans = [
            (first[0] - second[1], first[1] - second[0])
            for first, second in ((one.likely, other.likely), (one.possible, other.possible))
        ]
        return Recomputed(one.value - other.value, *spans)

    yield _claim(
        "R7 MR loss number",
        "7B multi-task: the best MR average is 8 % lower",
        "results, tables 18 23",
        "100 (max over n of the other languages' mean, single-task − multi-task), points",
        "8",
        lambda: same("8", only(lost(best)), scale=100),
    )
    yield _claim(
        "R7 MR level number",
        "7B multi-task: MR tops out above 60 % of English",
        "results, Fig 4",
        "100 max over n of R(n)",
        "over 60",
        partial(_tops_out, multi),
    )
    yield _claim(
        "R7 MR below number",
        "7B multi-task: that is over 10 points below single-task",
        "results, Figs 2 4",
        "100 (max over n of R(n), single-task − multi-task)",
        "over 10",
        lambda: exceeds(10, lost(peak(relative))),
    )
    wide = series("Aya23-7B", "IF", "multi")
    for n, number in ((0, "-0.012"), (5000, "0.220"), (7000, "0.178")):
        yield _claim(
            f"R8 gap {n} number",
            f"7B multi-task IF: the seen-unseen gap at n = {n}",
            "Fig 12",
            "5 (mean seen − mean unseen), rating",
            number,
            partial(_gap_at, wide, n, number),
        )
    yield from _matched()


def _tops_out(own: Series) -> Outcome:
    line = figures.plotted("Fig4", own)
    read = Recomputed.read(100 * float(line.values.max()), 100 * figures.READ)
    plotted = read if figures.against_tables(line).verdict == UNDISCLOSED else None
    return exceeds(60, own.recomputed(peak(relative), 100), plotted)


def _gap_at(own: Series, n: int, number: str) -> Outcome:
    return same(number, only(own.recomputed(lambda means: gap(means)[..., own.at(n)], RATING)))


def _best(own: Series, number: str) -> Outcome:
    return same(number, only(own.recomputed(peak(mean(OTHERS)), 100)), scale=100)


def _matched() -> Iterator[Claim]:
    """R9: what 35B needs to reach 68 % on MR."""
    single, multi = series("Aya23-35B", "MR"), series("Aya23-35B", "MR", "multi")
    samples = printed(GUIDE, "scores").filter(model="Aya23-35B", task="MR", eval_language="en")

    def of_task(setting: str, n: int) -> Recomputed:
        row = samples.filter(setting=setting, samples_per_non_english_language=n)
        return Recomputed.exact(
            float(row["english_samples_of_this_task"][0] + row["non_english_samples_of_this_task"][0])
        )

    for own, setting, n, number in ((multi, "multi", 1500, "11000"), (single, "single", 2000, "18000")):
        yield _claim(
            f"R9 MR samples {setting}",
            f"35B {setting}-task reaches its level with so many MR samples",
            "results, Figs 4 5",
            f"English + 4 n at n = {n}",
            number,
            partial(same, number, only(of_task(setting, n))),
        )
        yield _claim(
            f"R9 MR level {setting}",
            f"35B {setting}-task MR is 68 % at n = {n}",
            "results, tables 17 22",
            "100 × mean of the languages",
            "68",
            partial(_level_at, own, n),
        )


def _level_at(own: Series, n: int) -> Outcome:
    at = own.at(n)
    readings = {
        "with English": own.recomputed(lambda means: mean(_EVERYONE)(means)[..., at], 100),
        "without": own.recomputed(lambda means: mean(OTHERS)(means)[..., at], 100),
    }
    return same("68", readings, _of_level(own, "Fig4" if own.design == "multi" else "Fig2", n), scale=100)


def _of_level(own: Series, name: str, n: int) -> dict[str, Recomputed]:
    """From the plotted ratio: times English it is the mean over the languages it was made of."""
    line = figures.plotted(name, own)
    if figures.against_tables(line).verdict != UNDISCLOSED:
        return {}
    ratio, english = line.values[line.rows.index(n)], own.means[own.at(n), 0]
    return {
        f"of the plotted points over {others} others": Recomputed.read(
            100 * english * (others * ratio + 1) / (others + 1), 100 * figures.HALF
        )
        for others in (7, 9)
    }


def _scripts() -> Iterator[Claim]:
    said = {"single": ("all four", "38.4"), "latin": ("Latin only", "37.4"), "non-latin": ("non-Latin only", "36.6")}
    for design, (name, number) in said.items():
        own = series("Aya23-7B", "MR", design)
        yield _claim(
            f"R11 MR {design} number",
            f"MR peak of training on {name}",
            "results, tables 18 19 20",
            "100 max over n of the 7 other languages' mean",
            number,
            partial(_best, own, number),
        )
    samples = printed(GUIDE, "scores").filter(model="Aya23-7B", task="MR", setting="single", eval_language="en")

    def saved() -> Outcome:
        most = {
            design: float(np.asarray(samples.filter(train_languages=trained)["run_total_samples"]).max())
            for design, trained in (("single", "en+es+fr+ja+zh"), ("latin", "en+es+fr"))
        }
        return same("10000", only(Recomputed.exact(most["single"] - most["latin"])))

    yield _claim(
        "R11 MR samples number",
        "Latin-only needs 10k fewer samples than the full mix",
        "results",
        "samples at n = 5000, full mix − Latin mix",
        "10000",
        saved,
    )
