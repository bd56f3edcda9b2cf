"""The whole of a `study.yaml`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from glotmix.spec.analysis import Analysis
from glotmix.spec.designs import Design, Items
from glotmix.spec.training import Evaluation, Order, Recipe
from glotmix.spec.words import Count, Name, Names, SeedList, Spec, Tag, Tags, Tasks, check_tasks, once


class Languages(Spec):
    """Tags (BCP-47): the anchor is what gains and gaps are relative to, the others are what designs add to it."""

    anchor: Tag = "en"
    train: Tags
    evaluate: Tags

    @model_validator(mode="after")
    def _roles(self) -> "Languages":
        if self.anchor in self.train:
            raise ValueError(f"train names the anchor {self.anchor!r}; leave it out: designs say how much of it")
        if self.anchor not in self.evaluate:
            raise ValueError(f"evaluate lacks the anchor {self.anchor!r}; add it: gains and gaps are relative to it")
        return self

    def role(self, tag: str) -> str:
        """anchor, seen or unseen, by the study's training languages."""
        return "anchor" if tag == self.anchor else "seen" if tag in self.train else "unseen"


class Seeds(Spec):
    """Training seeds: of every cell, and more at chosen ones, by their rows per language or by their names' pattern."""

    everywhere: SeedList = (0,)
    at: dict[Count | str, SeedList] = Field(default={})


Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
Trackers = Annotated[tuple[Tracker, ...], AfterValidator(once)]  # in no key: they only watch


def _plain_list(value: Any) -> Any:
    return value if isinstance(value, dict | Seeds) else {"everywhere": value}


class StudySpec(Spec):
    """A study: models, a pool, languages, one design or several named ones, and how to train and evaluate."""

    name: Name
    question: str = ""
    models: Names
    pool: str
    tasks: Tasks
    languages: Languages
    design: Design | None = None
    designs: Annotated[dict[Name, Design], Field(min_length=1)] | None = None
    items: Items = "shared"
    repeat: bool = False
    order: Order = Order()
    data_seed: Count = 0
    seeds: Annotated[Seeds, BeforeValidator(_plain_list, json_schema_input_type=Seeds | SeedList)] = Seeds()
    recipe: Recipe
    evaluation: Evaluation = Evaluation()
    trackers: Trackers = ()
    analysis: Analysis = Analysis()

    @model_validator(mode="after")
    def _whole(self) -> "StudySpec":
        if (self.design is None) == (self.designs is None):
            raise ValueError("give exactly one of design and designs")
        if self.order.tasks is not None and set(self.order.tasks) != set(self.tasks):
            raise ValueError(f"order.tasks puts all tasks in order; name each of {', '.join(self.tasks)}")
        if self.evaluation.judge and "instructions" not in self.tasks:
            raise ValueError("evaluation.judge judges the task instructions, which is not among the tasks; remove it")
        for name, tags in self.analysis.groups.items():
            if unknown := [tag for tag in tags if tag not in self.languages.evaluate]:
                raise ValueError(
                    f"analysis.groups.{name} names {unknown[0]!r}, which is not in languages.evaluate; add it"
                )
        check_tasks("evaluation.items_per_language", self.evaluation.items_per_language, self.tasks)
        check_tasks("evaluation.max_new_tokens", self.evaluation.max_new_tokens, self.tasks)
        check_tasks("recipe.select.rows_per_language", self.recipe.select.rows_per_language, self.tasks)
        return self

    @property
    def named_designs(self) -> Mapping[str, Design]:
        """The designs by name; a study's only one has none."""
        return {"": self.design} if self.design is not None else self.designs or {}
