"""What a study declares of its analysis before there are results."""

from typing import Annotated, Literal

from pydantic import Field

from glotmix.spec.words import Name, Number, SomeTags, Spec

Control = Literal["holm", "benjamini-hochberg", "none"]
Margin = Annotated[Number, Field(ge=0.1, le=50)]  # a share of 1 by mistake is refused


class Analysis(Spec):
    """`margin`, in points: a smaller difference does not matter. `control`: how p values of one family are adjusted for
    their number. `groups`: languages to compare by name. In no key: results do not depend on it."""

    margin: Margin = 2.0
    control: Control = "holm"
    groups: dict[Name, SomeTags] = Field(default={})
