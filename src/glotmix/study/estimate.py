"""How long rows are in tokens, from samples and without torch: what a plan says runs cost, and what it refuses.

A training row counts as `template: plain` writes it: prompt, answer and one end token. A chat template adds a few more.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import polars as pl
from tokenizers import Tokenizer

from glotmix.errors import UserError
from glotmix.mixture.tokens import open_tokenizer, row_tokens
from glotmix.study.models import Model, positions
from glotmix.study.plan import Plan, Run

SAMPLE = 40  # rows per task and language

Place = tuple[str, str]  # task and language

LONGER_SCHEMA = pl.Schema(
    {
        "model": pl.String(),
        "task": pl.String(),
        "language": pl.String(),
        "sampled": pl.Int64(),  # training rows
        "longer": pl.Int64(),  # of them, than recipe.max_tokens
    }
)


class Estimate:
    """Token counts of what a plan's runs read, by each model's tokenizer. Rows are sampled and counted once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._train = dict(_training_samples(plan))
        self._test = {(task, tag): plan.rows[key].head(SAMPLE) for task, tag, key in _tests(plan) if plan.rows}
        self._counted = cache(self._count)
        self._tokenizer = cache(self._load)
        self._by_content: dict[str, Tokenizer] = {}

    def tokens(self, run: Run) -> int | None:
        """Tokens that the whole training reads, padding left out; None without the pool or the tokenizer.

        Tokenizers count if they are there in the fast format (`tokenizer.json`).
        """
        tokenizer = self._tokenizer(run.model.folder)
        if not self._train or not tokenizer:
            return None
        read = kept = 0.0  # in one pass over the mixture
        for place, rows in _places(run).items():
            sampled, trained = len(self._counted(tokenizer, "train", place)), self._trained(tokenizer, place)
            read += rows / sampled * sum(trained)
            kept += rows / sampled * len(trained)
        return round(read / kept * run.steps * self.plan.spec.recipe.batch_rows) if kept else None

    def longer_rows(self) -> pl.DataFrame:
        """Of each model's sampled training rows, how many are longer than the recipe allows (`LONGER_SCHEMA`)."""
        counted = [
            (model.name, *place, len(tokens), int((tokens > self.plan.spec.recipe.max_tokens).sum()))
            for model, tokenizer, runs in self._readers()
            for place in _all_places(runs)
            for tokens in [self._counted(tokenizer, "train", place)["tokens"]]
        ]
        return pl.DataFrame(counted, schema=LONGER_SCHEMA, orient="row")

    def _readers(self) -> Iterator[tuple[Model, Tokenizer, list[Run]]]:
        """The models whose tokenizer is here, with their runs; none without the pool."""
        for model in {run.model.entry: run.model for run in self.plan.runs}.values() if self._train else ():
            if tokenizer := self._tokenizer(model.folder):
                yield model, tokenizer, [run for run in self.plan.runs if run.model is model]

    def _trained(self, tokenizer: Tokenizer, place: Place) -> list[int]:
        """Tokens of each sampled row as it is trained on; dropped rows are left out."""
        recipe, counted = self.plan.spec.recipe, self._counted(tokenizer, "train", place)["tokens"]
        if recipe.longer_rows == "drop":
            return [tokens for tokens in counted if tokens <= recipe.max_tokens]
        return [min(tokens, recipe.max_tokens) for tokens in counted]

    def check(self) -> None:
        """Raises:
        UserError: a sampled row is longer than the recipe or a model allows.
        """
        for model, tokenizer, runs in self._readers():
            self._check_training(model, tokenizer, _all_places(runs))
            tests = {(step.task, step.language): step.max_new_tokens for run in runs for step in run.evaluations}
            self._check_evaluation(model, tokenizer, tests)

    def _check_training(self, model: Model, tokenizer: Tokenizer, places: Iterable[Place]) -> None:
        recipe, most = self.plan.spec.recipe, positions(model.folder)
        for place in places:
            row_id, longest, _ = self._counted(tokenizer, "train", place).sort("tokens").row(-1)
            what = f"row {row_id} has {longest} tokens with the tokenizer of {model.name}"
            if recipe.longer_rows == "refuse" and longest > recipe.max_tokens:
                fix = "raise it or set longer_rows: drop or truncate"
                raise UserError(f"recipe.max_tokens: {recipe.max_tokens}, but {what}; {fix}")
            if most is not None and max(self._trained(tokenizer, place), default=0) > most:
                fix = f"set max_tokens: {most} and longer_rows: drop or truncate, or take another model"
                raise UserError(f"recipe.max_tokens: {what}, and the model reads {most}; {fix}")

    def _check_evaluation(self, model: Model, tokenizer: Tokenizer, max_new_tokens: Mapping[Place, int]) -> None:
        if (most := positions(model.folder)) is None:
            return
        for place, wanted in max_new_tokens.items():
            counted = self._counted(tokenizer, "test", place)
            longest = max(counted["tokens"] - counted["answer_tokens"])
            if longest + wanted > most:
                where = f"{wanted} after a prompt of {longest} tokens ({' in '.join(place)})"
                fix = f"ask for at most {most - longest}" if longest < most else "take another model"
                raise UserError(f"evaluation.max_new_tokens: {where} is more than {model.name} reads ({most}); {fix}")

    def _load(self, folder: Path) -> Tokenizer | None:
        """Sizes of one model family share a tokenizer: it is read, and counts, once."""
        file = folder / "tokenizer.json"
        if not file.is_file():
            return None
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        if content not in self._by_content:
            try:
                self._by_content[content] = open_tokenizer(file)
            except UserError as error:
                raise UserError(f"models: {error}") from None
        return self._by_content[content]

    def _count(self, tokenizer: Tokenizer, split: str, place: Place) -> pl.DataFrame:
        return row_tokens((self._train if split == "train" else self._test)[place], tokenizer)


def _training_samples(plan: Plan) -> Iterator[tuple[Place, pl.DataFrame]]:
    """The first rows of each task and language, from the mixture that has most of them: shorter ones start alike."""
    most: dict[Place, tuple[int, str]] = {}
    for run in plan.runs:
        for place, rows in _places(run).items():
            most[place] = max(most.get(place, (0, "")), (rows, run.mixture))
    for (task, tag), (_, mixture) in sorted(most.items()) if plan.mixtures else ():
        yield (task, tag), plan.mixtures[mixture].rows.filter(task=task, language=tag).head(SAMPLE)


def _places(run: Run) -> dict[Place, int]:
    """Rows by task and language."""
    return {(task, tag): rows for task, counts in run.cell.counts.items() for tag, rows in counts.items()}


def _all_places(runs: Iterable[Run]) -> list[Place]:
    return sorted({place for run in runs for place in _places(run)})


def _tests(plan: Plan) -> Iterable[tuple[str, str, str]]:
    return sorted({(step.task, step.language, step.rows) for run in plan.runs for step in run.evaluations})
