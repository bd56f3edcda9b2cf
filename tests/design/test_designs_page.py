"""What docs/designs.md shows can be run."""

import re
from pathlib import Path

import pytest
import yaml
from designs import study

from glotmix.design import cells
from glotmix.spec.study import Seeds

PAGE = Path(__file__).parents[2] / "docs" / "designs.md"
SHOWN = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)]
TRAIN = ["es", "fr", "ja", "zh", "bn", "sw", "th"]


@pytest.mark.parametrize("design", [shown["design"] for shown in SHOWN if "design" in shown])
def test_a_design_of_the_page(design):
    found = cells(study(design, TRAIN[:3] if design["kind"] == "ratio" else TRAIN))
    assert len(found) > 1
    assert any(cell.baseline for cell in found)


def test_the_page_shows_every_kind_and_good_seeds():
    kinds = {shown["design"]["kind"] for shown in SHOWN if "design" in shown}
    assert kinds == {"increments", "groups", "coverage", "ratio", "substitution", "availability", "explicit"}
    (seeds,) = (shown["seeds"] for shown in SHOWN if "seeds" in shown)
    assert Seeds.model_validate(seeds).at[0] == (1, 2)
