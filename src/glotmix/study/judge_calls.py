"""The calls behind judged answers: kept with every judged step, counted, and told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from glotmix.generate.replies import Failure, Reply
from glotmix.judge import Judgement
from glotmix.pool.parquet import read_parquet
from glotmix.spec import Judge
from glotmix.study.plan import Plan
from glotmix.study.store import Store

CALLS_SCHEMA = pl.Schema(
    {
        "item_id": pl.String(),
        "request": pl.String(),  # the key under which the reply is kept
        "reply": pl.String(),  # null if the call failed
        "failure": pl.String(),  # null if there is a reply
        "prompt_tokens": pl.Int64(),
        "completion_tokens": pl.Int64(),
    }
)


@dataclass
class Taken:
    """What a phase of judging took. Equal requests are one call, paid for unless it came from the cache."""

    answers: int = 0
    unjudged: int = 0
    calls: dict[str, Reply | Failure] = field(default_factory=dict)

    def add(self, judgements: Sequence[Judgement]) -> None:
        self.answers += len(judgements)
        self.unjudged += sum(judgement.score.verdict == "unjudged" for judgement in judgements)
        for call in (call for judgement in judgements for call in judgement.calls):
            self.calls.setdefault(call.request, call.answer)

    def told(self, judge: Judge) -> list[str]:
        """A line on calls and cost; a second one if answers are left without a value."""
        replies = [answer for answer in self.calls.values() if isinstance(answer, Reply)]
        paid = [reply for reply in replies if not reply.cached]
        read, written = (sum(getattr(reply, name) for reply in paid) for name in ("prompt_tokens", "completion_tokens"))
        cost = money(judge, read, written)
        calls = f"{len(self.calls):,} calls, {len(replies) - len(paid):,} of them from the cache"
        tokens = f"{read:,} tokens read and {written:,} written{'' if cost is None else f', cost {cost:,.2f}'}"
        lines = [f"{self.answers:,} answers judged by {judge.model}: {calls}; {tokens}"]
        if self.unjudged:
            failed = len(self.calls) - len(replies)
            again = f" ({failed:,} calls failed; run again to repeat them)" if failed else ""
            lines.append(f"{self.unjudged:,} answers have no rating and count nowhere{again}")
        return lines


def calls_frame(items: Sequence[str], judgements: Sequence[Judgement]) -> pl.DataFrame:
    """The calls of one judged step (`CALLS_SCHEMA`)."""
    records = [
        (item, call.request, *_told(call.answer))
        for item, judgement in zip(items, judgements, strict=True)
        for call in judgement.calls
    ]
    return pl.DataFrame(records, CALLS_SCHEMA, orient="row")


def _told(answer: Reply | Failure) -> tuple[str | None, str | None, int, int]:
    if isinstance(answer, Failure):
        return None, answer.reason, 0, 0
    return answer.text, None, answer.prompt_tokens, answer.completion_tokens


def money(spec: Judge, prompt_tokens: int, completion_tokens: int) -> float | None:
    """What tokens cost, None without prices."""
    prices = spec.price_per_million_tokens
    if prices is None:
        return None
    return (prompt_tokens * prices.input + completion_tokens * prices.output) / 1e6


def judge_calls(plan: Plan, store: Store) -> pl.DataFrame:
    """The calls behind all judged answers (`CALLS_SCHEMA`), each once, whichever run paid it."""
    steps = {step.judge for run in plan.runs for step in run.evaluations if step.judge}
    done = [store.folder("judge", name) for name in sorted(steps) if store.is_done("judge", name)]
    frames = [read_parquet(folder / "calls.parquet") for folder in done]
    return pl.concat([CALLS_SCHEMA.to_frame(), *frames]).unique("request", maintain_order=True)
