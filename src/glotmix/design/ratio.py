"""Ratio: the anchor's share varied at a fixed total; the other languages have equal counts.

Each of the k other languages has the whole rows of (1 - share) * total / k; what that leaves over, fewer than k rows,
goes to the anchor. At share 0 there is no anchor to take them, so the total must divide by k.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from glotmix.design.setting import Scope, Setting
from glotmix.spec.designs import Ratio
from glotmix.spec.words import per_task


def settings(design: Ratio, scope: Scope) -> Iterator[Setting]:
    if set(design.anchor_share) != {1.0}:
        scope.some_train()
    for share in reversed(design.anchor_share):
        yield Setting(
            name=_name(scope.anchor, share),
            counts={task: _split(per_task(design.total_rows, task), share, scope) for task in scope.tasks},
            baseline=_name(scope.anchor, 1.0) if share < 1 and 1.0 in design.anchor_share else "",
        )


def _name(anchor: str, share: float) -> str:
    return f"{anchor}={(100 * Decimal(str(share))).normalize():f}%"


def _split(total: int, share: float, scope: Scope) -> dict[str, int]:
    if share == 1:
        return {scope.anchor: total}
    others = len(scope.train)
    rows = int((1 - Fraction(str(share))) * total / others)
    anchor_rows = total - others * rows
    if not rows:
        raise scope.refuse("total_rows", f"{total} rows are too few for {others} languages beside {share:g} anchor")
    if not share and anchor_rows:
        fix = f"use {total - anchor_rows} or {total - anchor_rows + others}"
        raise scope.refuse("total_rows", f"{total} rows at share 0 do not divide by {others} languages; {fix}")
    return {scope.anchor: anchor_rows} | dict.fromkeys(scope.train, rows)
