"""How fast this machine trains a study's models and lets them write: measured on a few real steps. Imports torch.

A speed is of one worker: one GPU, or one thread where there is none.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import torch
from accelerate.utils.memory import clear_device_cache

from glotmix.generate.load import load_model, load_tokenizer
from glotmix.mixture import training_order
from glotmix.pool.row import asked
from glotmix.study.backends import Backends, check_backend
from glotmix.study.budget import Speed
from glotmix.study.libraries import check_libraries
from glotmix.study.plan import Plan, Run
from glotmix.train.encode import encode_rows, left_out
from glotmix.train.faults import out_of_memory_says
from glotmix.train.learner import Learner
from glotmix.train.lora import with_adapters

SECONDS = 20.0  # no step is begun later than this
STEPS = 6
PROMPTS = 64
NEW_TOKENS = 64  # an answer's length, if the study lets it be as long

Say = Callable[[str], None]


def measured(plan: Plan, runs: Iterable[Run], say: Say) -> Iterator[tuple[Run, Speed]]:
    """The speed of each run's model under the study's recipe and evaluation.

    Args:
        runs: one of each model; its mixture and test rows are used.
        say: gets a line for each thing begun.

    Raises:
        GlotmixError: a model does not fit into the memory of this machine.
    """
    check_backend(plan.spec.evaluation)
    check_libraries(plan.spec.recipe)
    backends = Backends()
    for run in runs:
        # smaller batches have been tried by then: not even the weights fit, or a single row
        short = f"--calibrate: {run.model.name} does not fit into memory; calibrate on a larger machine"
        with _one_thread(), out_of_memory_says(short):
            say(f"{run.model.name}: training steps")
            training = _training(plan, run)
            clear_device_cache(garbage_collection=True)
            say(f"{run.model.name}: answers")
            generation = _generation(plan, run, backends)
            clear_device_cache(garbage_collection=True)
        yield run, Speed(training, generation)


@contextmanager
def _one_thread() -> Iterator[None]:
    """As a worker does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _training(plan: Plan, run: Run) -> float:
    """Tokens a second, padding left out; of the first step, which is slower, only if there is time for no other."""
    recipe, mixture = plan.spec.recipe, plan.mixtures[run.mixture]
    tokenizer = load_tokenizer(run.model.folder)
    learner = Learner(with_adapters(load_model(run.model.folder, "float32"), recipe, run.seed), recipe)
    dropped, anchor = left_out(mixture.rows, recipe, run.model.folder), plan.spec.languages.anchor
    order = training_order(mixture, run.seed, recipe.batch_rows, STEPS, plan.spec.order, anchor, dropped)
    read = mixture.rows.filter(pl.col("row_id").is_in(set(order))).unique("row_id")
    encoded = encode_rows(read, recipe, tokenizer).by_id
    speeds: list[tuple[int, float]] = []  # tokens and seconds of each step
    for step in range(STEPS):
        batch = [encoded[row_id] for row_id in order[step * recipe.batch_rows : (step + 1) * recipe.batch_rows]]
        began = time.monotonic()
        learner.step(batch, recipe.learning_rate)
        _wait()
        speeds.append((sum(len(row.ids) for row in batch), time.monotonic() - began))
        if sum(seconds for _, seconds in speeds) > SECONDS:
            break
    tokens, seconds = map(sum, zip(*(speeds[1:] or speeds), strict=True))
    return tokens / seconds


def _generation(plan: Plan, run: Run, backends: Backends) -> float:
    """Tokens a second, of about a batch of test prompts."""
    settings, step = plan.spec.evaluation, run.evaluations[0]
    rows = plan.rows[step.rows].head(PROMPTS)
    with (
        TemporaryDirectory() as folder,
        backends.open(settings, run.model.folder, Path(folder) / "calls.sqlite") as backend,
    ):
        began = time.monotonic()
        outputs = backend.generate(
            [asked(messages) for messages in rows["messages"].to_list()],
            template=plan.spec.recipe.template,
            max_new_tokens=min(NEW_TOKENS, step.max_new_tokens),
        )
        _wait()
        return max(1, sum(output.tokens for output in outputs)) / (time.monotonic() - began)


def _wait() -> None:
    """A GPU may still be at work when the call that started it has returned."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
