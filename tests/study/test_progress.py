"""What `run` shows: on a terminal which run, which step, loss and time left; elsewhere plain lines."""

import io
import re

import pytest
from rich.console import Console

from glotmix.spec import Evaluation, Order, Recipe
from glotmix.study.job import EvaluationStep, Event, Job
from glotmix.study.progress import shown

STEPS = tuple(
    EvaluationStep(key=f"e{number}", task="math", language="es", rows="r", max_new_tokens=9) for number in range(2)
)
JOB = Job(
    run="m/n=5/seed=[0]",  # brackets are no markup
    store="s",
    model="m",
    mixture="x",
    validation="v",
    seed=0,
    steps=40,
    order=Order(),
    anchor="en",
    recipe=Recipe(steps=40),
    evaluation=Evaluation(),
    train="t",
    evaluations=STEPS,
)
EVENTS = (
    Event(kind="started"),
    Event(kind="train", part=10, parts=40, loss=1.2345, tokens_per_second=6200.4),
    Event(kind="train", part=20, parts=40, loss=1.2345, tokens_per_second=6200.4),
    Event(kind="evaluate", part=3, parts=200, stage=1, what="math es"),
)


def told(*events: Event, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, color_system=None)
    with shown(console, 2) as listener:
        for event in events:
            listener(JOB, event)
    return out.getvalue()


def test_a_terminal_shows_run_step_loss_speed_and_time_left():
    last = told(*EVENTS[:3], terminal=True).split("all runs")[-1]
    assert "m/n=5/seed=[0] train" in last
    assert re.search(r"20/40 loss 1\.234 6,200 tok/s +(--:--|\d\d:\d\d)", last)


def test_a_terminal_shows_which_language_is_evaluated():
    assert "evaluate math es" in told(*EVENTS, terminal=True).split("all runs")[-1]


@pytest.mark.parametrize("end", ["done", "failed", "diverged"])
def test_a_run_that_ended_leaves_the_display(end):
    last = told(*EVENTS, Event(kind=end), terminal=True).split("all runs")[-1]
    assert "1/2" in last and "m/n=5" not in last


def test_elsewhere_a_line_at_begin_and_end():
    lines = told(*EVENTS, Event(kind="done"), terminal=False).splitlines()
    assert lines == ["m/n=5/seed=[0]: started", "m/n=5/seed=[0]: done in 0 s (1 of 2)"]
